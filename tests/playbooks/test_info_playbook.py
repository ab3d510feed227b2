# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The info playbook: who streams where, on screen and as JSON."""

from __future__ import annotations

import json

import pytest

from tests.playbooks.conftest import IDS, NAMES, READER
from tests.wire.support import ENDPOINT, OAUTH2_BODY, OAUTH2_STREAM, TOKEN_STREAM, TOPIC

INFO = "datastax.astra.audit_log_stream_info"
KAFKA = {"kafka": {"bootstrap_servers": "broker:9092", "topic": "audit", "password": "do-not-show"}}


@pytest.fixture
def mixed(fleet):
    """A fleet with every kind of stream, of which nobody can read acme-5's."""
    fleet.describe(names=NAMES[:5], hosts={"acme-5": READER}, audit_log_stream_client_conf=None)
    fleet.configure("acme-1")
    fleet.configure("acme-2", body=OAUTH2_BODY)
    fleet.configure("acme-3", body=KAFKA)
    return fleet


def test_screen(mixed):
    run = mixed.play("-vvv", playbook=INFO, status=2)
    assert KAFKA["kafka"]["password"] not in run.screen
    assert run.headline() == "Audit log streaming: 5 organizations: 3 streamed, 1 not streamed, 1 failed"
    assert run.report()[1:14] == [
        "",
        TOPIC,
        f"  at {ENDPOINT} (token)",
        "  acme-1",
        "",
        TOPIC,
        f"  at {ENDPOINT} (oauth2)",
        "  acme-2",
        "",
        "To kafka, which is not Pulsar",
        "  acme-3",
        "",
        "Not streamed",
    ]
    assert list(run.section("Not streamed")) == ["acme-4"]
    assert run.report()[-1] == "To repeat just the one that failed: --limit acme-5"
    assert run.failures()["acme-5"].startswith("Reading the audit log configuration of ")
    requests = mixed.requests()
    assert requests.pop("acme-4") == ["GET", "GET"]  # whether the token is that of this organization
    assert requests == {name: ["GET"] for name in ("acme-1", "acme-2", "acme-3", "acme-5")}


@pytest.mark.parametrize("arguments", [[], ["--check"]], ids=["run", "check"])
def test_json(mixed, arguments):
    mixed.play(*arguments, "-e", "audit_log_stream_info_json=who.json", playbook=INFO, status=2)
    text = (mixed.directory / "who.json").read_text()
    records = {record.pop("name"): record for record in json.loads(text)}
    assert list(records) == NAMES[:5]
    failed = records.pop("acme-5")
    assert "the application token needs the role Organization Administrator" in failed.pop("error")
    assert (failed["exists"], failed["stream"]) == (None, None)
    kafka = {"kind": "kafka", "fields": {"bootstrap_servers": "broker:9092", "topic": "audit"}}
    streams = {"acme-1": TOKEN_STREAM, "acme-2": OAUTH2_STREAM, "acme-3": kafka, "acme-4": None}
    assert records == {
        name: {"organization_id": IDS[name], "exists": stream is not None, "stream": stream}
        for name, stream in streams.items()
    }
    assert KAFKA["kafka"]["password"] not in text
    assert [path.name for path in mixed.directory.glob("*.tmp")] == []


def test_all_fail_and_limit(mixed):
    run = mixed.play("--limit", "acme-5", playbook=INFO, status=2)
    assert list(run.failures()) == ["acme-5"]
    assert mixed.requests() == {"acme-5": ["GET"]}


def test_a_file_that_cannot_be_written(mixed):
    run = mixed.play("--limit", "acme-1", "-e", "audit_log_stream_info_json=no/such/who.json", playbook=INFO, status=2)
    assert run.headline() == "Audit log streaming: 1 organization streamed"
    assert "audit_log_stream_info_json cannot be written: No such file or directory." in run.screen


def test_a_file_that_cannot_be_written_does_not_hide_what_was_found(mixed):
    options = ["--limit", "acme-1,acme-5", "-e", "audit_log_stream_info_json=no/such/who.json"]
    run = mixed.play(*options, playbook=INFO, status=2)
    assert run.headline() == "Audit log streaming: 2 organizations: 1 streamed, 1 failed"
    assert "audit_log_stream_info_json cannot be written: No such file or directory." in run.screen
