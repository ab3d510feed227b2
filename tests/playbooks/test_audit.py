# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The audit as users run it: exit status, screen, files, history, and not a single request that changes anything."""

from __future__ import annotations

import json
import re
from http.server import BaseHTTPRequestHandler

import pytest

from tests.conftest import ROOT
from tests.playbooks.conftest import ADMINISTRATORS, ENTERPRISE, GROUP, IDS, NAMES, READER, READERS
from tests.playbooks.serving import serving
from tests.wire.support import PULSAR_TOKEN, TOKEN_BODY, TOPIC

AUDIT = "datastax.astra.audit_log_stream_audit"
FILES = {"audit.html", "audit.json", "audit.csv", "audit.junit.xml", "audit.prom", "history.jsonl", ".history.lock"}
# The emulated fleet has no broker.
RULES = {"delivery": False}


def audit(fleet, *arguments, status=0, **variables):
    """Run the audit; returns the run."""
    given = {"audit_log_stream_audit_rules": RULES, **variables}
    return fleet.play("-e", json.dumps(given), *arguments, playbook=AUDIT, status=status)


def shown(run):
    """Return what the audit shows."""
    [text] = re.findall(r"^(Audit of audit log streaming: .*?)\n\n(?=ok: \[|fatal: \[|TASK )", run.screen, re.M | re.S)
    return text.split("\n")


def flat(lines):
    return " ".join(lines)


def findings(fleet, directory="audit"):
    """Return the findings of audit.json that did not pass: by organization and rule, the state."""
    document = json.loads((fleet.directory / directory / "audit.json").read_text())
    return {
        (finding["organization"], finding["rule"]): finding["state"]
        for finding in document["findings"]
        if finding["state"] != "passed" and finding["rule"] != "token_compared"
    }


def recap(run):
    """Return the hosts that failed."""
    return re.findall(r"^(\S+) +: .*failed=1", run.screen, re.MULTILINE)


def test_all_pass(fleet):
    fleet.configure(*NAMES)
    run = audit(fleet, audit_log_stream_audit_dir="audit")
    lines = shown(run)
    assert lines[0] == "Audit of audit log streaming: all 6 organizations pass"
    assert lines[-1] == "Report: audit/audit.html"
    assert (
        "6 organizations: the token could not be compared (token_compared). Set audit_log_stream_fingerprint_store."
        in flat(lines)
    )
    assert {path.name for path in (fleet.directory / "audit").iterdir()} == FILES
    assert findings(fleet) == {}
    assert fleet.requests() == {name: ["GET"] for name in NAMES}


def test_what_is_broken_fails_with_its_reason(fleet):
    fleet.configure("acme-1", "acme-4", "acme-6")
    fleet.configure("acme-2", body={"pulsar": {**TOKEN_BODY["pulsar"], "topic": f"{TOPIC}-2"}})
    fleet.describe(
        hosts={
            "acme-4": {"audit_log_stream_state": "absent"},
            "acme-5": READER,
            "acme-6": {"audit_log_stream_topic": "nowhere"},
        }
    )
    run = audit(fleet, audit_log_stream_audit_dir="audit", status=2)
    assert findings(fleet) == {
        ("acme-2", "destination"): "failed",
        ("acme-3", "streaming"): "failed",
        ("acme-4", "streaming"): "failed",
        ("acme-5", "reading"): "unknown",
        ("acme-6", "variables"): "failed",
    }
    assert recap(run) == ["acme-2", "acme-3", "acme-4", "acme-5", "acme-6"]
    assert f'"msg": "destination: The topic is {TOPIC}-2; approved is {TOPIC}."' in run.screen
    assert "high: audit_log_stream_topic must be written as" in run.screen
    lines = shown(run)
    assert lines[0] == "Audit of audit log streaming: 5 of 6 organizations fail"
    assert "To repeat just the 5 that failed: --limit acme-2,acme-3,acme-4,acme-5,acme-6" in lines
    assert {method for methods in fleet.requests().values() for method in methods} == {"GET"}


def test_waivers(fleet):
    fleet.configure(*NAMES[:4])
    waivers = [
        {"organization": "acme-5", "rule": "streaming", "reason": "New.", "until": "2999-12-31"},
        {"organization": IDS["acme-6"], "rule": "streaming", "reason": "New, too.", "until": "2020-12-31"},
    ]
    run = audit(fleet, audit_log_stream_audit_waivers=waivers, audit_log_stream_audit_dir="audit", status=2)
    assert findings(fleet) == {("acme-5", "streaming"): "waived", ("acme-6", "streaming"): "failed"}
    assert recap(run) == ["acme-6"]
    assert f"The waiver of streaming for {IDS['acme-6']} until 2020-12-31 has ended." in flat(shown(run))


def test_settings_of_the_inventory(fleet):
    """YAML has dates, which are no text."""
    fleet.configure(*NAMES[:5])
    fleet.describe(
        audit_log_stream_audit_dir="{{ inventory_dir }}/../evidence",
        audit_log_stream_audit_rules={
            **RULES,
            "additional": [
                {
                    "id": "own",
                    "reason": "It is ours.",
                    "severity": "low",
                    "field": "stream.topic",
                    "matches": "persistent://other/.*",
                }
            ],
        },
    )
    waiver = "{organization: acme-6, rule: streaming, reason: New., until: 2999-12-31}"
    fleet.write(f"inventory/group_vars/{GROUP}/waivers.yml", f"audit_log_stream_audit_waivers: [{waiver}]")
    fleet.play(playbook=AUDIT, status=2)
    broken = {(name, "own"): "failed" for name in NAMES[:5]}
    assert findings(fleet, "evidence") == {**broken, ("acme-6", "streaming"): "waived"}


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"audit_log_stream_audit_rules": {"regoin": False}}, "regoin is not a rule; the nearest is region."),
        (
            {"audit_log_stream_audit_waivers": [{"organization": "acme-1"}]},
            "audit_log_stream_audit_waivers\\[1\\].rule",
        ),
    ],
)
def test_a_mistake_in_the_settings_comes_before_any_request(fleet, variables, message):
    run = fleet.play("-e", json.dumps(variables), playbook=AUDIT, status=2)
    assert re.search(message, " ".join((run.screen + run.errors).split()))
    assert fleet.requests() == {}


def test_the_history_tells_since_when_and_tampering_fails(fleet):
    fleet.configure(*NAMES[1:])
    audit(fleet, "--limit", "acme-1,acme-2", audit_log_stream_audit_dir="audit", status=2)
    [first] = (fleet.directory / "audit/history.jsonl").read_text().splitlines()
    audit(fleet, audit_log_stream_audit_dir="audit", audit_log_stream_audit_slice="1/1", status=2)
    document = json.loads((fleet.directory / "audit/audit.json").read_text())
    since = {
        finding["organization"]: finding["since"] for finding in document["findings"] if finding["rule"] == "streaming"
    }
    assert since["acme-1"] == since["acme-2"] == json.loads(first)["time"]
    assert document["run"]["slice"] == "1/1"
    assert document["new"] == 0
    history = fleet.directory / "audit/history.jsonl"
    history.write_text(history.read_text().replace('"failed"', '"passed"', 1))
    before = history.read_bytes()
    run = audit(fleet, audit_log_stream_audit_dir="audit", status=2)
    assert "Line 1 of history.jsonl (entry 1 of " in flat(shown(run))
    assert history.read_bytes() == before


def test_check_mode_is_no_other_mode(fleet):
    fleet.configure(*NAMES)
    audit(fleet, "--check", audit_log_stream_audit_dir="audit")
    assert {path.name for path in (fleet.directory / "audit").iterdir()} == FILES


def test_no_secret_anywhere(fleet):
    fleet.configure(*NAMES[:3])
    run = audit(fleet, "-vvv", audit_log_stream_audit_dir="audit", status=2)
    secrets = [PULSAR_TOKEN, ENTERPRISE, *ADMINISTRATORS.values(), *READERS.values()]
    texts = [run.screen, run.errors, *(path.read_text() for path in (fleet.directory / "audit").iterdir())]
    assert not [secret for secret in secrets for text in texts if secret in text]


def test_without_a_directory_nothing_is_written(fleet):
    fleet.configure(*NAMES)
    run = audit(fleet)
    assert "Report:" not in run.screen
    assert {path.name for path in fleet.directory.iterdir()} == {"client.conf", "inventory"}


def test_a_directory_that_cannot_be_used(fleet):
    fleet.configure(*NAMES)
    run = audit(fleet, audit_log_stream_audit_dir="client.conf/below", status=2)
    assert "audit_log_stream_audit_dir: " in run.screen + run.errors


def test_a_broker_that_cannot_be_reached_is_said(fleet):
    endpoint = "pulsar://127.0.0.1:1"
    body = {"pulsar": {**TOKEN_BODY["pulsar"], "endpoint": endpoint}}
    for name in NAMES[:2]:
        fleet.configure(name, body=body)
    fleet.describe(names=NAMES[:2], audit_log_stream_endpoint=endpoint)
    variables = {"audit_log_stream_audit_rules": {"region": False}, "audit_log_stream_audit_dir": "audit"}
    audit(fleet, status=2, **variables)
    found = findings(fleet)
    assert found[("acme-1", "broker_accepts")] == "unknown"
    document = json.loads((fleet.directory / "audit/audit.json").read_text())
    [reason] = {one["reason"] for one in document["findings"] if one["rule"] == "broker_accepts"}
    assert reason.startswith("It could not be tried from here, and may work for the service. 127.0.0.1:1 ")


class TestAwx:
    """examples/awx/project/audit.yml, with a web server that takes files."""

    SECRET = "Bearer of-the-file-server"

    @pytest.fixture
    def files(self):
        """The files that the server has, by path."""
        return {}

    @pytest.fixture
    def url(self, files):
        secret = self.SECRET

        class Files(BaseHTTPRequestHandler):
            def answer(self, status, body=b""):
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if self.command == "GET":
                    self.wfile.write(body)

            def do_GET(self):
                allowed = self.headers.get("Authorization") == secret
                there = allowed and self.path in files
                self.answer(200 if there else 404 if allowed else 401, files[self.path] if there else b"")

            do_HEAD = do_GET

            def do_PUT(self):
                files[self.path] = self.rfile.read(int(self.headers["Content-Length"]))
                self.answer(201)

            def log_message(self, *_arguments):
                pass

        with serving(Files) as address:
            yield f"{address}/astra"

    def launch(self, fleet, url, status=0, **variables):
        given = {
            "audit_log_stream_audit_rules": RULES,
            "astra_evidence_url": url,
            "astra_evidence_headers": {"Authorization": self.SECRET},
            **variables,
        }
        playbook = str(ROOT / "examples/awx/project/audit.yml")
        return fleet.play("-e", json.dumps(given), playbook=playbook, status=status)

    def test_files_leave_the_container_and_the_history_comes_back(self, fleet, url, files):
        fleet.configure(*NAMES[1:])
        self.launch(fleet, url, 2, astra_evidence_is_new=True)
        first = files["/astra/history.jsonl"]
        day = json.loads(files["/astra/audit.json"])["run"]["time"][:10]
        kept = {f"/astra/{day}/{name}" for name in FILES - {"history.jsonl", ".history.lock"}}
        assert set(files) == {*kept, "/astra/history.jsonl", "/astra/audit.json"}
        fleet.configure("acme-1")
        run = self.launch(fleet, url)
        assert files["/astra/history.jsonl"].startswith(first)
        assert json.loads(files["/astra/audit.json"])["history"]["entry"] == 2
        assert self.SECRET not in run.screen + run.errors

    def test_a_history_that_is_not_there_is_a_failure(self, fleet, url, files):
        fleet.configure(*NAMES)
        self.launch(fleet, url, 2)
        assert files == {}
        assert fleet.requests() == {}

    def test_a_part_of_the_fleet_is_not_kept(self, fleet, url, files):
        fleet.configure(*NAMES)
        self.launch(fleet, url, audit_log_stream_hosts="acme-1")
        assert files == {}

    def test_without_a_server(self, fleet):
        fleet.configure(*NAMES)
        assert "Report:" not in self.launch(fleet, "").screen
