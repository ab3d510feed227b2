# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run every nox session that a change must pass, one line each; the full output of a session only when it fails."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOGS = ROOT / ".cache" / "logs"
NOX = [sys.executable, "-m", "nox", "--noxfile", str(ROOT / "noxfile.py"), "--non-interactive"]
COLOURS = {"passed": "32", "failed": "31", "skipped": "33"}
RESULTS = {"success": "passed", "skipped": "skipped"}


def paint(text: str, colour: str) -> str:
    """Return the text in an ANSI colour where somebody looks at a terminal."""
    return f"\033[{colour}m{text}\033[0m" if sys.stdout.isatty() else text


def run(session: str, log: Path) -> tuple[str, str]:
    """Run one session; returns how it ended, and in short what it did, and why it did nothing or left something out."""
    report = log.with_suffix(".json")
    report.unlink(missing_ok=True)
    with log.open("w") as output:
        command = [*NOX, "--session", session, "--report", str(report)]
        subprocess.run(
            command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, check=False
        )
    # Without a report nox itself failed: the log says why.
    outcome = json.loads(report.read_text())["sessions"][0] if report.exists() else {"result": "failed"}
    text = log.read_text(errors="replace")
    remarks = re.findall(r"^=* ?(\d+ (?:passed|skipped).*?) in [\d.]+s", text, re.MULTILINE)
    remarks += dict.fromkeys(re.findall(r"^SKIPPED \[\d+\] \S+: (.+)$", text, re.MULTILINE))
    return RESULTS.get(outcome["result"], "failed"), outcome.get("reason") or "; ".join(remarks)


def main() -> int:
    """Run the sessions one after the other and sum up; returns the exit status."""
    LOGS.mkdir(parents=True, exist_ok=True)
    listing = subprocess.run([*NOX, "--list", "--json"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    sessions = [session["session"] for session in json.loads(listing)]
    width = max(map(len, sessions))
    print(f"Running {len(sessions)} sessions; what each prints goes to {LOGS.relative_to(ROOT)}/\n")
    started = time.monotonic()
    results = {}
    for session in sessions:
        print(f"  {session:<{width}}  ", end="", flush=True)
        before = time.monotonic()
        log = LOGS / f"{re.sub(r'[()]', '-', session).strip('-')}.log"
        results[session], remark = run(session, log)
        seconds = time.monotonic() - before
        print(f"{paint(results[session], COLOURS[results[session]])}  {seconds:4.0f} s  {remark}".rstrip(), flush=True)
        if results[session] == "failed":
            print(f"\n{log.read_text(errors='replace')}\n", flush=True)
    count = Counter(results.values())
    minutes, seconds = divmod(round(time.monotonic() - started), 60)
    print(f"\nFinished after {minutes} min {seconds} s.")
    if failed := [session for session, result in results.items() if result == "failed"]:
        print(f"{paint('Failed', COLOURS['failed'])}: {', '.join(failed)}. Run one again: nox -s '{failed[0]}'")
    print(f"{count['passed']} passed, {count['failed']} failed, {count['skipped']} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
