# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether the events of a fleet arrive: the brokers are asked, and each organization gets a verdict."""

from __future__ import annotations

import concurrent.futures
import contextlib
from collections.abc import Collection, Mapping, Sequence
from typing import Callable, NamedTuple

from ansible_collections.datastax.astra.plugins.module_utils._api import Api
from ansible_collections.datastax.astra.plugins.module_utils._connection import open_http
from ansible_collections.datastax.astra.plugins.module_utils._deadline import UNBOUNDED
from ansible_collections.datastax.astra.plugins.module_utils._delivery import GUARDS, WAY, make_get
from ansible_collections.datastax.astra.plugins.module_utils._errors import AstraError
from ansible_collections.datastax.astra.plugins.module_utils._probe import Arrival, probe
from ansible_collections.datastax.astra.plugins.plugin_utils import screens
from ansible_collections.datastax.astra.plugins.plugin_utils.evidence.observation import Observation
from ansible_collections.datastax.astra.plugins.plugin_utils.evidence.rules import DESTINATION
from ansible_collections.datastax.astra.plugins.plugin_utils.fleet import Organization
from ansible_collections.datastax.astra.plugins.plugin_utils.role_variables import find_secrets

PROVEN, QUIET, BROKEN, UNKNOWN = "proven", "quiet", "broken", "unknown"
NOT_STREAMED = "not streamed"  # as its variables say

_KINDS = (BROKEN, UNKNOWN, QUIET, PROVEN, NOT_STREAMED)  # as they are counted


class Verdict(NamedTuple):
    """What is known of one organization.

    :ivar verdict: ``proven``, ``quiet``, ``broken``, ``unknown`` or ``not streamed``.
    :ivar why: why it is broken or unknown, and what to do.
    :ivar risks: what may get lost, and what mends it, a sentence or two each.
    :ivar mistaken: whether its variables have mistakes, which is why it is unknown.
    """

    name: str
    verdict: str
    why: str = ""
    risks: tuple[str, ...] = ()
    mistaken: bool = False


def judge(observation: Observation) -> Verdict:
    """Return what an observation says about whether the organization's events arrive."""
    name, delivery = observation["name"], observation["delivery"]
    if observation["problems"]:
        return Verdict(name, UNKNOWN, " ".join(observation["problems"]), mistaken=True)
    if observation["error"]:
        return Verdict(name, UNKNOWN, observation["error"])
    if (observation["desired"] or {}).get("state") == "absent":
        if not observation["exists"]:
            return Verdict(name, NOT_STREAMED)
        why = "It streams, although its variables say that it should not. Run datastax.astra.audit_log_stream."
        return Verdict(name, BROKEN, why)
    if not observation["exists"]:
        return Verdict(name, BROKEN, "Its audit log is not streamed. Run datastax.astra.audit_log_stream.")
    differing = [option for option in observation["differences"] if option in DESTINATION]
    if differing:
        where = f"It streams elsewhere than its variables say ({', '.join(differing)})."
        return Verdict(name, BROKEN, f"{where} Run datastax.astra.audit_log_stream.")
    if delivery is None:
        return Verdict(name, UNKNOWN, "The broker was not asked, because that needs the Pulsar token.")
    checks = {check["id"]: check for check in delivery["checks"]}
    risks = [checks[each] for each in (*WAY, *GUARDS) if each in delivery["at_risk"] and each in checks]
    verdict = delivery["verdict"]
    why = _say(delivery["reason"], delivery["advice"]) if verdict in (BROKEN, UNKNOWN) else ""
    return Verdict(name, verdict, why, tuple(_say(check["message"], check["advice"]) for check in risks))


def _say(message: str, advice: str) -> str:
    return f"{message} {advice}".strip()


def probe_all(
    organizations: Sequence[Organization], timeout: int, concurrency: int, progress: Callable[[int], None]
) -> dict[str, Arrival]:
    """Do something that is audited in each organization that streams, and wait for the event.

    :arg timeout: seconds to wait for each.
    :returns: what became of each event, by the organization's name.
    """
    arrivals: dict[str, Arrival] = {}
    with concurrent.futures.ThreadPoolExecutor(concurrency) as pool:
        pending = {pool.submit(_probe, each, timeout): each.name for each in organizations if _is_streamed(each)}
        for done, future in enumerate(concurrent.futures.as_completed(pending), 1):
            arrivals[pending[future]] = future.result()
            progress(done)
    return arrivals


def _is_streamed(organization: Organization) -> bool:
    return bool(organization.look and organization.look.stored)


def _probe(organization: Organization, timeout: int) -> Arrival:
    reading, request, look = organization.reading, organization.request, organization.look
    if not (reading and request and look and request.pulsar_token and reading.web_service_url):
        return Arrival("It was not probed, because that needs the Pulsar token and the webServiceUrl of client.conf.")
    secrets = find_secrets(reading)
    params = {**reading.params, "web_service_url": reading.web_service_url}
    try:
        with contextlib.ExitStack() as stack:
            api = Api(stack.enter_context(open_http(params)), params["application_token"], secrets)
            admin = stack.enter_context(open_http(params, "web_service_url"))
            get = make_get(admin, request.pulsar_token, UNBOUNDED)
            return probe(api, look.organization_id, get, request.stream["topic"], timeout)
    except AstraError as error:
        return Arrival(error.message)


def find_failures(verdicts: Sequence[Verdict], probed: Mapping[str, Arrival], strict: bool) -> dict[str, str]:
    """Return why an organization fails, by its name. Mistakes in its variables always do: one may be in ``strict``.

    :arg probed: what became of the events of those that were probed.
    :arg strict: whether what is not known counts as a failure, an event that was not seen to arrive included.
    """
    failing = (BROKEN, UNKNOWN) if strict else (BROKEN,)
    failures = {
        each.name: f"{each.verdict}: {each.why}" for each in verdicts if each.mistaken or each.verdict in failing
    }
    for name, arrival in probed.items() if strict else ():
        if not arrival.arrived:
            failures[name] = f"{failures.get(name, '')} {arrival.message}".strip()
    return failures


def draw(
    verdicts: Sequence[Verdict], probed: Mapping[str, Arrival], failed: Collection[str], shape: screens.Shape
) -> list[screens.Line]:
    """Return the lines of the screen: what is broken and why, what is not known, and what may get lost.

    :arg probed: what became of the events of those that were probed.
    :arg failed: the names of those that fail.
    """
    counts = {kind: sum(each.verdict == kind for each in verdicts) for kind in _KINDS}
    is_sure = not counts[UNKNOWN] and all(arrival.arrived for arrival in probed.values())
    colour = "error" if counts[BROKEN] else "ok" if is_sure else "warn"
    lines = screens.head(f"Audit log delivery: {screens.say_counts(counts)}", colour, shape)
    for heading, kind, outcome in (("Broken", BROKEN, "failed"), ("Unknown", UNKNOWN, "not run")):
        chosen = [screens.Outcome(each.name, outcome, each.why) for each in verdicts if each.verdict == kind]
        lines += screens.list_outcomes(heading, chosen, shape)
    risks = [screens.Outcome(each.name, "updated", risk) for each in verdicts for risk in each.risks]
    lines += screens.list_outcomes("At risk", risks, shape)
    for heading, arrived, outcome in (("Probed in vain", False, "updated"), ("Probed", True, "unchanged")):
        chosen = [
            screens.Outcome(name, outcome, arrival.message)
            for name, arrival in sorted(probed.items())
            if arrival.arrived is arrived
        ]
        lines += screens.list_outcomes(heading, chosen, shape)
    quiet = [each.name for each in verdicts if each.verdict == QUIET]
    if quiet:
        hint = f"{screens.name_some(quiet)}: all is well, and no event has come yet."
        lines += screens.say([f"{hint} To see one, add -e audit_log_delivery_probe=true."], shape)
    return [*lines, *screens.say_limit(list(failed), len(verdicts), shape)]
