# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Before it writes, the playbook asks the broker about each destination once."""

from __future__ import annotations

import pytest

from tests.playbooks.conftest import NAMES
from tests.pulsar.fake_broker import FakeBroker, answer, refuse
from tests.wire.support import TOKEN_BODY

AUTHORIZATION_ERROR = 4


def refusing(kind, fields):
    """A broker that lets everybody in, and nobody produce."""
    return answer(kind, fields) if kind == 2 else [refuse(AUTHORIZATION_ERROR, "Client is not authorized")]


@pytest.fixture
def broker():
    with FakeBroker() as fake:
        yield fake


@pytest.fixture
def elsewhere(fleet, broker):
    """All shall stream to a broker that is there."""
    fleet.describe(audit_log_stream_verify_destination=None, audit_log_stream_endpoint=broker.url)
    return fleet


def test_one_destination_is_asked_about_once(elsewhere, broker):
    assert elsewhere.play().headline().endswith(": all 6 organizations created")
    connections = broker.connections
    assert 1 <= connections <= 2  # a lookup may need one of its own
    elsewhere.play()
    assert broker.connections == connections, "nothing was about to be written"


@pytest.mark.parametrize("options", [(), ("--check",)], ids=["run", "check"])
def test_a_refusal_stops_all(elsewhere, broker, options):
    broker.script = refusing
    elsewhere.describe(
        audit_log_stream_verify_destination=None,
        hosts={"acme-1": {"audit_log_stream_endpoint": broker.url}, "acme-2": {"audit_log_stream_state": "absent"}},
    )
    elsewhere.configure(*NAMES[1:])
    run = elsewhere.play(*options, status=2)
    [said] = run.section("Problems")["acme-1"]
    assert said.startswith("The events would not arrive, so nothing was sent: ")
    assert elsewhere.streams() == {**dict.fromkeys(NAMES, TOKEN_BODY), "acme-1": None}


def test_those_that_are_refused_can_be_skipped(elsewhere, broker):
    broker.script = refusing
    elsewhere.describe(
        audit_log_stream_verify_destination=None, hosts={"acme-1": {"audit_log_stream_endpoint": broker.url}}
    )
    elsewhere.configure(*NAMES[2:])
    run = elsewhere.play("-e", "audit_log_stream_on_problem=skip", "--limit", "!acme-2", status=2)
    assert run.headline() == "Audit log streaming: 5 organizations: 1 failed, 4 unchanged"


def test_a_broker_that_cannot_be_reached_is_a_warning(fleet):
    fleet.describe(audit_log_stream_verify_destination=None, audit_log_stream_endpoint="pulsar://127.0.0.1:1")
    run = fleet.play()
    assert run.headline().endswith(": all 6 organizations created")
    report = " ".join(" ".join(run.report()).split())
    assert report.count("The destination was not verified. It could not be tried from here, ") == 1


def test_what_answers_and_is_no_broker_stops_all(fleet):
    """A web server without TLS is as wrong for the service as it is from here."""
    endpoint = fleet.service.api_url.replace("http://", "pulsar+ssl://")
    fleet.describe(audit_log_stream_verify_destination=None, audit_log_stream_endpoint=endpoint)
    run = fleet.play(status=2)
    [[failure]] = {tuple(said) for said in run.section("Problems").values()}
    assert failure.startswith("The events would not arrive, so nothing was sent: ")
    assert "does not speak TLS" in failure
    assert set(fleet.streams().values()) == {None}


def test_it_can_be_switched_off(elsewhere, broker):
    broker.script = refusing
    run = elsewhere.play("-e", "audit_log_stream_verify_destination=false")
    assert run.headline().endswith(": all 6 organizations created")
    assert broker.connections == 0


def test_the_role_asks_where_the_plan_does_not(elsewhere, broker):
    broker.script = refusing
    run = elsewhere.play("-e", "audit_log_stream_per_host=true", status=2)
    assert run.headline() == "Audit log streaming: all 6 organizations failed"
