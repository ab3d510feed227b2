# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From the variables of the role audit_log_stream to the options of its module.

The role reads one host with it, the playbooks all hosts of a play. In Python, because each expression in a task is
compiled again in every worker process.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from ansible.errors import AnsibleError, AnsibleFileNotFound
from ansible.plugins.loader import lookup_loader
from ansible_collections.datastax.astra.plugins.module_utils import _secrets
from ansible_collections.datastax.astra.plugins.module_utils._command import AUDIT_LOG_STREAM
from ansible_collections.datastax.astra.plugins.module_utils._errors import InputError
from ansible_collections.datastax.astra.plugins.module_utils._fingerprint_store import TOPIC_STORE
from ansible_collections.datastax.astra.plugins.module_utils._pulsar.client_conf import OPTIONS as CLIENT_CONF_OPTIONS
from ansible_collections.datastax.astra.plugins.module_utils._pulsar.client_conf import read_options
from ansible_collections.datastax.astra.plugins.module_utils._resources._audit_log_stream_request import (
    Request,
    examine,
)
from ansible_collections.datastax.astra.plugins.plugin_utils.in_process import plain, preload
from ansible_collections.datastax.astra.plugins.plugin_utils.variables import (
    Finding,
    Label,
    Role,
    Variables,
    explain,
    validate,
)

PREFIX = "audit_log_stream_"
MODULE = "datastax.astra.astra_audit_log_stream"
FOLLOWS_PLAN = f"{PREFIX}follows_plan"  # set where the role runs after the plan of the playbook

# What the playbooks read besides the role's variables.
RUN_VARIABLES: tuple[str, ...]
RUN_VARIABLES = ("max_fail_percentage", "concurrency", "rate", "throttle", "on_problem", "per_host", "info_json")
RUN_VARIABLES += ("audit_dir", "audit_rules", "audit_slice", "audit_waivers")
_ROLE_VARIABLES = ("client_conf", "client_conf_content")
# What roles and playbooks set.
_RESULTS = ("result", "plan", "plan_result", "purpose", "pattern", "found", "has_group", "follows_plan", "handed_over")

_KEYWORD = "is a keyword of the play"
ROLE = Role(
    PREFIX,
    AUDIT_LOG_STREAM.argument_spec,
    (*_ROLE_VARIABLES, *RUN_VARIABLES, *_RESULTS),
    {"hosts": _KEYWORD, "serial": _KEYWORD},
)
# What the playbook audit_log_delivery reads besides.
DELIVERY = Role("audit_log_delivery_", {}, ("json", "probe", "probe_timeout", "strict"))
# All that is one for the whole run, by full name.
ONCE = (*(PREFIX + name for name in RUN_VARIABLES), *(DELIVERY.prefix + name for name in DELIVERY.others))

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

preload(lookup_loader, "ansible.builtin.file")


class HostReading(NamedTuple):
    """What the variables of one host amount to.

    :ivar options: the module's options that are given.
    :ivar params: all options after Ansible's own validation.
    :ivar request: the validated request, or None when there are problems.
    :ivar problems: what is wrong.
    :ivar warnings: what is worth knowing.
    :ivar identity: what two hosts share when they are the same organization by mistake, or None.
    :ivar labels: how the user wrote each option, for ``Role.word_as_written``.
    :ivar web_service_url: of Pulsar's admin API, as the variable or client.conf says.
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
    :arg extra: for ``Role.find_unread``.
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
        [
            *(ROLE.find(problem, labels) for problem in problems),
            *ROLE.find_unread(variables, extra),
            *DELIVERY.find_unread(variables),
        ],
        [ROLE.find(warning, labels) for warning in findings.warnings],
        _identify(params),
        labels,
        {name: str(variables[name]) for name in ONCE if name in variables},
        found.web_service_url,
    )


def wants_verification(reading: HostReading) -> bool:
    """Tell whether the playbook shall ask the broker before it writes: where that can be, unless it is switched off."""
    request = reading.request
    if request is None or not request.pulsar_token:
        return False
    return bool(reading.params["verify_destination"] or "verify_destination" not in reading.options)


def find_secrets(reading: HostReading) -> set[str]:
    """Return the secrets of a host, which nothing that is shown may hold."""
    return _secrets.find_secrets(AUDIT_LOG_STREAM.argument_spec, reading.options, reading.params)


def find_plan(variables: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what the plan of the playbook has handed over, or nothing where there is none.

    It is not templated, because it is about the whole fleet and every host would do that again.
    """
    return variables[f"{PREFIX}plan_result"] if variables.get(FOLLOWS_PLAN) else {}


def _identify(params: Mapping[str, Any]) -> str | None:
    organization_id, token = params["organization_id"], params["application_token"]
    if isinstance(organization_id, str):
        return _secrets.compute_fingerprint("id", organization_id.strip().lower())
    return _secrets.compute_fingerprint("token", token.strip()) if isinstance(token, str) else None


class _Variables(Variables):
    """The role's variables of one host."""

    def __init__(
        self,
        variables: Mapping[str, Any],
        templar: Any,
        loader: Any,
        defaults: Mapping[str, Any],
        files: dict[str, str],
    ) -> None:
        super().__init__(ROLE, variables, templar, defaults)
        self.web_service_url: str | None = None
        self._loader = loader
        self._files = files

    def read_options(self, only_look: bool) -> dict[str, Any]:
        """Return the module's options. Where there are problems, the options that they are about are missing."""
        # What absent needs is what it takes to look.
        options = {"state": "absent" if only_look else self.read("state")}
        absent = options["state"] == "absent"
        for name in AUDIT_LOG_STREAM.argument_spec:
            if name != "state" and (not absent or name in _NEEDED_FOR_ABSENT or name in _OBEYED_FOR_ABSENT):
                options[name] = self.read(name, lenient=absent and name in _OBEYED_FOR_ABSENT)
        if options.get("fingerprint_store") == "none":
            del options["fingerprint_store"]
        if not absent:
            overrides = {name: options.pop(name, None) for name in CLIENT_CONF_OPTIONS}
            destination = self._read_destination(overrides)
            self.web_service_url = destination.pop("web_service_url", None)
            options.update(destination)
            if options["web_service_url"] not in (None, ""):
                self.web_service_url = options["web_service_url"]
            elif options.get("fingerprint_store") == TOPIC_STORE:
                options["web_service_url"] = self.web_service_url
        return {name: value for name, value in options.items() if value not in (None, "")}

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
        source = self.labels.get("client_conf")
        if source:
            for name in destination:
                if overrides.get(name) in (None, ""):
                    self.labels[name] = Label(f"{name} of {source.name}", source.place)
        return destination

    def _read_client_conf(self) -> str | None:
        """Return the text of client.conf, or None when there is none."""
        content: str | None = self.read_variable("client_conf_content")
        if content:
            self.labels["client_conf"] = self.labels["client_conf_content"]
            return content
        path = self.read_variable("client_conf")
        if not path:
            return None
        if not isinstance(path, str):
            self.problems.append("client_conf must be the path of a file.")
            return None
        return self._read_file(os.path.expanduser(path))

    def _read_file(self, path: str) -> str | None:
        candidates = [os.path.abspath(path), os.path.join(self.variables.get("inventory_dir") or "", path)]
        found = next((candidate for candidate in candidates if os.path.isfile(candidate)), None)
        try:
            if found is None:
                places = list(self.variables.get("ansible_search_path") or ())
                found = self._loader.path_dwim_relative_stack(places, "files", path)
            found = os.path.abspath(found)
            if found not in self._files:
                lookup = lookup_loader.get("ansible.builtin.file", loader=self._loader, templar=self.templar)
                self._files[found] = plain(lookup.run([found], self.variables)[0])
            return self._files[found]
        except AnsibleFileNotFound as error:
            looked = dict.fromkeys(map(os.path.abspath, [*candidates, *(error.paths or ())]))
            self.problems.append(f"client_conf names a file that is in none of these places: {', '.join(looked)}.")
        except (AnsibleError, OSError) as error:
            self.problems.append(f"client_conf cannot be read: {explain(error)}")
        return None
