# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Proof of delivery at a real broker: one thing broken at a time is found with its own reason, and nothing else."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pulsar
import pytest
import trustme
from ansible_collections.datastax.astra.plugins.module_utils._delivery import (
    GUARDS,
    WAY,
    Way,
    check_delivery,
    verify_destination,
)
from ansible_collections.datastax.astra.plugins.module_utils._pulsar.wire import Destination

from tests.pulsar.broker import make_token
from tests.pulsar.support import wait_until

KEPT = {"deleteWhileInactive": False, "inactiveTopicDeleteMode": "delete_when_no_subscriptions"}
KEPT["maxInactiveDurationSeconds"] = 172800
WEEK = {"retentionTimeInMinutes": 7 * 24 * 60, "retentionSizeInMB": -1}
# The rule of Pulsar: retention has to be longer than a backlog may be, or not limited.
QUOTA = {"limitSize": 5_000_000_000, "limit": 5_000_000_000, "limitTime": -1, "policy": "producer_exception"}


def guard(place):
    """Set the policies that keep events."""
    place.set_policy("inactiveTopicPolicies", KEPT)
    place.set_policy("retention", WEEK)


@pytest.fixture
def check(place, broker):
    """Check the place as it is; everything can be given otherwise."""

    def run(token=None, endpoint=None, topic=None, web_service_url=broker.admin_url, timeout=10, **options):
        options.setdefault("ca_path", broker.ca_path)
        token = place.token("administrator") if token is None else token
        destination = Destination(endpoint or broker.proxy_tls_url, topic or place.topic, token)
        judgement = check_delivery(Way(destination, web_service_url), timeout=timeout, **options)
        assert [each.id for each in judgement.checks] == [*WAY, *GUARDS]
        for each in judgement.checks:
            assert each.state in ("passed", "failed", "unknown")
            assert token not in each.message
            assert each.message
            assert not each.message[0].islower()
            assert each.message.endswith((".", "********"))
        return judgement

    return run


def states(judgement):
    """Return the states by the ids of the checks."""
    return {each.id: each.state for each in judgement.checks}


def message(judgement, check_id):
    """Return the message of a check."""
    return next(each.message for each in judgement.checks if each.id == check_id)


@pytest.fixture(params=[0, 2])
def healthy(request, place):
    """A guarded topic with a connected producer, a consumer that reads, and an event that came through; its name."""
    guard(place)
    name = "events"
    if request.param:
        name = "partitioned"
        place.add_topic(name, request.param)
    place.subscribe("siem", name)
    topic = place.topic_named(name)
    with place.producer(topic) as producer, place.consumer("siem", topic) as consumer:
        for number in range(4):
            producer.send(b'{"eventType": "CREATE_ROLE"}', partition_key=str(number))
            consumer.acknowledge(consumer.receive(5000))
        wait_until(
            lambda: (
                place.admin.get(f"{place.path_of(name)}/{'partitioned-stats' if request.param else 'stats'}")[
                    "subscriptions"
                ]["siem"]["msgBacklog"]
                == 0
            )
        )
        yield topic


class TestHealthy:
    def test_proven(self, healthy, check):
        judgement = check(topic=healthy)
        assert set(states(judgement).values()) == {"passed"}, judgement
        assert judgement.verdict == "proven"
        assert judgement.at_risk == ()
        assert judgement.last_event_at[:4] == time.strftime("%Y")
        assert ":" in judgement.last_message_id

    def test_what_a_token_that_may_only_produce_is_not_told(self, place, healthy, check):
        judgement = check(place.token("producer"), topic=healthy)
        assert judgement.verdict == "proven"
        assert judgement.last_event_at is None
        unknown = [name for name, state in states(judgement).items() if state == "unknown"]
        assert unknown == ["inactive_topics", "retention", "backlog", "producers"]
        assert "no right" in message(judgement, "last_event")
        assert "no right" in message(judgement, "retention")

    def test_without_the_admin_api(self, healthy, check):
        judgement = check(topic=healthy, web_service_url=None)
        assert judgement.verdict == "unknown"
        assert "web_service_url" in judgement.reason
        assert "failed" not in states(judgement).values()

    def test_an_admin_api_that_cannot_be_reached(self, healthy, check):
        judgement = check(topic=healthy, web_service_url="http://127.0.0.1:1", timeout=1)
        assert judgement.verdict == "unknown"
        assert "failed" not in states(judgement).values()

    def test_an_admin_api_that_is_something_else(self, broker, healthy, check):
        judgement = check(topic=healthy, web_service_url=f"{broker.admin_url}/else")
        assert judgement.verdict == "unknown"
        assert "failed" not in states(judgement).values()

    def test_through_the_proxy_over_tls(self, broker, healthy, check):
        assert check(topic=healthy, web_service_url=broker.proxy_admin_url).verdict == "proven"
        assert check(topic=healthy, web_service_url=broker.admin_tls_url).verdict == "proven"

    def test_another_token_for_the_admin_api(self, place, healthy, check):
        judgement = check(place.token("producer"), topic=healthy, admin_token=place.broker.superuser_token)
        assert set(states(judgement).values()) == {"passed"}

    def test_this_machine_cannot_reach_the_broker_but_the_exporter_does(self, healthy, check):
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
        judgement = check(topic=healthy, endpoint=f"pulsar+ssl://127.0.0.1:{port}")
        assert judgement.verdict == "proven"
        assert states(judgement)["connect"] == "unknown"
        assert "this machine" in judgement.reason

    def test_the_exporter_takes_the_last_place(self, place, healthy, check):
        place.set_policy("maxProducersPerTopic", 1)
        judgement = check(topic=healthy)
        assert judgement.verdict == "unknown"
        assert "cannot be told" in judgement.reason
        assert judgement.at_risk == ("producers",)

    def test_nothing_is_left_behind(self, place, healthy, check):
        name = healthy.rpartition("/")[2]
        before = place.traces(name)
        check(topic=healthy)
        assert place.traces(name) == before


class TestQuiet:
    @pytest.mark.parametrize("partitions", [0, 2])
    @pytest.mark.parametrize("role", ["administrator", "producer"])
    def test_no_event_yet(self, place, check, partitions, role):
        guard(place)
        topic = place.add_topic("other", partitions)
        place.subscribe("siem", "other")
        judgement = check(place.token(role), topic=topic)
        assert judgement.verdict == "quiet"
        assert "No event" in judgement.reason
        assert judgement.at_risk == ()
        assert states(judgement)["producer_connected"] == "unknown"
        with place.producer(topic):
            judgement = check(place.token(role), topic=topic)
            assert judgement.verdict == "quiet"
            assert states(judgement)["producer_connected"] == "passed"

    def test_all_events_are_gone(self, place, check):
        """An event that came is remembered by the position that it had, where nothing keeps the event itself."""
        place.subscribe("siem")
        with place.producer() as producer, place.consumer("siem") as consumer:
            producer.send(b"event")
            consumer.acknowledge(consumer.receive(5000))
        wait_until(lambda: place.stats()["subscriptions"]["siem"]["msgBacklog"] == 0)
        assert check().verdict == "proven"


class TestBroken:
    """The way of an event, broken at one point after the other."""

    @pytest.fixture(autouse=True)
    def _prepare(self, place):
        guard(place)
        place.subscribe("siem")

    def test_token_ended(self, place, check):
        judgement = check(place.token("administrator", exp=1700000000))
        assert judgement.verdict == "broken"
        assert states(judgement)["token"] == "failed"
        assert "2023-11-14" in judgement.reason
        assert "does not accept the token" in message(judgement, "retention")

    def test_token_is_none(self, check):
        judgement = check("AstraCS:wrong:place")
        assert (judgement.verdict, states(judgement)["token"]) == ("broken", "failed")

    def test_token_of_another_cluster(self, place, check):
        judgement = check(make_token(b"another key", sub=f"{place.tenant}-administrator"))
        assert (judgement.verdict, states(judgement)["authenticate"]) == ("broken", "failed")
        assert states(judgement)["token"] == "passed"

    def test_rights(self, place, check):
        judgement = check(place.token("consumer"))
        assert (judgement.verdict, states(judgement)["produce"]) == ("broken", "failed")
        assert "no right to produce" in judgement.reason

    def test_rights_are_taken_away(self, place, check):
        assert check(place.token("producer")).verdict == "quiet"
        place.admin.delete(f"/namespaces/{place.namespace}/permissions/{place.tenant}-producer")
        judgement = wait_until(lambda: (found := check(place.token("producer"))).verdict == "broken" and found)
        assert states(judgement)["topic"] == "failed"
        assert states(judgement)["produce"] == "unknown"

    def test_topic(self, place, check):
        judgement = check(topic=place.topic_named("missing"))
        assert (judgement.verdict, states(judgement)["topic"]) == ("broken", "failed")
        assert "does not exist" in judgement.reason

    def test_topic_is_deleted(self, place, check):
        place.admin.delete(f"{place.path}?force=true")
        judgement = check()
        assert (judgement.verdict, states(judgement)["topic"]) == ("broken", "failed")

    def test_endpoint(self, broker, check):
        """What answers there, and is no broker of Pulsar."""
        judgement = check(endpoint=broker.admin_url.replace("http", "pulsar"))
        assert (judgement.verdict, states(judgement)["authenticate"]) == ("broken", "failed")
        assert "a web server is there" in judgement.reason

    @pytest.mark.parametrize("endpoint", ["pulsar+ssl://broker.invalid:6651", "pulsar+ssl://127.0.0.1:1"])
    def test_endpoint_where_nobody_answers(self, check, endpoint):
        """That is not broken for sure, and never passes."""
        judgement = check(endpoint=endpoint)
        assert (judgement.verdict, states(judgement)["connect"]) == ("unknown", "unknown")
        assert "could not be tried from here" in judgement.reason
        assert "Check the" in judgement.advice
        assert states(judgement)["tls"] == "unknown"

    def test_tls(self, place, check, tmp_path, broker):
        trustme.CA().cert_pem.write_to_path(tmp_path / "ca.pem")
        judgement = check(ca_path=str(tmp_path / "ca.pem"))
        assert (judgement.verdict, states(judgement)["tls"]) == ("broken", "failed")
        assert "certificate" in judgement.reason

    def test_quota(self, place, check):
        place.set_policy("backlogQuota", {**QUOTA, "limitSize": 1000, "limit": 1000})
        with place.producer() as producer:
            for _time in range(4):
                producer.send(b"." * 500)
        judgement = wait_until(lambda: (found := check()).verdict == "broken" and found)
        assert states(judgement)["produce"] == "failed"
        assert "full" in judgement.reason
        assert "backlog" in judgement.at_risk

    def test_terminated(self, place, check):
        place.admin.post(f"{place.path}/terminate")
        judgement = check()
        assert (judgement.verdict, states(judgement)["produce"]) == ("broken", "failed")


class TestGuards:
    """What keeps events from being lost, taken away one by one."""

    @pytest.fixture(autouse=True)
    def _prepare(self, place):
        guard(place)
        place.subscribe("siem")

    def send(self, place, count=3):
        with place.producer() as producer:
            for number in range(count):
                producer.send(str(number).encode())

    def test_all_there(self, check):
        assert check().at_risk == ()

    def test_subscription(self, place, check):
        place.admin.delete(f"{place.path}/subscription/siem")
        judgement = check()
        assert judgement.at_risk == ("subscription", "retention")
        assert "7 days" in message(judgement, "retention")

    def test_a_subscription_that_is_not_durable(self, place, broker, check):
        place.admin.delete(f"{place.path}/subscription/siem")
        with contextlib.ExitStack() as stack:
            client = pulsar.Client(
                broker.broker_tls_url,
                authentication=pulsar.AuthenticationToken(place.token("consumer")),
                tls_trust_certs_file_path=broker.ca_path,
                tls_validate_hostname=True,
            )
            stack.callback(client.close)
            client.create_reader(place.topic, pulsar.MessageId.earliest)
            assert place.stats()["subscriptions"]
            assert "subscription" in check().at_risk

    def test_a_subscription_that_ends(self, place, check):
        place.set_policy("subscriptionExpirationTime", 60)
        judgement = check()
        assert judgement.at_risk == ("subscription",)
        assert "1 hour" in message(judgement, "subscription")

    def test_a_subscription_that_a_partition_lacks(self, place, check):
        topic = place.add_topic("other", 2)
        place.admin.put(f"{place.path_of('other')}-partition-0/subscription/siem", "earliest")
        assert "subscription" in check(topic=topic).at_risk

    def test_inactive_topics_with_the_default_and_no_subscription(self, place, check):
        place.admin.delete(f"/namespaces/{place.namespace}/inactiveTopicPolicies")
        assert check().at_risk == ()
        place.admin.delete(f"{place.path}/subscription/siem")
        judgement = check()
        assert "inactive_topics" in judgement.at_risk
        assert "2 days" in message(judgement, "inactive_topics")

    def test_inactive_topics_in_spite_of_subscriptions(self, place, check):
        policy = {**KEPT, "deleteWhileInactive": True, "inactiveTopicDeleteMode": "delete_when_subscriptions_caught_up"}
        place.set_policy("inactiveTopicPolicies", policy)
        assert check().at_risk == ("inactive_topics",)

    def test_retention(self, place, check):
        place.admin.delete(f"/namespaces/{place.namespace}/retention")
        assert check().at_risk == ()
        place.admin.delete(f"{place.path}/subscription/siem")
        judgement = check()
        assert "retention" in judgement.at_risk
        assert "no time" in message(judgement, "retention")

    def test_unlimited_retention(self, place, check):
        place.set_policy("retention", {"retentionTimeInMinutes": -1, "retentionSizeInMB": -1})
        place.admin.delete(f"{place.path}/subscription/siem")
        assert check().at_risk == ("subscription",)

    def test_consumer(self, place, check):
        """Nobody reads a subscription that holds events: found with the quota that fills up, and with the retention."""
        self.send(place)
        judgement = check()
        assert judgement.at_risk == ("backlog",)
        assert "siem holds (3 events)" in message(judgement, "backlog")
        place.set_policy("retention", {"retentionTimeInMinutes": 0, "retentionSizeInMB": 0})
        judgement = wait_until(lambda: (found := check()).at_risk == ("retention", "backlog") and found)
        assert "siem has no consumer" in message(judgement, "retention")
        with place.consumer("siem") as consumer:
            for _time in range(3):
                consumer.acknowledge(consumer.receive(5000))
            wait_until(lambda: check().at_risk == ())

    def test_backlog_that_is_read_too_slowly(self, place, check):
        self.send(place)
        size = place.stats()["backlogSize"]
        with place.consumer("siem"):
            assert check().at_risk == ()
            limit = int(size * 1.1)
            place.set_policy("backlogQuota", {**QUOTA, "limitSize": limit, "limit": limit})
            judgement = wait_until(lambda: (found := check()).at_risk == ("backlog",) and found)
            assert "91%" in message(judgement, "backlog")
            place.set_policy("backlogQuota", {**QUOTA, "limitSize": -1, "limit": -1})
            wait_until(lambda: check().at_risk == ())

    def test_backlog_that_drops_events(self, place, check):
        self.send(place)
        place.set_policy("backlogQuota", {**QUOTA, "policy": "consumer_backlog_eviction"})
        judgement = wait_until(lambda: "dropped" in message(found := check(), "backlog") and found)
        assert judgement.at_risk == ("backlog",)

    def test_a_time_to_read_events(self, place, check):
        place.set_policy("backlogQuota", {**QUOTA, "limitSize": -1, "limit": -1})
        place.set_policy("messageTTL", 2 * 86400)
        self.send(place)
        judgement = wait_until(lambda: (found := check()).at_risk == ("backlog",) and found)
        assert "2 days" in message(judgement, "backlog")

    def test_producers(self, place, check):
        place.set_policy("maxProducersPerTopic", 5)
        with contextlib.ExitStack() as stack:
            for _time in range(3):
                stack.enter_context(place.producer())
            wait_until(lambda: check().at_risk == ())
            stack.enter_context(place.producer())
            judgement = wait_until(lambda: (found := check()).at_risk == ("producers",) and found)
        assert "4 of at most 5" in message(judgement, "producers")

    def test_a_token_that_ends_soon(self, place, check):
        judgement = check(place.token("administrator", exp=int(time.time()) + 5 * 86400))
        assert judgement.at_risk == ("token",)
        assert states(judgement)["token"] == "passed"


def test_no_false_alarm_beside_load(place, broker):
    """1,000 checks of a healthy topic through which events flow, none of which finds anything wrong."""
    guard(place)
    place.subscribe("siem")
    done = threading.Event()

    with place.producer() as producer, place.consumer("siem") as consumer:

        def flow():
            while not done.is_set():
                producer.send(b"event")
                consumer.acknowledge(consumer.receive(5000))

        def run(_number):
            destination = Destination(broker.proxy_tls_url, place.topic, place.token("administrator"))
            return check_delivery(Way(destination, broker.admin_url), ca_path=broker.ca_path)

        flowing = threading.Thread(target=flow)
        flowing.start()
        try:
            wait_until(lambda: place.stats()["msgInCounter"])
            with ThreadPoolExecutor(8) as pool:
                judgements = list(pool.map(run, range(1000)))
        finally:
            done.set()
            flowing.join()
    wrong = [each for each in judgements if each.verdict != "proven" or each.at_risk]
    assert not wrong, wrong[:3]


class TestVerifyDestination:
    def verify(self, place, broker, role, **options):
        options.setdefault("ca_path", broker.ca_path)
        return verify_destination(broker.proxy_tls_url, place.topic, place.token(role), **options)

    def test_who_may_produce(self, place, broker):
        assert self.verify(place, broker, "producer") is None

    def test_who_may_not(self, place, broker):
        step = self.verify(place, broker, "consumer")
        assert (step.id, step.state) == ("produce", "failed")
        assert "AuthorizationError" in step.message

    def test_certificates_of_the_environment(self, place, broker, monkeypatch):
        """As for HTTP requests: ca_path, or what requests would use."""
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", broker.ca_path)
        assert self.verify(place, broker, "producer", ca_path=None) is None
        monkeypatch.delenv("REQUESTS_CA_BUNDLE")
        monkeypatch.delenv("CURL_CA_BUNDLE", raising=False)
        step = self.verify(place, broker, "producer", ca_path=None)
        assert (step.id, step.state) == ("tls", "failed")
        assert self.verify(place, broker, "producer", ca_path=None, validate_certs=False) is None
