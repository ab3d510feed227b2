# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pulsar in memory: what the clusters of Astra Streaming hold. No HTTP in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from emulator.policies import Policies
from emulator.refused import Refused
from emulator.settings import Conditions
from emulator.sinks import CONNECTORS, Sink
from emulator.topic import Blocked, Consumer, Entry, Producer, Topic

_NAME = re.compile(r"[-=:.\w]+")
_TOPIC_NAME = re.compile(r"[a-zA-Z][-.\w]*")
_PARTITION = re.compile(r"-partition-[0-9]+$")
_TOPIC_URL = re.compile(r"persistent://([^/]+)/([^/]+)/([^/]+)")


@dataclass
class Namespace:
    """A namespace with its topics.

    :ivar topics: those that are not partitioned and all partitions, by name.
    :ivar partitioned: how many partitions each partitioned topic has.
    :ivar permissions: the actions that each role may do with all topics.
    :ivar lost: how many entries went with deleted topics that nobody has read.
    """

    name: str
    policies: Policies = field(default_factory=Policies)
    topics: dict[str, Topic] = field(default_factory=dict)
    partitioned: dict[str, int] = field(default_factory=dict)
    permissions: dict[str, set[str]] = field(default_factory=dict)
    lost: int = 0

    def partitions(self, name: str) -> list[Topic]:
        """Return the partitions of a partitioned topic."""
        return [self.topics[f"{name}-partition-{number}"] for number in range(self.partitioned[name])]

    def find(self, name: str) -> list[Topic]:
        """Return a topic that is not partitioned as the only one, or all partitions; nothing when there is none."""
        if name in self.partitioned:
            return self.partitions(name)
        return [self.topics[name]] if name in self.topics else []

    def settle(self, now: float) -> None:
        """Let time and policies have their effect on all topics."""
        for topic in self.topics.values():
            topic.settle(now)
        for name in [*self.partitioned, *self.topics]:
            found = self.find(name)
            if found and not is_partition(name) and all(topic.is_inactive(now) for topic in found):
                self.remove(name)

    def remove(self, name: str) -> None:
        """Delete a topic with all that is in it."""
        for topic in self.find(name):
            self.lost += topic.lost + sum(not entry.was_read for entry in topic.entries)
            del self.topics[topic.name]
        self.partitioned.pop(name, None)


@dataclass
class BrokerTenant:
    """What a broker knows of a tenant.

    :ivar admins: the roles that may do everything in it.
    """

    name: str
    cluster: str
    admins: set[str]
    namespaces: dict[str, Namespace] = field(default_factory=dict)
    sinks: dict[tuple[str, str], Sink] = field(default_factory=dict)

    def knows(self, role: str) -> bool:
        """Tell whether a role has any right here."""
        return role in self.admins or any(self.has_grant(role, name) for name in self.namespaces)

    def has_grant(self, role: str, namespace: str) -> bool:
        """Tell whether a role may do something in a namespace."""
        space = self.namespaces.get(namespace)
        return space is not None and (
            role in space.permissions or any(role in topic.permissions for topic in space.topics.values())
        )

    def may(self, role: str, action: str, namespace: str, topic: str) -> bool:
        """Tell whether a role may produce to a topic or consume from it, whether that topic exists or not."""
        space = self.namespaces.get(namespace)
        if role in self.admins:
            return True
        if space is None:
            return False
        granted = [space.permissions, *(each.permissions for each in space.find(topic))]
        return any(action in each.get(role, ()) for each in granted)


class MemoryBroker:
    """All clusters.

    :ivar tenants: by cluster and name.
    """

    def __init__(self, conditions: Conditions) -> None:
        self._conditions = conditions
        self.tenants: dict[tuple[str, str], BrokerTenant] = {}

    @property
    def _now(self) -> float:
        return self._conditions.clock.now()

    async def create_tenant(self, cluster: str, name: str, admins: set[str]) -> None:
        """Make a tenant with the namespace that Astra Streaming gives it."""
        tenant = BrokerTenant(name, cluster, set(admins))
        tenant.namespaces["default"] = Namespace("default")
        self.tenants[cluster, name] = tenant

    async def set_admins(self, cluster: str, name: str, admins: set[str]) -> None:
        """Say which roles may do everything in a tenant."""
        if tenant := self.tenants.get((cluster, name)):
            tenant.admins = set(admins)

    async def delete_tenant(self, cluster: str, name: str) -> None:
        """Remove a tenant with all that it holds."""
        self.tenants.pop((cluster, name), None)

    async def revoke(self, cluster: str, name: str, role: str) -> None:
        """Take from a role what it was granted on namespaces and topics."""
        if tenant := self.tenants.get((cluster, name)):
            for namespace in tenant.namespaces.values():
                for grants in (namespace.permissions, *(topic.permissions for topic in namespace.topics.values())):
                    grants.pop(role, None)

    async def list_topics(self, cluster: str, name: str) -> dict[str, list[str]]:
        """Return the full names of the topics of each namespace."""
        tenant = self.tenants.get((cluster, name))
        return {space.name: list_topics(tenant, space) for space in self.settled(tenant)} if tenant else {}

    def settled(self, tenant: BrokerTenant) -> Iterator[Namespace]:
        """Return the namespaces of a tenant as they are now."""
        for namespace in tenant.namespaces.values():
            namespace.settle(self._now)
            yield namespace

    def find_namespace(self, tenant: BrokerTenant, name: str) -> Namespace:
        """Return a namespace as it is now."""
        if name not in tenant.namespaces:
            raise Refused(404, "Namespace does not exist")
        namespace = tenant.namespaces[name]
        namespace.settle(self._now)
        return namespace

    def create_namespace(self, tenant: BrokerTenant, name: str) -> None:
        """PUT of a namespace."""
        if not _NAME.fullmatch(name):
            raise Refused(412, "Namespace name is not valid")
        if name in tenant.namespaces:
            raise Refused(409, "Namespace already exists")
        if len(tenant.namespaces) >= self._conditions.settings.namespace_limit:
            raise Refused(412, f"Exceed the maximum number of namespace in tenant :{tenant.name}")
        tenant.namespaces[name] = Namespace(name)

    def delete_namespace(self, tenant: BrokerTenant, name: str) -> None:
        """DELETE of a namespace."""
        if self.find_namespace(tenant, name).topics:
            raise Refused(409, "Cannot delete non empty namespace")
        del tenant.namespaces[name]

    def create_topic(self, namespace: Namespace, name: str, properties: dict[str, str]) -> None:
        """PUT of a topic that is not partitioned."""
        self._check_new(namespace, name, 1)
        namespace.topics[name] = Topic(name, namespace.policies, self._now)
        namespace.topics[name].properties.update(properties)

    def create_partitioned(self, namespace: Namespace, name: str, count: int) -> None:
        """PUT of a partitioned topic."""
        self._check_partitions(count)
        self._check_new(namespace, name, count)
        self._add_partitions(namespace, name, count)

    def grow(self, namespace: Namespace, name: str, count: int) -> None:
        """POST of another number of partitions."""
        if not namespace.find(name):
            raise Refused(404, f"Topic {name} not found")
        if name not in namespace.partitioned:
            raise Refused(409, f"Topic {name} is not the partitioned topic.")
        self._check_partitions(count)
        present = namespace.partitioned[name]
        if count < present:
            raise Refused(422, f"Desired partitions {count} can't be less than the current partitions {present}.")
        self._check_room(namespace, count - present)
        self._add_partitions(namespace, name, count)

    def _add_partitions(self, namespace: Namespace, name: str, count: int) -> None:
        before = namespace.find(name)
        namespace.partitioned[name] = count
        for number in range(len(before), count):
            topic = Topic(f"{name}-partition-{number}", namespace.policies, self._now)
            namespace.topics[topic.name] = topic
            if before:
                topic.properties, topic.permissions = before[0].properties, before[0].permissions
                for subscription in before[0].subscriptions:
                    topic.subscribe(subscription, True, self._now)

    def _check_partitions(self, count: int) -> None:
        limit = self._conditions.settings.partition_limit
        if not 0 < count <= limit:
            raise Refused(406, f"Number of partitions should be more than 0 and less than or equal to {limit}")

    def _check_new(self, namespace: Namespace, name: str, count: int) -> None:
        if not _TOPIC_NAME.fullmatch(name) or is_partition(name):
            raise Refused(412, "Topic name is not valid")
        if namespace.find(name):
            raise Refused(409, "This topic already exists")
        self._check_room(namespace, count)

    def _check_room(self, namespace: Namespace, count: int) -> None:
        if len(namespace.topics) + count > self._conditions.settings.topic_limit:
            raise Refused(412, "Exceed maximum number of topics in namespace.")

    def find_sink(self, tenant: BrokerTenant, namespace: str, name: str) -> Sink:
        """Return a sink."""
        if (namespace, name) not in tenant.sinks:
            raise Refused(404, f"Sink {name} doesn't exist")
        return tenant.sinks[namespace, name]

    def create_sink(self, tenant: BrokerTenant, namespace: str, name: str, config: dict) -> None:
        """POST of a sink: accepted although it may fail afterwards."""
        self.find_namespace(tenant, namespace)
        if (namespace, name) in tenant.sinks:
            raise Refused(400, f"Sink {name} already exists")
        sink = Sink(tenant.name, namespace, name, config)
        _check_sink(sink)
        tenant.sinks[namespace, name] = sink
        self.start_sink(tenant, sink)

    def update_sink(self, tenant: BrokerTenant, namespace: str, name: str, config: dict) -> None:
        """PUT of a sink: what is not given stays."""
        sink = self.find_sink(tenant, namespace, name)
        merged = Sink(tenant.name, namespace, name, {**sink.config, **config})
        _check_sink(merged)
        if merged.inputs != sink.inputs:
            raise Refused(400, "Input Topics cannot be altered")
        if merged.config == sink.config:
            raise Refused(400, "Update contains no change")
        self.stop_sink(tenant, sink)
        sink.config = merged.config
        self.start_sink(tenant, sink)

    def delete_sink(self, tenant: BrokerTenant, namespace: str, name: str) -> None:
        """DELETE of a sink, and of its subscription unless it shall stay."""
        sink = self.find_sink(tenant, namespace, name)
        self.stop_sink(tenant, sink)
        del tenant.sinks[namespace, name]
        if sink.get("cleanupSubscription"):
            for topic in self._find_inputs(tenant, sink):
                if sink.subscription in topic.subscriptions:
                    topic.unsubscribe(sink.subscription, self._now)

    def stop_sink(self, tenant: BrokerTenant, sink: Sink) -> None:
        """Stop a sink; its subscription stays."""
        sink.is_stopped = True
        sink.runs += 1
        for topic in self._find_inputs(tenant, sink):
            if subscription := topic.subscriptions.get(sink.subscription):
                subscription.consumers.pop(sink.name, None)

    def start_sink(self, tenant: BrokerTenant, sink: Sink) -> None:
        """Start a sink: its subscription is there at once, its consumer after a while, and only if nothing is wrong."""
        sink.is_stopped = False
        sink.runs += 1
        run = sink.runs
        sink.error = sink.find_error(lambda topic_name: bool(self._find_topics(tenant, topic_name)))
        if sink.error:
            return
        for topic in self._find_inputs(tenant, sink):
            if sink.subscription not in topic.subscriptions:
                topic.subscribe(sink.subscription, sink.get("sourceSubscriptionPosition") == "Earliest", self._now)

        def consume() -> None:
            if run == sink.runs and sink.is_running:
                for topic in self._find_inputs(tenant, sink):
                    if subscription := topic.subscriptions.get(sink.subscription):
                        subscription.consumers[sink.name] = Consumer(sink.name, self._now, take)
                        topic.settle(self._now)

        def take(entry: Entry) -> None:
            sink.written.append(entry.payload)
            sink.last_received = self._now

        lag = self._conditions.settings.sink_consumer_lag
        if lag:
            self._conditions.clock.call_later(lag, consume)
        else:
            consume()

    def _find_inputs(self, tenant: BrokerTenant, sink: Sink) -> list[Topic]:
        return [topic for name in sink.inputs for topic in self._find_topics(tenant, name)]

    def _find_topics(self, tenant: BrokerTenant, topic_name: str) -> list[Topic]:
        parts = split_topic(topic_name)
        if parts is None or parts[0] != tenant.name or parts[1] not in tenant.namespaces:
            return []
        return tenant.namespaces[parts[1]].find(parts[2])

    def connect(self, cluster: str, topic_name: str, producer: Producer) -> Topic:
        """Connect a producer to a topic given by its full name, or to the next partition of it.

        :raises Blocked: the topic does not exist or takes no more producers.
        """
        topic = self._find_for_producer(cluster, topic_name)
        if producer.name not in topic.producers:
            if len(topic.producers) >= self._conditions.settings.producer_limit:
                raise Blocked("ProducerBusyException: Topic reached max producers limit")
            topic.producers[producer.name] = producer
        return topic

    def publish(self, topic: Topic, producer: Producer, payload: bytes, properties: dict[str, str], size: int) -> str:
        """Store a message; returns its id.

        :raises Blocked: the backlog quota is used up; the producer is disconnected then, as Pulsar does it.
        """
        try:
            message_id = topic.publish(Entry(payload, size, self._now, producer.name, properties))
        except Blocked:
            topic.disconnect(producer.name, self._now)
            raise
        producer.messages += 1
        return message_id

    def disconnect(self, producer: str) -> None:
        """Let a producer go, wherever it is connected."""
        for tenant in self.tenants.values():
            for namespace in tenant.namespaces.values():
                for topic in namespace.topics.values():
                    topic.disconnect(producer, self._now)

    def may_produce(self, cluster: str, topic_name: str, role: str) -> bool:
        """Tell whether a role may produce to a topic given by its full name."""
        parts = split_topic(topic_name)
        tenant = self.tenants.get((cluster, parts[0])) if parts else None
        return tenant is not None and tenant.may(role, "produce", *parts[1:])

    def _find_for_producer(self, cluster: str, topic_name: str) -> Topic:
        parts = split_topic(topic_name)
        tenant = self.tenants.get((cluster, parts[0])) if parts else None
        namespace = tenant.namespaces.get(parts[1]) if tenant else None
        if namespace is None:
            raise Blocked("TopicNotFoundException: Tenant or namespace or topic does not exist")
        namespace.settle(self._now)
        if not namespace.find(parts[2]):
            if not namespace.policies.get("autoTopicCreation")["allowAutoTopicCreation"]:
                raise Blocked(f"TopicNotFoundException: Topic {topic_name} does not exist")
            try:
                self.create_topic(namespace, parts[2], {})
            except Refused as error:
                raise Blocked(f"NotAllowedException: {error}") from None
        # The partition with the fewest entries: what a client that takes turns comes to.
        return min(namespace.find(parts[2]), key=lambda topic: topic.end)


def _check_sink(sink: Sink) -> None:
    if not sink.config.get("archive", "").startswith("builtin://") or (
        sink.config["archive"].removeprefix("builtin://") not in CONNECTORS
    ):
        raise Refused(400, "Built-in sink is not available")
    if not sink.inputs:
        raise Refused(
            400, "Must specify at least one topic of input via topicToSerdeClassName, topicsPattern, or inputs"
        )
    if sink.get("parallelism") < 1:
        raise Refused(400, "Sink parallelism must be a positive number")


def is_partition(name: str) -> bool:
    """Tell whether a topic is a partition of another one."""
    return _PARTITION.search(name) is not None


def split_topic(topic_name: str) -> tuple[str, str, str] | None:
    """Return tenant, namespace and topic of a full name, or None when it is no name of a persistent topic."""
    match = _TOPIC_URL.fullmatch(topic_name)
    return match.groups() if match else None


def list_topics(tenant: BrokerTenant, namespace: Namespace) -> list[str]:
    """Return the full names of the topics of a namespace, with partitions instead of partitioned topics."""
    return [f"persistent://{tenant.name}/{namespace.name}/{topic}" for topic in namespace.topics]
