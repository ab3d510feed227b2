# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Action plugins that do a module's work in Ansible's worker process, where that is equivalent.

Packing a module, starting an interpreter and importing an HTTP library costs many times the one request that an
unchanged organization needs. Ansible's controller imports an action plugin before it forks its workers, so that all
imports and the TLS trust store below are paid for once.
"""

from __future__ import annotations

import contextlib
import importlib
import sys
from collections.abc import Mapping
from typing import Any

from ansible import constants as C
from ansible import template
from ansible.errors import AnsibleError
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.common.parameters import remove_values
from ansible.module_utils.errors import UnsupportedError
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.action import ActionBase
from ansible_collections.datastax.astra.plugins.module_utils import _http
from ansible_collections.datastax.astra.plugins.module_utils._command import Command, describe_invocation, perform
from ansible_collections.datastax.astra.plugins.module_utils._errors import InputError
from ansible_collections.datastax.astra.plugins.module_utils._secrets import find_secrets

# Without it, every worker would import it to resolve the name of the service.
importlib.import_module("encodings.idna")
if not _http.REQUESTS_IMPORT_ERROR:
    with contextlib.suppress(InputError):  # a run that needs these certificates reports it
        _http.load_tls_context()

# Jinja compiles its lexer for the first template that a process sees, which in a small playbook is a worker.
trust = getattr(template, "trust_as_template", str)  # ansible-core before 2.19 trusts every string
template.Templar(DataLoader()).template(trust("{{ 0 }}"))

OWN_INTERPRETER = "{{ ansible_playbook_python }}"
DISCOVERED_INTERPRETERS = ("auto", "auto_legacy", "auto_silent", "auto_legacy_silent")


def preload(loader: Any, name: str) -> None:
    """Load a plugin into this process, so that its forks need not search for it.

    Outside a run of Ansible, where its loaders do not work, there is nothing to prepare.
    """
    with contextlib.suppress(AnsibleError, KeyError):
        loader.get(name)


def plain(value: Any) -> Any:
    """Return a value without Ansible's own string types: vaulted ones are decrypted, tags are dropped."""
    if isinstance(value, dict):
        return {plain(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, str):
        return str.__str__(value)
    return value if value is None or isinstance(value, (bool, int, float)) else str(value)


class InProcessAction(ActionBase):
    """Runs ``command`` in this process, or the module of the same name on the target."""

    _supports_check_mode = True

    command: Command

    @property
    def _supports_async(self) -> bool:
        """Tell whether ``async`` is possible: what async_status returns of a secret, nobody would hide."""
        return not self.command.secret_values

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Run the task and return its result."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        result.update(self._perform(plain(self._task.args), task_vars or {}))
        if any(result.get(name) for name in self.command.secret_values):
            # Registered as it is, and shown to nobody: no screen, log or callback gets it.
            result["_ansible_no_log"] = True
            self._task.no_log = True  # for the result of a whole loop, before ansible-core 2.19
        return result

    def _perform(self, args: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        return self._run_here(args) if self._is_equivalent(task_vars) else self._run_module(args, task_vars)

    def _is_equivalent(self, task_vars: Mapping[str, Any]) -> bool:
        """Tell whether the module, executed as usual, would find the same surroundings as this process."""
        interpreter = task_vars.get("ansible_python_interpreter")
        if interpreter is None:
            interpreter = C.config.get_config_value("INTERPRETER_PYTHON")
        own = (*DISCOVERED_INTERPRETERS, sys.executable, task_vars.get("ansible_playbook_python"))
        return (
            _http.REQUESTS_IMPORT_ERROR is None
            and self._connection.transport == "local"
            and self._connection.become is None
            and not self._task.async_val
            and not self._task.delegate_to
            and not any(self._templar.template(variables) for variables in self._task.environment or ())
            and (interpreter == OWN_INTERPRETER or self._templar.template(interpreter) in own)
            and boolean(self._templar.template(task_vars.get("astra_in_process", True)))
        )

    def _run_here(self, args: dict[str, Any]) -> dict[str, Any]:
        command = self.command
        validation = ArgumentSpecValidator(command.argument_spec).validate(args)
        params = validation.validated_parameters
        result: dict[str, Any]
        if validation.error_messages:
            result = {"failed": True, "msg": self._validation_message(validation.errors[0])}
        else:
            result = perform(command, params, self._task.check_mode, self._task.diff)
        for both in getattr(validation, "_warnings", ()):
            warning = f"Both option {both['option']} and its alias {both['alias']} are set."
            result.setdefault("warnings", []).append(warning)
        if getattr(C, "INJECT_INVOCATION", True):  # ansible-core before 2.20 always has it
            result["invocation"] = describe_invocation(command, params)
        cleaned: dict[str, Any] = remove_values(result, find_secrets(command.argument_spec, args, params))
        return cleaned

    def _validation_message(self, error: Any) -> str:
        """Word the error as the module would."""
        if isinstance(error, UnsupportedError):
            return f"Unsupported parameters for ({self._task.action}) module: {error.msg}"
        return str(error.msg)

    def _run_module(self, args: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        if self.command.secret_values:
            self._play_context.no_log = True  # or ssh shows what the module returns at -vvv
        wrap_async = bool(self._task.async_val)
        result: dict[str, Any] = self._execute_module(module_args=args, task_vars=task_vars, wrap_async=wrap_async)
        if not wrap_async:
            self._remove_tmp_path(self._connection._shell.tmpdir)
        return result
