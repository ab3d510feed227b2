# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase
from ansible_collections.datastax.astra.plugins.module_utils._errors import InputError
from ansible_collections.datastax.astra.plugins.module_utils._pulsar.jwt import read_facts, read_jwt
from ansible_collections.datastax.astra.plugins.plugin_utils.destination_action import find_rotations
from ansible_collections.datastax.astra.plugins.plugin_utils.fleet_variables import FleetVariables

GROUP = "astra_organizations"


class ActionModule(ActionBase):
    """Finds the organizations whose streams use the destinations that have a token to be revoked."""

    BYPASS_HOST_LOOP = True
    _supports_check_mode = True
    _requires_connection = False

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return for each destination who uses it, and who does with the old token."""
        super().run(tmp, task_vars)
        variables = task_vars or {}
        rotations = find_rotations(variables)
        users: dict[str, list[str]] = {name: [] for name in rotations}
        late: dict[str, list[str]] = {name: [] for name in rotations}
        fleet = FleetVariables(self._task, variables, self._templar, self._loader)
        for name in variables["groups"].get(GROUP, ()) if rotations else ():
            reading = fleet.read(name)
            if reading.params["state"] == "absent":
                continue
            token_id = _find_token_id(reading.request and reading.request.pulsar_token)
            for destination, rotation in rotations.items():
                # One whose variables cannot be read may be meant: then its own play says what is wrong.
                if reading.request is None or token_id in (rotation["token_id"], rotation["replaced_token_id"]):
                    users[destination].append(name)
                if token_id == rotation["replaced_token_id"]:
                    late[destination].append(name)
        hosts = list(dict.fromkeys(name for names in users.values() for name in names))
        return {"changed": False, "hosts": hosts, "users": users, "late": late}


def _find_token_id(token: str | None) -> str | None:
    try:
        return read_facts(read_jwt(token or "")).token_id
    except InputError:  # not a token of Astra Streaming
        return None
