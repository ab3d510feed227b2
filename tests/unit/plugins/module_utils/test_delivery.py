# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The judgement about delivery, from answers that no broker gives. What brokers do give is in tests/pulsar."""

from __future__ import annotations

import json

import pytest
from ansible_collections.datastax.astra.plugins.module_utils._delivery import (
    GUARDS,
    WAY,
    describe,
    judge,
    read_way,
)
from ansible_collections.datastax.astra.plugins.module_utils._errors import ConnectionFailed, InputError
from ansible_collections.datastax.astra.plugins.module_utils._pulsar.admin import make_unread_facts, read_topic
from ansible_collections.datastax.astra.plugins.module_utils._pulsar.wire import STEPS, Handshake, Step
from hypothesis import given, settings
from hypothesis import strategies as st

TOPIC = "persistent://acme/audit/events"
NOW = 1_800_000_000.0
PASSED = Handshake(tuple(Step(step, "passed", "", "Well.") for step in STEPS), 0)
GOOD = {
    "stats": {
        "publishers": [{"producerName": "exporter", "connectedSince": "2026-11-24T17:30:00.273Z"}],
        "subscriptions": {"siem": {"isDurable": True, "msgBacklog": 0, "consumers": [{}]}},
        "backlogSize": 0,
    },
    "internalStats": {"entriesAddedCounter": 1, "numberOfEntries": 1, "lastConfirmedEntry": "3:0"},
    "inactiveTopicPolicies": {"deleteWhileInactive": False},
    "retention": {"retentionTimeInMinutes": 10080, "retentionSizeInMB": -1},
    "backlogQuotaMap": {"destination_storage": {"limitSize": 5_000_000_000, "policy": "producer_exception"}},
    "maxProducers": 50,
    "messageTTL": 0,
    "audit": {"subscription_expiration_time_minutes": None},
}


def answer(
    changes=None, examined=(200, {"X-Pulsar-Message-ID": "3:0", "X-Pulsar-publish-time": "2026-11-24"}, b"event")
):
    """Return an admin API that answers well but for some pages, by the last word of their paths."""
    pages = {**GOOD, **(changes or {})}

    def get(path):
        page = path.partition("?")[0].rpartition("/")[2]
        if page == "examinemessage":
            return examined
        found = pages[page]
        return found if isinstance(found, tuple) else (200, {}, json.dumps(found).encode())

    return get


def conclude(handshake=PASSED, token="e30.e30.", **pages):
    return judge(token, handshake, read_topic(answer(pages), TOPIC, 0), NOW)


def states(judgement):
    return {check.id: check.state for check in judgement.checks}


def test_all_well():
    judgement = conclude()
    assert judgement.verdict == "proven"
    assert set(states(judgement).values()) == {"passed"}
    assert json.dumps(describe(judgement))


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (401, b'{"reason": "Unauthorized"}', "no right"),
        (401, b"<html>Authentication required</html>", "does not accept the token"),
        (401, b'{"servlet": "api", "message": "Authentication required"}', "does not accept the token"),
        (403, b"", "no right"),
        (404, b'{"reason": "Topic not found"}', "knows no such topic"),
        (404, b"<html>Not found</html>", "answers 404"),
        (503, b"", "answers 503"),
        (200, b"{", "no answer that can be read"),
        (200, b"[]", "no answer that can be read"),
    ],
)
def test_what_is_not_told_is_unknown(status, body, words):
    judgement = conclude(stats=(status, {}, body))
    for check_id in ("producer_connected", "subscription", "backlog", "producers"):
        check = next(check for check in judgement.checks if check.id == check_id)
        assert check.state == "unknown"
        assert words in check.message
    assert judgement.subscriptions is None


def test_the_namespace_tells_what_the_topic_does_not():
    refused = (403, {}, b"")
    policies = {"inactive_topic_policies": {"deleteWhileInactive": False}, "subscription_expiration_time_minutes": 0}
    judgement = conclude(inactiveTopicPolicies=refused, retention=refused, audit=policies)
    assert states(judgement)["inactive_topics"] == "passed"
    assert states(judgement)["retention"] == "unknown"


def test_neither_tells():
    judgement = conclude(inactiveTopicPolicies=(200, {}, b""), audit={"inactive_topic_policies": None})
    check = next(check for check in judgement.checks if check.id == "inactive_topics")
    assert (check.state, check.message) == ("unknown", "The broker's default is not shown.")


def fail(step, code):
    """Return a handshake that failed at a step."""
    number = STEPS.index(step)
    failed = Step(step, "failed", code, "It said so.", "Look.")
    return Handshake((*PASSED.steps[:number], failed, *(Step(each, "unknown") for each in STEPS[number + 1 :])))


NOBODY_ANSWERED = [
    ("connect", "NameNotResolved"),
    ("connect", "Refused"),
    ("connect", "Unreachable"),
    ("connect", "Timeout"),
    ("tls", "Timeout"),
    ("topic", "ServiceNotReady"),
    ("topic", "Closed"),
    ("produce", "PersistenceError"),
]
ANSWERED = [
    ("tls", "Certificate"),
    ("tls", "NoTls"),
    ("authenticate", "NotPulsar"),
    ("authenticate", "Closed"),
    ("authenticate", "AuthenticationError"),
    ("topic", "TopicNotFound"),
    ("produce", "AuthorizationError"),
]


@pytest.mark.parametrize(("step", "code"), NOBODY_ANSWERED)
def test_what_could_not_be_tried_is_unknown(step, code):
    judgement = judge("e30.e30.", fail(step, code), make_unread_facts("it was not asked"), NOW)
    assert (judgement.verdict, judgement.advice) == ("unknown", "Look.")
    assert judgement.reason == "It could not be tried from here, and may work for the service. It said so."
    assert states(judgement)[step] == "unknown"
    # Evidence outweighs it.
    judgement = conclude(fail(step, code))
    assert (judgement.verdict, judgement.advice) == ("proven", "")
    assert judgement.reason == "Events arrive, although this machine cannot try it: It said so."


@pytest.mark.parametrize(("step", "code"), ANSWERED)
def test_what_the_exporter_would_get_too_is_broken(step, code):
    for judgement in (
        judge("e30.e30.", fail(step, code), make_unread_facts("it was not asked"), NOW),
        conclude(fail(step, code)),
    ):
        assert (judgement.verdict, judgement.reason, judgement.advice) == ("broken", "It said so.", "Look.")
        assert states(judgement)[step] == "failed"


def test_an_admin_api_without_an_answer():
    def get(path):
        raise ConnectionFailed("host refused the connection: check web_service_url and the network.")

    judgement = judge("e30.e30.", PASSED, read_topic(get, TOPIC, None), NOW)
    assert judgement.verdict == "unknown"
    assert "host refused the connection" in judgement.reason


# Anything in the place of anything.
_json = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2**70) | st.floats(allow_nan=True) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def _mixed(good):
    """A document of which any part may be something else."""
    if isinstance(good, dict):
        parts = {key: _mixed(value) for key, value in good.items()}
        return st.one_of(_json, st.fixed_dictionaries({}, optional=parts))
    if isinstance(good, list):
        return st.one_of(_json, st.lists(_mixed(good[0]), max_size=3))
    return st.one_of(st.just(good), _json)


_answers = st.one_of(
    st.tuples(st.integers(100, 599), st.just({}), st.binary(max_size=20)),
    st.tuples(st.integers(100, 599), st.just({}), _json.map(lambda document: json.dumps(document).encode())),
)
_pages = st.fixed_dictionaries(
    {},
    optional={
        **{name: st.one_of(_mixed(good), _answers) for name, good in GOOD.items()},
        "partitioned-stats": _mixed({"partitions": {"a": GOOD["stats"], "b": GOOD["stats"]}}),
        "partitioned-internalStats": _mixed({"partitions": {"a": GOOD["internalStats"], "b": GOOD["internalStats"]}}),
    },
)


@settings(max_examples=500, deadline=None)
@given(pages=_pages, partitions=st.sampled_from([0, 0, 2]))
def test_anything_that_an_admin_api_may_answer(pages, partitions):
    whole = {"partitioned-stats": {}, "partitioned-internalStats": {}, **pages}
    judgement = judge("e30.e30.", PASSED, read_topic(answer(whole), TOPIC, partitions), NOW)
    assert [check.id for check in judgement.checks] == [*WAY, *GUARDS]
    assert judgement.verdict in ("proven", "quiet", "unknown")
    assert all(check.message for check in judgement.checks)
    json.dumps(describe(judgement))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"topic": "non-persistent://a/b/c"}, "topic is non-persistent"),
        ({"endpoint": None}, "endpoint is needed"),
        ({"pulsar_token": None}, "pulsar_token is needed"),
        ({"endpoint": "http://host"}, "endpoint is a web URL"),
        ({"web_service_url": "host"}, "web_service_url must be a URL"),
        ({"timeout": 0}, "timeout must be"),
        ({"client_conf": "nonsense"}, "does not look like a client.conf"),
    ],
)
def test_mistakes_in_the_options(options, words):
    right = {
        "topic": TOPIC,
        "client_conf": None,
        "endpoint": "pulsar+ssl://host:6651",
        "pulsar_token": "e30.e30.",
        "web_service_url": "https://host",
        "timeout": 30,
    }
    assert read_way(right, []).destination.topic == TOPIC
    if "client_conf" in options:
        right["endpoint"] = right["pulsar_token"] = None
    with pytest.raises(InputError, match=words):
        read_way({**right, **options}, [])
