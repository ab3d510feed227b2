# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook audit_log_delivery with a real broker: each verdict, and no trace."""

from __future__ import annotations

import json

import pytest

from tests.playbooks.conftest import _fleet_service, fleet  # noqa: F401 - fixtures  # pylint: disable=unused-import
from tests.pulsar.test_audit import deliver_event
from tests.wire.support import TOKEN_BODY

DELIVERY = "datastax.astra.audit_log_delivery"


@pytest.fixture
def prove(fleet, place, broker):  # noqa: F811
    """Ask whether the events of one organization arrive at the place; returns what was recorded, and the screen."""

    def run(*arguments, role="administrator", topic=None, status=0):
        token = place.token(role)
        stream = {"endpoint": broker.broker_url, "topic": topic or place.topic, "token": token}
        lines = [f"webServiceUrl={broker.admin_url}", f"brokerServiceUrl={broker.broker_url}"]
        fleet.write("client.conf", "\n".join([*lines, f"authParams=token:{token}"]))
        fleet.configure("acme-1", body={"pulsar": {**TOKEN_BODY["pulsar"], **stream}})
        fleet.describe(names=("acme-1",), audit_log_stream_topic=place.topic)
        extra = json.dumps({"audit_log_delivery_json": "delivery.json"})
        done = fleet.play("-e", extra, *arguments, playbook=DELIVERY, status=status)
        text = (fleet.directory / "delivery.json").read_text()
        assert token not in text + done.screen + done.errors
        [record] = json.loads(text)
        return record, done.screen

    return run


def test_proven(prove, place):
    deliver_event(place)
    before = place.traces()
    record, screen = prove()
    assert (record["verdict"], record["risks"]) == ("proven", [])
    assert "Audit log delivery: 1 organization: 1 proven" in screen
    assert place.traces() == before


def test_quiet_and_at_risk(prove):
    record, screen = prove()
    assert record["verdict"] == "quiet"
    assert "1 quiet" in screen
    assert "At risk" in screen
    assert "add -e audit_log_delivery_probe=true" in " ".join(screen.split())


@pytest.mark.parametrize("role", ["consumer", "stranger"])
def test_broken_by_rights(prove, role):
    record, screen = prove(role=role, status=2)
    assert record["verdict"] == "broken"
    assert "no right" in record["why"]
    assert "1 broken" in screen


def test_broken_by_the_topic(prove, place):
    place.admin.delete(place.path)
    record, _screen = prove(status=2)
    assert record["verdict"] == "broken"
    assert "does not exist" in record["why"]


def test_streams_elsewhere(prove, place):
    record, _screen = prove(topic=place.topic_named("elsewhere"), status=2)
    assert record["verdict"] == "broken"
    assert "It streams elsewhere than its variables say (topic)" in record["why"]
