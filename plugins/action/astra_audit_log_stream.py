# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.utils.path import unfrackpath
from ansible_collections.datastax.astra.plugins.module_utils._command import AUDIT_LOG_STREAM
from ansible_collections.datastax.astra.plugins.module_utils._errors import InputError
from ansible_collections.datastax.astra.plugins.module_utils._fingerprint_store import (
    TOPIC_STORE,
    DirectoryStore,
    run_with_store,
)
from ansible_collections.datastax.astra.plugins.module_utils._organizations import normalize_organization_id
from ansible_collections.datastax.astra.plugins.plugin_utils.in_process import InProcessAction


class ActionModule(InProcessAction):
    """Converges an organization's audit log stream, in this process where that is equivalent.

    A directory as fingerprint store is always here, on the controller.
    """

    command = AUDIT_LOG_STREAM

    def _perform(self, args: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        directory = args.get("fingerprint_store")
        try:
            organization_id = normalize_organization_id(str(args.get("organization_id") or args.get("org_id") or ""))
        except InputError:
            directory = None  # the command refuses the options
        if not directory or directory == TOPIC_STORE:
            return super()._perform(args, task_vars)
        if self._task.async_val:
            return {"failed": True, "msg": "fingerprint_store cannot be used with async."}

        def run(options: Mapping[str, Any]) -> dict[str, Any]:
            return super(ActionModule, self)._perform(dict(options), task_vars)

        store = DirectoryStore(unfrackpath(str(directory), follow=False))
        return run_with_store(store, organization_id, args, self._task.check_mode, run)
