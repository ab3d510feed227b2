# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible.plugins.loader import lookup_loader
from ansible.utils.path import unfrackpath
from ansible_collections.datastax.astra.plugins.module_utils.audit_log_stream import fingerprint
from ansible_collections.datastax.astra.plugins.module_utils.destination import (
    SECRET_OPTIONS,
    normalize_organization_id,
)
from ansible_collections.datastax.astra.plugins.module_utils.errors import InputError
from ansible_collections.datastax.astra.plugins.module_utils.fingerprint_store import UNKNOWN, recall, remember
from ansible_collections.datastax.astra.plugins.module_utils.options import AUDIT_LOG_STREAM
from ansible_collections.datastax.astra.plugins.plugin_utils.in_process import InProcessAction, preload

preload(lookup_loader, "datastax.astra.audit_log_stream_options")  # the role needs it for every host


class ActionModule(InProcessAction):
    """Converges an organization's audit log stream, in this process where that is equivalent.

    The fingerprint store is always here, on the controller.
    """

    command = AUDIT_LOG_STREAM

    def _perform(self, args, task_vars):
        directory = args.get("fingerprint_store")
        try:
            organization_id = normalize_organization_id(str(args.get("organization_id") or args.get("org_id") or ""))
        except InputError:
            directory = None  # the command refuses the options
        if not directory:
            return super()._perform(args, task_vars)
        if self._task.async_val:
            return {"failed": True, "msg": "fingerprint_store cannot be used with async."}
        return self._perform_with_store(unfrackpath(str(directory), follow=False), organization_id, args, task_vars)

    def _perform_with_store(self, directory, organization_id, args, task_vars):
        known, warnings = recall(directory, organization_id)
        recorded = known
        if args.get("known_token_fingerprint") is None:
            args = {**args, "known_token_fingerprint": known}
        real = not self._task.check_mode
        absent = args.get("state") == "absent"
        if real and known and not absent and _is_other_secret(known, organization_id, args):
            # A run that is killed between sending another secret and recording it must not leave the old entry,
            # which a return to the old secret would take for the truth.
            recorded = UNKNOWN
            warnings += remember(directory, organization_id, recorded)
        result = super()._perform(args, task_vars)
        if real and result.get("failed") and result.get("changed"):
            if not absent and recorded is None:
                warnings += remember(directory, organization_id, UNKNOWN)
        elif real:
            right = None if absent and not result.get("failed") else result.get("token_fingerprint") or known
            if right != recorded:
                warnings += remember(directory, organization_id, right)
        if warnings:
            result["warnings"] = [*result.get("warnings", []), *warnings]
        return result


def _is_other_secret(known, organization_id, args):
    secret = args.get(SECRET_OPTIONS.get(str(args.get("auth_strategy") or "token")))
    return isinstance(secret, str) and fingerprint(organization_id, secret.strip()) != known
