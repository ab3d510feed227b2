# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

from ansible_collections.datastax.astra.plugins.plugin_utils.destination import execute
from ansible_collections.datastax.astra.plugins.plugin_utils.destination_action import DestinationAction, display
from ansible_collections.datastax.astra.plugins.plugin_utils.destination_screen import show_destination
from ansible_collections.datastax.astra.plugins.plugin_utils.screens import Shape


class ActionModule(DestinationAction):
    """Brings a destination into the state that the variables of the role ask for: all that the role does."""

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return what there is, with the client.conf as a secret."""
        super().run(tmp, task_vars)
        variables = task_vars or {}
        result = self._perform(variables, execute)
        if not result.get("failed"):
            name, shape = variables["inventory_hostname"], Shape(display.columns)
            self._show(show_destination(name, result, self._task.check_mode, shape))
        return result
