# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Action plugins that work with the variables of the role audit_log_destination, on the controller."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from ansible.module_utils.common.parameters import remove_values
from ansible.plugins.action import ActionBase
from ansible.plugins.callback import CallbackBase
from ansible.utils.display import Display
from ansible_collections.datastax.astra.plugins.module_utils import _command
from ansible_collections.datastax.astra.plugins.module_utils._errors import InputError
from ansible_collections.datastax.astra.plugins.module_utils._secrets import find_secrets
from ansible_collections.datastax.astra.plugins.plugin_utils.client_conf_file import ClientConfFile
from ansible_collections.datastax.astra.plugins.plugin_utils.destination import SPEC, examine
from ansible_collections.datastax.astra.plugins.plugin_utils.fleet_action import show_lines
from ansible_collections.datastax.astra.plugins.plugin_utils.in_process import plain
from ansible_collections.datastax.astra.plugins.plugin_utils.screens import Line
from ansible_collections.datastax.astra.plugins.plugin_utils.variables import Label, Role, Variables, validate

PREFIX = "audit_log_destination_"
ROLE = Role(
    PREFIX,
    SPEC,
    ("result", "streams", "revoked"),
    {"hosts": "is a keyword of the play", "rotate": "would replace the token in every run"},
)
NEEDED_FOR_ABSENT: tuple[str, ...]
NEEDED_FOR_ABSENT = ("state", "tenant", "cluster", "admin_url", "namespace", "topic", "client_conf_path", "force")
NEEDED_FOR_ABSENT += (*_command.WAIT_SPEC, *_command.CONNECTION_SPEC)

Execute = Callable[[Mapping[str, Any], bool, "list[str]", "ClientConfFile | None"], "dict[str, Any]"]

display = Display()


class Reading(NamedTuple):
    """What the variables of one destination amount to.

    :ivar params: the validated options.
    :ivar labels: how the user wrote each option.
    :ivar secrets: what nothing that is shown may hold.
    """

    params: dict[str, Any]
    labels: Mapping[str, Label]
    secrets: set[str]


class DestinationAction(ActionBase):
    """Does something with one destination, in this process."""

    _supports_check_mode = True
    _requires_connection = False

    def _perform(self, task_vars: dict[str, Any], execute: Execute) -> dict[str, Any]:
        """Read the variables and do something with them; return its result, worded as the user wrote the options.

        :arg execute: takes the validated options, whether it is check mode, a list of warnings, and the file of the
            client.conf, if there is one.
        """
        reading, problems, warnings = self._read(task_vars)
        result: dict[str, Any]
        conf_file = None
        if not problems and reading.params["client_conf_path"]:
            try:
                conf_file = ClientConfFile(reading.params["client_conf_path"], self._loader)
            except InputError as error:
                problems = [ROLE.word_as_written(error.message, reading.labels)]
        if problems:
            result = remove_values({"failed": True, "changed": False, "msg": " ".join(problems)}, reading.secrets)
            return result

        def run(params: Mapping[str, Any], check_mode: bool, heard: list[str]) -> dict[str, Any]:
            return execute(params, check_mode, heard, conf_file)

        command = _command.Command(SPEC, run, ("client_conf",))
        result = _command.perform(command, reading.params, self._task.check_mode, self._task.diff)
        if "msg" in result:
            result["msg"] = ROLE.word_as_written(result["msg"], reading.labels)
        warnings += [ROLE.word_as_written(warning, reading.labels) for warning in result.pop("warnings", ())]
        result = remove_values(result, reading.secrets)
        if result.get("client_conf"):
            # Registered as it is, and shown to nobody: no screen, log or callback gets it. So what people have to see
            # is shown here.
            result["_ansible_no_log"] = True
            self._show_diff(result)
            for warning in warnings:
                display.warning(remove_values(warning, reading.secrets))
        elif warnings:
            result["warnings"] = warnings
        return result

    def _read(self, task_vars: dict[str, Any]) -> tuple[Reading, list[str], list[str]]:
        """Return what the variables amount to, with problems and warnings, which name file and line."""
        found = Variables(ROLE, task_vars, self._templar, {})
        options = {"state": found.read("state")}
        is_absent = options["state"] == "absent"
        for name in SPEC:
            if name != "state" and (not is_absent or name in NEEDED_FOR_ABSENT):
                options[name] = found.read(name)
        if is_absent:
            options["sink"] = found.read("sink", lenient=True)
        given = {name: value for name, value in options.items() if value not in (None, "")}
        params = validate(SPEC, given, found.problems)
        wrong, warnings = ([], []) if found.problems else examine(params)
        hostvars = task_vars["hostvars"]
        extra = {*hostvars._variable_manager.extra_vars, *self._task._parent._play.get_vars()}
        problems = [ROLE.word_as_written(problem, found.labels) for problem in (*found.problems, *wrong)]
        problems += [finding.text for finding in ROLE.find_unread(task_vars, extra)]
        reading = Reading(params, found.labels, find_secrets(SPEC, given, params))
        return reading, problems, [ROLE.word_as_written(warning, found.labels) for warning in warnings]

    def _show_diff(self, result: Mapping[str, Any]) -> None:
        if self._task.diff and result.get("diff"):
            display.display(CallbackBase()._get_diff(result["diff"]))

    def _show(self, lines: Iterable[Line]) -> None:
        show_lines([Line(""), *lines, Line("")])


def find_rotations(variables: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return for each destination of the play that has a token to be revoked what the role has returned."""
    found = {}
    for name in variables["ansible_play_hosts"]:
        result = plain(variables["hostvars"].raw_get(name).get(f"{PREFIX}result") or {})
        if result.get("replaced_token_id"):
            found[name] = result
    return found


def explain_streams(variables: Mapping[str, Any], destination: str) -> str | None:
    """Return which streams are not known to have a destination's new token, as the end of a sentence, or None."""
    hostvars = variables["hostvars"]
    facts = plain(hostvars.raw_get("localhost"))
    found = facts[f"{PREFIX}streams"]
    users, late = found["users"].get(destination), found["late"].get(destination)
    if not users:
        return "no organization of the inventory uses it, so that nobody knows whose events would be lost."
    if late:
        return f"the variables of {', '.join(late)} still have it."
    plan = facts.get("audit_log_stream_plan") or {}
    if plan.get("total") != len(found["hosts"]):
        return "the run was limited to some of the streams that use it."
    results = {name: hostvars.raw_get(name).get("audit_log_stream_result") or {} for name in users}
    failed = [name for name in users if name in plan["failures"]]
    failed += [name for name in plan["hosts"] if name in users and not _has_succeeded(results[name])]
    if failed:
        return f"not every stream has taken over the new one: {', '.join(dict.fromkeys(failed))}."
    if plan["not_compared"]:
        return "it could not be seen whether every stream has the new one: set audit_log_stream_fingerprint_store."
    return None


def have_changed(variables: Mapping[str, Any], destination: str) -> bool:
    """Tell whether this run has given the new token to a stream."""
    facts = plain(variables["hostvars"].raw_get("localhost"))
    users = facts[f"{PREFIX}streams"]["users"][destination]
    return any(
        (variables["hostvars"].raw_get(name).get("audit_log_stream_result") or {}).get("changed") for name in users
    )


def _has_succeeded(result: Mapping[str, Any]) -> bool:
    return bool(result) and not result.get("failed") and not result.get("skipped")
