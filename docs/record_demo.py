# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the demo and draw what the collection says in it into docs/images/demo.svg, for the README."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).resolve().parent.parent
WIDTH = 96
STEPS = (1, 3)  # of the demo: what fits one screen
# What Ansible itself says of plays, tasks and hosts.
ANSIBLES_OWN = re.compile(r"^((PLAY|TASK) |(ok|changed|skipping|included): |\[WARNING\]|\S+ +: ok=)")


def main() -> None:
    """Record the demo.

    :raises SystemExit: the demo failed.
    """
    environment = {**os.environ, "FORCE_COLOR": "1", "COLUMNS": str(WIDTH)}
    command = [sys.executable, str(ROOT / "examples/demo.py")]
    run = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    if run.returncode:
        sys.exit(run.stdout + run.stderr)
    steps = re.split(r"(?=\n\x1b\[1;36m[1-9]\. )", run.stdout)
    screen = []
    for step in (steps[number] for number in STEPS):
        plain = [(re.sub(r"\x1b\[[0-9;]*m", "", line), line) for line in step.strip("\n").split("\n")]
        screen.append("\n".join(line if text else "" for text, line in plain if not ANSIBLES_OWN.match(text)).rstrip())
    console = Console(record=True, width=WIDTH, file=open(os.devnull, "w"))  # noqa: SIM115 - lives as long as the process
    console.print(Text.from_ansi("\n\n".join(re.sub(r"\n{3,}", "\n\n", step) for step in screen) + "\n"))
    # Without the theme's web font: an image on a page may not load one.
    image = re.sub(r"@font-face \{.*?\}\s*", "", console.export_svg(title="make demo"), flags=re.DOTALL)
    (ROOT / "docs/images/demo.svg").write_text(image)


if __name__ == "__main__":
    main()
