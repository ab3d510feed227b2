# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A persistent topic of Astra Streaming, partitioned or not, with the subscriptions that keep its events.

Pulsar answers 404 for the statistics of a topic of the other kind (terraform-provider-astra issue 347), so that the
list of topics then tells whether there is one.
"""

from __future__ import annotations

from typing import Any

from ansible_collections.datastax.astra.plugins.module_utils._api import Api, Call
from ansible_collections.datastax.astra.plugins.module_utils._deadline import Deadline
from ansible_collections.datastax.astra.plugins.module_utils._documents import read_keys, read_number
from ansible_collections.datastax.astra.plugins.module_utils._errors import InputError, ServiceError
from ansible_collections.datastax.astra.plugins.module_utils._resource import Field
from ansible_collections.datastax.astra.plugins.module_utils._streaming import AdminResource


def check_partitions(number: int) -> int:
    """Return a number of partitions, or raise an InputError."""
    if number < 0:
        raise InputError("must not be negative.")
    return number


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
        Field("partitions", check_partitions),
        Field("subscriptions", sorted, combine=lambda before, asked: sorted({*before, *asked})),
    )
    forms = {
        "namespace": "name of a namespace",
        "name": "name of a topic",
        "subscriptions": "name of a subscription",
    }
    _use: tuple[str, ...] = ()

    @property
    def key(self) -> dict[str, Any]:
        """What says which one it is, with the name that producers and consumers use."""
        key = super().key
        return {**key, "full_name": f"persistent://{'/'.join(key.values())}"} if "name" in key else key

    def list_admin(self, admin: Api, deadline: Deadline) -> list[dict[str, Any]]:
        """Return the namespace's topics with their numbers of partitions."""
        topics = self.list_topics(admin, deadline, self.params["namespace"])
        return [{**self.key, "name": name, "partitions": count} for name, count in (topics or {}).items()]

    def read_admin(self, admin: Api, deadline: Deadline) -> dict[str, Any] | None:
        """Return the topic with its subscriptions, looked for as what is asked and then as what is listed."""
        shown = self._read_as(bool(self.params.get("partitions")), admin, deadline)
        if shown is None:
            topics = self.list_topics(admin, deadline, self.params["namespace"])
            if topics is None:
                self.blocker = (
                    f"There is no namespace {self.params['namespace']} in tenant {self.tenant}: "
                    "make it first, with datastax.astra.astra_streaming_namespace."
                )
            elif self.params["name"] in topics:
                shown = self._read_as(topics[self.params["name"]] > 0, admin, deadline)
        return shown

    def _read_as(self, is_partitioned: bool, admin: Api, deadline: Deadline) -> dict[str, Any] | None:
        path, query = ("partitioned-stats", {"perPartition": "false"}) if is_partitioned else ("stats", None)
        stats = admin.read(self._call("Reading", "GET", path, query=query, absent=(404,), form=dict), deadline)
        if stats is None:
            return None
        metadata, subscriptions, producers = read_keys(stats, "metadata", "subscriptions", "publishers")
        partitions = read_number(metadata, "partitions") if is_partitioned else 0
        if not isinstance(subscriptions, dict) or partitions is None:
            raise ServiceError(f"Reading {self.label} failed: the service shows neither subscriptions nor partitions.")
        backlogs = {name: read_number(shown, "msgBacklog") for name, shown in subscriptions.items()}
        self._use = (
            *(f"the subscription {name} with {backlog} events to come" for name, backlog in backlogs.items()),
            *([f"{len(producers)} connected producers"] if producers else []),
            *([f"{size} bytes of events"] if (size := read_number(stats, "storageSize")) else []),
        )
        return {**self.key, "partitions": partitions, "subscriptions": sorted(subscriptions)}

    def create(self, asked: dict[str, Any]) -> tuple[Call, ...]:
        """Return the requests that make it with its subscriptions, before anything is sent to it."""
        path, body = (["partitions"], asked["partitions"]) if asked.get("partitions") else ([], {})
        made = self._call("Creating", "PUT", *path, body=body, conflict="exists")
        return (made, *self._subscribe(asked.get("subscriptions", [])))

    def update(self, before: dict[str, Any], asked: dict[str, Any]) -> tuple[Call, ...]:
        """Return the requests that add partitions and subscriptions."""
        grown = [self._call("Adding partitions to", "POST", "partitions", body=asked["partitions"])]
        missing = [name for name in asked.get("subscriptions", []) if name not in before["subscriptions"]]
        return (*(grown if "partitions" in asked else []), *self._subscribe(missing))

    def refuse_change(self, before: dict[str, Any], after: dict[str, Any]) -> str | None:
        """Return what Pulsar cannot do with partitions."""
        had, asked = before["partitions"], after["partitions"]
        if had == asked or 0 < had < asked:
            return None
        return (
            f"{self.label} has {had} partitions, and {asked} are asked: their number can only grow, and a topic without "
            "partitions stays without."
        )

    def delete(self, before: dict[str, Any]) -> tuple[Call, ...]:
        """Return the request that removes it."""
        return (self.delete_topic(self.params["namespace"], self.params["name"], before["partitions"]),)

    def find_loss(self, before: dict[str, Any], deadline: Deadline) -> str | None:
        """Return who uses it and what it holds."""
        return f"it has {', '.join(self._use)}" if self._use else None

    def _subscribe(self, names: list[str]) -> list[Call]:
        purpose = "Creating the subscription {} of"
        return [self._call(purpose.format(name), "PUT", "subscription", name, body="earliest") for name in names]

    def _call(self, verb: str, method: str, *path: str, **more: Any) -> Call:
        names = (self.tenant, self.params["namespace"], self.params["name"])
        return self.call(f"{verb} {self.label}", method, "admin", "v2", "persistent", *names, *path, **more)
