# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The same findings give the same bytes, whatever Python computes them, and in whatever order it keeps its sets."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.evidence.samples import HOSTILE, MIXED_WAIVERS, RUN, differ, missing, mixed_fleet

ROOT = Path(__file__).parents[2]
# What the session made: a Python of each version that this machine has, with Jinja.
PYTHONS = list(filter(None, os.environ.get("EVIDENCE_PYTHONS", "").split(os.pathsep)))


def run(python: str, collections_path: str, seed: int) -> dict[str, str]:
    fleet = [
        *mixed_fleet(),
        *(missing(name, 1000 + n) for n, name in enumerate(HOSTILE)),
        *(differ(f"d{n}", 2000 + n, topic=name) for n, name in enumerate(HOSTILE)),
    ]
    given = {"run": RUN, "observations": fleet, "rules": {"last_event": {"hours": 48}}, "waivers": MIXED_WAIVERS}
    done = subprocess.run(
        [python, str(ROOT / "tests/evidence/hash_outputs.py")],
        input=json.dumps(given),
        env={"PYTHONPATH": collections_path, "PYTHONHASHSEED": str(seed), "LANG": "C", "TZ": f"Etc/GMT+{seed}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def here(collections_path):
    return run(sys.executable, collections_path, 0)


def test_order_language_and_time_zone_do_not_matter(here, collections_path):
    assert run(sys.executable, collections_path, 7) == here


@pytest.mark.skipif(not PYTHONS, reason="EVIDENCE_PYTHONS names no Python; `nox -s evidence` makes them")
@pytest.mark.parametrize("python", PYTHONS or ["none"])
def test_every_python(here, collections_path, python):
    assert run(python, collections_path, 3) == here
