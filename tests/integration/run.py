# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run ansible-test integration against an emulator; the nox session integration does so in a copy of the repository.

The targets find the organizations, a token for all of them and the emulator's addresses in integration_config.yml,
whose content ansible-test passes to every target as extra variables.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import uuid
from pathlib import Path

from emulator.client import Emulator

CONFIG = Path(__file__).parent / "integration_config.yml"
TARGETS = Path(__file__).parent / "targets"
TOKEN = f"AstraCS:{'integration'.ljust(24, 'x')}:{'0' * 64}"
ORGANIZATION_TOKEN = f"AstraCS:{'organization'.ljust(24, 'x')}:{'0' * 64}"


def main() -> int:
    """Start the emulator with four organizations and run the targets; returns the exit status of ansible-test."""
    parser = argparse.ArgumentParser(description="Other arguments go to ansible-test.")
    parser.add_argument("--module-python", help="interpreter for modules (default: Ansible's own)")
    parser.add_argument(
        "--emulator-python", default=sys.executable, help="interpreter for the emulator (default: this one)"
    )
    arguments, rest = parser.parse_known_args()
    if not TARGETS.is_dir():
        print(f"{TARGETS} does not exist, so there is nothing to test.", file=sys.stderr)
        return 1
    organization_ids = [str(uuid.UUID(int=number, version=4)) for number in range(1, 5)]
    with Emulator(
        organizations=[{"id": organization_id} for organization_id in organization_ids],
        tokens=[
            {"token": TOKEN, "enterprise": True},
            {"token": ORGANIZATION_TOKEN, "organization_id": organization_ids[0]},
        ],
        python=arguments.emulator_python,
    ) as emulator:
        variables = {
            "emulator_api_url": emulator.api_url,
            "emulator_control_url": emulator.control_url,
            "application_token": TOKEN,
            "organization_token": ORGANIZATION_TOKEN,
            "organization_ids": organization_ids,
        }
        if arguments.module_python:
            variables["module_python"] = arguments.module_python
        CONFIG.write_text(json.dumps(variables))
        command = ["ansible-test", "integration", "--color", "no", "--local", *rest]
        return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
