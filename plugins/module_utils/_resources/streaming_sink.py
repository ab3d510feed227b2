# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A sink: a built-in connector that carries the messages of a topic on to another system.

Astra accepts sinks that then fail: a topic that does not exist, or a setting that the connector does not know. Only the
sink's status says so. It says that a sink runs before the subscription has its consumer. (Measured with Pulsar 4.0.)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.datastax.astra.plugins.module_utils._api import Api, Call
from ansible_collections.datastax.astra.plugins.module_utils._convergence import Plan
from ansible_collections.datastax.astra.plugins.module_utils._deadline import Deadline
from ansible_collections.datastax.astra.plugins.module_utils._documents import read_keys
from ansible_collections.datastax.astra.plugins.module_utils._errors import Broken, InputError
from ansible_collections.datastax.astra.plugins.module_utils._pulsar.names import complete_topic
from ansible_collections.datastax.astra.plugins.module_utils._pulsar.sinks import (
    has_consumer,
    read_config,
    read_status,
    write_config,
)
from ansible_collections.datastax.astra.plugins.module_utils._resource import UPDATE_SECRETS, Field
from ansible_collections.datastax.astra.plugins.module_utils._streaming import AdminResource

_PHRASES = {"already exists": "exists", "contains no change": "done"}


class StreamingSink(AdminResource):
    """A sink."""

    kind = "sink"
    list_key = "sinks"
    identity_options = ("tenant", "namespace", "name")
    forms = {
        "namespace": "a namespace's name",
        "name": "a sink's name",
        "subscription_name": "a subscription's name",
    }
    spec = {
        "namespace": {"type": "str", "required": True},
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
        Field("topic", is_immutable=True),
        Field("configs", holds_secrets=True),
        Field("parallelism"),
        Field("processing_guarantees", is_immutable=True),
        Field("subscription_name", is_immutable=True),
        Field("subscription_position", is_compared=False),
    )
    needed_to_create = ("connector", "topic")

    _has_written = False

    def __init__(self, params: Mapping[str, Any], *more: Any) -> None:
        topic = params["topic"] and complete_topic(params["topic"], params["tenant"], params["namespace"])
        super().__init__({**params, "topic": topic}, *more)

    @classmethod
    def examine(cls, params: Mapping[str, Any]) -> Iterable[str]:
        """Yield a sentence for every mistake in the options that can be seen offline."""
        yield from super().examine(params)
        try:
            complete_topic(params["topic"] or "topic", "tenant", "namespace")
        except InputError as error:
            yield f"topic {error.message}"

    def list_admin(self, admin: Api, deadline: Deadline) -> list[dict[str, Any]]:
        """Return every sink of the namespace."""
        names = admin.read(self._call("Listing", "GET", "sinks", "", absent=(404,), form=list), deadline) or []
        sinks = (self._read_one(name, admin, deadline) for name in names)
        return [self.hide(sink) for sink in sinks if sink]

    def read_admin(self, admin: Api, deadline: Deadline) -> dict[str, Any] | None:
        """Return the sink, or None."""
        return self._read_one(self.params["name"], admin, deadline)

    def check_write(self, plan: Plan, deadline: Deadline) -> None:
        """Ask which connectors the cluster has before one of them is used."""
        if plan.action == "created" and not plan.blocker:
            call = self.call("Listing the connectors", "GET", "admin", "v3", "sinks", "builtinsinks", form=list)
            names = sorted(str(read_keys(connector, "name")[0]) for connector in self.api.read(call, deadline))
            if self.params["connector"] not in names:
                raise InputError(f"The cluster has no connector {self.params['connector']}. It has {', '.join(names)}.")

    def create(self, asked: dict[str, Any]) -> tuple[Call, ...]:
        """Return the request that makes it."""
        return (self._write("Making", "POST", asked),)

    def update(self, before: dict[str, Any], asked: dict[str, Any]) -> tuple[Call, ...]:
        """Return the request that changes it, with all of it, so that the service may replace or merge it."""
        return (self._write("Changing", "PUT", {**before, **asked}),)

    def delete(self, before: dict[str, Any]) -> tuple[Call, ...]:
        """Return the request that removes it, and its subscription with it."""
        return (self._call("Removing", "DELETE"),)

    def accept(self, call: Call, document: Any) -> None:
        """Take note that there is something to watch."""
        self._has_written = True

    def inspect(self, plan: Plan, deadline: Deadline) -> tuple[str, ...]:
        """Look at its status and, after a change, whether its subscription has a consumer."""
        if not plan.after:
            return ()
        path = ("sinks", self.params["name"], "status")
        call = self._call("Reading the status of", "GET", *path, absent=(404,), form=dict)
        status = read_status(self.api.read(call, deadline))
        words = self.api.clean(status.words).rstrip(".")
        if words and (self._has_written or not status.is_running):
            raise Broken(f"The connector of {self.label} failed: {words}.")
        if words or not status.is_running:
            return (f"its connector said: {words}" if words else "it does not run",)
        if self._has_written and not self._has_consumer(plan.after, deadline):
            return ("its subscription has no consumer",)
        return ()

    def _has_consumer(self, sink: Mapping[str, Any], deadline: Deadline) -> bool:
        path = ("admin", "v2", "persistent", *sink["topic"].partition("://")[2].split("/"))
        calls = (
            self.call(f"Reading the consumers of {self.label}", "GET", *path, statistics, absent=(404,), form=dict)
            for statistics in ("stats", "partitioned-stats")  # 404 for a topic of the other kind
        )
        return any(has_consumer(self.api.read(call, deadline), sink["subscription_name"]) for call in calls)

    def _read_one(self, name: str, admin: Api, deadline: Deadline) -> dict[str, Any] | None:
        document = admin.read(self._call("Reading", "GET", "astrasinks", name, absent=(404,), form=dict), deadline)
        shown = {**self.key, "name": name}
        return document and {**shown, **read_config(document, "/".join(shown.values()))}

    def _write(self, verb: str, method: str, sink: Mapping[str, Any]) -> Call:
        config = write_config(sink, self.to_send["configs"], "/".join(self.key.values()))
        return self._call(verb, method, body={**self.key, **config}, phrases=_PHRASES)

    def _call(self, verb: str, method: str, kind: str = "astrasinks", *names: str, **more: Any) -> Call:
        path = ("admin", "v3", kind, self.tenant, self.params["namespace"], *(names or (self.params["name"],)))
        headers = {} if method == "GET" else {"X-DataStax-Current-Org": self.organization}
        return self.call(f"{verb} {self.label}", method, *filter(None, path), headers=headers, **more)
