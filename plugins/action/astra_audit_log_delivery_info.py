# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.datastax.astra.plugins.module_utils._command import AUDIT_LOG_DELIVERY_INFO
from ansible_collections.datastax.astra.plugins.plugin_utils.in_process import InProcessAction


class ActionModule(InProcessAction):
    """The module of the same name, in this process where that is equivalent."""

    command = AUDIT_LOG_DELIVERY_INFO
