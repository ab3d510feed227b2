# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook with fingerprints in the properties of topics: how often a fleet asks for the same."""

from __future__ import annotations

import pytest

from tests.playbooks.conftest import IDS, NAMES
from tests.wire.support import ENDPOINT

TENANT = "acme"
TOPICS = [f"persistent://{TENANT}/security/audit-{number}" for number in (1, 2)]
OTHERS = {name: {"audit_log_stream_topic": TOPICS[1]} for name in NAMES[4:]}


@pytest.fixture
def shared(fleet):
    """Four organizations that share one topic, and two that share another."""
    topics = [{"name": topic.rpartition("/")[2]} for topic in TOPICS]
    tokens = [{"id": "first"}, {"id": "second"}]
    namespaces = [{"name": "security", "topics": topics}]
    fleet.service.set_tenant(IDS["acme-6"], TENANT, namespaces=namespaces, tokens=tokens)
    fleet.describe(hosts=OTHERS, audit_log_stream_topic=TOPICS[0], audit_log_stream_fingerprint_store="topic")
    use_token(fleet, "first")
    return fleet


def use_token(fleet, token_id: str) -> None:
    """Write the client.conf with one of the tenant's tokens."""
    tokens = {token["id"]: token["token"] for token in fleet.service.tenant(TENANT)["tokens"]}
    lines = [f"webServiceUrl={fleet.service.admin_url}", f"brokerServiceUrl={ENDPOINT}"]
    fleet.write("client.conf", "\n".join([*lines, f"authParams=token:{tokens[token_id]}"]))


def count(fleet) -> dict[str, int]:
    """Return how many requests there were for properties, by their methods, and forget them."""
    methods = [entry["method"] for entry in fleet.service.journal(server="admin")]
    fleet.service.clear_journal()
    return {method: methods.count(method) for method in methods}


def test_a_topic_is_read_once_for_all_that_share_it(shared):
    assert shared.play().headline().endswith(": all 6 organizations created")
    count(shared)
    assert "as they should be" in " ".join(shared.play().report())
    assert count(shared) == {"GET": len(TOPICS)}

    # Who shares a topic is told what is there for each, and a write is preceded by a look of its own.
    use_token(shared, "second")
    assert shared.play("--limit", "acme-1,acme-5").headline().endswith(": all 2 organizations updated")
    count(shared)
    run = shared.play()
    assert run.headline() == "Audit log streaming: 6 organizations: 4 updated, 2 unchanged"
    assert sorted(run.section("Updated")) == ["acme-2", "acme-3", "acme-4", "acme-6"]
    sent = count(shared)
    assert sent["GET"] >= len(TOPICS) + 4
    assert sent["PUT"] >= 4
    shared.play()
    assert count(shared) == {"GET": len(TOPICS)}


def test_a_topic_that_cannot_be_read_is_not_asked_for_each(shared):
    shared.play()
    count(shared)
    shared.service.fault(match={"path": "audit-1/properties$"}, status=403, times=None)
    run = shared.play("--check", "--limit", "acme-1,acme-2,acme-3")
    assert run.headline() == "Audit log streaming, check mode: all 3 organizations would be updated"
    # One for the plan, and one for each of the three that it hands over.
    assert count(shared) == {"GET": 1 + 3}
