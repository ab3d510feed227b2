# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The properties of a topic: text by key, kept by Pulsar with the topic and read by whoever may use it.

They are a place to remember fingerprints in, for runs from throw-away execution environments.

A write merges into what is there, in Pulsar itself: 40 writers at once, each with a key of its own, lost nothing, and
6,000 keys were no trouble. Reading needs the right to produce or to consume, writing that to administer the tenant.
They go with the topic: one that is made again has none. A partitioned topic has them under its own name.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from urllib.parse import quote

from ansible_collections.datastax.astra.plugins.module_utils._api import Api, Call
from ansible_collections.datastax.astra.plugins.module_utils._deadline import UNBOUNDED, Deadline
from ansible_collections.datastax.astra.plugins.module_utils._errors import AstraError, ServiceError
from ansible_collections.datastax.astra.plugins.module_utils._fingerprint_store import (
    KIND,
    Entry,
    StoreError,
    format_entry,
    parse_entry,
)

# Pulsar says with 401 that a token has no right, and also that it is not valid.
_NO_RIGHT = "the token may have ended, or its role may not administer the tenant"
_ADVICE = {401: _NO_RIGHT, 403: _NO_RIGHT, 404: "make the topic first"}


def read_properties(
    api: Api, topic: str, headers: Mapping[str, str] | None = None, deadline: Deadline = UNBOUNDED
) -> dict[str, str]:
    """Return the properties of a topic.

    :arg api: Pulsar's admin API.
    :arg topic: full name, ``persistent://tenant/namespace/topic``.
    :arg headers: sent besides, such as ``X-DataStax-Pulsar-Cluster`` for an application token.
    :raises AstraError: they cannot be read; ``http_status`` is 401 or 403 where the right is missing.
    """
    call = Call(f"Reading the properties of {topic}", "GET", _path(topic), advice=_ADVICE, headers=headers or {})
    # A partitioned topic that never had any is answered with nothing.
    text = api.read_text(call, deadline) or "{}"
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict) or not all(isinstance(value, str) for value in document.values()):
        raise ServiceError(f"{call.purpose} failed: the admin API answered with something else.")
    return document


def merge_properties(
    api: Api,
    topic: str,
    properties: Mapping[str, str],
    headers: Mapping[str, str] | None = None,
    deadline: Deadline = UNBOUNDED,
) -> None:
    """Set these properties of a topic and leave all others as they are, even those that others set at the same time.

    What is there as wanted is not written again. Repeating is harmless.

    :raises AstraError: as ``read_properties`` does.
    """
    # Also because Pulsar 4.0.8 never answers a write to a topic that does not exist.
    present = read_properties(api, topic, headers, deadline)
    different = {key: value for key, value in properties.items() if present.get(key) != value}
    if different:
        purpose = f"Writing properties of {topic}"
        accepted = (200, 204)
        call = Call(purpose, "PUT", _path(topic), accepted, advice=_ADVICE, headers=headers or {}, body=different)
        api.write(call, deadline)


def _path(topic: str) -> str:
    parts = topic.partition("://")[2].split("/", 2)
    return f"/admin/v2/persistent/{'/'.join(quote(part, safe='') for part in parts)}/properties"


def remove_property(api: Api, topic: str, key: str) -> None:
    """Remove a property of a topic, if it is there.

    :raises AstraError: as ``read_properties`` does.
    """
    if key in read_properties(api, topic):
        purpose = f"Removing a property of {topic}"
        api.write(Call(purpose, "DELETE", _path(topic), (200, 204), advice=_ADVICE, query={"key": key}))


class TopicStore:
    """A fingerprint store in the properties of the destination topic, one for each organization.

    :arg api: Pulsar's admin API.
    :arg topic: full name, ``persistent://tenant/namespace/topic``.
    :arg read: what shows the properties. Whoever writes entries needs the default, which asks anew each time; whoever
        only reads them may give what was read before.
    """

    def __init__(self, api: Api, topic: str, read: Callable[[Api, str], Mapping[str, str]] = read_properties) -> None:
        self._api = api
        self._topic = topic
        self._read = read

    def read(self, organization_id: str) -> Entry | None:
        """Return an organization's entry, or None where there is none.

        :raises StoreError: it cannot be read, or it is damaged.
        """
        try:
            properties = self._read(self._api, self._topic)
        except AstraError as error:
            raise StoreError(f"cannot be read: {error.message.rstrip('.')}") from None
        text = properties.get(_make_key(organization_id))
        return None if text is None else parse_entry(text, organization_id)

    def write(self, organization_id: str, entry: Entry | None) -> None:
        """Replace an organization's entry, or remove it. Those of others stay, even if they are being written.

        :raises StoreError: it cannot be written.
        """
        key = _make_key(organization_id)
        try:
            if entry is None:
                remove_property(self._api, self._topic, key)
            else:
                merge_properties(self._api, self._topic, {key: format_entry(entry, organization_id)})
        except AstraError as error:
            raise StoreError(f"cannot be written: {error.message.rstrip('.')}") from None

    def exchange(self, organization_id: str, expected: Entry | None, entry: Entry | None) -> bool:
        """Do that only where the entry still is the expected one; return whether it was.

        Pulsar has no exchange of its own, so somebody else may come between the look and the write.

        :raises StoreError: it cannot be written.
        """
        try:
            current = self.read(organization_id)
        except StoreError:
            current = None
        if current != expected:
            return False
        self.write(organization_id, entry)
        return True


def _make_key(organization_id: str) -> str:
    return f"datastax.astra/{KIND}/{organization_id}"
