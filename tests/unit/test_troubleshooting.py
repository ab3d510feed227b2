# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The guide to troubleshooting explains messages that the plugins can give, and no others."""

from __future__ import annotations

import ast
import re

import pytest

from tests.conftest import ROOT

GUIDE = ROOT / "docs/docsite/rst/troubleshooting.rst"
SOURCES = [
    path for kind in ("action", "module_utils", "plugin_utils") for path in (ROOT / "plugins" / kind).rglob("*.py")
]
# Messages that come from elsewhere.
FOREIGN = {"skipping: no hosts matched", "client.conf line N: ..."}


def literal(node):
    """The text of a string in the source, with ... for what is filled in; None for anything else."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(part.value if isinstance(part, ast.Constant) else "..." for part in node.values)
    return None


MESSAGES = {literal(node) for path in SOURCES for node in ast.walk(ast.parse(path.read_text()))} - {None}
TERMS = re.findall(r"^``.*?``(?:, ``.*?``)*", GUIDE.read_text(), re.MULTILINE)
EXPLAINED = sorted({term for line in TERMS for term in re.findall(r"``(.*?)``", line)} - FOREIGN)


def pattern(term):
    """What a message looks like that a term is about: numbers and ... stand for what is filled in."""
    return re.compile(".*".join(map(re.escape, re.split(r"\.\.\.|\d+", term))))


@pytest.mark.parametrize("term", EXPLAINED)
def test_everything_explained_is_a_message(term):
    # Some messages begin with the name of the option that they are about, which is not in the source.
    patterns = [pattern(term), pattern(term.partition(" ")[2])]
    assert any(each.search(message) for message in MESSAGES for each in patterns)
