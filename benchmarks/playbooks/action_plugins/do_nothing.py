# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible.plugins.action import ActionBase


class ActionModule(ActionBase):
    """The least that a task can do for a host."""

    _requires_connection = False

    def run(self, tmp=None, task_vars=None):
        """Return that nothing was done."""
        return {"changed": False}
