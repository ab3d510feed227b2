# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files of an audit: written whole or not at all, and a history that nobody overwrites."""

from __future__ import annotations

import threading

import pytest
from ansible_collections.datastax.astra.plugins.module_utils._errors import InputError
from ansible_collections.datastax.astra.plugins.plugin_utils.evidence import directory, findings
from ansible_collections.datastax.astra.plugins.plugin_utils.evidence.directory import write_evidence
from ansible_collections.datastax.astra.plugins.plugin_utils.evidence.history import read_history
from ansible_collections.datastax.astra.plugins.plugin_utils.evidence.rules import BUILT_IN

from tests.evidence.samples import RUN, missing, observe

FILES = {"audit.html", "audit.json", "audit.csv", "audit.junit.xml", "audit.prom", "history.jsonl"}


def write(path, observations=None, **run):
    fleet = [observe()] if observations is None else observations
    return write_evidence(str(path), lambda past: findings.judge({**RUN, **run}, fleet, BUILT_IN, (), past))


def test_all_files_and_nothing_else(tmp_path):
    assert write(tmp_path / "new" / "directory").passed
    assert {path.name for path in (tmp_path / "new" / "directory").iterdir()} == FILES | {directory.LOCK}


def test_the_history_grows_and_the_reports_are_replaced(tmp_path):
    write(tmp_path, time="2026-09-01T00:00:00Z")
    first = (tmp_path / "history.jsonl").read_bytes()
    write(tmp_path, [missing()])
    assert (tmp_path / "history.jsonl").read_bytes().startswith(first)
    assert len(read_history((tmp_path / "history.jsonl").read_text()).entries) == 2
    assert "1 of 1 organization fails this audit" in (tmp_path / "audit.html").read_text()


def test_a_damaged_history_is_left_alone_and_said(tmp_path):
    write(tmp_path, [missing()], time="2026-09-01T00:00:00Z")
    damaged = (tmp_path / "history.jsonl").read_text().replace('"failed"', '"passed"')
    (tmp_path / "history.jsonl").write_text(damaged)
    audit = write(tmp_path)
    assert not audit.passed
    assert "was changed after it was written" in audit.history.problems[0]
    assert (tmp_path / "history.jsonl").read_text() == damaged
    assert "cannot be trusted" in (tmp_path / "audit.html").read_text()


@pytest.mark.parametrize("change", [lambda file: file.unlink(), lambda file: file.write_bytes(b"")])
def test_a_history_that_was_taken_away_is_missed(tmp_path, change):
    write(tmp_path)
    change(tmp_path / "history.jsonl")
    assert write(tmp_path).history.problems == (
        "history.jsonl is empty or missing, and the last report was made with entry 1: lines were removed.",
    )


def test_other_line_ends_are_a_change(tmp_path):
    write(tmp_path)
    text = (tmp_path / "history.jsonl").read_bytes()
    (tmp_path / "history.jsonl").write_bytes(text.replace(b"\n", b"\r\n"))
    assert not write(tmp_path).passed


def test_bytes_that_are_no_text_are_a_change(tmp_path):
    write(tmp_path)
    (tmp_path / "history.jsonl").write_bytes(b"\xff\xfe\n")
    assert write(tmp_path).history.problems == ("Line 1 of history.jsonl cannot be read.",)


def test_a_report_that_is_none(tmp_path):
    (tmp_path / "audit.json").write_text("[]")
    with pytest.raises(InputError, match=r"audit\.json is not one of an audit"):
        write(tmp_path)


def test_a_directory_that_cannot_be_made(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"^audit_log_stream_audit_dir: .*cannot be used: ") as error:
        write(tmp_path / "file" / "below")
    assert str(tmp_path) not in error.value.message


def test_nothing_is_left_half_written(tmp_path, monkeypatch):
    write(tmp_path, time="2026-09-01T00:00:00Z")
    before = (tmp_path / "audit.prom").read_bytes()

    def fail(audit):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(directory.as_prometheus, "render", fail)
    with pytest.raises(InputError, match="No space left on device"):
        write(tmp_path)
    assert (tmp_path / "audit.prom").read_bytes() == before
    assert not list(tmp_path.glob("*.tmp"))


def test_slices_that_end_at_once_all_get_in(tmp_path):
    slices = [
        threading.Thread(target=write, args=(tmp_path, [observe(f"acme-{n}", n)]), kwargs={"slice": f"{n}/8"})
        for n in range(1, 9)
    ]
    for one in slices:
        one.start()
    for one in slices:
        one.join()
    history = read_history((tmp_path / "history.jsonl").read_text())
    assert history.problems == ()
    assert set(history.records) == {f"acme-{n}" for n in range(1, 9)}


def test_a_lock_that_is_never_given_back(tmp_path, monkeypatch):
    monkeypatch.setattr(directory, "PATIENCE", 0)
    with directory._locked(str(tmp_path)), pytest.raises(InputError, match="another run has kept it locked"):
        write(tmp_path)
