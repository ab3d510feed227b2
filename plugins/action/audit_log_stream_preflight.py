# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import time

from ansible.errors import AnsibleError
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.common.parameters import remove_values
from ansible.plugins.action import ActionBase
from ansible_collections.datastax.astra.plugins.module_utils.audit_log_stream import fingerprint
from ansible_collections.datastax.astra.plugins.module_utils.client_conf import OPTIONS as CLIENT_CONF_OPTIONS
from ansible_collections.datastax.astra.plugins.module_utils.client_conf import options_from
from ansible_collections.datastax.astra.plugins.module_utils.destination import examine
from ansible_collections.datastax.astra.plugins.module_utils.errors import InputError
from ansible_collections.datastax.astra.plugins.module_utils.options import AUDIT_LOG_STREAM
from ansible_collections.datastax.astra.plugins.plugin_utils.in_process import plain, secrets_of

PREFIX = "audit_log_stream_"

# Stands for an endpoint that is not known because client.conf has problems, so that only those are reported.
ANY_ENDPOINT = "pulsar+ssl://broker.invalid"


class ActionModule(ActionBase):
    """Finds every mistake in the role's variables of a host, without sending anything."""

    _supports_check_mode = True
    _requires_connection = False

    def run(self, tmp=None, task_vars=None):
        """Return C(problems) and C(remarks), and C(identity), which no two hosts should share."""
        result = super().run(tmp, task_vars)
        problems = []
        options = self._options(task_vars, problems)
        validation = ArgumentSpecValidator(AUDIT_LOG_STREAM.argument_spec).validate(options)
        params = validation.validated_parameters
        remarks = []
        if validation.error_messages:
            problems += validation.error_messages
        else:
            findings = examine(params, time.time())
            problems += findings.problems
            remarks = findings.warnings
        result.update(changed=False, problems=problems, remarks=remarks, identity=_identity(params))
        return remove_values(result, secrets_of(AUDIT_LOG_STREAM, options, params))

    def _options(self, task_vars, problems):
        """Return the module's options as the role would give them."""
        options = {}
        for name in AUDIT_LOG_STREAM.argument_spec:
            value = self._variable(name, task_vars, problems)
            if value not in (None, ""):
                options[name] = value
        if options.get("fingerprint_store") == "none":
            del options["fingerprint_store"]
        if options.get("state") != "absent":
            overrides = {name: options.pop(name, None) for name in CLIENT_CONF_OPTIONS}
            options.update(self._destination(overrides, task_vars, problems))
        return options

    def _destination(self, overrides, task_vars, problems):
        problems_before = len(problems)
        text = None
        if any(self._variable(name, task_vars, problems) for name in ("client_conf", "client_conf_content")):
            text = self._variable("_client_conf", task_vars, problems)
        if len(problems) == problems_before:
            try:
                destination = options_from(text, overrides)
            except InputError as error:
                problems += error.problems
            else:
                destination.pop("web_service_url", None)
                return destination
        return {"endpoint": ANY_ENDPOINT}

    def _variable(self, name, task_vars, problems):
        """Return the value of one of the role's variables, or None when there is none or it cannot be found out."""
        try:
            return plain(self._templar.template(task_vars.get(PREFIX + name)))
        except AnsibleError as error:
            shown = "audit_log_stream_client_conf" if name == "_client_conf" else PREFIX + name
            problems.append(f"{shown} cannot be read: {' '.join(error.message.split())}")
            return None


def _identity(params):
    """Return what two hosts share when they are the same organization by mistake."""
    organization_id = params.get("organization_id")
    if organization_id:
        return organization_id.strip().lower()
    return fingerprint("", params["application_token"]) if params.get("application_token") else None
