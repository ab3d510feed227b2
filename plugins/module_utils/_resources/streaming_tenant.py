# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A tenant of Astra Streaming. The same name on two clusters is two tenants (terraform-provider-astra issue 256).

Its region comes back in another spelling than it was sent (issues 210 and 224 there), so that the cluster is sent and
compared instead. The address of its owner cannot be read back (issue 232).
"""

from __future__ import annotations

from typing import Any, ClassVar

from ansible_collections.datastax.astra.plugins.module_utils._api import Api, Call
from ansible_collections.datastax.astra.plugins.module_utils._deadline import Deadline
from ansible_collections.datastax.astra.plugins.module_utils._documents import read_number
from ansible_collections.datastax.astra.plugins.module_utils._streaming import StreamingResource, is_active, name_some


class StreamingTenant(StreamingResource):
    """A tenant on one cluster."""

    kind = "tenant"
    list_key = "tenants"
    place = ("v2", "streaming", "tenants", "{name}")
    shared_options = "cluster"
    spec = {
        "name": {"type": "str", "required": True, "aliases": ["tenant"]},
        "user_email": {"type": "str"},
        "force": {"type": "bool", "default": False},
    }
    needed_to_create = ("user_email",)
    shows_limits: ClassVar[bool] = True  # which costs a request
    _limits: dict[str, Any] | None = None

    def list(self, deadline: Deadline) -> list[dict[str, Any]]:
        """Return the organization's tenants on all clusters."""
        records = self.devops.read(self.call("Listing the tenants", "GET", *self.place[:-1], form=list), deadline)
        return [self.show_tenant(record) for record in records]

    def read(self, deadline: Deadline) -> dict[str, Any] | None:
        """Return the tenant and, unless it shall go, its limits, which are read once."""
        record = self.read_tenant(deadline)
        if record is None or self.params.get("state") == "absent" or not self.shows_limits:
            return record and self.show_tenant(record)
        if self._limits is None:
            limits = self.devops.read(self.ask("Reading the limits of", "GET", "limits", form=dict), deadline)
            names = ("namespaces", "namespace_limit"), ("topics_per_namespace", "topic_per_namespace_limit")
            self._limits = {name: read_number(limits, key) for name, key in names}
        return {**self.show_tenant(record), "limits": self._limits}

    def find_unready(self, stored: dict[str, Any]) -> tuple[str, ...]:
        """Return what its status says when that is not yet active."""
        return () if is_active(stored) else (f"its status is {stored['status']}",)

    def create(self, asked: dict[str, Any]) -> tuple[Call, ...]:
        """Return the request that makes it, the same as the vendor's Terraform provider sends."""
        organization, cluster = self.organization, self.params["cluster"]
        body = {"cloudProvider": "", "cloudRegion": "", "clusterName": cluster, "tenantName": self.tenant}
        body.update(orgID=organization, orgName=organization, userEmail=self.params["user_email"])
        advice = {409: "the name may be taken on this cluster, or the organization has as many tenants as it may"}
        headers = {"X-DataStax-Current-Org": organization}
        more = {"headers": headers, "body": body, "advice": advice, "conflict": "exists"}
        return (self.call(f"Creating {self.label} on cluster {cluster}", "POST", *self.place[:-1], **more),)

    def delete(self, before: dict[str, Any]) -> tuple[Call, ...]:
        """Return the request that removes it with all that it holds."""
        return (self.ask("Deleting", "DELETE", "clusters", before["cluster"]),)

    def find_loss(self, before: dict[str, Any], deadline: Deadline) -> str | None:
        """Return the namespaces that would go with it; every tenant has one of the name default, which may be empty."""
        return self.ask_admin(self._find_loss, deadline)

    def _find_loss(self, admin: Api, deadline: Deadline) -> str | None:
        names = self.list_names(admin, deadline, "admin", "v2", "namespaces", self.tenant) or []
        default = ("admin", "v2", "persistent", self.tenant, "default")
        if "default" in names and not self.list_names(admin, deadline, *default):
            names.remove("default")
        return f"it has {name_some('namespace', names)} with all topics" if names else None
