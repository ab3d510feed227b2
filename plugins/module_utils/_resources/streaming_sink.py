# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A sink: a built-in connector that carries the messages of a topic on to another system.

Astra accepts sinks that then fail: a topic that does not exist, or a setting that the connector does not know. Only the
sink's status says so. It says that a sink runs before the subscription has its consumer. (Measured with Pulsar 4.0.)
"""

from __future__ import annotations

from typing import Any

from ansible_collections.datastax.astra.plugins.module_utils._api import Api, Call
from ansible_collections.datastax.astra.plugins.module_utils._convergence import Plan
from ansible_collections.datastax.astra.plugins.module_utils._deadline import Deadline
from ansible_collections.datastax.astra.plugins.module_utils._pulsar import sinks
from ansible_collections.datastax.astra.plugins.module_utils._pulsar.names import complete_topic
from ansible_collections.datastax.astra.plugins.module_utils._resource import UPDATE_SECRETS, Field
from ansible_collections.datastax.astra.plugins.module_utils._streaming import NamespacedResource


class StreamingSink(NamespacedResource):
    """A sink. The service removes its subscription with it."""

    kind = "sink"
    list_key = "sinks"
    place = ("admin", "v3", "astrasinks", "{tenant}", "{namespace}", "{name}")
    listing = ("admin", "v3", "sinks", "{tenant}", "{namespace}")
    organization_methods = ("POST", "PUT", "DELETE")
    spec = {
        "name": {"type": "str", "required": True},
        "connector": {"type": "str"},
        "topic": {"type": "str"},
        "configs": {"type": "dict", "no_log": True},
        "parallelism": {"type": "int"},
        "processing_guarantees": {"type": "str", "choices": ["ATLEAST_ONCE", "ATMOST_ONCE", "EFFECTIVELY_ONCE"]},
        "subscription_name": {"type": "str"},
        "subscription_position": {"type": "str", "choices": ["Earliest", "Latest"], "default": "Earliest"},
        "update_secrets": UPDATE_SECRETS,
    }
    fields = (
        Field("connector", is_immutable=True),
        Field(
            "topic", is_immutable=True, complete=lambda name, at: complete_topic(name, at["tenant"], at["namespace"])
        ),
        Field("configs", holds_secrets=True),
        Field("parallelism"),
        Field("processing_guarantees", is_immutable=True),
        Field("subscription_name", is_immutable=True),
        Field("subscription_position", is_compared=False),
    )
    needed_to_create = ("connector", "topic")

    def read_admin(self, admin: Api, deadline: Deadline) -> dict[str, Any] | None:
        """Return the sink, or None."""
        document = admin.read(self.ask("Reading", "GET", absent=(404,), form=dict), deadline)
        return None if document is None else sinks.read_config(document, self.key)

    def check_write(self, plan: Plan, deadline: Deadline) -> None:
        """Ask which connectors the cluster has before one of them is used."""
        if plan.action == "created" and not plan.blocker:
            call = self.call("Listing the connectors", "GET", "admin", "v3", "sinks", "builtinsinks", form=list)
            sinks.check_connector(self.params["connector"], self.api.read(call, deadline))

    def write(self, verb: str, method: str, whole: dict[str, Any]) -> Call:
        """Return the request that makes or changes it, with all of it, so that the service may replace or merge it."""
        config = sinks.write_config(whole, self.to_send["configs"], self.key)
        return self.ask(verb, method, body=config, phrases={"already exists": "exists", "contains no change": "done"})

    def inspect(self, plan: Plan, deadline: Deadline) -> tuple[str, ...]:
        """Look at its status and, after a change, whether its subscription has a consumer."""
        if not plan.after:
            return ()
        place = (*self.listing, "{name}", "status")
        call = self.ask("Reading the status of", "GET", place=place, absent=(404,), form=dict)
        status = sinks.read_status(self.api.read(call, deadline), self.api.clean)
        uses = (self.read_use(self.api, deadline, plan.after["topic"], kind) for kind in (False, True))
        return status.judge(self.label, self.has_written, plan.after["subscription_name"], uses)
