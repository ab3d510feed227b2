# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook audit_log_delivery with a real broker: each verdict, and no trace."""

from __future__ import annotations

import json
import re
import socket

import pytest

from emulator.client import Emulator
from tests.playbooks import conftest as playbooks
from tests.playbooks.conftest import ADMINISTRATORS, IDS, Fleet
from tests.pulsar.broker import make_token
from tests.pulsar.support import access
from tests.pulsar.test_audit import deliver_event
from tests.wire.support import TOKEN_BODY

fleet, _fleet_service = playbooks.fleet, playbooks._fleet_service  # fixtures
DELIVERY = "datastax.astra.audit_log_delivery"


@pytest.fixture
def prove(fleet, place, broker):
    """Ask whether the events of one organization arrive at the place; returns what was recorded, and the screen."""

    def run(*arguments, role="administrator", token=None, endpoint=broker.broker_url, topic=None, status=0):
        token = token or place.token(role)
        stream = {"endpoint": endpoint, "topic": topic or place.topic, "token": token}
        lines = [f"webServiceUrl={broker.admin_url}", f"brokerServiceUrl={endpoint}"]
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
    assert "Audit log delivery: 1 organization proven" in screen
    assert place.traces() == before


def test_quiet_and_at_risk(prove):
    record, screen = prove()
    assert record["verdict"] == "quiet"
    assert "1 organization quiet" in screen
    assert "At risk" in screen
    assert "add -e audit_log_delivery_probe=true" in " ".join(screen.split())


@pytest.mark.parametrize("role", ["consumer", "stranger"])
def test_broken_by_rights(prove, role):
    record, screen = prove(role=role, status=2)
    assert record["verdict"] == "broken"
    assert "no right" in record["why"]
    assert "1 organization broken" in screen


def test_broken_by_the_token(prove):
    record, screen = prove(token=make_token(b"a key of somebody else's" * 2, sub="stranger"), status=2)
    assert record["verdict"] == "broken"
    [failed] = [check for check in record["delivery"]["checks"] if check["state"] == "failed"]
    assert failed["id"] == "authenticate"
    assert record["why"].startswith(failed["message"])
    assert "1 organization broken" in screen


def test_out_of_reach(prove, place):
    with socket.create_server(("127.0.0.1", 0)) as server:
        endpoint = f"pulsar://127.0.0.1:{server.getsockname()[1]}"
    record, screen = prove(endpoint=endpoint)
    assert record["verdict"] == "unknown"
    assert "1 organization unknown" in screen
    # Evidence outweighs what this machine cannot try.
    with place.producer() as producer:
        producer.send(b"an event")
        record, _screen = prove(endpoint=endpoint)
    assert record["verdict"] == "proven"


def test_broken_by_the_topic(prove, place):
    place.admin.delete(place.path)
    record, _screen = prove(status=2)
    assert record["verdict"] == "broken"
    assert "does not exist" in record["why"]


def test_streams_elsewhere(prove, place):
    record, _screen = prove(topic=place.topic_named("elsewhere"), status=2)
    assert record["verdict"] == "broken"
    assert "It streams elsewhere than its variables say (topic)" in record["why"]


@pytest.fixture
def probe(place, broker, tmp_path, ansible_environment):
    """Probe an organization whose service exports to the broker; returns what became of the event, and the screen."""
    organizations = [{"id": IDS["acme-1"], "name": "acme-1"}]
    tokens = [{"token": ADMINISTRATORS["acme-1"], "organization_id": IDS["acme-1"]}]
    directory = tmp_path / "probing"
    directory.mkdir()
    with Emulator(organizations, tokens, pulsar=access(broker, broker_url=broker.broker_url)) as emulator:
        service = Fleet(emulator, directory, {**ansible_environment, "ASTRA_API_URL": emulator.api_url})

        def run(stream_token, timeout, strict=False, status=0):
            token = place.token("administrator")
            lines = [f"webServiceUrl={broker.admin_url}", f"brokerServiceUrl={broker.broker_url}"]
            service.write("client.conf", "\n".join([*lines, f"authParams=token:{token}"]))
            stream = {"endpoint": broker.broker_url, "topic": place.topic, "token": stream_token}
            service.configure("acme-1", body={"pulsar": {**TOKEN_BODY["pulsar"], **stream}})
            service.describe(names=("acme-1",), audit_log_stream_topic=place.topic)
            values = {"json": "delivery.json", "probe": True, "probe_timeout": timeout, "strict": strict}
            extra = {f"audit_log_delivery_{name}": value for name, value in values.items()}
            done = service.play("-e", json.dumps(extra), playbook=DELIVERY, status=status)
            text = (directory / "delivery.json").read_text()
            assert token not in text + done.screen + done.errors
            assert [role for role in emulator.roles() if role["name"].startswith("audit-log-probe-")] == []
            return json.loads(text)[0]["probe"], " ".join(done.screen.split())

        yield run


def test_the_probe_arrives(probe, place):
    found, screen = probe(place.token("producer"), timeout=10, strict=True)
    assert found["message"] == f"The event arrived after {found['latency']} seconds (message {found['message_id']})."
    assert (found["arrived"], found["is_certain"]) == (True, True)
    assert re.fullmatch("audit-log-probe-[0-9a-f]{16}", found["role"])
    assert 0 < found["latency"] < 10
    assert re.fullmatch("[0-9]+:[0-9]+(:.*)?", found["message_id"])
    assert f"Probed acme-1 {found['message']}" in screen
    assert "Probed in vain" not in screen


@pytest.mark.parametrize(("strict", "status"), [(False, 0), (True, 2)])
def test_the_probe_finds_a_stored_token_without_the_right(probe, place, strict, status):
    found, screen = probe(place.token("stranger"), 3, strict, status)
    assert found["message"].startswith("No event arrived within 3 seconds")
    assert (found["arrived"], found["latency"], found["message_id"]) == (False, None, None)
    assert f"Probed in vain acme-1 {found['message']}" in screen
    assert ("fatal: [acme-1]" in screen) is strict
