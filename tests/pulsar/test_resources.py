# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tenants, namespaces and topics at a real broker, behind the emulator: what the modules send is what Pulsar takes."""

from __future__ import annotations

import pytest
from ansible_collections.datastax.astra.plugins.module_utils._command import STREAMING_NAMESPACE, STREAMING_TOPIC

from tests.pulsar.support import access
from tests.wire.resources import ROWS, TENANT
from tests.wire.support import ORGANIZATION, run, seeded


@pytest.fixture(scope="module")
def _running(broker):
    with seeded(pulsar=access(broker, admin_url=broker.admin_tls_url)) as running:
        yield running
        running.reset()


@pytest.fixture
def service(_running):
    """The emulator in front of the broker, without tenants."""
    _running.reset()
    return _running


def namespace(service, **options):
    """Run the module of namespaces."""
    return run(service, command=STREAMING_NAMESPACE, **{"tenant": TENANT, "name": "audit", **options})


def topic(service, **options):
    """Run the module of topics."""
    place = {"tenant": TENANT, "namespace": "audit", "name": "events"}
    return run(service, command=STREAMING_TOPIC, **{**place, **options})


def shows(shown: dict, expected: dict, options: dict) -> bool:
    """Whether a result shows what is expected of what was asked; the broker's defaults are not Astra's."""
    return all(shown[name] == value for name, value in expected.items() if name in options)


@pytest.mark.parametrize("name", ["tenant", "namespace", "topic"])
def test_ladder(service, name):
    row = ROWS[name]
    row.prepare(service)

    def step(**options):
        result = run(service, command=row.command, **{**row.options, "timeout": 30, "wait_timeout": 60, **options})
        assert "failed" not in result, result["msg"]
        return result

    assert step(check=True)["action"] == "created"
    created = step()
    assert shows(created[row.kind], row.created, row.options)
    assert step()["changed"] is False
    if row.changes:
        checked, updated = step(check=True, **row.changes), step(**row.changes)
        assert checked["diff"] == updated["diff"]
        assert shows(updated[row.kind], row.updated, {**row.options, **row.changes})
        assert step(**row.changes)["changed"] is False
    assert step(state="absent", check=True)["action"] == "deleted"
    assert step(state="absent")["action"] == "deleted"
    assert step(state="absent")["changed"] is False


def test_every_policy(service):
    service.set_tenant(ORGANIZATION, TENANT)
    policies = {
        "retention": {"time": "7d", "size": "20GiB"},
        "backlog_quota": {"size": "10GB", "time": "2d", "policy": "consumer_backlog_eviction"},
        "message_ttl": "14d",
        "inactive_topics": {"delete": True, "after": "3d", "mode": "delete_when_subscriptions_caught_up"},
        "subscription_expiration": "30d",
    }
    assert namespace(service, **policies)["action"] == "created"
    again = namespace(service, **policies)
    assert (again["changed"], {name: again["namespace"][name] for name in policies}) == (False, policies)
    # Smaller and older, so that each of the two alone would be refused.
    mixed = {"retention": {"time": "30d", "size": "1GiB"}, "backlog_quota": {"size": "500MB", "time": "20d"}}
    assert namespace(service, **mixed)["action"] == "updated"
    assert namespace(service, **mixed)["changed"] is False
    refused = namespace(service, backlog_quota={"size": "2GB"})
    assert "Pulsar retains only what is more than the backlog quota" in refused["msg"]


def test_what_holds_data_is_kept(service):
    service.set_tenant(ORGANIZATION, TENANT, namespaces=[{"name": "audit"}])
    assert topic(service, subscriptions=["siem"])["action"] == "created"
    assert "it has the subscription siem with 0 events left" in topic(service, state="absent")["msg"]
    assert "it has the topic events" in namespace(service, state="absent")["msg"]
    topic(service, name="parts", partitions=2)
    assert namespace(service, state="absent", force=True)["action"] == "deleted"


def test_a_topic_of_the_other_kind_is_found(service):
    topics = [{"name": "events"}, {"name": "parts", "partitions": 2}]
    service.set_tenant(ORGANIZATION, TENANT, namespaces=[{"name": "audit", "topics": topics}])
    assert "has 0 partitions, not 2" in topic(service, partitions=2)["msg"]
    assert "has 2 partitions, not 0" in topic(service, name="parts", partitions=0)["msg"]
    assert topic(service, name="parts")["topic"]["partitions"] == 2
