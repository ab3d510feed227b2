# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How an audit log gets lost with Astra's defaults, in counted events, and that the guards keep every one of them.

Each case happens twice at the same time: without a guard, where events are lost and the check has said so before, and
with it, where all are there in the end. The loss of the one also shows that the other had been long enough in danger.
The danger is Astra's default, made so quick or so small that a test sees its end. The guard is set as users do it, by
the modules of the collection, which take what they need to know from Astra.
"""

from __future__ import annotations

import contextlib
from typing import Any

import pulsar
import pytest
from ansible_collections.datastax.astra.plugins.module_utils._command import STREAMING_NAMESPACE, STREAMING_TOPIC
from ansible_collections.datastax.astra.plugins.module_utils._delivery import Way, check_delivery
from ansible_collections.datastax.astra.plugins.module_utils._pulsar.wire import Destination

from tests.pulsar.broker import CLUSTER
from tests.pulsar.support import Place, access, wait_until
from tests.wire.support import ORGANIZATION, run, seeded

# Astra's own policy, but for the 2 days of which a test sees only the end.
DELETE_SOON = {
    "inactiveTopicDeleteMode": "delete_when_no_subscriptions",
    "maxInactiveDurationSeconds": 1,
    "deleteWhileInactive": True,
}
SMALL_QUOTA = {"limitSize": 3000, "limit": 3000, "limitTime": -1, "policy": "producer_exception"}


class Exporter:
    """Sends numbered events to a topic, as long as the broker takes them."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.sent = 0
        self.refused = 0

    def export(self, count: int, size: int = 100) -> None:
        """Send so many further events over a connection of its own."""
        numbers = range(self.sent + self.refused, self.sent + self.refused + count)
        try:
            with self.place.producer(send_timeout_millis=2000) as producer:
                for number in numbers:
                    producer.send(f"{number:06}".ljust(size).encode())
                    self.sent += 1
        except pulsar.PulsarException:
            pass
        self.refused = numbers.stop - self.sent

    @property
    def total(self) -> int:
        """How many events there have been to send."""
        return self.sent + self.refused


def read_all(place: Place, subscription: str = "siem") -> list[int]:
    """Read what a subscription holds, acknowledge it, and return the numbers of the events."""
    numbers = []
    with place.consumer(subscription) as consumer, contextlib.suppress(pulsar.Timeout):
        while True:
            event = consumer.receive(1500)
            numbers.append(int(event.data()))
            consumer.acknowledge(event)
    return numbers


def find_risks(place: Place) -> tuple[str, ...]:
    """Return what the check says is at risk."""
    broker = place.broker
    destination = Destination(broker.proxy_tls_url, place.topic, place.token("administrator"))
    return check_delivery(Way(destination, broker.admin_url), ca_path=broker.ca_path).at_risk


@pytest.fixture(scope="module")
def astra(broker):
    """The emulated Astra in front of the broker."""
    with seeded(pulsar=access(broker)) as running:
        yield running
        running.reset()


@pytest.fixture
def guarded(astra, broker, admin, place) -> Place:
    """A second place, which Astra knows, for what the guards shall save."""
    made = Place.create(broker, admin, f"{place.tenant}-guarded")
    path = f"/tenants/{made.tenant}"
    before = admin.get(path)["adminRoles"]
    astra.set_tenant(ORGANIZATION, made.tenant)
    admin.post(path, {"allowedClusters": [CLUSTER], "adminRoles": [*before, *admin.get(path)["adminRoles"]]})
    return made


@pytest.fixture
def guard(astra, guarded):
    """Guard the second place: with subscriptions, and with policies of the namespace."""

    def set_guard(*subscriptions: str, **policies: Any) -> None:
        names = {"tenant": guarded.tenant, "namespace": "audit", "name": "events"}
        results = [run(astra, command=STREAMING_TOPIC, **names, subscriptions=list(subscriptions))]
        results.append(run(astra, command=STREAMING_NAMESPACE, tenant=guarded.tenant, name="audit", **policies))
        for result, is_asked in zip(results, (subscriptions, policies), strict=True):
            assert result.get("action") == ("updated" if is_asked else "none"), result

    return set_guard


def exists(place: Place) -> bool:
    """Tell whether the topic is there."""
    return place.admin.call("GET", f"{place.path}/stats").ok


def test_deletion_of_an_inactive_topic(place, guarded, guard):
    """The exporter pauses, the topic is deleted meanwhile, and nothing arrives any more."""
    exporters = [Exporter(place), Exporter(guarded)]
    place.set_policy("inactiveTopicPolicies", DELETE_SOON)
    # The retention is for the events that are there; only the other keeps the topic.
    guard(inactive_topics={"delete": False, "after": "1s"}, retention={"time": "7d", "size": "unlimited"})
    assert "inactive_topics" in find_risks(place)
    assert "inactive_topics" not in find_risks(guarded)
    for exporter in exporters:
        exporter.export(20)
    wait_until(lambda: not exists(place))
    for exporter in exporters:
        exporter.export(20)
    assert exporters[0].sent == 20
    assert exporters[0].refused == 20
    assert not exists(place)
    assert exporters[1].refused == 0
    assert read_all(guarded) == list(range(40))


@pytest.mark.parametrize("by", ["subscription", "retention"])
def test_no_retention(place, guarded, guard, by):
    """Nobody has subscribed yet, so that the broker deletes what has arrived."""
    if by == "subscription":
        guard("siem")
    else:
        guard(retention={"time": "7d", "size": "unlimited"})
    assert {"subscription", "retention"} <= set(find_risks(place))
    assert by not in find_risks(guarded) or by == "retention"
    exporters = [Exporter(place), Exporter(guarded)]
    for exporter in exporters:
        exporter.export(45)
        assert exporter.refused == 0
    stored = f"{place.path}/internalStats"
    wait_until(lambda: place.admin.get(stored)["numberOfEntries"] <= 10)
    lost = set(range(45)) - set(read_all(place))
    assert len(lost) >= 35
    assert read_all(guarded) == list(range(45))


def test_a_full_backlog(place, guarded, guard):
    """A subscription that nobody reads fills up, and the exporter is refused."""
    exporters = [Exporter(place), Exporter(guarded)]
    place.subscribe("siem")
    for each in (place, guarded):
        each.set_policy("backlogQuota", SMALL_QUOTA)
    guard("siem", backlog_quota={"size": "unlimited"})
    for exporter in exporters:
        exporter.export(20, size=200)
    wait_until(lambda: "backlog" in find_risks(place))
    assert "backlog" not in find_risks(guarded)

    def is_refused():
        for exporter in exporters:
            exporter.export(10, size=200)
        return exporters[0].refused

    wait_until(is_refused)
    for exporter in exporters:
        exporter.export(10, size=200)
    assert len(read_all(place)) == exporters[0].sent
    assert exporters[0].refused >= 10
    assert exporters[1].refused == 0
    assert read_all(guarded) == list(range(exporters[1].total))


def test_a_backlog_that_drops_the_oldest(place, guarded, guard):
    """The other policy of a quota: the exporter goes on, and unread events disappear."""
    exporters = [Exporter(place), Exporter(guarded)]
    place.subscribe("siem")
    for each in (place, guarded):
        each.set_policy("backlogQuota", {**SMALL_QUOTA, "policy": "consumer_backlog_eviction"})
    guard("siem", backlog_quota={"size": "unlimited"})
    for exporter in exporters:
        exporter.export(60, size=200)
        assert exporter.refused == 0
    assert "backlog" in find_risks(place)
    assert "backlog" not in find_risks(guarded)
    wait_until(lambda: place.stats()["subscriptions"]["siem"]["msgBacklog"] < 30)
    kept = read_all(place)
    assert 0 < len(kept) < 30
    assert kept == list(range(60))[-len(kept) :]
    assert read_all(guarded) == list(range(60))


def test_a_subscription_that_is_read_loses_nothing(guarded, guard):
    """The whole of the guards with a consumer that comes and goes: every event is there once."""
    guard("siem", inactive_topics={"delete": False, "after": "1s"})
    exporter = Exporter(guarded)
    received = []
    for _time in range(3):
        exporter.export(30)
        received += read_all(guarded)
        assert find_risks(guarded) == ()
    assert received == list(range(90))
