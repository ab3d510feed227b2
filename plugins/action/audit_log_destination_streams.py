# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase
from ansible_collections.datastax.astra.plugins.plugin_utils.destination_action import find_rotations
from ansible_collections.datastax.astra.plugins.plugin_utils.fleet_variables import FleetVariables

GROUP = "astra_organizations"


class ActionModule(ActionBase):
    """Finds the organizations whose streams use the destinations that have a token to be revoked."""

    BYPASS_HOST_LOOP = True
    _supports_check_mode = True
    _requires_connection = False

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return ``hosts``, and ``destinations`` with the names of those who use each."""
        super().run(tmp, task_vars)
        variables = task_vars or {}
        rotations = find_rotations(variables)
        used: dict[str, list[str]] = {name: [] for name in rotations}
        organizations = variables["groups"].get(GROUP, ()) if rotations else ()
        fleet = FleetVariables(self._task, variables, self._templar, self._loader)
        for name in organizations:
            reading = fleet.read(name)
            if reading.params["state"] == "absent":
                continue
            for destination, rotation in rotations.items():
                # One whose variables cannot be read may be meant: then its own play says what is wrong.
                if reading.request is None or reading.request.topic == rotation["topic"]:
                    used[destination].append(name)
        hosts = list(dict.fromkeys(name for names in used.values() for name in names))
        return {"changed": False, "hosts": hosts, "destinations": used}
