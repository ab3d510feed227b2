# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The border to Ansible: argument specs, and results from what the layers below return or raise.

Modules and action plugins run the same commands; the only difference is whose process it happens in.
"""

from __future__ import annotations

import time
from typing import Callable, NamedTuple

from ansible.module_utils.basic import AnsibleModule, env_fallback, missing_required_lib
from ansible_collections.datastax.astra.plugins.module_utils import transport
from ansible_collections.datastax.astra.plugins.module_utils.audit_log_stream import Settings, converge, show
from ansible_collections.datastax.astra.plugins.module_utils.destination import SECRET_OPTIONS, examine
from ansible_collections.datastax.astra.plugins.module_utils.devops_api import DevopsApi
from ansible_collections.datastax.astra.plugins.module_utils.errors import AstraError, InputError

_CONNECTION_SPEC = {
    "application_token": {
        "type": "str",
        "no_log": True,
        "fallback": (env_fallback, ["ASTRA_DB_APPLICATION_TOKEN", "ASTRA_API_TOKEN"]),
    },
    "api_url": {
        "type": "str",
        "default": "https://api.astra.datastax.com",
        "fallback": (env_fallback, ["ASTRA_API_URL"]),
    },
    "validate_certs": {"type": "bool", "default": True},
    "ca_path": {"type": "path"},
    "timeout": {"type": "int", "default": 30},
    "retries": {"type": "int", "default": 5},
}
_ORGANIZATION_SPEC = {"organization_id": {"type": "str", "aliases": ["org_id"]}}
_STREAM_SPEC = {
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "endpoint": {"type": "str"},
    "topic": {"type": "str"},
    "auth_strategy": {"type": "str", "choices": ["token", "oauth2"], "default": "token"},
    "auth_name": {"type": "str"},
    "pulsar_token": {"type": "str", "no_log": True},
    "oauth2_credentials_url": {"type": "str", "no_log": True},
    "oauth2_issuer_url": {"type": "str"},
    "oauth2_audience": {"type": "str"},
    "oauth2_scope": {"type": "str"},
    "update_token": {
        "type": "str",
        "choices": ["on_change", "always", "on_create"],
        "default": "on_change",
        "no_log": False,
    },
    "known_token_fingerprint": {"type": "str", "no_log": False},
    "fingerprint_store": {"type": "path"},
    "validate_region": {"type": "bool", "default": True},
    "wait": {"type": "bool", "default": True},
    "wait_timeout": {"type": "int", "default": 60},
}


class Command(NamedTuple):
    """What a module does.

    C(execute(params, check_mode, warnings)) returns a result or raises an AstraError, and appends to C(warnings).
    """

    argument_spec: dict
    execute: Callable


def outcome(command, params, check_mode, diff):
    """Run a command and return its result; the one place where an exception becomes a failed result.

    :arg params: the validated options.
    :arg diff: whether the result shall have a C(diff).
    """
    warnings = []
    try:
        if transport.REQUESTS_IMPORT_ERROR:
            raise InputError(missing_required_lib("requests"))
        result = command.execute(params, check_mode, warnings)
    except AstraError as error:
        result = {"failed": True, "changed": False, "msg": error.message, **error.result}
    if not diff:
        result.pop("diff", None)
    if warnings:
        result["warnings"] = warnings
    return result


def run_module(command):
    """Be the C(main) of a module."""
    module = AnsibleModule(argument_spec=command.argument_spec, supports_check_mode=True)
    result = outcome(command, module.params, module.check_mode, module._diff)
    for warning in result.pop("warnings", ()):
        module.warn(warning)
    if result.get("failed"):
        module.fail_json(**result)
    module.exit_json(**result)


def _examined(params, warnings):
    findings = examine(params, time.time())
    warnings += findings.warnings
    if findings.problems:
        raise InputError(findings.problems)
    return findings.request


def _transport(params):
    return transport.Transport(
        api_url=params["api_url"],
        application_token=params["application_token"],
        validate_certs=params["validate_certs"],
        ca_path=params["ca_path"],
        timeout=params["timeout"],
        retries=params["retries"],
    )


def _execute_stream(params, check_mode, warnings):
    request = _examined(params, warnings)
    settings = Settings(
        update_token=params["update_token"],
        known_fingerprint=params["known_token_fingerprint"],
        wait=params["wait"],
        wait_timeout=params["wait_timeout"],
        retries=params["retries"],
    )
    secrets = [params["application_token"], *(params[option] for option in SECRET_OPTIONS.values())]
    with _transport(params) as connection:
        result = converge(DevopsApi(connection, secrets), request, settings, check_mode)
    warnings += result.pop("warnings")
    return result


def _execute_info(params, check_mode, warnings):
    request = _examined(params, warnings)
    with _transport(params) as connection:
        return show(DevopsApi(connection, [params["application_token"]]), request.organization_id)


AUDIT_LOG_STREAM = Command({**_STREAM_SPEC, **_ORGANIZATION_SPEC, **_CONNECTION_SPEC}, _execute_stream)
AUDIT_LOG_STREAM_INFO = Command({**_ORGANIZATION_SPEC, **_CONNECTION_SPEC}, _execute_info)
