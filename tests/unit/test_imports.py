# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The shape of the code: who may import whom. Arrows run down only, and there is no circle."""

from __future__ import annotations

import ast
import graphlib
import sys

import pytest

from tests.conftest import ROOT

PLUGINS = ROOT / "plugins"
PREFIX = "ansible_collections.datastax.astra.plugins."

# From the bottom up: each imports only what is below it, or its own package. A new module belongs into one of these.
LAYERS = [
    {"_errors", "_deadline", "_secrets", "_atomic_file"},
    {"_documents"},
    {"_access", "_pulsar", "_organizations", "_http_limits", "_masked"},
    {"_http", "_fingerprint_store"},
    {"_api", "_connection"},
    {"_convergence", "_delivery", "_topic_properties"},
    {"_resource"},
    {"_streaming", "_credentials"},
    {"_resources"},
    {"_probe"},
    {"_command"},
]
LEVELS = {f"module_utils.{name}": level for level, names in enumerate(LAYERS) for name in names}
TOP = len(LAYERS)  # everything else: modules, actions, filters, and what these share on the controller
PULSARS_OWN = {"module_utils._pulsar", "module_utils._errors", "module_utils._deadline", "module_utils._documents"}
LONGEST_DECLARATION = 80  # lines
STREAM = ("audit_log_stream.py", "_audit_log_stream_request.py")  # has its own plan, and is not declared


def find_modules() -> dict[str, ast.Module]:
    """Every Python file below plugins, by its name as it is imported, without what is common to all."""
    modules = {}
    for path in PLUGINS.rglob("*.py"):
        parts = path.relative_to(PLUGINS).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        modules[name] = ast.parse(path.read_text())
    return modules


MODULES = find_modules()


def find_imports(tree: ast.Module) -> set[str]:
    """The names that a module imports, within functions and for types too; those of plugins without the prefix."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "relative imports are not used"
            module = node.module or ""
            # What is imported from a package may be a module of it.
            inner = {f"{module}.{alias.name}" for alias in node.names}
            names |= {name for name in inner if name.removeprefix(PREFIX) in MODULES} or {module}
    return {name.removeprefix(PREFIX) for name in names}


IMPORTS = {name: find_imports(tree) for name, tree in MODULES.items()}
EDGES = [(name, imported) for name, imports in sorted(IMPORTS.items()) for imported in sorted(imports & MODULES.keys())]


def find_package(name: str) -> str:
    """The first two parts of a name: what is in a package of module_utils is that package's."""
    return ".".join(name.split(".")[:2])


def find_level(name: str) -> int:
    return LEVELS[find_package(name)] if name.startswith("module_utils") else TOP


def is_below_command(name: str) -> bool:
    return find_level(name) < find_level("module_utils._command")


def test_there_is_something_to_look_at():
    assert ("modules.astra_audit_log_stream", "module_utils._command") in EDGES
    assert ("module_utils._http", "module_utils._http_limits") in EDGES  # in a try
    assert "requests" in IMPORTS["module_utils._http"]


@pytest.mark.parametrize("name", [name for name in MODULES if name.startswith("module_utils.")])
def test_every_module_has_its_layer_and_is_private(name):
    assert find_package(name) in LEVELS, "say in LAYERS where it belongs"
    assert name.split(".")[1].startswith("_")


@pytest.mark.parametrize(("name", "imported"), EDGES)
def test_arrows_run_down_only(name, imported):
    same_package = find_package(name) == find_package(imported)
    at_the_top = find_level(name) == find_level(imported) == TOP
    assert find_level(imported) < find_level(name) or same_package or at_the_top


def test_there_is_no_circle():
    graph = {name: imports & MODULES.keys() for name, imports in IMPORTS.items()}
    assert list(graphlib.TopologicalSorter(graph).static_order())


@pytest.mark.parametrize("name", [name for name in MODULES if name.startswith("modules.")])
def test_modules_only_run_a_command(name):
    assert IMPORTS[name] <= {"__future__", "module_utils._command", "module_utils"} | {
        module for module in MODULES if module.startswith("module_utils._resources.")
    }


@pytest.mark.parametrize("name", [name for name in MODULES if name.startswith("module_utils.")])
def test_below_the_commands_is_nothing_but_requests_and_the_standard_library(name):
    foreign = {imported.partition(".")[0] for imported in IMPORTS[name] - MODULES.keys()} - sys.stdlib_module_names
    allowed = {"requests", "urllib3"} if is_below_command(name) else {"requests", "ansible"}
    assert foreign <= allowed


@pytest.mark.parametrize(
    "path",
    [path for path in sorted((PLUGINS / "module_utils/_resources").glob("*.py")) if path.name not in STREAM],
    ids=lambda path: path.name,
)
def test_a_resource_is_a_declaration(path):
    lines = len(path.read_text().splitlines())
    assert lines <= LONGEST_DECLARATION, "move what it does to where the engine lives"


@pytest.mark.parametrize("name", [name for name in MODULES if name.startswith("module_utils._pulsar")])
def test_pulsars_own_matters_know_nothing_of_astra_and_of_http(name):
    assert {find_package(imported) for imported in IMPORTS[name] & MODULES.keys()} <= PULSARS_OWN
    assert {"requests", "urllib3", "http", "http.client"}.isdisjoint(IMPORTS[name])
