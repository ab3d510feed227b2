# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files for programs, read by the readers that others use."""

from __future__ import annotations

import csv
import io
import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import jsonschema
import junitparser
import pytest
from ansible_collections.datastax.astra.plugins.plugin_utils.evidence import as_csv, as_json, as_junit, as_prometheus
from ansible_collections.datastax.astra.plugins.plugin_utils.evidence.history import History
from ansible_collections.datastax.astra.plugins.plugin_utils.evidence.text import visible
from prometheus_client.parser import text_string_to_metric_families

from tests.evidence.samples import HOSTILE, MIXED_WAIVERS, NOW, SECRETS, audit, days, missing, mixed_fleet, observe

ROOT = Path(__file__).parents[2]
FORMATS = {form.FILE: form for form in (as_json, as_csv, as_junit, as_prometheus)}


@pytest.fixture(scope="module")
def mixed():
    return audit(mixed_fleet(), waivers=MIXED_WAIVERS, past=History())


@pytest.fixture(scope="module")
def hostile():
    """Every text that comes from users and services is hostile; one secret is pasted in each place."""
    fleet = [
        *(missing(name, number) for number, name in enumerate(HOSTILE)),
        *(observe(f"o{n}", 100 + n, problems=[text], error=text, exists=None) for n, text in enumerate(HOSTILE)),
        *(observe(f"p{n}", 200 + n, stream={"kind": text}) for n, text in enumerate([*HOSTILE, *SECRETS])),
    ]
    waivers = [
        {"organization": name, "rule": "streaming", "reason": f"{name} {SECRETS[0]}", "until": "2026-12-31"}
        for name in HOSTILE[:10]
    ]
    own = {
        "id": "own",
        "title": HOSTILE[0],
        "reason": f"{HOSTILE[2]} {SECRETS[1]}",
        "severity": "low",
        "field": "stream.topic",
        "equals": HOSTILE[1],
        "controls": [HOSTILE[0]],
    }
    return audit(fleet, {"additional": [own]}, waivers, History(), user=HOSTILE[0], inventory=HOSTILE[10])


class TestJson:
    @pytest.fixture
    def validator(self):
        schema = json.loads((ROOT / "docs/schemas/audit.schema.json").read_text())
        jsonschema.Draft202012Validator.check_schema(schema)
        return jsonschema.Draft202012Validator(schema)

    @pytest.mark.parametrize("name", ["mixed", "hostile"])
    def test_schema(self, validator, name, request):
        validator.validate(json.loads(as_json.render(request.getfixturevalue(name))))

    @pytest.mark.parametrize(
        "past", [None, History(problems=("Line 1 of history.jsonl cannot be read.",))], ids=["no history", "damaged"]
    )
    def test_schema_without_a_history(self, validator, past):
        document = json.loads(as_json.render(audit([observe(), missing("b", 2)], past=past)))
        validator.validate(document)
        assert {finding["since"] for finding in document["findings"]} == {None}

    def test_schema_refuses_what_the_audit_does_not_write(self, validator):
        document = json.loads(as_json.render(audit([missing()])))
        document["findings"][-1]["broken"] = False
        assert not validator.is_valid(document)

    def test_what_it_says(self, mixed):
        document = json.loads(as_json.render(mixed))
        assert document["passed"] is False
        assert document["counts"] == {"passed": 284, "failed": 24, "unknown": 2, "waived": 2}
        [finding] = [
            one for one in document["findings"] if (one["organization"], one["rule"]) == ("acme-003", "streaming")
        ]
        assert (finding["state"], finding["found"], finding["since"]) == ("waived", "failed", NOW)
        assert finding["waiver"] == {"reason": "Leaves in December.", "until": "2026-12-31"}
        assert document["history"]["entry"] == 1

    def test_names_are_those_of_the_inventory(self, hostile):
        text = as_json.render(hostile)
        assert text.isascii()
        names = [one["name"] for one in json.loads(text)["organizations"]]
        assert names[: len(HOSTILE)] == HOSTILE

    def test_head(self, mixed):
        last = mixed.history.entries[-1]
        assert as_json.read_head(as_json.render(mixed)) == (1, last.hash)
        assert as_json.read_head(as_json.render(audit([]))) is None

    @pytest.mark.parametrize("text", ["", "[]", "{}", "null", '{"history": 1}'])
    def test_a_head_that_is_none(self, text):
        with pytest.raises(ValueError, match=r".*"):
            as_json.read_head(text)


class TestCsv:
    def rows(self, made):
        return list(csv.DictReader(io.StringIO(as_csv.render(made), newline=""), strict=True))

    def test_what_it_says(self, mixed):
        rows = self.rows(mixed)
        assert len(rows) == len(list(mixed.findings))
        [row] = [row for row in rows if (row["organization"], row["rule"]) == ("acme-005", "destination")]
        assert row == {
            "organization": "acme-005",
            "organization_id": "0a1b2c3d-0000-4000-8000-000000000005",
            "rule": "destination",
            "state": "failed",
            "severity": "critical",
            "broken": "yes",
            "since": NOW,
            "reason": "The topic is persistent://old-audit/security/everything; approved is "
            "persistent://acme-audit/security/acme-005.",
            "advice": "If nobody changed it on purpose, run the playbook audit_log_stream to restore it.",
            "waiver_reason": "",
            "waiver_until": "",
            "place": "persistent://old-audit/security/everything at "
            "pulsar+ssl://pulsar-aws-useast2.streaming.datastax.com:6651",
            "token_expires_at": days(200),
            "last_event": row["last_event"],
            "audited": NOW,
        }

    def test_no_cell_is_a_formula(self, hostile):
        rows = self.rows(hostile)
        cells = {cell for row in rows for cell in row.values()}
        assert not [cell for cell in cells if cell.lstrip()[:1] in tuple("=+-@＝＋－＠\t\r\n")]
        assert {"'+1+1", "'-2+3"} < cells
        # One line for each finding: no name makes a row of its own.
        assert as_csv.render(hostile).count("\n") == len(rows) + 1


class TestJunit:
    def test_what_it_says(self, mixed):
        suites = {suite.name: suite for suite in junitparser.JUnitXml.fromstring(as_junit.render(mixed).encode())}
        counts = {name: (s.tests, s.failures, s.errors, s.skipped) for name, s in suites.items()}
        assert counts["streaming"] == (310, 2, 0, 1)
        assert counts["reading"] == (311, 0, 1, 0)
        assert counts["token_compared"] == (302, 0, 0, 140)
        assert counts["history"] == (1, 0, 0, 0)
        for suite in suites.values():
            results = [type(result).__name__ for case in suite for result in case.result]
            assert len(list(suite)) == suite.tests
            assert results.count("Failure") == suite.failures
            assert results.count("Error") == suite.errors
            assert results.count("Skipped") == suite.skipped
        case = next(case for case in suites["streaming"] if case.name == "acme-003")
        assert case.result[0].message.startswith("Waived until 2026-12-31: Leaves in December. (No audit log")

    def test_a_damaged_history(self):
        text = as_junit.render(audit([observe()], past=History(problems=("Line 1 was changed.",))))
        assert ET.fromstring(text).find("testsuite[@name='history']/testcase/failure").get("message") == (
            "Line 1 was changed."
        )


class TestPrometheus:
    def read(self, made):
        text = as_prometheus.render(made)
        samples: dict[str, list] = {}
        for family in text_string_to_metric_families(text):
            assert family.type == "gauge"
            assert family.documentation.endswith(".")
            samples[family.name] = [(sample.labels, sample.value) for sample in family.samples]
        return {name.removeprefix("astra_audit_log_stream_"): found for name, found in samples.items()}

    def test_what_it_says(self, mixed):
        metrics = self.read(mixed)
        assert metrics["audit_passed"] == [({}, 0)]
        assert metrics["audit_timestamp_seconds"] == [({}, 1792491300)]
        assert ({"state": "failed"}, 24) in metrics["audit_organizations"]
        assert ({"rule": "region", "severity": "high", "state": "unknown"}, 0) in metrics["audit_findings"]
        labels = {"organization": "acme-017", "rule": "streaming", "severity": "critical", "state": "failed"}
        assert (labels, 1) in metrics["broken"]
        assert len(metrics["passed"]) == 312
        assert ({"organization": "acme-003"}, 1) in metrics["passed"]
        assert ({"organization": "acme-017"}, 0) in metrics["passed"]

    def test_hostile_names(self, hostile):
        names = [labels["organization"] for labels, _value in self.read(hostile)["passed"]]
        assert names[: len(HOSTILE)] == [visible(name) for name in HOSTILE]

    def test_no_line_is_split(self, hostile):
        lines = as_prometheus.render(hostile).splitlines()
        assert all(re.match(r"(# (HELP|TYPE) )?astra_audit_log_stream_", line) for line in lines)


@pytest.mark.parametrize("name", FORMATS)
def test_no_secret_and_nothing_invisible(hostile, name):
    text = FORMATS[name].render(hostile)
    assert not [secret for secret in SECRETS if secret in text]
    assert re.fullmatch("[^\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u206f\ufeff]*", text)
    assert name == as_prometheus.FILE or "********" in text
