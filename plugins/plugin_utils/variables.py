# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The variables of a role, which are options with a prefix: read, checked, and named as their author wrote them.

In Python, because each expression in a task is compiled again in every worker process.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from ansible import errors
from ansible.errors import AnsibleError
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.datastax.astra.plugins.plugin_utils.in_process import plain

# What the template of an omitted value raises; ansible-core before 2.19 returns a string that stands for it.
OMITTED = getattr(errors, "AnsibleValueOmittedError", ())


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


class Role(NamedTuple):
    """A role whose variables are options.

    :ivar prefix: of its variables.
    :ivar argument_spec: the options.
    :ivar others: what else is read of variables with the prefix, each without it.
    :ivar extra_only: those of them that work as extra variables alone, and why, as the end of a sentence.
    """

    prefix: str
    argument_spec: Mapping[str, Any]
    others: tuple[str, ...] = ()
    extra_only: Mapping[str, str] = {}

    def word_as_written(self, sentence: str, labels: Mapping[str, Label], places: bool = True) -> str:
        """Return a sentence about options as one about what the user wrote.

        :arg places: whether to add file and line.
        """
        first, space, rest = sentence.partition(" ")
        name = re.split("[.:]", first)[0]
        option = "client_conf" if sentence.startswith("client.conf line") else name
        if option in labels or option in self.argument_spec:
            label = labels.get(option, Label(self.prefix + option))
            part = first[len(name) :] if option == name else ""
            first = label.name + part.rstrip(":") + label.place * places + ":" * part.endswith(":")
        # Options whose name is no common word.
        names = "|".join(name for name in self.argument_spec if "_" in name)
        return first + space + re.sub(rf"(?<!\w)(?:{names})(?!\w)", self.prefix + r"\g<0>", rest)

    def find(self, sentence: str, labels: Mapping[str, Label]) -> Finding:
        """Return a sentence about options as a finding."""
        return Finding(self.word_as_written(sentence, labels, places=False), self.word_as_written(sentence, labels))

    def find_unread(self, variables: Mapping[str, Any], extra: Iterable[str] | None = None) -> list[Finding]:
        """Return a problem for each of a host's variables with the role's prefix that nothing reads.

        :arg extra: the names of those that have a value which is no host's; None not to look at them.
        """
        known = (*self.argument_spec, *self.others, *self.extra_only)
        problems = []
        for name in sorted(name for name in variables if isinstance(name, str) and name.startswith(self.prefix)):
            value = variables[name]
            short = name[len(self.prefix) :]
            if short in self.extra_only:
                if extra is None or name in extra:
                    continue
                reason = f"{self.extra_only[short]}, so it works only as an extra variable (-e)."
            elif short in known or _is_result(value) or _is_mentioned(name, variables):
                continue
            else:
                near = difflib.get_close_matches(short, known, 1)
                hint = f"; did you mean {self.prefix}{near[0]}?" if near else "."
                reason = f"is not a known variable{hint}"
            place = describe_origin(value, next(key for key in variables if key == name))
            problems.append(Finding(f"{name} {reason}", f"{name}{place} {reason}"))
        return problems


class Variables:
    """A role's variables of one host.

    :arg role: whose.
    :arg variables: all variables of the host.
    :arg templar: Ansible's templar, with these variables.
    :arg defaults: the options that the play's ``module_defaults`` give, not yet templated.
    :ivar problems: what is wrong: sentences about options.
    :ivar unknown: options whose values are not known because of problems.
    :ivar labels: how the user wrote each option.
    """

    def __init__(self, role: Role, variables: Mapping[str, Any], templar: Any, defaults: Mapping[str, Any]) -> None:
        self.problems: list[str] = []
        self.unknown: set[str] = set()
        self.labels: dict[str, Label] = {}
        self.variables = variables
        self.templar = templar
        self._role = role
        self._defaults = defaults

    def read(self, name: str, lenient: bool = False) -> Any:
        """Return an option's value, of the variable or else of the play's defaults for the module; None for none.

        :arg lenient: take what cannot be read for what is not given.
        """
        value = self.read_variable(name, lenient)
        if value in (None, "") and name in self._defaults and name not in self.unknown:
            value = self._evaluate(name, f"{name} in module_defaults", self._defaults[name], lenient)
        return value

    def read_variable(self, name: str, lenient: bool = False) -> Any:
        """Return the value of the variable alone; None for none."""
        variable = self._role.prefix + name
        return self._evaluate(name, variable, self.variables.get(variable), lenient)

    def _evaluate(self, name: str, label: str, raw: Any, lenient: bool) -> Any:
        if raw is None:
            return None
        self.labels[name] = Label(label, describe_origin(raw))
        try:
            value = plain(self.templar.template(raw))
        except OMITTED:
            value = None
        except Exception as error:  # of a lookup, a filter or a test, which can be anybody's
            if not lenient:
                self.problems.append(f"{name} cannot be read: {explain(error)}")
                self.unknown.add(name)
            value = None
        return None if value == self.variables.get("omit") else value


def describe_origin(*values: object) -> str:
    """Return the file and line, in brackets, that the first of these values has come from, as far as that is known."""
    for value in values:
        place = _find_place(value)
        if place:
            path, line = place
            return f" ({show_path(path)}:{line})"
    return ""


def show_path(path: str) -> str:
    """Return a path as people want to see it: from the working directory, if it is below that."""
    inside = os.path.relpath(path)
    return path if inside.startswith(os.pardir) else inside


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


def find_module_defaults(task: Any, templar: Any, module: str) -> dict[str, Any]:
    """Return what the ``module_defaults`` in force for a task give for a module, each value not yet templated.

    The action of the task itself is another one, so Ansible does not apply them.
    """
    groups = task._parent._play._action_groups.get(module, ())
    in_force: dict[str, Any] = {}
    for each in task.module_defaults or ():
        in_force.update(each)
    options: dict[str, Any] = {}
    for name in (*(name for name in in_force if name[len("group/") :] in groups), module):
        given = in_force.get(name) or {}
        options.update(given if isinstance(given, Mapping) else templar.template(given))
    return options


_TYPES = {
    "bool": "true or false",
    "int": "a whole number",
    "float": "a number, such as 25",
    "list": "a list",
    "dict": "a dictionary",
}


def validate(spec: Mapping[str, Any], options: dict[str, Any], problems: list[str], place: str = "") -> dict[str, Any]:
    """Return options after Ansible's own validation, with the defaults for those that it refuses.

    :arg problems: gets a sentence for each of these. It does not repeat the value as Ansible's own would: that may be a
        secret in the wrong place.
    :arg place: what the options are in, with a dot.
    """
    validated: dict[str, Any]
    if not any(spec[name].get("options") for name in options):
        whole = ArgumentSpecValidator(spec).validate(options)
        if not whole.error_messages:
            validated = whole.validated_parameters
            return validated  # one by one, it would take several times as long
    accepted = {}
    for name, value in options.items():
        below = spec[name].get("options")
        if below and isinstance(value, Mapping):
            missing = [key for key in below if below[key].get("required") and value.get(key) is None]
            problems += [f"{place}{name}.{key} is needed." for key in missing]
            unread = [str(key) for key in value if key not in below]
            problems += [f"{place}{name}.{key} is not a known key; the keys are {', '.join(below)}." for key in unread]
            optional = {key: {**option, "required": False} for key, option in below.items()}
            given = {key: item for key, item in value.items() if key in below and item is not None}
            below_validated = validate(optional, given, problems, f"{place}{name}.")
            value = {key: item for key, item in below_validated.items() if item is not None}
            if missing:
                continue
        if ArgumentSpecValidator({name: spec[name]}).validate({name: value}).error_messages:
            choices = spec[name].get("choices")
            wanted = f"one of {', '.join(choices)}" if choices else _TYPES.get(spec[name]["type"], "text")
            problems.append(f"{place}{name} must be {wanted}.")
        else:
            accepted[name] = value
    validated = ArgumentSpecValidator(spec).validate(accepted).validated_parameters
    return validated


def explain(error: Exception) -> str:
    """Return the message of an error as one line. That of Ansible's own errors holds no value."""
    if not isinstance(error, AnsibleError):
        return f"{type(error).__name__}."
    return " ".join(error.message.split())
