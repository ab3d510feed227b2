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
from urllib.parse import quote

from ansible_collections.datastax.astra.plugins.module_utils._api import Call
from ansible_collections.datastax.astra.plugins.module_utils._convergence import Plan
from ansible_collections.datastax.astra.plugins.module_utils._deadline import Deadline
from ansible_collections.datastax.astra.plugins.module_utils._errors import Broken, InputError
from ansible_collections.datastax.astra.plugins.module_utils._pulsar.names import complete_topic
from ansible_collections.datastax.astra.plugins.module_utils._resource import UPDATE_SECRETS, Field
from ansible_collections.datastax.astra.plugins.module_utils._streaming import MANAGE_STREAMING, AdminResource

# The options that are a field of the API under another name.
_FIELDS = {
    "parallelism": "parallelism",
    "processing_guarantees": "processingGuarantees",
    "subscription_name": "sourceSubscriptionName",
    "subscription_position": "sourceSubscriptionPosition",
}
_ARCHIVE = "builtin://"
_PHRASES = {"already exists": "exists", "contains no change": "done"}
_ADVICE = {
    401: "check the application token, and that the tenant exists on this cluster",
    403: MANAGE_STREAMING,
    404: "check that the namespace exists",
}


class StreamingSink(AdminResource):
    """A sink."""

    kind = "sink"
    list_key = "sinks"
    identity_options = ("namespace", "name")
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
        Field("parallelism", lambda value: int(value or 1)),
        Field("processing_guarantees", is_immutable=True),
        Field("subscription_name", is_immutable=True),
        Field("subscription_position", is_compared=False),
    )
    needed_to_create = ("connector", "topic")

    _has_written = False

    def __init__(self, params: Mapping[str, Any], *more: Any) -> None:
        topic = params["topic"] and complete_topic(params["topic"], params["tenant"], params["namespace"])
        super().__init__({**params, "topic": topic}, *more)

    @property
    def label(self) -> str:
        """What messages call it."""
        return f"sink {self.params['name']} in {self.params['tenant']}/{self.params['namespace']}"

    @classmethod
    def examine(cls, params: Mapping[str, Any]) -> Iterable[str]:
        """Yield a sentence for every mistake in the options that can be seen offline."""
        try:
            complete_topic(params["topic"] or "topic", params["tenant"], params["namespace"])
        except InputError as error:
            yield f"topic {error.message}"

    def list(self, deadline: Deadline) -> list[dict[str, Any]]:
        """Return every sink of the namespace."""
        if not self.find_admin(deadline):
            raise self.refuse_without_tenant()
        names = self.api.read(self._call("Listing the sinks for", "GET", self._path("sinks")), deadline)
        sinks = (self._read_one(name, deadline) for name in names)
        return [self.show(sink) for sink in sinks if sink]

    def read(self, deadline: Deadline) -> dict[str, Any] | None:
        """Return the sink, or None."""
        if not self.find_admin(deadline):
            if self.params["state"] == "present":
                raise self.refuse_without_tenant()
            return None
        return self._read_one(self.params["name"], deadline)

    def check_write(self, plan: Plan, deadline: Deadline) -> None:
        """Ask which connectors there are before one is used: the list is the cluster's."""
        if plan.action != "created":
            return
        documents = self.api.read(
            self._call("Listing the connectors for", "GET", "/admin/v3/sinks/builtinsinks"), deadline
        )
        names = sorted(document["name"] for document in documents)
        if self.params["connector"] not in names:
            raise InputError(f"The cluster has no connector {self.params['connector']}. It has {', '.join(names)}.")

    def create(self, asked: dict[str, Any]) -> tuple[Call, ...]:
        """Return the request that makes it."""
        return (self._write("Making", "POST", asked),)

    def update(self, before: dict[str, Any], asked: dict[str, Any]) -> tuple[Call, ...]:
        """Return the request that changes it, whole, so that the service may replace or merge it."""
        return (self._write("Changing", "PUT", {**before, **asked}),)

    def delete(self, before: dict[str, Any]) -> tuple[Call, ...]:
        """Return the request that removes it, and its subscription with it."""
        return (self._call("Removing", "DELETE", self._path("astrasinks", before["name"]), expected=(200, 202, 204)),)

    def accept(self, call: Call, document: Any) -> None:
        """Take note that there is something to watch."""
        self._has_written = True

    def inspect(self, plan: Plan, deadline: Deadline) -> tuple[str, ...]:
        """Look at its status and, after a change, whether its subscription has a consumer."""
        if not plan.after:
            return ()
        path = f"{self._path('sinks', self.params['name'])}/status"
        status = _Status(self.api.read(self._call("Reading the status of", "GET", path, absent=(404,)), deadline))
        words = self.api.clean(status.words).rstrip(".")
        if words and (self._has_written or not status.is_running):
            raise Broken(f"The connector of {self.label} failed: {words}.")
        if words:
            return (f"its connector said: {words}",)
        if not status.is_running:
            return ("it does not run",)
        if self._has_written and not self._has_consumer(plan.after, deadline):
            return ("its subscription has no consumer",)
        return ()

    def _has_consumer(self, sink: Mapping[str, Any], deadline: Deadline) -> bool:
        path = f"/admin/v2/persistent/{sink['topic'].partition('://')[2]}"
        purpose = f"Reading the subscriptions of {sink['topic']} for"
        for statistics in ("stats", "partitioned-stats"):
            call = self._call(purpose, "GET", f"{path}/{statistics}", absent=(404,))
            document = self.api.read(call, deadline)
            if document is not None:
                subscription = document["subscriptions"].get(sink["subscription_name"])
                return bool(subscription and subscription.get("consumers"))
        return False

    def _read_one(self, name: str, deadline: Deadline) -> dict[str, Any] | None:
        call = self._call("Reading", "GET", self._path("astrasinks", name), absent=(404,))
        document = self.api.read(call, deadline)
        if document is None:
            return None
        topics = document.get("inputs") or list(document.get("inputSpecs") or ())
        default = f"{self.params['tenant']}/{self.params['namespace']}/{name}"
        return {
            "namespace": self.params["namespace"],
            "name": name,
            "connector": (document.get("archive") or "").removeprefix(_ARCHIVE),
            "topic": ", ".join(topics),
            "configs": document.get("configs") or {},
            **{option: document.get(field) for option, field in _FIELDS.items()},
            "subscription_name": document.get("sourceSubscriptionName") or default,
        }

    def _write(self, verb: str, method: str, sink: Mapping[str, Any]) -> Call:
        body = {
            "tenant": self.params["tenant"],
            "namespace": self.params["namespace"],
            "name": self.params["name"],
            "archive": _ARCHIVE + sink["connector"],
            "inputs": [sink["topic"]],
            "configs": self.to_send["configs"],
            **{field: sink[option] for option, field in _FIELDS.items() if sink.get(option) is not None},
        }
        path = self._path("astrasinks", self.params["name"])
        return self._call(verb, method, path, expected=(200, 201, 204), phrases=_PHRASES, body=body)

    def _path(self, kind: str, *names: str) -> str:
        parts = (self.params["tenant"], self.params["namespace"], *names)
        return "/".join((f"/admin/v3/{kind}", *(quote(part, safe="") for part in parts)))

    def _call(self, verb: str, method: str, path: str, **more: Any) -> Call:
        headers = self.headers if method == "GET" else self.find_headers()
        return Call(f"{verb} {self.label}", method, path, advice=_ADVICE, headers=headers, **more)


class _Status:
    """What a sink's status says: whether all of its instances run, and the connector's own words about failures."""

    def __init__(self, document: Any) -> None:
        instances = [instance["status"] for instance in (document or {}).get("instances") or ()]
        self.is_running = bool(instances) and all(str(each.get("running")).lower() == "true" for each in instances)
        self.words = next(filter(None, map(_find_words, instances)), "")


def _find_words(status: Mapping[str, Any]) -> str:
    exceptions = [*(status.get("latestSystemExceptions") or ()), *(status.get("latestSinkExceptions") or ())]
    return str(status.get("error") or next((each.get("exceptionString") for each in exceptions), "") or "")
