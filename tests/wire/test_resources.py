# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The ladder that every resource goes up with the exact requests of each step, and what each has of its own."""

from __future__ import annotations

import json
import re

import pytest

from tests.wire.resources import ROWS, requests
from tests.wire.support import ADMINISTRATOR, run

IDENTIFIER = re.compile(r"(?<=/roles/)[0-9a-f-]{36}|(?<=/tokens/)[0-9a-f]{10}|(?<=/clientIdSecrets/)\w{24}")


def sent(service) -> list[str]:
    """The requests since the last look, with the identifiers that the service makes as ID."""
    seen = [IDENTIFIER.sub("ID", each) for each in requests(service)]
    service.clear_journal()
    return seen


def reads(steps: list[str]) -> list[str]:
    """Those requests that change nothing."""
    return [each for each in steps if each.startswith("GET ")]


def agree(checked: dict, real: dict) -> bool:
    """Whether check mode says what the real run then says. It cannot know what the service adds."""
    same = ("changed", "action", "previous", "diff", "failed")
    return all(checked.get(name) == real.get(name) for name in same)


@pytest.fixture(params=ROWS, name="row")
def _row(request):
    return ROWS[request.param]


def shows(result: dict, row, expected: dict) -> bool:
    """Whether a result shows at least this of the resource."""
    return result[row.kind].items() >= expected.items()


def test_ladder(service, row):
    row.prepare(service)

    def step(**options):
        check = options.pop("check", False)
        return run(service, command=row.command, check=check, **{**row.options, **options})

    checked = step(check=True)
    assert sent(service) == row.steps.check
    assert row.find(service) is None
    created = step()
    assert sent(service) == row.steps.create
    assert agree(checked, created)
    assert (created["changed"], created["action"], created["previous"]) == (True, "created", None)
    assert shows(created, row, row.created)
    assert created["diff"]["before"] == {}
    again = step()
    assert sent(service) == row.steps.again
    assert (again["changed"], again["action"]) == (False, "none")
    assert again[row.kind] == again["previous"] == created[row.kind]
    assert again["diff"]["before"] == again["diff"]["after"]

    if row.changes:
        before = row.find(service)
        checked = step(check=True, **row.changes)
        assert sent(service) == (row.steps.check_update or row.steps.again)
        assert row.find(service) == before
        updated = step(**row.changes)
        assert sent(service) == row.steps.update
        assert agree(checked, updated)
        assert checked[row.kind] == updated[row.kind]
        assert (updated["changed"], updated["action"]) == (True, "updated")
        assert updated["previous"] == created[row.kind] == updated["diff"]["before"]
        assert updated["diff"]["after"] == updated[row.kind]
        assert shows(updated, row, row.updated)
        again = step(**row.changes)
        assert sent(service) == row.steps.again
        assert (again["changed"], again["action"], again[row.kind]) == (False, "none", updated[row.kind])

    removal = {"state": "absent", **row.name_for_removal(created)}
    checked = step(check=True, **removal)
    assert sent(service) == row.steps.check_absent
    assert row.find(service) is not None
    removed = step(**removal)
    assert sent(service) == row.steps.absent
    assert agree(checked, removed)
    assert (removed["changed"], removed["action"], removed[row.kind]) == (True, "deleted", None)
    assert removed["diff"]["after"] == {}
    assert row.find(service) is None
    again = step(**removal)
    assert sent(service) == row.steps.absent_again
    assert (again["changed"], again["action"], again["previous"]) == (False, "none", None)
    assert ADMINISTRATOR not in json.dumps([checked, created, removed, again])
