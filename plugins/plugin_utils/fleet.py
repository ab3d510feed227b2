# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is asked for all organizations of a play, what the service has stored for them, and what to do about it."""

from __future__ import annotations

import concurrent.futures
import contextlib
import functools
import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Callable, NamedTuple, cast

from ansible.utils.path import unfrackpath
from ansible_collections.datastax.astra.plugins.module_utils._api import Api
from ansible_collections.datastax.astra.plugins.module_utils._command import open_topic_store, verify_stream
from ansible_collections.datastax.astra.plugins.module_utils._convergence import Plan
from ansible_collections.datastax.astra.plugins.module_utils._deadline import UNBOUNDED
from ansible_collections.datastax.astra.plugins.module_utils._errors import AstraError, Busy
from ansible_collections.datastax.astra.plugins.module_utils._fingerprint_store import (
    TOPIC_STORE,
    DirectoryStore,
    Store,
    recall,
)
from ansible_collections.datastax.astra.plugins.module_utils._pulsar.client_conf import SECRET_OPTIONS
from ansible_collections.datastax.astra.plugins.module_utils._resources._audit_log_stream_request import Request
from ansible_collections.datastax.astra.plugins.module_utils._resources.audit_log_stream import (
    AuditLogStream,
    Policy,
    Stored,
    confirm_absence,
    read_stream,
)
from ansible_collections.datastax.astra.plugins.module_utils._secrets import UNKNOWN_FINGERPRINT, mask
from ansible_collections.datastax.astra.plugins.module_utils._topic_properties import read_properties
from ansible_collections.datastax.astra.plugins.plugin_utils.fleet_service import ENOUGH_FAILURES, Question, ask_all
from ansible_collections.datastax.astra.plugins.plugin_utils.role_variables import (
    ONCE,
    ROLE,
    HostReading,
    find_secrets,
    wants_verification,
)
from ansible_collections.datastax.astra.plugins.plugin_utils.screens import generalize
from ansible_collections.datastax.astra.plugins.plugin_utils.variables import Finding, Label

LONGEST_VERIFICATION = 10  # seconds
# What the answer depends on, besides the topic. A token that may not read it is told so, whatever others may.
_TOPIC_OPTIONS = ("web_service_url", "pulsar_token", "validate_certs", "ca_path", "timeout", "retries")
BUSY = "An earlier change is still being applied, so what is configured cannot be read."
UNREADABLE = "Its variables could not be read: the process that read them ended."


class Look(NamedTuple):
    """What the service has stored for an organization, and what to do about it.

    :ivar plan: None when it was only looked at.
    :ivar is_final: whether an organization for which there is nothing to do can be left alone.
    """

    organization_id: str
    stored: Stored | None
    plan: Plan | None = None
    warnings: Sequence[str] = ()
    is_final: bool = True


class Organization:
    """One organization of a play.

    :ivar problems: what is wrong with its variables.
    :ivar warnings: what is worth knowing.
    :ivar error: why it could not be read, or None.
    :ivar look: what the service shows, or None where it was not asked or did not say.
    """

    def __init__(self, name: str, reading: HostReading | None) -> None:
        self.name = name
        self.reading = reading
        self.problems = list(reading.problems) if reading else [Finding(UNREADABLE, UNREADABLE)]
        self.warnings = list(reading.warnings) if reading else []
        self.error: Finding | None = None
        self.look: Look | None = None
        self._error_values: Mapping[str, Any] = {}

    @property
    def request(self) -> Request | None:
        """What is asked for, or None where that is not known."""
        return self.reading.request if self.reading else None

    @property
    def organization_id(self) -> str | None:
        """The organization's id, as far as it is known."""
        if self.look:
            return self.look.organization_id
        return self.request.organization_id if self.request else None

    @property
    def action(self) -> str | None:
        """What there is to do: ``created``, ``updated``, ``deleted`` or ``none``; None where that is not known."""
        return self.look.plan.action if self.look and self.look.plan else None

    @property
    def is_as_it_should_be(self) -> bool:
        """Whether it is known that there is nothing to do."""
        return self.action == "none" and bool(self.look and self.look.is_final) and not self.problems

    @property
    def findings(self) -> list[Finding]:
        """Whatever is in the way."""
        return self.problems or ([self.error] if self.error else [])

    @property
    def failure(self) -> dict[str, Any] | None:
        """The result of an organization with which there is no way to go on, or None."""
        text = " ".join(finding.text for finding in self.findings)
        if not text:
            return None
        return {"msg": mask(text, find_secrets(self.reading)) if self.reading else text, **self._error_values}

    def fail(self, error: AstraError) -> None:
        """Take note of an error of the service or of the way there."""
        self.error = _find(error.message, self.reading.labels if self.reading else {})
        self._error_values = error.result


def _find(sentence: str, labels: Mapping[str, Label]) -> Finding:
    text = ROLE.word_as_written(sentence, labels)
    return Finding(generalize(text), text)


def gather(readings: Iterable[tuple[str, HostReading | None]], order: Sequence[str]) -> list[Organization]:
    """Return the organizations in this order, with a problem for each two hosts that are the same one."""
    found = {name: Organization(name, reading) for name, reading in readings}
    organizations = [found[name] for name in order]
    owners: dict[str, list[str]] = {}
    for each in organizations:
        if each.reading and each.reading.identity:
            owners.setdefault(each.reading.identity, []).append(each.name)
    for names in owners.values():
        for name in names if len(names) > 1 else ():
            others = [other for other in names if other != name]
            more = f" and {len(others) - 3:,} more" if len(others) > 3 else ""
            text = f"is the same organization as {', '.join(others[:3])}{more}."
            found[name].problems.append(Finding(text, text))
    for variable in ONCE:
        values = {each.reading.run.get(variable) for each in organizations if each.reading}
        for each in organizations if len(values) > 1 else ():
            text = f"{variable} is one for the whole run, but not the same for all organizations."
            each.problems.append(Finding(text, text))
    return organizations


class Pace(NamedTuple):
    """How fast the service may be asked.

    :ivar concurrency: about how many organizations at once.
    :ivar rate: requests per second, or None for as many as the service bears.
    """

    concurrency: int = 64
    rate: float | None = None


def look_at_all(
    organizations: Sequence[Organization],
    look: Callable[[HostReading, Api], Look],
    pace: Pace,
    progress: Callable[[int], None],
) -> None:
    """Read what the service has stored for each organization that has no problem, and note it there.

    :arg look: ``look_and_plan`` with the topics, or ``look_only`` for no plan.
    """
    asked = {each.name: each for each in organizations if each.reading and not each.problems}
    readings = {name: each.reading for name, each in asked.items() if each.reading}
    questions = [Question(name, reading.params, find_secrets(reading)) for name, reading in readings.items()]
    answers = ask_all(questions, lambda name, api: look(readings[name], api), pace.concurrency, pace.rate, progress)
    for name, answer in answers.items():
        if isinstance(answer, AstraError):
            asked[name].fail(answer)
        else:
            asked[name].look = answer
            # Who is not left alone gets them in the role's result.
            if answer.plan is None or asked[name].is_as_it_should_be:
                asked[name].warnings += (_find(warning, readings[name].labels) for warning in answer.warnings)


class Topics:
    """The properties of topics: each topic is asked once, for all organizations that share it, in several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._answers: dict[tuple[Any, ...], concurrent.futures.Future[Mapping[str, str]]] = {}

    def read(self, params: Mapping[str, Any], api: Api, topic: str) -> Mapping[str, str]:
        """Return the properties of a topic, as ``read_properties`` does.

        :arg params: the options of a module that wants to know.
        """
        key = (topic, *(params[name] for name in _TOPIC_OPTIONS))
        with self._lock:
            is_first = key not in self._answers
            answer = self._answers.setdefault(key, concurrent.futures.Future())
        if is_first:
            try:
                answer.set_result(read_properties(api, topic))
            except BaseException as error:  # or those who wait would do so for ever
                answer.set_exception(error)
        return answer.result()


def look_and_plan(topics: Topics, reading: HostReading, api: Api) -> Look:
    """Read what is stored for an organization, and plan what to do about it, as the module would.

    :arg topics: what is known of the topics that remember fingerprints.
    :raises AstraError: it cannot be read.
    """
    request, params = cast(Request, reading.request), reading.params
    known, is_recorded = params["known_token_fingerprint"], True
    warnings: list[str] = []
    with contextlib.ExitStack() as stack:
        store = _open_store(request, params, find_secrets(reading), stack, topics)
        if store:
            remembered, warnings = recall(store, request.organization_id or "")
            known = known or remembered
    stream = AuditLogStream(api, request, Policy(params["update_token"], known))
    try:
        stored = stream.read(UNBOUNDED)
    except Busy:
        # The role waits for it.
        return Look(request.organization_id or api.find_organization(), None, is_final=False)
    except AstraError as error:
        error.result.update(stream.identity)
        raise
    plan = stream.plan(stored)
    if store:
        # Only the role writes the store.
        recorded = plan.values["token_fingerprint"] or remembered
        is_recorded = remembered == (recorded if request.state == "present" else UNKNOWN_FINGERPRINT)
    return Look(stream.identity["organization_id"], stored, plan, [*stream.warnings, *warnings], is_recorded)


def _open_store(
    request: Request, params: Mapping[str, Any], secrets: Iterable[str], stack: contextlib.ExitStack, topics: Topics
) -> Store | None:
    if params["fingerprint_store"] == TOPIC_STORE:
        return open_topic_store(request, params, secrets, stack, functools.partial(topics.read, params))
    directory = params["fingerprint_store"]
    return DirectoryStore(unfrackpath(directory, follow=False)) if directory else None


def verify_destinations(organizations: Sequence[Organization], concurrency: int) -> None:
    """Ask the broker about each distinct destination that is about to be written, and note what it says.

    That the events would not arrive is a problem of everybody who wants to stream there. What could not be tried from
    here is a warning: it is the service that has to reach the broker.

    :arg concurrency: how many are asked about at once.
    """
    writers: dict[tuple[str | None, ...], list[Organization]] = {}
    for each in organizations:
        if each.action in ("created", "updated") and each.reading and wants_verification(each.reading):
            request = cast(Request, each.reading.request)
            key = (request.stream["endpoint"], request.stream["topic"], request.pulsar_token)
            writers.setdefault(key, []).append(each)
    if not writers:
        return
    unreachable: dict[str, list[str]] = {}  # warnings by endpoint: who cannot be reached is not asked for long

    def verify(reading: HostReading) -> list[str]:
        request = cast(Request, reading.request)
        said = unreachable.setdefault(request.stream["endpoint"], [])
        if len(said) >= ENOUGH_FAILURES:
            return said[:1]
        timeout = min(reading.params["timeout"], LONGEST_VERIFICATION)
        warnings = verify_stream(request, {**reading.params, "timeout": timeout})
        said += warnings
        return warnings

    with concurrent.futures.ThreadPoolExecutor(min(concurrency, len(writers))) as pool:
        asked = [(group, pool.submit(verify, reading)) for group in writers.values() if (reading := group[0].reading)]
    for group, answer in asked:
        for each in group:
            labels = each.reading.labels if each.reading else {}
            try:
                each.warnings += (_find(warning, labels) for warning in answer.result())
            except AstraError as error:
                each.problems.append(_find(error.message, labels))


def look_only(reading: HostReading, api: Api) -> Look:
    """Read what is stored for an organization.

    :raises AstraError: it cannot be read.
    """
    organization_id = (reading.request and reading.request.organization_id) or api.find_organization()
    stored = read_stream(api, organization_id)
    return Look(organization_id, stored, None, [] if stored else confirm_absence(api, organization_id))


def is_not_compared(result: Mapping[str, Any]) -> bool:
    """Tell whether another secret than the one that is asked for may be stored, and nobody would notice.

    :arg result: the module's, or what a plan says of it.
    """
    return bool(result.get("action") == "none" and result.get("stream") and not result.get("token_fingerprint"))


def find_differences(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None, changed: bool) -> list[str]:
    """Return the names of what an update changes; a secret that is sent again, where nothing else does."""
    if not changed or before is None or after is None:
        return []
    names = sorted(name for name in {*before, *after} if before.get(name) != after.get(name))
    return names or [f"{SECRET_OPTIONS[after['auth_strategy']]} (sent again)"]


def observe(organization: Organization) -> dict[str, Any]:
    """Return all that is known of an organization, without its secrets, for reports and audits."""
    look, request = organization.look, organization.request
    plan = look.plan if look else None
    is_busy = look is not None and plan is None and not look.is_final
    return {
        "name": organization.name,
        "organization_id": organization.organization_id,
        "problems": [problem.text for problem in organization.problems],
        "error": organization.error.text if organization.error else BUSY if is_busy else None,
        "exists": look.stored is not None if look and not is_busy else None,
        "stream": look.stored.stream if look and look.stored else None,
        "desired": {"state": request.state, **request.stream} if request else None,
        "differences": find_differences(plan.before, plan.after, plan.changed) if plan else [],
        "action": organization.action,
        "token_given": bool(request and request.secret),
        "token_compared": bool(plan and plan.values.get("token_compared")),
        "token_expires_at": request.expires_at if request else None,
        "delivery": None,
    }
