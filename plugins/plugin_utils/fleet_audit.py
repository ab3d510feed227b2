# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From the fleet's reading to an audit: the brokers are asked, the rules judge, the files are written."""

from __future__ import annotations

import collections
import concurrent.futures
import getpass
import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Callable, NamedTuple, cast

from ansible.release import __version__ as ansible_version
from ansible_collections.datastax.astra.plugins.module_utils._delivery import Way, check_delivery
from ansible_collections.datastax.astra.plugins.module_utils._errors import InputError
from ansible_collections.datastax.astra.plugins.module_utils._pulsar.wire import Destination
from ansible_collections.datastax.astra.plugins.plugin_utils.evidence import findings, settings
from ansible_collections.datastax.astra.plugins.plugin_utils.evidence.directory import write_evidence
from ansible_collections.datastax.astra.plugins.plugin_utils.evidence.history import History
from ansible_collections.datastax.astra.plugins.plugin_utils.evidence.observation import (
    Check,
    Delivery,
    Observation,
    Run,
)
from ansible_collections.datastax.astra.plugins.plugin_utils.evidence.rules import DESTINATION, UNKNOWN, Rule
from ansible_collections.datastax.astra.plugins.plugin_utils.fleet import Organization, observe

COLLECTION = Path(__file__).parents[2]


class Settings(NamedTuple):
    """What shapes an audit.

    :ivar directory: where the files go, or None.
    """

    rules: Sequence[Rule]
    waivers: Sequence[settings.Waiver]
    directory: str | None


def read_settings(args: Mapping[str, Any]) -> Settings:
    """Return the settings that these options give.

    :raises InputError: with everything that is wrong with the rules, or else with the waivers.
    """
    rules = settings.read_rules(args["audit_rules"])
    return Settings(rules, settings.read_waivers(args["audit_waivers"], rules), args["audit_dir"])


def describe_run(
    organizations: Iterable[Organization], task_vars: Mapping[str, Any], time: str, part: str | None
) -> Run:
    """Return who audits what, when, and with what.

    :arg time: in RFC 3339.
    :arg part: which slice this is, in the user's words, or None.
    """
    sources = [os.path.relpath(source) for source in task_vars.get("ansible_inventory_sources") or ()]
    parts = [str(task_vars.get(name) or "") for name in ("audit_log_stream_hosts", "ansible_limit")]
    # A job of AWX runs as the same user whoever has launched it.
    user = task_vars.get("awx_user_name") or task_vars.get("tower_user_name") or getpass.getuser()
    return {
        "time": time,
        "user": str(user),
        "api_url": ", ".join(sorted({str(each.reading.params["api_url"]) for each in organizations if each.reading})),
        "inventory": ", ".join(sources) or "the inventory",
        "limit": " and ".join(filter(None, parts)) or None,
        "slice": part,
        "collection_version": _find_version(),
        "ansible_version": ansible_version,
    }


def audit_fleet(
    organizations: Sequence[Organization],
    chosen: Settings,
    run: Run,
    concurrency: int,
    progress: Callable[[int], None],
) -> findings.Audit:
    """Judge all organizations, and write the files where that is wanted.

    :arg concurrency: how many brokers are asked at once.
    :arg progress: called with the number of topics that are done.
    :raises InputError: the files cannot be written.
    """
    asks = any(rule.needs_broker for rule in chosen.rules)
    observations = observe_all(organizations, concurrency if asks else 0, progress)

    def judge(past: History | None) -> tuple[findings.Audit, str]:
        return findings.judge(run, observations, chosen.rules, chosen.waivers, past)

    return write_evidence(chosen.directory, judge) if chosen.directory else judge(None)[0]


def observe_all(
    organizations: Sequence[Organization], concurrency: int, progress: Callable[[int], None]
) -> list[Observation]:
    """Return what is known of each organization, with what the broker says of its destination.

    :arg concurrency: how many brokers are asked at once; 0 to ask none.
    """
    observations = [cast("Observation", observe(each)) for each in organizations]
    if concurrency:
        _ask_brokers(organizations, observations, concurrency, progress)
    return observations


def hand_over(audit: findings.Audit) -> dict[str, Any]:
    """Return which hosts fail, and why, for the play that gives each its own result."""
    failures = {}
    for one in audit.organizations:
        broken = [f"{finding.rule}: {finding.reason}" for finding in one.findings if finding.broken]
        if broken:
            failures[one.name] = {"msg": " ".join(broken)}
    return {"hosts": list(failures), "failures": failures, "total": len(audit.organizations)}


def summarize(audit: findings.Audit) -> dict[str, Any]:
    """Return what the next node of a workflow may want to know."""
    history = audit.history
    last = history.entries[-1].hash if history and history.entries and not history.problems else None
    return {"passed": audit.passed, "organizations": audit.count_organizations(), "history_hash": last}


def _ask_brokers(
    organizations: Sequence[Organization],
    observations: Sequence[Observation],
    concurrency: int,
    progress: Callable[[int], None],
) -> None:
    """Note at each observation what the broker says of its destination. Each one is asked about once."""
    topics = collections.Counter(map(_find_topic, observations))
    questions: dict[tuple[Any, ...], list[Observation]] = {}
    for organization, observation in zip(organizations, observations):
        question = _find_question(organization, observation)
        if question:
            questions.setdefault(question, []).append(observation)
    with concurrent.futures.ThreadPoolExecutor(concurrency) as pool:
        pending = {pool.submit(_ask_broker, *question): asked for question, asked in questions.items()}
        for done, future in enumerate(concurrent.futures.as_completed(pending), 1):
            for observation in pending[future]:
                observation["delivery"] = {**future.result(), "shared_by": topics[_find_topic(observation)]}
            progress(done)


def _find_topic(observation: Observation) -> tuple[Any, Any] | None:
    stream = observation["stream"]
    return (stream.get("endpoint"), stream.get("topic")) if stream else None


def _find_question(organization: Organization, observation: Observation) -> tuple[Any, ...] | None:
    """Return what to ask the broker with, or None where it takes something that the run has not."""
    stream, reading, request = observation["stream"], organization.reading, organization.request
    if not stream or not reading or not request or request.state != "present" or not request.pulsar_token:
        return None
    if set(observation["differences"]) & set(DESTINATION):
        return None
    options = (reading.params[name] for name in ("validate_certs", "ca_path", "timeout"))
    return (stream["endpoint"], stream["topic"], request.pulsar_token, reading.web_service_url, *options)


def _ask_broker(
    endpoint: str,
    topic: str,
    token: str,
    web_service_url: str | None,
    validate_certs: bool,
    ca_path: str | None,
    timeout: int,
) -> Delivery:
    try:
        found = check_delivery(
            Way(Destination(endpoint, topic, token), web_service_url),
            validate_certs=validate_certs,
            ca_path=ca_path,
            timeout=timeout,
        )
    except InputError as error:
        return {
            "verdict": UNKNOWN,
            "reason": error.message,
            "advice": "",
            "checks": [],
            "at_risk": [],
            "last_event": None,
            "shared_by": 1,
        }
    return {
        "verdict": found.verdict,
        "reason": found.reason,
        "advice": found.advice,
        "checks": [cast(Check, check._asdict()) for check in found.checks],
        "at_risk": list(found.at_risk),
        "last_event": found.last_event_at,
        "shared_by": 1,
    }


def _find_version() -> str:
    """Return the collection's version, of the installed artifact or of the repository."""
    manifest = COLLECTION / "MANIFEST.json"
    if manifest.exists():
        return str(json.loads(manifest.read_text(encoding="utf-8"))["collection_info"]["version"])
    match = re.search(r"^version: (\S+)$", (COLLECTION / "galaxy.yml").read_text(encoding="utf-8"), re.MULTILINE)
    return match.group(1) if match else "unknown"
