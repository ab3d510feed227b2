# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write what Ansible validates the role's arguments with, C(meta/argument_specs), from C(meta/argument_specs.yml).

For every host Ansible templates the whole specification in a worker, sends it back and keeps it until the task is done
for all. Descriptions, and the place in the file that Ansible remembers for each string of YAML, are most of what that
costs. Ansible validates with the file without extension where there is one, and documents the role from the other.
"""

from __future__ import annotations

import json
from pathlib import Path

import yaml

META = Path(__file__).resolve().parent.parent / "roles" / "audit_log_stream" / "meta"
DOCUMENTED = META / "argument_specs.yml"
VALIDATED = META / "argument_specs"
COMMENT = "Ansible validates with this. It is made from argument_specs.yml: nox -s argument_specs"


def validated() -> str:
    """Return what the file to validate with has to hold: JSON, without what only documentation shows."""
    entry_points = yaml.safe_load(DOCUMENTED.read_text("utf-8"))["argument_specs"]
    specs = {
        name: {
            "short_description": entry_point["short_description"],
            "options": {option: _without_documentation(spec) for option, spec in entry_point["options"].items()},
        }
        for name, entry_point in entry_points.items()
    }
    return json.dumps({"comment": COMMENT, "argument_specs": specs}, indent=2) + "\n"


def _without_documentation(spec: dict) -> dict:
    # An option without a type is a string.
    return {key: value for key, value in spec.items() if key != "description" and (key, value) != ("type", "str")}


if __name__ == "__main__":
    VALIDATED.write_text(validated(), "utf-8")
