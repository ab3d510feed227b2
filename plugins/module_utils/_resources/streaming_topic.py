# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A persistent topic of Astra Streaming, partitioned or not, with the subscriptions that keep its events."""

from __future__ import annotations

from typing import Any

from ansible_collections.datastax.astra.plugins.module_utils._api import Api, Call
from ansible_collections.datastax.astra.plugins.module_utils._deadline import Deadline
from ansible_collections.datastax.astra.plugins.module_utils._pulsar.statistics import TopicUse
from ansible_collections.datastax.astra.plugins.module_utils._resource import Field, check_count
from ansible_collections.datastax.astra.plugins.module_utils._streaming import AdminResource


class StreamingTopic(AdminResource):
    """A topic."""

    kind = "topic"
    list_key = "topics"
    spec = {
        "namespace": {"type": "str", "required": True},
        "name": {"type": "str", "required": True},
        "partitions": {"type": "int"},
        "subscriptions": {"type": "list", "elements": "str"},
        "force": {"type": "bool", "default": False},
    }
    identity_options = ("tenant", "namespace", "name")
    fields = (
        Field("partitions", check_count),
        Field("subscriptions", sorted, combine=lambda before, asked: sorted({*before, *asked})),
    )
    place = ("v2", "persistent")
    forms = {"namespace": "a namespace's name", "name": "a topic's name", "subscriptions": "a subscription's name"}
    _use: TopicUse | None = None

    @property
    def key(self) -> dict[str, Any]:
        """What says which one it is."""
        return self.identify_topic(self.params["namespace"], self.params["name"])

    def list_admin(self, admin: Api, deadline: Deadline) -> list[dict[str, Any]]:
        """Return the namespace's topics with their numbers of partitions."""
        namespace = self.params["namespace"]
        topics = self.list_topics(admin, deadline, namespace).items()
        return [{**self.identify_topic(namespace, name), "partitions": partitions} for name, partitions in topics]

    def read_admin(self, admin: Api, deadline: Deadline) -> dict[str, Any] | None:
        """Return the topic with its subscriptions."""
        names = self.params["namespace"], self.params["name"]
        self._use = self.read_topic(admin, deadline, *names, bool(self.params.get("partitions")))
        shown = self._use and {"partitions": self._use.partitions, "subscriptions": [*self._use.backlogs]}
        return shown and {**self.key, **shown}

    def create(self, asked: dict[str, Any]) -> tuple[Call, ...]:
        """Return the requests that make it with its subscriptions, before anything is sent to it."""
        path, body = (["partitions"], asked["partitions"]) if asked.get("partitions") else ([], {})
        made = self.ask("Creating", "PUT", *path, body=body, conflict="exists")
        return (made, *map(self._subscribe, asked.get("subscriptions", [])))

    def update(self, before: dict[str, Any], asked: dict[str, Any]) -> tuple[Call, ...]:
        """Return the requests that add partitions and subscriptions."""
        counts = [asked["partitions"]] if "partitions" in asked else []
        missing = [name for name in asked.get("subscriptions", []) if name not in before["subscriptions"]]
        growth = (self.ask("Adding partitions to", "POST", "partitions", body=count) for count in counts)
        return (*growth, *map(self._subscribe, missing))

    def refuse_change(self, before: dict[str, Any], after: dict[str, Any]) -> str | None:
        """Return what Pulsar cannot do with partitions."""
        had, asked = before["partitions"], after["partitions"]
        if had == asked or 0 < had < asked:
            return None
        return f"{self.label} has {had} partitions, not {asked}: a partitioned topic can only grow, any other stays so."

    def delete(self, before: dict[str, Any]) -> tuple[Call, ...]:
        """Return the request that removes it."""
        return (self.delete_topic(self.params["namespace"], self.params["name"], before["partitions"]),)

    def find_loss(self, before: dict[str, Any], deadline: Deadline) -> str | None:
        """Return who uses it and what it holds."""
        use = self._use and self._use.describe()
        return f"it has {use}" if use else None

    def _subscribe(self, name: str) -> Call:
        purpose = f"Creating the subscription {name} of"
        return self.ask(purpose, "PUT", "subscription", name, body="earliest", conflict="exists")
