# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import time

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.common.parameters import remove_values
from ansible.plugins.action import ActionBase
from ansible_collections.datastax.astra.plugins.module_utils._command import AUDIT_LOG_STREAM
from ansible_collections.datastax.astra.plugins.module_utils._errors import InputError
from ansible_collections.datastax.astra.plugins.module_utils._organizations import normalize_organization_id
from ansible_collections.datastax.astra.plugins.module_utils._resources._audit_log_stream_request import examine
from ansible_collections.datastax.astra.plugins.module_utils._secrets import compute_fingerprint, find_secrets
from ansible_collections.datastax.astra.plugins.plugin_utils.role_variables import RoleVariables

# Stand for values that are not known because of a problem with their variable, so that only that is reported.
STAND_INS = {
    "application_token": "AstraCS:unknown",
    "endpoint": "pulsar+ssl://broker.invalid",
    "topic": "tenant/namespace/topic",
}


class ActionModule(ActionBase):
    """Finds every mistake in the role's variables of a host, without sending anything."""

    _supports_check_mode = True
    _requires_connection = False

    def run(self, tmp=None, task_vars=None):
        """Return C(problems) and C(remarks), and C(identity), which no two hosts should share."""
        result = super().run(tmp, task_vars)
        role_variables = RoleVariables(task_vars, self._templar, self._loader)
        options = role_variables.options()
        problems = role_variables.problems
        options.update({name: value for name, value in STAND_INS.items() if name in role_variables.unknown})
        params = _validated(options, problems)
        findings = examine(params, time.time())
        problems += findings.problems
        result.update(changed=False, problems=problems, remarks=findings.warnings, identity=_identity(params))
        return remove_values(result, find_secrets(AUDIT_LOG_STREAM.argument_spec, options, params))


def _validated(options, problems):
    """Return the options after Ansible's own validation, with the defaults for those that it refuses."""
    spec = AUDIT_LOG_STREAM.argument_spec
    for name in list(options):
        refused = ArgumentSpecValidator({name: spec[name]}).validate({name: options[name]}).error_messages
        if refused:
            problems += refused
            del options[name]
    return ArgumentSpecValidator(spec).validate(options).validated_parameters


def _identity(params):
    """Return what two hosts share when they are the same organization by mistake."""
    try:
        if params["organization_id"]:
            return normalize_organization_id(params["organization_id"])
    except InputError:
        return None
    return compute_fingerprint("", params["application_token"].strip()) if params["application_token"] else None
