# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The audit with a real broker: it proves delivery where there is proof, and leaves no trace."""

from __future__ import annotations

import json

import pytest

from tests.playbooks import conftest as playbooks
from tests.pulsar.support import wait_until
from tests.pulsar.test_delivery import guard
from tests.wire.support import TOKEN_BODY

fleet, _fleet_service = playbooks.fleet, playbooks._fleet_service  # fixtures
AUDIT = "datastax.astra.audit_log_stream_audit"
RULES = {"region": False}  # which a broker on loopback has not


@pytest.fixture
def audit(fleet, place, broker):
    """Audit the organizations of these names, which all stream to the place; returns what was found by the rules."""
    token = place.token("administrator")
    stream = {"endpoint": broker.broker_url, "topic": place.topic, "token": token}
    lines = [f"webServiceUrl={broker.admin_url}", f"brokerServiceUrl={broker.broker_url}", f"authParams=token:{token}"]
    fleet.write("client.conf", "\n".join(lines))

    def run(*names, status):
        fleet.configure(*names, body={"pulsar": {**TOKEN_BODY["pulsar"], **stream}})
        fleet.describe(names=names, audit_log_stream_topic=place.topic)
        variables = {"audit_log_stream_audit_rules": RULES, "audit_log_stream_audit_dir": "audit"}
        done = fleet.play("-e", json.dumps(variables), playbook=AUDIT, status=status)
        texts = [path.read_text() for path in (fleet.directory / "audit").iterdir()]
        assert not [text for text in (done.screen, done.errors, *texts) if token in text]
        document = json.loads((fleet.directory / "audit/audit.json").read_text())
        return {
            finding["rule"]: finding
            for finding in document["findings"]
            if finding["rule"] in ("broker_accepts", "loss_guard", "last_event")
        }

    return run


def deliver_event(place):
    """Have an event arrive, and be read, at a topic that is safe from loss."""
    guard(place)
    place.subscribe("siem")
    with place.producer() as producer, place.consumer("siem") as consumer:
        producer.send(b"an event")
        consumer.acknowledge(consumer.receive(10000))
    wait_until(lambda: not place.stats()["subscriptions"]["siem"]["msgBacklog"])


def states(found):
    return {rule: finding["state"] for rule, finding in found.items()}


def test_proven(audit, place):
    deliver_event(place)
    before = place.traces()
    found = audit("acme-1", status=0)
    assert states(found) == {"broker_accepts": "passed", "loss_guard": "passed", "last_event": "passed"}
    assert "less than an hour before the audit" in found["last_event"]["reason"]
    assert place.traces() == before


def test_shared(audit, place):
    deliver_event(place)
    found = audit("acme-1", "acme-2", status=0)
    assert states(found) == {"broker_accepts": "passed", "loss_guard": "passed", "last_event": "unknown"}
    assert "2 organizations share the topic" in found["last_event"]["reason"]


def test_at_risk_and_quiet(audit):
    found = audit("acme-1", status=2)
    assert states(found) == {"broker_accepts": "passed", "loss_guard": "failed", "last_event": "unknown"}
    assert found["loss_guard"]["cause"].startswith("events may get lost: subscription")
    assert found["loss_guard"]["advice"]


def test_refused(audit, place):
    place.admin.delete(place.path)
    found = audit("acme-1", status=2)
    assert found["broker_accepts"]["state"] == "failed"
    assert found["broker_accepts"]["cause"].startswith("events cannot get through: ")
    assert found["loss_guard"]["state"] == "unknown"
