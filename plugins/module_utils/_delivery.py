# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether audit events arrive at a topic, and whether what has arrived, or will, is safe from being lost.

``judge`` is pure: it concludes from a handshake with the broker and from what the admin API tells. What neither shows
is ``unknown`` and never taken for fine. The way of an event is proven by an event that arrived, and by nothing less.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ansible_collections.datastax.astra.plugins.module_utils._connection import LONGEST_TIMEOUT, examine_url
from ansible_collections.datastax.astra.plugins.module_utils._deadline import Deadline
from ansible_collections.datastax.astra.plugins.module_utils._errors import InputError
from ansible_collections.datastax.astra.plugins.module_utils._http import Http, find_ca_path
from ansible_collections.datastax.astra.plugins.module_utils._pulsar.admin import (
    NO_RIGHT,
    Get,
    PartitionStats,
    Reading,
    TopicFacts,
    make_unread_facts,
    read_topic,
)
from ansible_collections.datastax.astra.plugins.module_utils._pulsar.client_conf import read_options
from ansible_collections.datastax.astra.plugins.module_utils._pulsar.frames import ServerError
from ansible_collections.datastax.astra.plugins.module_utils._pulsar.jwt import (
    EXPIRY_WARNING_DAYS,
    read_jwt,
    rfc3339,
)
from ansible_collections.datastax.astra.plugins.module_utils._pulsar.names import normalize_topic
from ansible_collections.datastax.astra.plugins.module_utils._pulsar.wire import (
    FAILED,
    PASSED,
    STEPS,
    UNKNOWN,
    Destination,
    Handshake,
    Step,
    make_tls_context,
    shake_hands,
)

WAY = ("token", *STEPS, "producer_connected", "last_event")
GUARDS = ("subscription", "inactive_topics", "retention", "backlog", "producers")

PROVEN, QUIET, BROKEN = "proven", "quiet", "broken"  # and UNKNOWN

# Why nobody answered, or a broker that answers cannot say: it is about this machine, its network or this moment. All
# else that fails is what the service's exporter would get as well.
_TELLS_NOTHING = frozenset(
    (
        "NameNotResolved",
        "Refused",
        "Unreachable",
        "Timeout",
        ServerError.ServiceNotReady.name,
        ServerError.TooManyRequests.name,
        ServerError.MetadataError.name,
        ServerError.PersistenceError.name,
    )
)

# What the broker refuses to everybody but the producers that are connected, of which the exporter may be one.
_OCCUPIED = (ServerError.ProducerBusy.name, ServerError.ProducerFenced.name)

_NEARLY_FULL = 0.8  # of a quota or a limit, from where somebody should know of it
_PRODUCERS_ON_SHARED_CLUSTERS = 50  # at a topic, as Astra documents it
_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_UNLIMITED = -1

_ASK_WITH_MORE_RIGHTS = "Give a token that may administer the tenant to see this."
_MAKE_SUBSCRIPTION = "Make a durable subscription (astra_streaming_topic, option subscriptions)."
_KEEP_TOPIC = "Set inactive_topics of astra_streaming_namespace to delete: false."
_KEEP_EVENTS = "Set retention of astra_streaming_namespace to as long as events may wait."
_READ_EVENTS = "Have its consumer read again, or remove the subscription if nobody needs it."
_RAISE_QUOTA = "Raise backlog_quota of astra_streaming_namespace, or have the events read faster."


class Check(NamedTuple):
    """What was found about one point.

    :ivar id: one of ``WAY`` or ``GUARDS``.
    :ivar state: ``passed``, ``failed``, or ``unknown`` when it could not be found out.
    :ivar message: one sentence or more.
    :ivar advice: what to do; empty when there is nothing to do.
    """

    id: str
    state: str
    message: str
    advice: str = ""


class Subscription(NamedTuple):
    """A durable subscription, all of its partitions together.

    :ivar backlog: how many messages it holds that were not acknowledged.
    :ivar consumers: how many are connected.
    :ivar unread_since: when the oldest of these messages was published, in seconds since the epoch; None when there is
        none, or the broker does not say.
    """

    name: str
    backlog: int
    consumers: int
    unread_since: float | None


class Judgement(NamedTuple):
    """What follows from all that was found.

    :ivar checks: one for each of ``WAY`` and ``GUARDS``, in this order.
    :ivar verdict: ``proven`` (an event has arrived, and the next one would), ``quiet`` (it would, and none has come
        yet), ``broken``, or ``unknown``.
    :ivar reason: why, as a sentence.
    :ivar advice: what to do about it; empty when there is nothing to do.
    :ivar at_risk: the guards that failed, and ``token`` when it ends soon.
    :ivar last_event_at: when the newest stored event was published, RFC 3339; None when that is not known.
    :ivar last_message_id: of the newest stored event; None when that is not known.
    :ivar subscriptions: the durable ones, with their backlogs; None when they are not shown.
    """

    checks: tuple[Check, ...]
    verdict: str
    reason: str
    advice: str
    at_risk: tuple[str, ...]
    last_event_at: str | None
    last_message_id: str | None
    subscriptions: tuple[Subscription, ...] | None


def verify_destination(
    endpoint: str,
    topic: str,
    token: str,
    *,
    validate_certs: bool = True,
    ca_path: str | None = None,
    timeout: float = 30,
) -> Check | None:
    """Ask the broker whether a token may produce to a topic.

    :arg endpoint: ``pulsar://`` or ``pulsar+ssl://``, host and, if it is not the usual one, port.
    :arg ca_path: file or directory of CA certificates in PEM format; None for those that requests would use.
    :arg timeout: seconds for all of it.
    :returns: None when it may, or else the step at which the answer was found: ``failed`` when the exporter would fail
        there too, ``unknown`` when it could not be tried from here.
    :raises InputError: endpoint or ``ca_path`` cannot be used.
    """
    context = load_wire_context(validate_certs, ca_path)
    failed_step = shake_hands(Destination(endpoint, topic, token), Deadline(timeout), context).failed_step
    return failed_step and _judge_step(failed_step)


class Way(NamedTuple):
    """How a topic is reached.

    :ivar web_service_url: base URL of Pulsar's admin API, or None.
    """

    destination: Destination
    web_service_url: str | None


def read_way(
    params: Mapping[str, Any], warnings: list[str], needed: Sequence[str] = ("endpoint", "pulsar_token")
) -> Way:
    """Return how a topic is reached, from a module's options ``topic``, ``client_conf``, ``endpoint`` and others.

    :arg warnings: those about the options are appended.
    :arg needed: the options that have to be given, if not in ``client_conf``.
    :raises InputError: with every mistake. No sentence repeats a value.
    """
    problems: list[str] = []
    options: dict[str, str] = {}
    topic = ""
    try:
        topic = normalize_topic(params["topic"])
    except InputError as error:
        problems.append(f"topic {error.message}")
    try:
        overrides = {name: params[name] for name in needed}
        options = read_options(params["client_conf"], overrides)
    except InputError as error:
        problems += error.problems
    else:
        problems += [f"{name} is needed, or a client_conf that has it." for name in needed if not options.get(name)]
    url = params["web_service_url"] or options.get("web_service_url")
    if url:
        examine_url("web_service_url", url, problems, warnings)
    if not 1 <= params["timeout"] <= LONGEST_TIMEOUT:
        problems.append(f"timeout must be between 1 and {LONGEST_TIMEOUT} seconds.")
    if problems:
        raise InputError(problems)
    return Way(Destination(options.get("endpoint", ""), topic, options["pulsar_token"]), url)


def describe(judgement: Judgement) -> dict[str, Any]:
    """Return a judgement as a module's result."""
    subscriptions = judgement.subscriptions
    shown = None if subscriptions is None else [_describe_subscription(each) for each in subscriptions]
    return {
        **judgement._asdict(),
        "checks": [check._asdict() for check in judgement.checks],
        "at_risk": list(judgement.at_risk),
        "subscriptions": shown,
    }


def _describe_subscription(subscription: Subscription) -> dict[str, Any]:
    since = subscription.unread_since
    return {**subscription._asdict(), "unread_since": None if since is None else rfc3339(since)}


def check_delivery(
    way: Way,
    *,
    admin_token: str | None = None,
    admin_headers: Mapping[str, str] | None = None,
    validate_certs: bool = True,
    ca_path: str | None = None,
    timeout: float = 30,
) -> Judgement:
    """Find out whether events arrive and are safe, without leaving a trace at the topic.

    :arg way: without a ``web_service_url``, what the admin API tells stays unknown.
    :arg admin_token: what the admin API is asked with; None for the destination's own token.
    :arg admin_headers: sent to the admin API too.
    :arg timeout: seconds for the handshake, and again for the admin API.
    :raises InputError: endpoint or ``ca_path`` cannot be used.
    """
    destination = way.destination
    handshake = shake_hands(destination, Deadline(timeout), load_wire_context(validate_certs, ca_path))
    facts = make_unread_facts("no web_service_url was given to ask the admin API")
    if way.web_service_url:
        options: dict[str, Any] = {"validate_certs": validate_certs, "ca_path": ca_path, "timeout": timeout}
        with Http(way.web_service_url, url_option="web_service_url", **options) as http:
            get = make_get(http, admin_token or destination.token or "", Deadline(timeout), admin_headers)
            facts = read_topic(get, destination.topic, handshake.partitions)
    return judge(destination.token, handshake, facts, time.time())


def load_wire_context(validate_certs: bool = True, ca_path: str | None = None) -> ssl.SSLContext:
    """Return the TLS context for handshakes, which trusts what HTTP requests trust.

    :raises InputError: the certificates cannot be read.
    """
    return make_tls_context(validate_certs, find_ca_path(ca_path) if validate_certs else None)


def make_get(http: Http, token: str, deadline: Deadline, headers: Mapping[str, str] | None = None) -> Get:
    """Return how the admin API is asked with a credential.

    :arg token: a Pulsar token, or an application token, which needs the header ``X-DataStax-Pulsar-Cluster`` too.
    """
    headers = {**(headers or {}), "Authorization": f"Bearer {token.strip()}"}

    def get(path: str) -> tuple[int, Mapping[str, str], bytes]:
        answer = http.request("GET", path, headers=headers, deadline=deadline)
        return answer.status, answer.headers, answer.body

    return get


def judge(token: str | None, handshake: Handshake, facts: TopicFacts, now: float) -> Judgement:
    """Conclude from what was found.

    :arg token: the Pulsar token that the stream has, or None when it is not at hand.
    :arg now: seconds since the epoch.
    """
    token_check, ends_soon = _check_token(token, now)
    way = [token_check, *map(_judge_step, handshake.steps), _check_producer(facts.stats), _check_last_event(facts)]
    guards = [
        _check_subscription(facts),
        _check_inactive_topics(facts),
        _check_retention(facts, now),
        _check_backlog(facts, now),
        _check_producers(facts),
    ]
    verdict, because = _conclude(way, handshake.failed_step, _has_events(facts))
    last_message = facts.last_message.value
    return Judgement(
        checks=(*way, *guards),
        verdict=verdict,
        reason=because.message,
        advice=because.advice,
        at_risk=(*(["token"] if ends_soon else []), *(check.id for check in guards if check.state == FAILED)),
        last_event_at=last_message.published_at if last_message else None,
        last_message_id=last_message.message_id if last_message else None,
        subscriptions=tuple(_find_subscriptions(facts.stats.value)) if facts.stats.is_known else None,
    )


def _judge_step(step: Step) -> Check:
    """Return what a step of the handshake says: the service has to get there, and not this machine."""
    # A broker that restarts closes connections, and so does a port with TLS that is spoken to without.
    is_restart = step.code == "Closed" and step.id != "authenticate"
    if step.state == FAILED and (is_restart or step.code in _TELLS_NOTHING):
        message = f"It could not be tried from here, and may work for the service. {step.message}"
        return Check(step.id, UNKNOWN, message, step.advice)
    return Check(step.id, step.state, step.message, step.advice)


def _conclude(way: Sequence[Check], failed_step: Step | None, has_events: bool | None) -> tuple[str, Check]:
    """Return the verdict, and the check that it follows from."""
    checks = {check.id: check for check in way}
    if checks["token"].state == FAILED:
        return BROKEN, checks["token"]
    if failed_step:
        check, connected = checks[failed_step.id], checks["producer_connected"].state == PASSED
        if connected and failed_step.code in _OCCUPIED:
            message = f"{check.message} Whether the exporter is among those connected cannot be told."
            return UNKNOWN, check._replace(message=message)
        if check.state == FAILED:
            return BROKEN, check
        # Evidence outweighs what could not be tried.
        if connected and has_events:
            message = f"Events arrive, although this machine cannot try it: {failed_step.message}"
            return PROVEN, Check(check.id, PASSED, message)
        return UNKNOWN, check
    if checks["produce"].state != PASSED:
        return UNKNOWN, checks["produce"]
    if has_events is None:
        return UNKNOWN, checks["last_event"]
    return (PROVEN if has_events else QUIET), checks["last_event"]


def _check_token(token: str | None, now: float) -> tuple[Check, bool]:
    """Return the check, and whether the token ends soon."""
    if not token:
        return Check("token", UNKNOWN, "No token was given.", "Give pulsar_token."), False
    try:
        expiry = read_jwt(token).get("exp")
    except InputError as error:
        return Check("token", FAILED, f"The token {error.message}", "Give the token that Astra Streaming made."), False
    if expiry is None:
        return Check("token", PASSED, "The token has no end."), False
    end = rfc3339(expiry) or "in a far future"
    renew = "Make a new token and have the stream take it over."
    if expiry <= now:
        return Check("token", FAILED, f"The token ended on {end}.", renew), False
    ends_soon = expiry <= now + EXPIRY_WARNING_DAYS * _DAY
    return Check("token", PASSED, f"The token ends on {end}.", renew if ends_soon else ""), ends_soon


def _check_producer(stats: Reading) -> Check:
    if not stats.is_known:
        return _unknown("producer_connected", stats)
    publishers = [publisher for part in stats.value for publisher in part.publishers]
    if publishers:
        since = max(publisher.since for publisher in publishers)[:19]
        many = _count(len({publisher.name for publisher in publishers}), "producer")
        return Check("producer_connected", PASSED, f"{many} connected{since and f', the latest since {since}Z'}.")
    return Check(
        "producer_connected",
        UNKNOWN,
        "No producer is connected now. Whether the exporter stays connected while there is nothing to send is not "
        "documented.",
    )


def _has_events(facts: TopicFacts) -> bool | None:
    """Tell whether an event has ever arrived, as far as that can still be seen; None when nothing tells."""
    if facts.last_message.value:
        return True
    if facts.stores.is_known:
        # The counter begins anew when a broker loads the topic, and the position is there as long as something is.
        return any(store.added or store.stored or store.last_entry >= 0 for store in facts.stores.value)
    return False if facts.last_message.is_known else None


def _check_last_event(facts: TopicFacts) -> Check:
    last = facts.last_message
    if last.value:
        at = f" at {last.value.published_at}" if last.value.published_at else ""
        return Check("last_event", PASSED, f"The last event arrived{at} (message {last.value.message_id}).")
    has_events = _has_events(facts)
    if has_events is None:
        return _unknown("last_event", last)
    if not has_events:
        return Check("last_event", UNKNOWN, "No event has arrived yet, as far as can be seen.")
    if last.is_known:
        return Check("last_event", PASSED, "Events have arrived. None of them is stored any more.")
    stored = sum(store.stored for store in facts.stores.value)
    return Check(
        "last_event",
        PASSED,
        f"Events have arrived, {stored} entries are stored. When the last one came is not shown: {last.problem}.",
    )


def _find_subscriptions(stats: Sequence[PartitionStats]) -> list[Subscription]:
    """Return the durable subscriptions that every partition has."""
    found = []
    for name in sorted(set.intersection(*(set(part.subscriptions) for part in stats))):
        parts = [part.subscriptions[name] for part in stats]
        if all(part.is_durable for part in parts):
            times = [part.unread_since for part in parts if part.unread_since]
            backlog, consumers = sum(part.backlog for part in parts), sum(part.consumers for part in parts)
            found.append(Subscription(name, backlog, consumers, min(times) if times else None))
    return found


def _find_unread(stats: Sequence[PartitionStats]) -> list[Subscription]:
    """Return the durable subscriptions that hold events which nobody reads."""
    return [each for each in _find_subscriptions(stats) if each.backlog and not each.consumers]


def _check_subscription(facts: TopicFacts) -> Check:
    if not facts.stats.is_known:
        return _unknown("subscription", facts.stats)
    subscriptions = _find_subscriptions(facts.stats.value)
    if not subscriptions:
        return Check(
            "subscription",
            FAILED,
            "There is no durable subscription, so nothing holds an event until somebody has read it.",
            _MAKE_SUBSCRIPTION,
        )
    names = ", ".join(each.name for each in subscriptions)
    expiration = facts.subscription_expiration.value
    if expiration:
        after = _describe_time(expiration * _MINUTE)
        return Check(
            "subscription",
            FAILED,
            f"Durable subscriptions hold the events ({names}), and are removed when they have no consumer for {after}. "
            "What they hold is lost with them.",
            "Set subscription_expiration of astra_streaming_namespace to unlimited.",
        )
    caveat = "" if facts.subscription_expiration.is_known else " Whether they are removed when unused is not shown."
    return Check("subscription", PASSED, f"Durable subscriptions hold the events ({names}).{caveat}")


def _check_inactive_topics(facts: TopicFacts) -> Check:
    policy = facts.inactive_topics
    if not policy.is_known:
        return _unknown("inactive_topics", policy)
    if not policy.value.are_deleted:
        return Check("inactive_topics", PASSED, "The topic stays when it is not used.")
    after = _describe_time(policy.value.after)
    lost = (
        "The exporter cannot make it again where topics are not created automatically, as in Astra Streaming, so all "
        "later events are lost."
    )
    if policy.value.mode != "delete_when_no_subscriptions":
        return Check(
            "inactive_topics",
            FAILED,
            f"The topic is deleted when its subscriptions have read everything and nobody uses it for {after}. {lost}",
            _KEEP_TOPIC,
        )
    if not facts.stats.is_known:
        return _unknown("inactive_topics", facts.stats)
    if _find_subscriptions(facts.stats.value):
        return Check(
            "inactive_topics", PASSED, f"Its subscriptions keep the topic, which is deleted {after} after them."
        )
    return Check(
        "inactive_topics",
        FAILED,
        f"The topic is deleted when it has no subscription and nobody uses it for {after}. {lost}",
        _KEEP_TOPIC,
    )


def _check_retention(facts: TopicFacts, now: float) -> Check:
    policy = facts.retention
    if not policy.is_known:
        return _unknown("retention", policy)
    minutes, megabytes = policy.value
    if minutes == megabytes == _UNLIMITED:
        return Check("retention", PASSED, "Events are kept for ever.")
    if not minutes or not megabytes:
        minutes, kept = 0, "no time"
    else:
        limits = [_describe_time(minutes * _MINUTE)] if minutes > 0 else []
        limits += [_describe_size(megabytes * 1024**2)] if megabytes > 0 else []
        kept = " and at most ".join(limits)
    if not facts.stats.is_known:
        return _unknown("retention", facts.stats)
    if not _find_subscriptions(facts.stats.value):
        return Check(
            "retention",
            FAILED,
            f"Without a durable subscription events are kept for {kept}, then they are lost.",
            f"{_MAKE_SUBSCRIPTION} {_KEEP_EVENTS}",
        )
    for each in _find_unread(facts.stats.value):
        unread = now - each.unread_since if each.unread_since else 0
        if minutes != _UNLIMITED and unread > minutes * _MINUTE:
            return Check(
                "retention",
                FAILED,
                f"Subscription {each.name} has no consumer and has not been read for {_describe_time(unread)}, and "
                f"events are kept for {kept}: they are lost when the subscription is removed or its backlog is full.",
                f"{_READ_EVENTS} {_KEEP_EVENTS}",
            )
    return Check("retention", PASSED, f"Events that were read are kept for {kept}; the subscriptions hold the others.")


def _check_backlog(facts: TopicFacts, now: float) -> Check:
    if not facts.stats.is_known:
        return _unknown("backlog", facts.stats)
    if not facts.backlog_quota.is_known:
        return _unknown("backlog", facts.backlog_quota)
    unread = _find_unread(facts.stats.value)
    since = [each.unread_since for each in _find_subscriptions(facts.stats.value) if each.unread_since]
    age = now - min(since) if since else 0
    size = max(part.backlog_size for part in facts.stats.value)
    found = _find_limits(facts, size, age)
    for share, limit, consequence in found:
        if share >= _NEARLY_FULL:
            return Check("backlog", FAILED, f"{limit} is {share:.0%} used up. Then {consequence}.", _RAISE_QUOTA)
    if unread and found:
        _share, limit, consequence = max(found)
        names = ", ".join(each.name for each in unread)
        return Check(
            "backlog",
            FAILED,
            f"Nobody reads what subscription {names} holds ({_count(sum(each.backlog for each in unread), 'event')}). "
            f"{limit} fills up, then {consequence}.",
            f"{_READ_EVENTS} {_RAISE_QUOTA}",
        )
    caveat = "" if facts.message_ttl.is_known else " Whether unread events end after a time is not shown."
    if not found:
        return Check("backlog", PASSED, f"Unread events are kept without a limit.{caveat}")
    share, limit, consequence = max(found)
    return Check("backlog", PASSED, f"{limit} is {share:.0%} used up. When it is full, {consequence}.{caveat}")


def _find_limits(facts: TopicFacts, size: float, age: float) -> list[tuple[float, str, str]]:
    """Return each limit for unread events: how much of it is used, its name, and what happens beyond it."""
    consequences = {
        "consumer_backlog_eviction": "the oldest unread events are dropped",
        "producer_exception": "the exporter is refused and new events do not arrive",
        "producer_request_hold": "the exporter is held up and new events do not arrive",
    }
    quota, ttl = facts.backlog_quota.value, facts.message_ttl.value
    found = []
    if quota.size > 0:
        name = f"The backlog quota of {_describe_size(quota.size)}"
        found.append((size / quota.size, name, consequences.get(quota.policy, "its policy decides")))
    if quota.time > 0:
        name = f"The backlog quota of {_describe_time(quota.time)}"
        found.append((age / quota.time, name, consequences.get(quota.time_policy, "its policy decides")))
    if ttl:
        found.append((age / ttl, f"The time of {_describe_time(ttl)} to read an event", "it is dropped unread"))
    return found


def _check_producers(facts: TopicFacts) -> Check:
    if not facts.stats.is_known:
        return _unknown("producers", facts.stats)
    count = max(len(part.publishers) for part in facts.stats.value)
    separate = "Give some of the streams that share the topic a topic of their own."
    if not facts.max_producers.is_known:
        documented = f"Astra documents {_PRODUCERS_ON_SHARED_CLUSTERS} on shared clusters"
        message = f"{_count(count, 'producer')} connected; the limit is not shown ({documented})."
        return Check("producers", UNKNOWN, message, _ASK_WITH_MORE_RIGHTS)
    limit = facts.max_producers.value
    if not limit:
        return Check("producers", PASSED, f"{_count(count, 'producer')} connected, and there is no limit.")
    message = f"{count} of at most {limit} producers are connected."
    if count >= limit * _NEARLY_FULL:
        return Check("producers", FAILED, f"{message} The streams that come after these are refused.", separate)
    return Check("producers", PASSED, message)


def _unknown(check: str, reading: Reading) -> Check:
    message = f"{reading.problem[:1].upper()}{reading.problem[1:]}."
    return Check(check, UNKNOWN, message, _ASK_WITH_MORE_RIGHTS if reading.problem == NO_RIGHT else "")


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"


def _describe_time(seconds: float) -> str:
    for unit, name in ((_DAY, "day"), (_HOUR, "hour"), (_MINUTE, "minute")):
        if seconds >= unit:
            return _count(round(seconds / unit), name)
    return _count(round(seconds), "second")


def _describe_size(size: float) -> str:
    for unit, name in ((10**9, "GB"), (10**6, "MB"), (10**3, "kB")):
        if size >= unit:
            return f"{size / unit:.3g} {name}"
    return f"{round(size)} bytes"
