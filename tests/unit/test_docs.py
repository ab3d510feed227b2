# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What documentation says is there: examples can be read, options and variables exist, links lead somewhere."""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
import textwrap

import pytest
import yaml
from ansible.parsing.dataloader import DataLoader

from tests.conftest import ROOT

FILES = subprocess.run(["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\n")
PAGES = [name for name in FILES if name.endswith((".md", ".rst")) and name != "CHANGELOG.md"]
REPOSITORY = r"https://github\.com/datastax/ansible-collection-astra/(?:tree|blob)/main/"
SPECS = [yaml.safe_load(path.read_text())["argument_specs"] for path in ROOT.glob("roles/*/meta/argument_specs.yml")]
VARIABLE = r"\baudit_log_(?:stream|destination)_[a-z0-9_]+"
ACTIONS = "ansible_collections.datastax.astra.plugins.action"
MODULES = {
    f"datastax.astra.{path.stem}": importlib.import_module(f"{ACTIONS}.{path.stem}").ActionModule.command
    for path in ROOT.glob("plugins/modules/astra_*.py")
}
FENCED = re.compile(r"^( *)```(?:yaml|yaml\+jinja)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
DIRECTIVE = re.compile(r"^( *)\.\. code-block:: yaml(?:\+jinja)?\n\n((?:\1   .*\n|\n)+)", re.MULTILINE)


def examples():
    for page in PAGES:
        text = (ROOT / page).read_text()
        for number, match in enumerate((FENCED if page.endswith(".md") else DIRECTIVE).finditer(text), 1):
            yield pytest.param(textwrap.dedent(match.group(2)), id=f"{page}-{number}")


def tasks(node):
    """Every dictionary in a document, tasks among them."""
    if isinstance(node, dict):
        yield node
    for item in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from tasks(item)


@pytest.mark.parametrize("example", list(examples()))
def test_examples(example):
    document = DataLoader().load(example)
    assert document
    for task in tasks(document):
        for name in MODULES.keys() & task.keys():
            spec = MODULES[name].argument_spec
            allowed = set(spec) | {alias for option in spec.values() for alias in option.get("aliases", ())}
            assert set(task[name] or {}) <= allowed


def known_variables():
    """The variables that role and playbooks read and set, and the names of playbooks and plugins."""
    known = {name for spec in SPECS for entry_point in spec.values() for name in entry_point["options"]}
    patterns = ("playbooks/*.yml", "roles/*/tasks/*.yml", "plugins/action/*.py", "plugins/plugin_utils/*.py")
    sources = [path for pattern in patterns for path in ROOT.glob(pattern)]
    known |= {path.stem for path in (*ROOT.glob("playbooks/*.yml"), *ROOT.glob("plugins/*/*.py"))}
    for path in sources:
        known |= set(re.findall(VARIABLE, path.read_text()))
    return known


KNOWN = known_variables()


@pytest.mark.parametrize("page", PAGES)
def test_variables(page):
    mentioned = set(re.findall(VARIABLE + r"(?![a-z0-9_]*[*/.])", (ROOT / page).read_text()))
    assert mentioned - KNOWN == set()


@pytest.mark.parametrize("page", PAGES)
def test_links(page):
    text = (ROOT / page).read_text()
    targets = [ROOT / path for path in re.findall(REPOSITORY + r"([^\s>`)#]+)", text)]
    if page.endswith(".md"):
        local = re.findall(r"\]\((?!https?://|#|mailto:)([^)#\s]+)", text)
        targets += [(ROOT / page).parent / path for path in local]
    assert [str(target) for target in targets if not target.exists()] == []


def test_compatibility():
    """The table in the README has each ansible-core and Python that noxfile.py has."""
    for statement in ast.parse((ROOT / "noxfile.py").read_text()).body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "CORES":
            cores = ast.literal_eval(statement.value)
    rows = re.findall(r"^\| (2\.\d+) \| ([\d., ]+) \| 3\.9 \|$", (ROOT / "README.md").read_text(), re.MULTILINE)
    # The table lists only what has been run; 3.14 has not.
    tested = {core: sorted(set(pythons) - {"3.14"}) for core, (_release, pythons) in cores.items()}
    assert {core: pythons.split(", ") for core, pythons in rows} == tested
