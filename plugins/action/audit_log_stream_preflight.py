# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import time

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.common.parameters import remove_values
from ansible.plugins.action import ActionBase
from ansible_collections.datastax.astra.plugins.module_utils.audit_log_stream import fingerprint
from ansible_collections.datastax.astra.plugins.module_utils.destination import examine
from ansible_collections.datastax.astra.plugins.module_utils.options import AUDIT_LOG_STREAM
from ansible_collections.datastax.astra.plugins.plugin_utils.in_process import secrets_of
from ansible_collections.datastax.astra.plugins.plugin_utils.role_variables import RoleVariables

# Stands for a value that is not known because a variable or client.conf has problems, so that only those are reported.
STAND_INS = {"endpoint": "pulsar+ssl://broker.invalid", "topic": "tenant/namespace/topic"}


class ActionModule(ActionBase):
    """Finds every mistake in the role's variables of a host, without sending anything."""

    _supports_check_mode = True
    _requires_connection = False

    def run(self, tmp=None, task_vars=None):
        """Return C(problems) and C(remarks), and C(identity), which no two hosts should share."""
        result = super().run(tmp, task_vars)
        role_variables = RoleVariables(task_vars, self._templar, self._loader)
        options = role_variables.options()
        problems, remarks = role_variables.problems, []
        if problems:
            options = {**STAND_INS, **options}
        validation = ArgumentSpecValidator(AUDIT_LOG_STREAM.argument_spec).validate(options)
        params = validation.validated_parameters
        if validation.error_messages:
            problems += validation.error_messages
        else:
            findings = examine(params, time.time())
            problems += findings.problems
            remarks = findings.warnings
        result.update(changed=False, problems=problems, remarks=remarks, identity=_identity(params))
        return remove_values(result, secrets_of(AUDIT_LOG_STREAM, options, params))


def _identity(params):
    """Return what two hosts share when they are the same organization by mistake."""
    organization_id = params.get("organization_id")
    if organization_id:
        return organization_id.strip().lower()
    return fingerprint("", params["application_token"].strip()) if params.get("application_token") else None
