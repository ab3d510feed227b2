# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A persistent topic of Astra Streaming, partitioned or not, with the subscriptions that keep its events."""

from __future__ import annotations

from typing import Any

from ansible_collections.datastax.astra.plugins.module_utils._api import Api, Call
from ansible_collections.datastax.astra.plugins.module_utils._deadline import Deadline
from ansible_collections.datastax.astra.plugins.module_utils._resource import Field, check_count
from ansible_collections.datastax.astra.plugins.module_utils._streaming import NamespacedResource


class StreamingTopic(NamespacedResource):
    """A topic."""

    kind = "topic"
    list_key = "topics"
    spec = {
        "name": {"type": "str", "required": True},
        "partitions": {"type": "int"},
        "subscriptions": {"type": "list", "elements": "str"},
        "force": {"type": "bool", "default": False},
    }
    fields = (
        Field("partitions", check_count),
        Field("subscriptions", sorted, combine=lambda before, asked: sorted({*before, *asked})),
    )
    place = ("admin", "v2", "persistent", "{tenant}", "{namespace}", "{name}")

    @property
    def key(self) -> dict[str, Any]:
        """What says which one it is, with the name that producers and consumers use."""
        return {**super().key, "full_name": f"persistent://{'/'.join(super().key.values())}"}

    def list_admin(self, admin: Api, deadline: Deadline) -> list[dict[str, Any]]:
        """Return the namespace's topics with their numbers of partitions."""
        topics = self.list_topics(admin, deadline, self.params["namespace"]).items()
        return [{**self.rename(name).key, "partitions": partitions} for name, partitions in topics]

    def read_admin(self, admin: Api, deadline: Deadline) -> dict[str, Any] | None:
        """Return the topic with its subscriptions."""
        use = self._use = self.read_topic(admin, deadline, self.key["full_name"], bool(self.params.get("partitions")))
        return use and {**self.key, "partitions": use.partitions, "subscriptions": [*use.backlogs]}

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
