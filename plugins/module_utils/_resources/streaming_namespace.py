# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A namespace of an Astra Streaming tenant, with the policies that decide what an audit log loses.

Astra overrides policies that are sent with the creation (terraform-provider-astra, resource_streaming_namespace), and
its documentation contradicts itself about the defaults. So a namespace is made empty, then its effective policies are
read, and only those that differ are written.
"""

from __future__ import annotations

from typing import Any

from ansible_collections.datastax.astra.plugins.module_utils._api import Api, Call
from ansible_collections.datastax.astra.plugins.module_utils._deadline import Deadline
from ansible_collections.datastax.astra.plugins.module_utils._pulsar import policies
from ansible_collections.datastax.astra.plugins.module_utils._resource import Field
from ansible_collections.datastax.astra.plugins.module_utils._streaming import AdminResource, name_some


class StreamingNamespace(AdminResource):
    """A namespace."""

    kind = "namespace"
    list_key = "namespaces"
    place = ("admin", "v2", "namespaces", "{tenant}", "{name}")
    spec = {
        "name": {"type": "str", "required": True},
        **{policy.option: policy.spec for policy in policies.POLICIES},
        "force": {"type": "bool", "default": False},
    }
    identity_options = ("tenant", "name")
    fields = tuple(Field(policy.option, policy.normalize, combine=policy.combine) for policy in policies.POLICIES)
    is_completed_by_update = True

    def list_admin(self, admin: Api, deadline: Deadline) -> list[dict[str, Any]]:
        """Return the names of the tenant's namespaces."""
        names = self.list_names(admin, deadline, *self.locate(self.place[:-1]))
        return [{"tenant": self.tenant, "name": name} for name in names or []]

    def read_admin(self, admin: Api, deadline: Deadline) -> dict[str, Any] | None:
        """Return the effective policies and, if it shall go, the topics, which go first."""
        document = admin.read(self.ask("Reading", "GET", absent=(404,), form=dict), deadline)
        if document is None:
            return None
        shown = {**self.key, **policies.interpret(document)}
        if self.params.get("state") == "absent":
            shown["topics"] = self.list_topics(admin, deadline, self.params["name"])
        return shown

    def create(self, asked: dict[str, Any]) -> tuple[Call, ...]:
        """Return the request that makes it."""
        return (self.ask("Creating", "PUT", body={}, conflict="exists"),)

    def update(self, before: dict[str, Any], asked: dict[str, Any]) -> tuple[Call, ...]:
        """Return a request for each policy that differs."""
        return tuple(
            self.ask(f"Setting {option} of", "POST", path, query=query, body=body)
            for option, (path, query, body) in policies.make_requests(before, asked)
        )

    def refuse_change(self, before: dict[str, Any], after: dict[str, Any]) -> str | None:
        """Return what Pulsar would refuse, so that check mode knows."""
        return policies.find_conflict(after)

    def delete(self, before: dict[str, Any]) -> tuple[Call, ...]:
        """Return the requests that remove its topics, which only ``force`` lets happen, and then itself."""
        topics = (self.delete_topic(self.params["name"], *topic) for topic in before["topics"].items())
        return (*topics, *super().delete(before))

    def find_loss(self, before: dict[str, Any], deadline: Deadline) -> str | None:
        """Return the topics that would go with it."""
        return f"it has {name_some('topic', before['topics'])} with all events" if before["topics"] else None
