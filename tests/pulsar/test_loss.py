# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How an audit log gets lost with Astra's defaults, in counted events, and that the guards keep every one of them.

Each case happens twice at the same time: without a guard, where events are lost and the check has said so before, and
with it, where all are there in the end. The loss of the one also shows that the other had been long enough in danger.
"""

from __future__ import annotations

import contextlib

import pulsar
import pytest
from ansible_collections.datastax.astra.plugins.module_utils._delivery import Way, check_delivery
from ansible_collections.datastax.astra.plugins.module_utils._pulsar.wire import Destination

from tests.pulsar.support import Place, wait_until

# Astra's own policy, but for the 2 days of which a test sees only the end.
DELETE_SOON = {
    "inactiveTopicDeleteMode": "delete_when_no_subscriptions",
    "maxInactiveDurationSeconds": 1,
    "deleteWhileInactive": True,
}
SMALL_QUOTA = {"limitSize": 3000, "limit": 3000, "limitTime": -1, "policy": "producer_exception"}
UNLIMITED_QUOTA = {"limitSize": -1, "limit": -1, "limitTime": -1, "policy": "producer_exception"}


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


@pytest.fixture
def guarded(broker, admin, place) -> Place:
    """A second place, for what the guards shall save."""
    return Place.create(broker, admin, f"{place.tenant}-guarded")


def exists(place: Place) -> bool:
    """Tell whether the topic is there."""
    return place.admin.call("GET", f"{place.path}/stats").ok


def test_deletion_of_an_inactive_topic(place, guarded):
    """The exporter pauses, the topic is deleted meanwhile, and nothing arrives any more."""
    exporters = [Exporter(place), Exporter(guarded)]
    for each in (place, guarded):
        each.set_policy("inactiveTopicPolicies", DELETE_SOON)
    guarded.set_policy("inactiveTopicPolicies", {**DELETE_SOON, "deleteWhileInactive": False})
    guarded.subscribe("siem")
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
def test_no_retention(place, guarded, by):
    """Nobody has subscribed yet, so that the broker deletes what has arrived."""
    if by == "subscription":
        guarded.subscribe("siem")
    else:
        guarded.set_policy("retention", {"retentionTimeInMinutes": 7 * 24 * 60, "retentionSizeInMB": -1})
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


def test_a_full_backlog(place, guarded):
    """A subscription that nobody reads fills up, and the exporter is refused."""
    exporters = [Exporter(place), Exporter(guarded)]
    for each in (place, guarded):
        each.subscribe("siem")
    place.set_policy("backlogQuota", SMALL_QUOTA)
    guarded.set_policy("backlogQuota", UNLIMITED_QUOTA)
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


def test_a_backlog_that_drops_the_oldest(place, guarded):
    """The other policy of a quota: the exporter goes on, and unread events disappear."""
    exporters = [Exporter(place), Exporter(guarded)]
    for each in (place, guarded):
        each.subscribe("siem")
    place.set_policy("backlogQuota", {**SMALL_QUOTA, "policy": "consumer_backlog_eviction"})
    guarded.set_policy("backlogQuota", UNLIMITED_QUOTA)
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


def test_a_subscription_that_is_read_loses_nothing(place):
    """The whole of the guards with a consumer that comes and goes: every event is there once."""
    place.subscribe("siem")
    place.set_policy("inactiveTopicPolicies", {**DELETE_SOON, "deleteWhileInactive": False})
    exporter = Exporter(place)
    received = []
    for _time in range(3):
        exporter.export(30)
        received += read_all(place)
        assert find_risks(place) == ()
    assert received == list(range(90))
