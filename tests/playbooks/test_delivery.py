# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook audit_log_delivery where no broker answers: what can be said all the same, and how it ends."""

from __future__ import annotations

import json
import socket

import pytest

from tests.playbooks.conftest import NAMES, READER
from tests.wire.support import OAUTH2_OPTIONS, PULSAR_TOKEN, TOKEN_BODY, TOPIC

DELIVERY = "datastax.astra.audit_log_delivery"
ELSEWHERE = "persistent://acme/security/elsewhere"


@pytest.fixture
def mixed(fleet):
    """A fleet whose broker is out of reach, with everything else that can be found."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        endpoint = f"pulsar://127.0.0.1:{server.getsockname()[1]}"
    fleet.write("client.conf", f"brokerServiceUrl={endpoint}\nauthParams=token:{PULSAR_TOKEN}\n")
    absent = {"audit_log_stream_state": "absent"}
    fleet.describe(hosts={"acme-4": READER, "acme-5": absent, "acme-6": absent})
    right = {"pulsar": {**TOKEN_BODY["pulsar"], "endpoint": endpoint, "topic": TOPIC, "token": PULSAR_TOKEN}}
    fleet.configure("acme-1", "acme-4", "acme-6", body=right)
    fleet.configure("acme-2", body={"pulsar": {**right["pulsar"], "topic": ELSEWHERE}})
    return fleet


def test_screen(mixed):
    run = mixed.play(playbook=DELIVERY, status=2)
    assert run.headline() == "Audit log delivery: 6 organizations: 3 broken, 2 unknown, 1 not streamed"
    broken, unknown = run.section("Broken"), run.section("Unknown")
    assert broken["acme-2"] == [
        "It streams elsewhere than its variables say (topic). Run datastax.astra.audit_log_stream."
    ]
    assert broken["acme-3"] == ["Its audit log is not streamed. Run datastax.astra.audit_log_stream."]
    assert broken["acme-6"][0].startswith("It streams, although its variables say that it should not.")
    assert unknown["acme-1"][0].startswith("It could not be tried from here, and may work for the service. ")
    assert "Organization Administrator" in unknown["acme-4"][0]
    assert "At risk" not in run.screen
    assert "Probed" not in run.screen
    assert {name: set(methods) for name, methods in mixed.requests().items()} == {name: {"GET"} for name in NAMES}
    assert PULSAR_TOKEN not in run.screen + run.errors


@pytest.mark.parametrize(("strict", "status"), [(False, 0), (True, 2)])
def test_unknown_fails_where_that_is_wanted(mixed, strict, status):
    extra = json.dumps({"audit_log_delivery_strict": strict})
    run = mixed.play("--limit", "acme-1,acme-5", "-e", extra, playbook=DELIVERY, status=status)
    assert run.headline() == "Audit log delivery: 2 organizations: 1 unknown, 1 not streamed"
    assert ("fatal: [acme-1]" in run.screen + run.errors) is strict


def test_json(mixed):
    mixed.play("-e", "audit_log_delivery_json=found.json", playbook=DELIVERY, status=2)
    text = (mixed.directory / "found.json").read_text()
    records = {record["name"]: record for record in json.loads(text)}
    verdicts = ["unknown", "broken", "broken", "unknown", "not streamed", "broken"]
    assert {name: record["verdict"] for name, record in records.items()} == dict(zip(NAMES, verdicts, strict=True))
    assert [name for name in NAMES if records[name]["delivery"]] == ["acme-1"]
    assert PULSAR_TOKEN not in text


def test_check_mode_probes_nothing(mixed):
    mixed.play("--check", "-e", "audit_log_delivery_probe=true", "--limit", "acme-1", playbook=DELIVERY)
    assert mixed.requests() == {"acme-1": ["GET"]}


def test_credentials_for_oauth2_are_not_probed_with(mixed):
    """They are for the issuer, and no admin API gets them."""
    variables = {f"audit_log_stream_{name}": value for name, value in OAUTH2_OPTIONS.items()}
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0)
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        mixed.describe(hosts={"acme-1": {**variables, "audit_log_stream_web_service_url": url}})
        options = ["--limit", "acme-1", "-e", "audit_log_delivery_probe=true"]
        run = mixed.play(*options, playbook=DELIVERY, status=2)
        with pytest.raises(BlockingIOError):
            server.accept()
    [said] = run.section("Probed in vain")["acme-1"]
    assert said.startswith("It was not probed, because that needs the Pulsar token")
    assert mixed.requests() == {"acme-1": ["GET"]}


def test_a_variable_that_nothing_reads(mixed):
    run = mixed.play("-e", "audit_log_delivery_strct=true", "--limit", "acme-1", playbook=DELIVERY, status=2)
    [said] = run.section("Unknown")["acme-1"]
    assert said.startswith("audit_log_delivery_strct is not a known variable; did you mean audit_log_delivery_strict?")
