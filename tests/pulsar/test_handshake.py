# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The handshake with a real broker, directly and through Pulsar's proxy, each verdict witnessed by a native client."""

from __future__ import annotations

import socket
import time

import pulsar
import pytest
import trustme
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.datastax.astra.plugins.module_utils._command import AUDIT_LOG_STREAM
from ansible_collections.datastax.astra.plugins.module_utils._convergence import Plan
from ansible_collections.datastax.astra.plugins.module_utils._deadline import Deadline
from ansible_collections.datastax.astra.plugins.module_utils._pulsar.wire import (
    STEPS,
    Destination,
    make_tls_context,
    shake_hands,
)
from ansible_collections.datastax.astra.plugins.module_utils._resources._audit_log_stream_request import examine
from ansible_collections.datastax.astra.plugins.plugin_utils.fleet import Look, Organization, verify_destinations
from ansible_collections.datastax.astra.plugins.plugin_utils.role_variables import HostReading

from tests.pulsar.broker import make_token
from tests.pulsar.support import Relay, can_produce, port_of, wait_until
from tests.wire.support import ORGANIZATION, application_token

WAYS = ["broker_url", "broker_tls_url", "proxy_url", "proxy_tls_url"]


@pytest.fixture(params=WAYS)
def endpoint(request, broker):
    """Each way to the broker."""
    return getattr(broker, request.param)


@pytest.fixture
def try_destination(broker):
    """Do a handshake; returns its outcome and checks what holds for every one."""

    def run(endpoint, topic, token, timeout=10, tls_context=None):
        destination = Destination(endpoint, topic, token)
        started = time.monotonic()
        handshake = shake_hands(destination, Deadline(timeout), tls_context or make_tls_context(True, broker.ca_path))
        handshake_seconds = time.monotonic() - started
        states = [step.state for step in handshake.steps]
        assert [step.id for step in handshake.steps] == list(STEPS)
        passed = states.count("passed")
        assert states == (["passed"] * passed + ["failed"] + ["unknown"] * 9)[: len(states)]
        for step in handshake.steps:
            assert not token or token not in repr(step)
            assert step.message.endswith(".")
            assert bool(step.advice) == bool(step.code) == (step.state == "failed")
        failed = handshake.failed_step
        assert handshake_seconds < (1 if failed and failed.code != "Timeout" else timeout + 1)
        return handshake

    return run


@pytest.mark.parametrize("role", ["producer", "administrator"])
@pytest.mark.parametrize("partitions", [0, 3])
def test_who_may_produce_passes_and_leaves_nothing_behind(place, endpoint, try_destination, role, partitions):
    topic = place.add_topic("other", partitions)
    before = place.traces("other")
    handshake = try_destination(endpoint, topic, place.token(role))
    assert handshake.failed_step is None
    assert [step.state for step in handshake.steps] == ["passed"] * 5
    assert handshake.partitions == partitions
    assert place.traces("other") == before
    assert can_produce(endpoint, topic, place.token(role), place.broker.ca_path)


def test_nothing_changes_beside_a_flow_of_events(place, endpoint, try_destination):
    place.subscribe("siem")
    with place.producer() as producer:
        for number in range(3):
            producer.send(str(number).encode())
        producer.flush()
        before = place.traces()
        assert try_destination(endpoint, place.topic, place.token()).failed_step is None
        # Where the producer is connected through, which a broker tells at its leisure, is not the point.
        assert place.traces() == before


# The rows of the table of cases: the step and the broker's code, and what of the place makes them.
@pytest.mark.parametrize(
    ("role", "claims", "topic", "step", "code"),
    [
        ("producer", {"exp": 1}, "events", "authenticate", "AuthenticationError"),
        ("stranger", {}, "events", "topic", "AuthorizationError"),
        ("consumer", {}, "events", "produce", "AuthorizationError"),
        ("producer", {}, "missing", "topic", "TopicNotFound"),
        ("administrator", {}, "missing", "topic", "TopicNotFound"),
        ("stranger", {}, "missing", "topic", "AuthorizationError"),
        ("producer", {}, "persistent://{tenant}/missing/events", "topic", "AuthorizationError"),
        ("producer", {}, "persistent://public/default/events", "topic", "AuthorizationError"),
        ("producer", {}, "persistent://missing-{tenant}/audit/events", "topic", "TopicNotFound"),
    ],
)
def test_rights_and_names(place, endpoint, try_destination, role, claims, topic, step, code):
    topic = topic.format(tenant=place.tenant) if "://" in topic else place.topic_named(topic)
    before = place.traces()
    failed = try_destination(endpoint, topic, place.token(role, **claims)).failed_step
    assert (failed.id, failed.code) == (step, code)
    assert place.traces() == before
    assert not can_produce(endpoint, topic, place.token(role, **claims), place.broker.ca_path)


@pytest.mark.parametrize("token", [None, "garbage", "wrong key"])
def test_tokens_that_the_broker_does_not_accept(place, endpoint, try_destination, token):
    if token == "wrong key":
        token = make_token(b"another key", sub=f"{place.tenant}-producer")
    failed = try_destination(endpoint, place.topic, token).failed_step
    assert (failed.id, failed.code) == ("authenticate", "AuthenticationError")
    assert not can_produce(endpoint, place.topic, token, place.broker.ca_path)


def test_a_topic_that_was_terminated(place, endpoint, try_destination):
    place.admin.post(f"{place.path}/terminate")
    failed = try_destination(endpoint, place.topic, place.token()).failed_step
    assert (failed.id, failed.code) == ("produce", "TopicTerminatedError")
    assert not can_produce(endpoint, place.topic, place.token(), place.broker.ca_path)


def test_one_partition_that_was_terminated(place, endpoint, try_destination):
    topic = place.add_topic("other", 3)
    place.admin.post(f"{place.path_of('other')}-partition-1/terminate")
    failed = try_destination(endpoint, topic, place.token()).failed_step
    assert (failed.id, failed.code) == ("produce", "TopicTerminatedError")


def test_a_topic_with_as_many_producers_as_it_may_have(place, endpoint, try_destination):
    place.set_policy("maxProducersPerTopic", 1)
    with place.producer():
        failed = try_destination(endpoint, place.topic, place.token()).failed_step
        assert (failed.id, failed.code) == ("produce", "ProducerBusy")
        assert "max producers limit" in failed.message
        assert not can_produce(endpoint, place.topic, place.token(), place.broker.ca_path)
    wait_until(lambda: try_destination(endpoint, place.topic, place.token()).failed_step is None)


def test_a_topic_that_a_producer_has_for_itself(place, endpoint, try_destination):
    with place.producer(access_mode=pulsar.ProducerAccessMode.Exclusive):
        failed = try_destination(endpoint, place.topic, place.token()).failed_step
        assert failed.id == "produce"
        assert failed.code in ("ProducerBusy", "ProducerFenced")


def test_a_topic_with_a_schema_that_is_enforced(place, endpoint, try_destination):
    schema = {"type": "STRING", "schema": "", "properties": {}}
    place.admin.post(f"/schemas/{place.namespace}/events/schema", schema)
    place.set_policy("schemaValidationEnforced", True)
    failed = try_destination(endpoint, place.topic, place.token()).failed_step
    assert (failed.id, failed.code) == ("produce", "IncompatibleSchema")
    assert not can_produce(endpoint, place.topic, place.token(), place.broker.ca_path)


def test_a_topic_that_is_full(place, endpoint, try_destination):
    place.subscribe("nobody-reads")
    quota = {"limitSize": 1000, "limit": 1000, "limitTime": -1, "policy": "producer_exception"}
    place.set_policy("backlogQuota", quota)
    with place.producer() as producer:
        for _time in range(4):
            producer.send(b"." * 500)
    failed = wait_until(lambda: try_destination(endpoint, place.topic, place.token()).failed_step)
    assert (failed.id, failed.code) == ("produce", "ProducerBlockedQuotaExceededException")
    assert not can_produce(endpoint, place.topic, place.token(), place.broker.ca_path)


@pytest.mark.parametrize("endpoint", ["broker_url", "broker_tls_url"], indirect=True)
def test_a_missing_topic_is_not_created_where_brokers_create_topics(place, endpoint, try_destination):
    place.set_policy("autoTopicCreation", {"allowAutoTopicCreation": True, "topicType": "non-partitioned"})
    before = place.traces()
    failed = try_destination(endpoint, place.topic_named("missing"), place.token("administrator")).failed_step
    assert (failed.id, failed.code) == ("topic", "TopicNotFound")
    assert place.traces() == before


@pytest.mark.parametrize("way", ["broker_tls_url", "proxy_tls_url"])
class TestTls:
    def test_a_ca_that_is_not_trusted(self, place, broker, try_destination, way, tmp_path):
        trustme.CA().cert_pem.write_to_path(tmp_path / "ca.pem")
        context = make_tls_context(True, str(tmp_path / "ca.pem"))
        failed = try_destination(getattr(broker, way), place.topic, place.token(), tls_context=context).failed_step
        assert (failed.id, failed.code) == ("tls", "Certificate")
        assert not can_produce(getattr(broker, way), place.topic, place.token(), str(tmp_path / "ca.pem"))

    def test_a_host_that_is_not_in_the_certificate(self, place, broker, try_destination, way):
        with Relay(port_of(getattr(broker, way)), "127.0.0.2") as relay:
            endpoint = f"pulsar+ssl://127.0.0.2:{relay.port}"
            failed = try_destination(endpoint, place.topic, place.token()).failed_step
            assert (failed.id, failed.code) == ("tls", "Certificate")
            assert "127.0.0.2" in failed.message
            assert not can_produce(endpoint, place.topic, place.token(), broker.ca_path)

    def test_not_verified_where_that_is_asked_for(self, place, broker, try_destination, way):
        endpoint, context = getattr(broker, way), make_tls_context(validate_certs=False)
        handshake = try_destination(endpoint, place.topic, place.token(), tls_context=context)
        assert handshake.failed_step is None
        assert "not verified" in handshake.steps[1].message

    def test_a_directory_of_certificates(self, place, broker, try_destination, way, tmp_path):
        # OpenSSL looks for a certificate by a hash of its subject, which only OpenSSL itself computes.
        with pytest.raises(Exception, match="ca_path"):
            make_tls_context(True, str(tmp_path / "missing"))
        context = make_tls_context(True, str(tmp_path))
        failed = try_destination(getattr(broker, way), place.topic, place.token(), tls_context=context).failed_step
        assert failed.code == "Certificate"


class TestEndpoint:
    def test_a_port_where_nobody_listens(self, place, try_destination):
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
        endpoint = f"pulsar+ssl://127.0.0.1:{port}"
        failed = try_destination(endpoint, place.topic, place.token()).failed_step
        assert (failed.id, failed.code) == ("connect", "Refused")
        assert not can_produce(endpoint, place.topic, place.token(), place.broker.ca_path)

    def test_a_name_that_does_not_exist(self, place, try_destination):
        failed = try_destination("pulsar+ssl://broker.invalid:6651", place.topic, place.token()).failed_step
        assert (failed.id, failed.code) == ("connect", "NameNotResolved")
        assert "broker.invalid" in failed.message

    @pytest.mark.parametrize("way", ["broker", "proxy"])
    @pytest.mark.parametrize(
        ("scheme", "port", "step", "code"),
        [
            ("pulsar+ssl", "url", "tls", "NoTls"),
            ("pulsar", "tls_url", "authenticate", "Closed"),
            ("pulsar", "admin_url", "authenticate", "NotPulsar"),
            ("pulsar+ssl", "admin_url", "tls", "NoTls"),
        ],
    )
    def test_the_wrong_port(self, place, broker, try_destination, way, scheme, port, step, code):
        name = f"{way}_{port}" if way == "proxy" or port != "admin_url" else port
        endpoint = f"{scheme}://127.0.0.1:{port_of(getattr(broker, name))}"
        failed = try_destination(endpoint, place.topic, place.token()).failed_step
        assert (failed.id, failed.code) == (step, code)
        assert "6651" in failed.advice
        assert not can_produce(endpoint, place.topic, place.token(), broker.ca_path)

    def test_the_port_of_https(self, place, broker, try_destination):
        endpoint = f"pulsar+ssl://127.0.0.1:{port_of(broker.admin_tls_url)}"
        failed = try_destination(endpoint, place.topic, place.token()).failed_step
        assert failed.id == "authenticate"

    @pytest.mark.skipif(not socket.has_ipv6, reason="this machine has no IPv6")
    @pytest.mark.parametrize("way", ["broker_tls_url", "proxy_tls_url"])
    def test_ipv6(self, place, broker, try_destination, way):
        with Relay(port_of(getattr(broker, way)), "::1") as relay:
            handshake = try_destination(f"pulsar+ssl://[::1]:{relay.port}", place.topic, place.token())
            assert handshake.failed_step is None
            assert "::1" in handshake.steps[0].message


class TestAddresses:
    """A name with several addresses, of which some do not work."""

    @pytest.fixture
    def resolve_to(self, monkeypatch):
        def patch(*addresses):
            found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", address) for address in addresses]
            monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **options: found)

        return patch

    @pytest.fixture
    def silent(self):
        """An address that never answers: its queue of connections is full."""
        with socket.create_server(("127.0.0.1", 0), backlog=0) as server:
            address = server.getsockname()
            queued = []
            for _time in range(4):
                client = socket.socket()
                client.setblocking(False)
                client.connect_ex(address)
                queued.append(client)
            yield address
            for client in queued:
                client.close()

    def test_one_refuses(self, place, broker, try_destination, resolve_to):
        with socket.create_server(("127.0.0.1", 0)) as server:
            refusing = server.getsockname()
        resolve_to(refusing, ("127.0.0.1", port_of(broker.proxy_tls_url)))
        assert try_destination("pulsar+ssl://localhost:6651", place.topic, place.token()).failed_step is None

    def test_one_is_silent(self, place, broker, try_destination, resolve_to, silent):
        resolve_to(silent, ("127.0.0.1", port_of(broker.proxy_tls_url)))
        assert try_destination("pulsar+ssl://localhost:6651", place.topic, place.token(), timeout=4).failed_step is None

    def test_all_are_silent(self, place, try_destination, resolve_to, silent):
        resolve_to(silent, silent)
        started = time.monotonic()
        failed = try_destination("pulsar+ssl://localhost:6651", place.topic, place.token(), timeout=1).failed_step
        assert (failed.id, failed.code) == ("connect", "Timeout")
        assert time.monotonic() - started < 1.5

    def test_the_resolver_is_silent(self, place, try_destination, monkeypatch):
        monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **options: time.sleep(3))
        started = time.monotonic()
        failed = try_destination("pulsar+ssl://localhost:6651", place.topic, place.token(), timeout=0.5).failed_step
        assert (failed.id, failed.code) == ("connect", "Timeout")
        assert time.monotonic() - started < 1


@pytest.mark.parametrize("partitions", [0, 8])
def test_round_trips_through_a_proxy(place, broker, try_destination, partitions):
    """CONNECT, PARTITIONED_METADATA, LOOKUP; and again CONNECT, then PRODUCER, CLOSE_PRODUCER."""
    topic = place.add_topic("other", partitions)
    with Relay(port_of(broker.proxy_url), delay=0.02) as relay:
        handshake = try_destination(f"pulsar://127.0.0.1:{relay.port}", topic, place.token())
    assert handshake.failed_step is None
    assert relay.bursts == [3, 3]


def make_organization(name: str, **options) -> Organization:
    """Return an organization for which a stream is about to be written."""
    options.update(application_token=application_token("a"), organization_id=ORGANIZATION)
    params = ArgumentSpecValidator(AUDIT_LOG_STREAM.argument_spec).validate(options).validated_parameters
    reading = HostReading(options, params, examine(params, time.time()).request, [], [], None, {}, {})
    organization = Organization(name, reading)
    organization.look = Look(ORGANIZATION, None, Plan("created", None, {}, {}))
    return organization


def test_a_fleet_with_a_thousand_destinations_far_away(place, broker):
    """At 50 ms through the proxy they take less than a minute. Each is asked about once, and all are right."""
    topics = [place.add_topic(f"events-{number}") for number in range(20)]
    roles = ["producer"] * 18 + ["stranger", "consumer"]
    fleet = []
    with Relay(port_of(broker.proxy_tls_url), delay=0.025) as relay:
        destination = {"endpoint": f"pulsar+ssl://127.0.0.1:{relay.port}", "ca_path": broker.ca_path}
        for number in range(1000):
            token = place.token(roles[number % 20], jti=str(number))
            destination.update(topic=topics[number % 20], pulsar_token=token)
            fleet += [make_organization(f"acme-{number}-{part}", **destination) for part in ("a", "b")]
        started = time.monotonic()
        verify_destinations(fleet, concurrency=64)
        seconds = time.monotonic() - started
        connections = len(relay.bursts)
    for number, organization in enumerate(fleet):
        role = roles[number // 2 % 20]
        problems = " ".join(problem.text for problem in organization.problems)
        assert problems == "" if role == "producer" else "no right to produce" in problems
        assert organization.warnings == []
    # The second one is to the broker that has the topic.
    assert connections == 900 * 2 + 50 * 2 + 50
    print(f"1,000 destinations in {seconds:.1f} s")
    assert seconds < 60
