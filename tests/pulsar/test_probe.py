# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The probe, from the act that is audited to its event at a real broker, where the emulator's exporter publishes it."""

from __future__ import annotations

import pytest
from ansible_collections.datastax.astra.plugins.module_utils._command import AUDIT_LOG_PROBE, perform

from emulator.client import Emulator
from tests.pulsar.support import access, wait_until

ORGANIZATION = "0a1b2c3d-0000-4000-8000-000000000001"
ADMINISTRATOR = f"AstraCS:{'a' * 24}:{'0123456789abcdef' * 4}"
READER = f"AstraCS:{'r' * 24}:{'0123456789abcdef' * 4}"


@pytest.fixture
def astra(broker):
    """The emulated Astra with an exporter, in front of the broker."""
    tokens = [
        {"token": ADMINISTRATOR, "organization_id": ORGANIZATION},
        {"token": READER, "organization_id": ORGANIZATION, "permissions": ["org-audits-read"]},
    ]
    with Emulator(organizations=[{"id": ORGANIZATION}], tokens=tokens, pulsar=access(broker)) as emulator:
        yield emulator


@pytest.fixture
def stream(astra, place):
    """Let the organization stream to the topic; changes break it."""

    def configure(topic=None, **changes):
        right = {
            "endpoint": place.broker.broker_tls_url,
            "topic": topic or place.topic,
            "auth_strategy": "token",
            "auth_name": "token",
            "token": place.token("producer"),
        }
        astra.set_organization(ORGANIZATION, {"pulsar": {**right, **changes}})

    return configure


@pytest.fixture
def probe(astra, place):
    """Run the module."""

    def run(check_mode=False, **options):
        params = {
            **dict.fromkeys(AUDIT_LOG_PROBE.argument_spec),
            "topic": place.topic,
            "pulsar_token": place.token("administrator"),
            "web_service_url": place.broker.admin_url,
            "wait_timeout": 20,
            "application_token": ADMINISTRATOR,
            "api_url": astra.api_url,
            "validate_certs": True,
            "timeout": 30,
            "retries": 2,
            **options,
        }
        return perform(AUDIT_LOG_PROBE, params, check_mode, diff=False)

    return run


def roles_left(astra):
    """Return the names of the roles that the probe has left behind."""
    return [role["name"] for role in astra.roles() if role["name"].startswith("audit-log-probe-")]


@pytest.mark.parametrize("partitions", [0, 3])
def test_the_event_arrives(astra, place, stream, probe, partitions):
    topic = place.add_topic("other", partitions)
    stream(topic)
    astra.act(ORGANIZATION)  # an event of somebody else, before
    wait_until(lambda: astra.events()[-1]["state"] == "delivered")
    result = probe(topic=topic)
    assert (result["arrived"], result["is_certain"]) == (True, True), result
    assert result["changed"] is False
    assert 0 < result["latency"] < 20
    matching = [event for event in astra.events() if result["role"] in str(event["event"])]
    assert matching
    positions = {":".join(event["message_id"].split(":")[:2]) for event in matching}
    assert ":".join(result["message_id"].split(":")[:2]) in positions
    assert roles_left(astra) == []


def test_an_event_of_somebody_else_is_not_taken_for_it(astra, place, stream, probe):
    """The exporter publishes to another topic, and here others are at work."""
    stream(place.add_topic("elsewhere"))
    with place.producer() as producer:
        producer.send(b'{"eventType": "CREATE_ROLE", "event": {"name": "audit-log-probe-0000"}}')
        result = probe(wait_timeout=2)
    assert (result["arrived"], result["message_id"]) == (False, None)
    assert "No event arrived within 2 seconds" in result["message"]
    assert roles_left(astra) == []


def test_a_token_that_may_only_produce_sees_that_something_arrives(astra, place, stream, probe):
    stream()
    result = probe(pulsar_token=place.token("producer"))
    assert (result["arrived"], result["is_certain"]) == (True, False), result
    assert "no right to look into" in result["message"]


def test_a_stream_that_is_broken(astra, place, stream, probe):
    stream(token=place.token("consumer"))
    result = probe(wait_timeout=2)
    assert result["arrived"] is False
    assert roles_left(astra) == []


def test_nothing_is_done_where_nothing_could_be_seen(astra, place, stream, probe):
    stream()
    result = probe(pulsar_token=place.token("stranger"))
    assert result["failed"]
    assert "no right" in result["msg"]
    assert "POST" not in {entry["method"] for entry in astra.journal()}


def test_who_may_not_make_roles(astra, stream, probe):
    stream()
    result = probe(application_token=READER)
    assert result["failed"]
    assert result["http_status"] == 403


def test_check_mode_does_nothing(astra, stream, probe):
    stream()
    result = probe(check_mode=True)
    assert (result["arrived"], result["role"]) == (False, None)
    assert astra.journal() == []
