# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From the variables of the role audit_log_stream to the options of its module.

The role reads one host with it, the playbooks all hosts of a play. In Python, because each expression in a task is
compiled again in every worker process.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from ansible import errors
from ansible.errors import AnsibleError, AnsibleFileNotFound
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.loader import lookup_loader
from ansible_collections.datastax.astra.plugins.module_utils import _secrets
from ansible_collections.datastax.astra.plugins.module_utils._command import AUDIT_LOG_STREAM
from ansible_collections.datastax.astra.plugins.module_utils._errors import InputError
from ansible_collections.datastax.astra.plugins.module_utils._pulsar.client_conf import OPTIONS as CLIENT_CONF_OPTIONS
from ansible_collections.datastax.astra.plugins.module_utils._pulsar.client_conf import read_options
from ansible_collections.datastax.astra.plugins.module_utils._resources._audit_log_stream_request import (
    Request,
    examine,
)
from ansible_collections.datastax.astra.plugins.plugin_utils.in_process import plain, preload

PREFIX = "audit_log_stream_"
MODULE = "datastax.astra.astra_audit_log_stream"
FOLLOWS_PLAN = f"{PREFIX}follows_plan"  # set where the role runs after the plan of the playbook

# What the playbooks read besides the role's variables.
EXTRA_VARIABLES = ("hosts", "serial")  # keywords of a play, which are no host's
RUN_VARIABLES: tuple[str, ...]
RUN_VARIABLES = ("max_fail_percentage", "concurrency", "rate", "on_problem", "per_host", "info_json")
RUN_VARIABLES += ("audit_dir", "audit_rules", "audit_slice", "audit_waivers")
_ROLE_VARIABLES = ("client_conf", "client_conf_content", "throttle")
# What roles and playbooks set.
_RESULTS = ("result", "plan", "plan_result", "purpose", "pattern", "follows_plan", "handed_over")

# What state absent needs; the next three it obeys where they can be read.
_CONNECTION = ("application_token", "api_url", "validate_certs", "ca_path", "timeout", "retries")
_NEEDED_FOR_ABSENT = ("state", "organization_id", *_CONNECTION)
_OBEYED_FOR_ABSENT = ("wait", "wait_timeout", "fingerprint_store")

# Stand for values that are not known because of a problem with their variable, so that only that is reported.
_STAND_INS = {
    "application_token": "AstraCS:unknown",
    "endpoint": "pulsar+ssl://broker.invalid",
    "topic": "tenant/namespace/topic",
}

# What the template of an omitted value raises; ansible-core before 2.19 returns a string that stands for it.
OMITTED = getattr(errors, "AnsibleValueOmittedError", ())

preload(lookup_loader, "ansible.builtin.file")


class Finding(NamedTuple):
    """A problem or a warning.

    :ivar cause: a sentence that names the variable, and never holds a value; hosts with the same cause are alike.
    :ivar text: the same sentence with the file and line where the variable is set.
    """

    cause: str
    text: str


class Label(NamedTuple):
    """How the user wrote an option: the variable's name, and the file and line in brackets as far as that is known."""

    name: str
    place: str = ""


class HostReading(NamedTuple):
    """What the variables of one host amount to.

    :ivar options: the module's options that are given.
    :ivar params: all options after Ansible's own validation.
    :ivar request: the validated request, or None when there are problems.
    :ivar problems: what is wrong.
    :ivar warnings: what is worth knowing.
    :ivar identity: what two hosts share when they are the same organization by mistake, or None.
    :ivar labels: how the user wrote each option, for ``word_as_written``.
    :ivar web_service_url: of the broker's admin API, as client.conf says.
    :ivar run: values of the variables that are one for the whole run, not templated.
    """

    options: dict[str, Any]
    params: dict[str, Any]
    request: Request | None
    problems: list[Finding]
    warnings: list[Finding]
    identity: str | None
    labels: Mapping[str, Label]
    run: Mapping[str, str]
    web_service_url: str | None = None


def read_host(
    variables: Mapping[str, Any],
    templar: Any,
    loader: Any,
    now: float,
    defaults: Mapping[str, Any] | None = None,
    files: dict[str, str] | None = None,
    extra: Iterable[str] | None = None,
    only_look: bool = False,
) -> HostReading:
    """Read the role's variables of a host, and find every mistake that can be seen without sending anything.

    :arg variables: all variables of the host.
    :arg templar: Ansible's templar, with these variables.
    :arg loader: Ansible's data loader, which decrypts vaulted files.
    :arg now: seconds since the epoch.
    :arg defaults: the options that the play's ``module_defaults`` give, not yet templated.
    :arg files: contents of files by path, for hosts that share one.
    :arg extra: for ``find_unread``.
    :arg only_look: read only what it takes to see what is stored.
    """
    found = _Variables(variables, templar, loader, defaults or {}, {} if files is None else files)
    options = found.read_options(only_look)
    problems = found.problems
    stand_ins = {name: value for name, value in _STAND_INS.items() if name in found.unknown}
    params = validate(AUDIT_LOG_STREAM.argument_spec, {**options, **stand_ins}, problems)
    findings = examine(params, now)
    problems += findings.problems
    labels = found.labels
    return HostReading(
        options,
        params,
        None if problems else findings.request,
        [*(_find(problem, labels) for problem in problems), *find_unread(variables, extra)],
        [_find(warning, labels) for warning in findings.warnings],
        _identify(params),
        labels,
        {name: str(variables[PREFIX + name]) for name in RUN_VARIABLES if PREFIX + name in variables},
        found.web_service_url,
    )


def find_secrets(reading: HostReading) -> set[str]:
    """Return the secrets of a host, which nothing that is shown may hold."""
    return _secrets.find_secrets(AUDIT_LOG_STREAM.argument_spec, reading.options, reading.params)


def word_as_written(sentence: str, labels: Mapping[str, Label], places: bool = True) -> str:
    """Return a sentence about the module's options as one about what the user wrote.

    :arg places: whether to add file and line.
    """
    first, space, rest = sentence.partition(" ")
    option = "client_conf" if sentence.startswith("client.conf line") else first
    if option in labels or option in AUDIT_LOG_STREAM.argument_spec:
        label = labels.get(option, Label(PREFIX + option))
        first = label.name + label.place * places
    return first + space + _OPTION.sub(PREFIX + r"\g<0>", rest)


def _find(sentence: str, labels: Mapping[str, Label]) -> Finding:
    return Finding(word_as_written(sentence, labels, places=False), word_as_written(sentence, labels))


# Options whose name is no common word.
_OPTION = re.compile(rf"(?<!\w)(?:{'|'.join(name for name in AUDIT_LOG_STREAM.argument_spec if '_' in name)})(?!\w)")


def describe_origin(*values: object) -> str:
    """Return the file and line, in brackets, that the first of these values has come from, as far as that is known."""
    for value in values:
        place = _find_place(value)
        if place:
            path, line = place
            inside = os.path.relpath(path)
            return f" ({path if inside.startswith(os.pardir) else inside}:{line})"
    return ""


def _find_place(value: object) -> tuple[str, int] | None:
    if _Origin is not None:
        origin = _Origin.get_tag(value)
        return (origin.path, origin.line_num) if origin and origin.path and origin.line_num else None
    position = getattr(value, "ansible_pos", None)  # ansible-core before 2.19
    return position[:2] if position and position[0] and position[0].startswith(os.sep) else None


try:
    from ansible._internal._datatag._tags import Origin as _Origin
except ImportError:
    _Origin = None


def find_unread(variables: Mapping[str, Any], extra: Iterable[str] | None = None) -> list[Finding]:
    """Return a problem for each of a host's variables with the role's prefix that nothing reads.

    :arg extra: the names of those that have a value which is no host's; None not to look at them.
    """
    problems = []
    for name in sorted(name for name in variables if isinstance(name, str) and name.startswith(PREFIX)):
        value = variables[name]
        short = name[len(PREFIX) :]
        if short in EXTRA_VARIABLES:
            if extra is None or name in extra:
                continue
            reason = "is a keyword of the play, so it works as an extra variable (-e) alone."
        elif short in _KNOWN or _is_result(value) or _is_mentioned(name, variables):
            continue
        else:
            near = difflib.get_close_matches(short, _KNOWN, 1)
            reason = f"is read by nothing{f'; there is {PREFIX}{near[0]}' if near else ''}."
        place = describe_origin(value, next(key for key in variables if key == name))
        problems.append(Finding(f"{name} {reason}", f"{name}{place} {reason}"))
    return problems


_KNOWN = (*AUDIT_LOG_STREAM.argument_spec, *_ROLE_VARIABLES, *RUN_VARIABLES, *EXTRA_VARIABLES, *_RESULTS)


def _is_result(value: object) -> bool:
    """Tell whether a task of the user's own has registered this."""
    return isinstance(value, Mapping) and ("failed" in value or "changed" in value)


def _is_mentioned(name: str, variables: Mapping[str, Any]) -> bool:
    """Tell whether a template uses a variable of the user's own with the role's prefix."""
    word = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)")
    pending = list(variables.values())
    while pending:
        value = pending.pop()
        if isinstance(value, str) and word.search(value):
            return True
        # Nothing else: hostvars is a mapping that would template the whole inventory.
        if isinstance(value, (dict, list)):
            pending += value.values() if isinstance(value, dict) else value
    return False


def find_plan(variables: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what the plan of the playbook has handed over, or nothing where there is none.

    It is not templated, because it is about the whole fleet and every host would do that again.
    """
    if not variables.get(FOLLOWS_PLAN):
        return {}
    return variables["hostvars"].raw_get("localhost").get(PREFIX + "plan") or {}


def find_module_defaults(task: Any, templar: Any) -> dict[str, Any]:
    """Return what the ``module_defaults`` in force for a task give for the role's module, each value not yet templated.

    The action of the task itself is another one, so Ansible does not apply them.
    """
    groups = task._parent._play._action_groups.get(MODULE, ())
    in_force: dict[str, Any] = {}
    for each in task.module_defaults or ():
        in_force.update(each)
    options: dict[str, Any] = {}
    for name in (*(name for name in in_force if name[len("group/") :] in groups), MODULE):
        given = in_force.get(name) or {}
        options.update(given if isinstance(given, Mapping) else templar.template(given))
    return options


_TYPES = {"bool": "true or false", "int": "a whole number", "float": "a number, such as 25"}


def validate(spec: Mapping[str, Any], options: dict[str, Any], problems: list[str]) -> dict[str, Any]:
    """Return options after Ansible's own validation, with the defaults for those that it refuses.

    :arg problems: gets a sentence for each of these. It does not repeat the value as Ansible's own would: that may be a
        secret in the wrong place.
    """
    accepted = {}
    for name, value in options.items():
        if ArgumentSpecValidator({name: spec[name]}).validate({name: value}).error_messages:
            choices = spec[name].get("choices")
            wanted = f"one of {', '.join(choices)}" if choices else _TYPES.get(spec[name]["type"], "text")
            problems.append(f"{name} must be {wanted}.")
        else:
            accepted[name] = value
    validated: dict[str, Any] = ArgumentSpecValidator(spec).validate(accepted).validated_parameters
    return validated


def _identify(params: Mapping[str, Any]) -> str | None:
    organization_id, token = params["organization_id"], params["application_token"]
    if isinstance(organization_id, str):
        return _secrets.compute_fingerprint("id", organization_id.strip().lower())
    return _secrets.compute_fingerprint("token", token.strip()) if isinstance(token, str) else None


class _Variables:
    """The role's variables of one host."""

    def __init__(
        self,
        variables: Mapping[str, Any],
        templar: Any,
        loader: Any,
        defaults: Mapping[str, Any],
        files: dict[str, str],
    ) -> None:
        self.problems: list[str] = []
        self.unknown: set[str] = set()  # options whose values are not known because of problems
        self.labels: dict[str, Label] = {}
        self.web_service_url: str | None = None
        self._variables = variables
        self._templar = templar
        self._loader = loader
        self._defaults = defaults
        self._files = files

    def read_options(self, only_look: bool) -> dict[str, Any]:
        """Return the module's options. Where there are problems, the options that they are about are missing."""
        # What absent needs is what it takes to look.
        options = {"state": "absent" if only_look else self._read("state")}
        absent = options["state"] == "absent"
        for name in AUDIT_LOG_STREAM.argument_spec:
            if name != "state" and (not absent or name in _NEEDED_FOR_ABSENT or name in _OBEYED_FOR_ABSENT):
                options[name] = self._read(name, lenient=absent and name in _OBEYED_FOR_ABSENT)
        if options.get("fingerprint_store") == "none":
            del options["fingerprint_store"]
        if not absent:
            overrides = {name: options.pop(name, None) for name in CLIENT_CONF_OPTIONS}
            options.update(self._read_destination(overrides))
        return {name: value for name, value in options.items() if value not in (None, "")}

    def _read(self, name: str, lenient: bool = False) -> Any:
        """Return an option's value, of the variable or else of the play's defaults for the module; None for none."""
        value = self._evaluate(name, PREFIX + name, self._variables.get(PREFIX + name), lenient)
        if value in (None, "") and name in self._defaults and name not in self.unknown:
            value = self._evaluate(name, f"{name} in module_defaults", self._defaults[name], lenient)
        return value

    def _evaluate(self, name: str, label: str, raw: Any, lenient: bool = False) -> Any:
        if raw is None:
            return None
        self.labels[name] = Label(label, describe_origin(raw))
        try:
            value = plain(self._templar.template(raw))
        except OMITTED:
            value = None
        except Exception as error:  # of a lookup, a filter or a test, which can be anybody's
            if not lenient:
                self.problems.append(f"{name} cannot be read: {_explain(error)}")
                self.unknown.add(name)
            value = None
        return None if value == self._variables.get("omit") else value

    def _read_destination(self, overrides: dict[str, Any]) -> dict[str, Any]:
        problems_before = len(self.problems)
        text = self._read_client_conf()
        try:
            destination = read_options(text, overrides) if len(self.problems) == problems_before else {}
        except InputError as error:
            self.problems += error.problems
            destination = {}
        if len(self.problems) > problems_before:
            self.unknown.add("endpoint")
        self.web_service_url = destination.pop("web_service_url", None)
        source = self.labels.get("client_conf")
        if source:
            for name in destination:
                if overrides.get(name) in (None, ""):
                    self.labels[name] = Label(f"{name} of {source.name}", source.place)
        return destination

    def _read_client_conf(self) -> str | None:
        """Return the text of client.conf, or None when there is none."""
        name = PREFIX + "client_conf_content"
        content: str | None = self._evaluate("client_conf_content", name, self._variables.get(name))
        if content:
            self.labels["client_conf"] = self.labels["client_conf_content"]
            return content
        name = PREFIX + "client_conf"
        path = self._evaluate("client_conf", name, self._variables.get(name))
        if not path:
            return None
        if not isinstance(path, str):
            self.problems.append("client_conf must be the path of a file.")
            return None
        return self._read_file(os.path.expanduser(path))

    def _read_file(self, path: str) -> str | None:
        candidates = [os.path.abspath(path), os.path.join(self._variables.get("inventory_dir") or "", path)]
        found = next((candidate for candidate in candidates if os.path.isfile(candidate)), None)
        try:
            if found is None:
                places = list(self._variables.get("ansible_search_path") or ())
                found = self._loader.path_dwim_relative_stack(places, "files", path)
            found = os.path.abspath(found)
            if found not in self._files:
                lookup = lookup_loader.get("ansible.builtin.file", loader=self._loader, templar=self._templar)
                self._files[found] = plain(lookup.run([found], self._variables)[0])
            return self._files[found]
        except AnsibleFileNotFound as error:
            looked = dict.fromkeys(map(os.path.abspath, [*candidates, *(error.paths or ())]))
            self.problems.append(f"client_conf names a file that is in none of these places: {', '.join(looked)}.")
        except (AnsibleError, OSError) as error:
            self.problems.append(f"client_conf cannot be read: {_explain(error)}")
        return None


def _explain(error: Exception) -> str:
    """Return the message of an error as one line. That of Ansible's own errors holds no value."""
    if not isinstance(error, AnsibleError):
        return f"{type(error).__name__}."
    return " ".join(error.message.split())
