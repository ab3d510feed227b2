# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from ansible_collections.datastax.astra.plugins.module_utils._errors import AstraError
from ansible_collections.datastax.astra.plugins.module_utils._pulsar.units import parse_duration
from ansible_collections.datastax.astra.plugins.plugin_utils.client_conf_file import ClientConfFile
from ansible_collections.datastax.astra.plugins.plugin_utils.destination import disprove, revoke
from ansible_collections.datastax.astra.plugins.plugin_utils.destination_action import (
    DestinationAction,
    explain_streams,
    find_rotations,
    have_changed,
)
from ansible_collections.datastax.astra.plugins.plugin_utils.screens import Line


class ActionModule(DestinationAction):
    """Revokes the token that a rotation has replaced, once every stream has the new one and the broker takes it."""

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return which token was revoked."""
        super().run(tmp, task_vars)
        variables = task_vars or {}
        name = variables["inventory_hostname"]
        rotation = find_rotations(variables).get(name)
        if rotation is None:
            return {"changed": False, "revoked_token_id": None}
        old, new = rotation["replaced_token_id"], rotation["token_id"]

        def execute(
            params: Mapping[str, Any], check_mode: bool, _warnings: list[str], conf_file: ClientConfFile | None
        ) -> dict[str, Any]:
            advice = f"Put that right and run the rotation again; it then goes on from here, with Pulsar token {new}."
            if not conf_file:
                advice = (
                    f"Put that right and give every stream Pulsar token {new}, which every run without a rotation "
                    f"returns. Then remove {old} with datastax.astra.astra_streaming_token. Another rotation would "
                    f"make a third token and leave {old} valid, because audit_log_destination_client_conf_path is not "
                    "set."
                )
            # In check mode no stream has taken anything over, and there is no new token to prove.
            reason = None if check_mode else explain_streams(variables, name) or _disprove(params, rotation)
            if reason:
                raise AstraError(f"Pulsar token {old} is not revoked and stays valid, because {reason} {advice}")
            if not check_mode:
                if have_changed(variables, name):
                    # Nobody can see when the service uses the token that a stream was just given.
                    time.sleep(max(0, parse_duration(params["revoke_after"])))
                try:
                    revoke(params, old, rotation["tenant"], conf_file)
                except AstraError as error:
                    error.message += f" {advice}"
                    raise
            return {"changed": True, "revoked_token_id": old}

        result = self._perform(variables, execute)
        if not result.get("failed"):
            verb = "would be revoked once the new one is proven" if self._task.check_mode else "revoked"
            self._show([Line(f"Destination {name}: Pulsar token {old} {verb}", "changed")])
        return result


def _disprove(params: Mapping[str, Any], rotation: Mapping[str, Any]) -> str | None:
    """Return why the new token is not proven to be taken by the broker, as the end of a sentence, or None."""
    reason = disprove(params, rotation["topic"], rotation["client_conf"])
    return reason and f"the broker was not seen to take the new one: {reason}"
