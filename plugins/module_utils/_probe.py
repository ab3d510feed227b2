# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The probe: does something that is audited and harms nothing, and looks for the event of it at the topic.

The act is a custom role that nobody has, which is made and deleted at once. Astra audits both (CREATE_ROLE and
DELETE_ROLE in its documentation); its documentation does not say what else an event of them holds, so the role's name,
which is new each time, is looked for anywhere in a message.
"""

from __future__ import annotations

import contextlib
import secrets
import time
from typing import NamedTuple

from ansible_collections.datastax.astra.plugins.module_utils._api import Api
from ansible_collections.datastax.astra.plugins.module_utils._convergence import Settings, converge
from ansible_collections.datastax.astra.plugins.module_utils._deadline import Deadline
from ansible_collections.datastax.astra.plugins.module_utils._errors import ServiceError
from ansible_collections.datastax.astra.plugins.module_utils._pulsar.admin import Get, Watch
from ansible_collections.datastax.astra.plugins.module_utils._resources.role import Role

ROLE_PREFIX = "audit-log-probe-"
_PERMISSION = "org-read"  # what the role would allow if somebody had it
_FIRST_PAUSE, _LONGEST_PAUSE = 0.25, 2.0  # seconds


class Arrival(NamedTuple):
    """What became of the event.

    :ivar message: that, as a sentence.
    :ivar role: name of the role that was made and deleted; None when nothing was done, or when that failed: then the
        message names what may be left.
    :ivar arrived: whether an event came within the time.
    :ivar is_certain: whether it was recognised. A token without the right to read messages shows only that one came.
    :ivar message_id: of the event, or None.
    :ivar latency: seconds from the act until the event was seen here; None without one.
    """

    message: str
    role: str | None = None
    arrived: bool = False
    is_certain: bool = False
    message_id: str | None = None
    latency: float | None = None


NOT_TRIED = Arrival("In check mode nothing is done, so no event can arrive.")


def probe(api: Api, organization_id: str, get: Get, topic: str, timeout: float) -> Arrival:
    """Make and delete a role, and wait for the event.

    :arg api: the DevOps API, with a token that may write and delete roles.
    :arg get: asks Pulsar's admin API.
    :arg topic: full name of where the organization's audit log streams to.
    :arg timeout: seconds to wait for the event.
    :raises AstraError: the role cannot be made or deleted, or the topic cannot be watched.
    """
    watch = Watch(get, topic)
    if watch.problem:
        raise ServiceError(f"Nothing was done, because {topic} cannot be watched: {watch.problem}.")
    name = f"{ROLE_PREFIX}{secrets.token_hex(8)}"
    started = time.monotonic()
    _make_and_delete(api, name, organization_id)
    deadline, pause = Deadline(timeout), _FIRST_PAUSE
    while not (message_id := watch.find(name)) and deadline.sleep(pause):
        pause = min(pause * 1.5, _LONGEST_PAUSE)
    if message_id is None:
        check = "check that the organization's audit log streams to this topic, and that its token may produce to it"
        return Arrival(f"No event arrived within {timeout} seconds: {check}.", name)
    latency = round(time.monotonic() - started, 3)
    what = "The event" if watch.is_readable else "An event, which the token has no right to look into,"
    message = f"{what} arrived after {latency} seconds (message {message_id})."
    return Arrival(message, name, True, watch.is_readable, message_id, latency)


def _make_and_delete(api: Api, name: str, organization_id: str) -> None:
    params = {
        "name": name,
        "permissions": [_PERMISSION],
        "resources": [f"drn:astra:org:{organization_id}"],
        "description": "Made and deleted by Ansible to see whether its audit event arrives",
    }
    with contextlib.ExitStack() as stack:
        try:
            converge(Role({**params, "state": "present"}, api, stack), Settings())
        finally:
            # Also when it is not known whether it was made.
            converge(Role({**params, "state": "absent"}, api, stack), Settings())
