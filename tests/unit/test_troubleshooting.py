# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The guide to troubleshooting has every message that the plugins can give, and no other one."""

from __future__ import annotations

import ast
import re

import pytest

from tests.conftest import ROOT

GUIDE = ROOT / "docs/docsite/rst/troubleshooting.rst"
SOURCES = [path for kind in ("action", "module_utils", "plugin_utils") for path in ROOT.glob(f"plugins/{kind}/*.py")]
# What is put before a message to say what was being done, and what reports say when all is well.
NO_MESSAGES = {
    "... (sent again)",
    "... and ... more",
    "... at ... (...)",
    "... of ... organizations",
    "...: ... ...: ...",
    "Audit log streaming",
    "Audit log streaming, check mode (nothing was changed)",
    "Configuring audit log streaming of organization ...",
    "Deleting the audit log configuration of organization ...",
    "Reading the audit log configuration of organization ...",
    "to ..., which is not Pulsar",
    "{{ 0 }}",
    "{{ ansible_playbook_python }}",
}
# What becomes part of a message.
PARTS = {
    "... failed: ...",
    "an earlier change is still being applied, so raise wait_timeout or try again later",
    "check organization_id and that the application token belongs to that organization",
    "check the application token: it may be wrong, expired or revoked",
    "check the options against the service's message",
    "client.conf line ...: ... ...",
    "client.conf line ...: a property ...",
    "give organization_id, which the token of an enterprise needs",
    "nothing is configured yet",
    "the application token needs the role Organization Administrator or the permission org-audits-read",
    "the configuration is still there",
    "the service limits the rate of requests, so raise retries or lower throttle or forks",
    "try again later",
}
# Messages that come from elsewhere.
FOREIGN = {"skipping: no hosts matched", "client.conf line N: ..."}


def literal(node):
    """The text of a string in the source, with ... for what is filled in; None for anything else."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(part.value if isinstance(part, ast.Constant) else "..." for part in node.values)
    return None


def texts():
    """The strings in the source of the plugins that are long enough to be messages."""
    found = set()
    for path in SOURCES:
        pending = [ast.parse(path.read_text())]
        while pending:
            node = pending.pop()
            text = literal(node)
            if text is None:
                # Neither docstrings nor regular expressions.
                is_call = isinstance(node, ast.Call) and ast.unparse(node.func) == "re.compile"
                if not isinstance(node, ast.Expr) or literal(node.value) is None:
                    pending += [] if is_call else ast.iter_child_nodes(node)
            elif len(text.split()) >= 3:
                found.add(text)
    return found


TERMS = re.findall(r"^``.*?``(?:, ``.*?``)*", GUIDE.read_text(), re.MULTILINE)
EXPLAINED = sorted({term for line in TERMS for term in re.findall(r"``(.*?)``", line)})


def pattern(term):
    """What a message looks like that a term is about: numbers and ... stand for what is filled in."""
    return re.compile(".*".join(map(re.escape, re.split(r"\.\.\.|\d+", term))))


TEXTS = texts()
MESSAGES = sorted(TEXTS - NO_MESSAGES - PARTS)
# Some messages begin with the name of the option that they are about, which is not in the source.
PATTERNS = {term: [pattern(term), pattern(term.partition(" ")[2])] for term in EXPLAINED if term not in FOREIGN}


@pytest.mark.parametrize("message", MESSAGES)
def test_every_message_is_explained(message):
    assert any(each.search(message) for patterns in PATTERNS.values() for each in patterns)


@pytest.mark.parametrize("term", PATTERNS)
def test_everything_explained_is_a_message(term):
    assert any(each.search(message) for message in MESSAGES for each in PATTERNS[term])


def test_what_is_left_out_is_there():
    assert TEXTS >= NO_MESSAGES | PARTS
