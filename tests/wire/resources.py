# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The table of resources: what each is asked to be, what that says on the wire, and where faults can meet it.

A new resource needs one row. It then goes up the ladder of ``test_resources`` and meets every fault of
``test_fault_matrix``.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from typing import Any, NamedTuple

from ansible_collections.datastax.astra.plugins.module_utils import _command

from emulator.client import EmulatorError
from tests.wire.support import ORGANIZATION

TENANT = "acme"
CLUSTER = "pulsar-aws-useast2"
NAMESPACE = f"/admin/v2/namespaces/{TENANT}/audit"
TOPICS = f"/admin/v2/persistent/{TENANT}/audit"
TOPIC = f"{TOPICS}/events"
READ_TENANT = f"GET /v2/streaming/tenants/{TENANT}"
SINK = f"/admin/v3/astrasinks/{TENANT}/audit/siem"
READ_STATUS = f"GET /admin/v3/sinks/{TENANT}/audit/siem/status"
READ_TOKENS = f"{READ_TENANT}/tokens"
READ_LIMITS = f"{READ_TENANT}/limits"
FIND_ORGANIZATION = "GET /v2/currentOrg"
DESCRIPTION = "Manage audit log streaming"


class Point(NamedTuple):
    """A request that a fault meets.

    :ivar match: method and path, see the emulator's faults.
    :ivar skip: how many such requests go well before.
    :ivar states: for which states the request is sent.
    :ivar writes: whether it changes something.
    :ivar is_after_write: whether it comes after a request that changes something.
    :ivar conflict: what 409 says: ``busy``, ``exists``, or None for a plain error.
    :ivar differs: faults that it gets over where others do not, or the other way round.
    :ivar omits: faults that are none here: an empty list is an answer where lists are read.
    """

    match: dict
    skip: int = 0
    states: tuple = ("present", "absent")
    options: dict = {}
    writes: bool = False
    is_after_write: bool = False
    conflict: str | None = None
    differs: dict[str, bool] = {}
    omits: tuple = ()


class Steps(NamedTuple):
    """The requests of each step of the ladder; those that change something carry their body as JSON."""

    check: list[str]
    create: list[str]
    again: list[str]
    update: list[str]
    check_absent: list[str]
    absent: list[str]
    absent_again: list[str]
    check_update: list[str] | None = None  # None: as again


class Row(NamedTuple):
    """A resource.

    :ivar options: what is asked.
    :ivar changes: what is asked instead afterwards; empty for a resource that has nothing to change.
    :ivar created: what the result shows after it was made.
    :ivar updated: what the result shows after the changes.
    :ivar prepare: makes what has to exist before.
    :ivar find: returns what the service has, or None.
    :ivar name_for_removal: returns the further options that say which one a result is about.
    """

    kind: str
    command: Any
    info: Any
    options: dict
    changes: dict
    created: dict
    updated: dict
    prepare: Callable[[Any], None]
    find: Callable[[Any], Any]
    steps: Steps
    points: dict[str, Point]
    name_for_removal: Callable[[dict], dict] = lambda result: {}


def line(method: str, path: str, body: Any = None) -> str:
    """A request as the tables have it."""
    return f"{method} {path}" + ("" if body is None else f" {json.dumps(body)}")


def requests(service) -> list[str]:
    """The requests that reached the service, in order."""
    return [line(entry["method"], entry["path"], entry["body"]) for entry in service.journal()]


def find_tenant(service) -> dict | None:
    """The tenant with all that it holds, or None."""
    with contextlib.suppress(EmulatorError):
        return service.tenant(TENANT)
    return None


def find_namespace(service) -> dict | None:
    """The namespace with its policies, or None."""
    tenant = find_tenant(service) or {"namespaces": []}
    return next((each for each in tenant["namespaces"] if each["name"] == "audit"), None)


def find_topic(service) -> dict | None:
    """The topic's kind and subscriptions, or None."""
    namespace = find_namespace(service) or {"topics": []}
    names = [each["name"] for each in namespace["topics"]]
    subscriptions = {name for each in namespace["topics"] for name in each["subscriptions"]}
    return {"topics": names, "subscriptions": sorted(subscriptions)} if names else None


def find_sink(service) -> dict | None:
    """The sink's configuration, or None."""
    sinks = (find_tenant(service) or {"sinks": []})["sinks"]
    return next((each for each in sinks if each["name"] == "siem"), None)


def find_role(service) -> dict | None:
    """The custom role, or None."""
    return next((role["policy"] for role in service.roles() if role["name"] == "streaming"), None)


def make_tenant(service, *namespaces: dict) -> None:
    """Have a tenant with these namespaces before the test begins."""
    service.set_tenant(ORGANIZATION, TENANT, namespaces=list(namespaces))
    service.clear_journal()


def _role(actions: list[str]) -> dict:
    resources = [f"drn:astra:org:{ORGANIZATION}"]
    policy = {"actions": actions, "description": DESCRIPTION, "effect": "allow", "resources": resources}
    return {"name": "streaming", "policy": policy}


def _tenant_body() -> dict:
    return {
        "cloudProvider": "",
        "cloudRegion": "",
        "clusterName": CLUSTER,
        "tenantName": TENANT,
        "orgID": ORGANIZATION,
        "orgName": ORGANIZATION,
        "userEmail": "platform@example.com",
    }


def _quota(size: int) -> dict:
    return {"limit": size, "limitSize": size, "limitTime": -1, "policy": "producer_exception"}


def _sink_body(configs: dict, parallelism: int | None = None, guarantees: str | None = None) -> dict:
    given = {"parallelism": parallelism, "processingGuarantees": guarantees}
    return {
        "tenant": TENANT,
        "namespace": "audit",
        "name": "siem",
        **{name: value for name, value in given.items() if value is not None},
        "sourceSubscriptionPosition": "Earliest",
        "archive": "builtin://kafka",
        "inputs": [f"persistent://{TENANT}/audit/events"],
        "configs": configs,
    }


_ROLES = "/v2/organizations/roles"
_SHOWN_TENANT = {
    "name": TENANT,
    "cluster": CLUSTER,
    "status": "active",
    "limits": {"namespaces": 20, "topics_per_namespace": 100},
}
_POLICIES = {
    "backlog_quota": {"size": "5GB", "time": "unlimited", "policy": "producer_exception"},
    "message_ttl": "unlimited",
    "inactive_topics": {"delete": False, "after": "2d", "mode": "delete_when_no_subscriptions"},
    "subscription_expiration": "unlimited",
}
_INACTIVE = {
    "deleteWhileInactive": False,
    "maxInactiveDurationSeconds": 172800,
    "inactiveTopicDeleteMode": "delete_when_no_subscriptions",
}
_SHOWN_TOPIC = {
    "tenant": TENANT,
    "namespace": "audit",
    "name": "events",
    "full_name": f"persistent://{TENANT}/audit/events",
}
_SHOWN_SINK = {
    "tenant": TENANT,
    "namespace": "audit",
    "name": "siem",
    "connector": "kafka",
    "topic": f"persistent://{TENANT}/audit/events",
    "configs": {"bootstrapServers": "kafka:9092", "topic": "audit"},
    "parallelism": 1,
    "subscription_position": "Earliest",
}
_ADMINISTRATOR_ROLE = "ad0566b5-2a67-49de-89e8-92258c2f2c98"

ROWS = {
    "role": Row(
        kind="role",
        command=_command.ROLE,
        info=_command.ROLE_INFO,
        options={
            "name": "streaming",
            "permissions": ["org-stream-manage", "org-audits-read"],
            "resources": [f"drn:astra:org:{ORGANIZATION}"],
            "description": DESCRIPTION,
        },
        changes={"permissions": ["org-audits-read"]},
        created={"name": "streaming", "permissions": ["org-audits-read", "org-stream-manage"]},
        updated={"name": "streaming", "permissions": ["org-audits-read"]},
        prepare=lambda service: None,
        find=find_role,
        steps=Steps(
            check=[f"GET {_ROLES}"],
            create=[
                f"GET {_ROLES}",
                line("POST", _ROLES, _role(["org-audits-read", "org-stream-manage"])),
                f"GET {_ROLES}",
            ],
            again=[f"GET {_ROLES}"],
            update=[f"GET {_ROLES}", line("PUT", f"{_ROLES}/ID", _role(["org-audits-read"])), f"GET {_ROLES}"],
            check_absent=[f"GET {_ROLES}"],
            absent=[f"GET {_ROLES}", f"DELETE {_ROLES}/ID", f"GET {_ROLES}"],
            absent_again=[f"GET {_ROLES}"],
        ),
        points={
            "GET before": Point({"method": "GET", "path": f"{_ROLES}$"}, omits=("a list",)),
            "POST": Point({"method": "POST", "path": _ROLES}, states=("present",), writes=True, conflict="exists"),
            "DELETE": Point({"method": "DELETE", "path": _ROLES}, states=("absent",), writes=True),
            "GET while waiting": Point(
                {"method": "GET", "path": f"{_ROLES}$"}, skip=1, is_after_write=True, omits=("a list",)
            ),
        },
    ),
    "tenant": Row(
        kind="tenant",
        command=_command.STREAMING_TENANT,
        info=_command.STREAMING_TENANT_INFO,
        options={"name": TENANT, "user_email": "platform@example.com"},
        changes={},
        created=_SHOWN_TENANT,
        updated=_SHOWN_TENANT,
        prepare=lambda service: None,
        find=lambda service: (found := find_tenant(service)) and found["name"],
        steps=Steps(
            check=[READ_TENANT, FIND_ORGANIZATION],
            create=[
                READ_TENANT,
                FIND_ORGANIZATION,
                line("POST", "/v2/streaming/tenants", _tenant_body()),
                READ_TENANT,
                READ_LIMITS,
            ],
            again=[READ_TENANT, READ_LIMITS],
            update=[],
            check_absent=[
                READ_TENANT,
                f"GET /admin/v2/namespaces/{TENANT}",
                f"GET /admin/v2/persistent/{TENANT}/default",
            ],
            absent=[
                READ_TENANT,
                f"GET /admin/v2/namespaces/{TENANT}",
                f"GET /admin/v2/persistent/{TENANT}/default",
                f"DELETE /v2/streaming/tenants/{TENANT}/clusters/{CLUSTER}",
                READ_TENANT,
            ],
            absent_again=[READ_TENANT],
        ),
        points={
            "GET before": Point({"method": "GET", "path": f"/tenants/{TENANT}$"}),
            "currentOrg": Point({"method": "GET", "path": "/v2/currentOrg$"}, states=("present",), conflict="busy"),
            "POST": Point({"method": "POST", "path": "/tenants$"}, states=("present",), writes=True, conflict="exists"),
            "GET of limits": Point(
                {"method": "GET", "path": "/limits$"},
                states=("present",),
                is_after_write=True,
                differs=dict.fromkeys(("wrong type", "pulsar is a list"), True),  # limits that are not shown
            ),
            "GET of namespaces": Point(
                {"method": "GET", "path": f"/namespaces/{TENANT}$"}, states=("absent",), differs={"a list": True}
            ),
            "DELETE": Point({"method": "DELETE", "path": "/clusters/"}, states=("absent",), writes=True),
            "GET while waiting": Point({"method": "GET", "path": f"/tenants/{TENANT}$"}, skip=1, is_after_write=True),
        },
    ),
    "namespace": Row(
        kind="namespace",
        command=_command.STREAMING_NAMESPACE,
        info=_command.STREAMING_NAMESPACE_INFO,
        options={
            "tenant": TENANT,
            "name": "audit",
            "retention": {"time": "7d", "size": "10GiB"},
            "inactive_topics": {"delete": False},
        },
        changes={
            "retention": {"size": "1GiB"},
            "backlog_quota": {"size": "500MB", "policy": "producer_exception"},
        },
        created={"name": "audit", "retention": {"time": "7d", "size": "10GiB"}, **_POLICIES},
        updated={
            "name": "audit",
            **_POLICIES,
            "retention": {"time": "7d", "size": "1GiB"},
            "backlog_quota": {"size": "500MB", "time": "unlimited", "policy": "producer_exception"},
        },
        prepare=make_tenant,
        find=find_namespace,
        steps=Steps(
            check=[READ_TENANT, f"GET {NAMESPACE}"],
            create=[
                READ_TENANT,
                f"GET {NAMESPACE}",
                line("PUT", NAMESPACE, {}),
                f"GET {NAMESPACE}",
                line("POST", f"{NAMESPACE}/retention", {"retentionTimeInMinutes": 10080, "retentionSizeInMB": 10240}),
                line("POST", f"{NAMESPACE}/inactiveTopicPolicies", _INACTIVE),
                f"GET {NAMESPACE}",
            ],
            again=[READ_TENANT, f"GET {NAMESPACE}"],
            update=[
                READ_TENANT,
                f"GET {NAMESPACE}",
                line("POST", f"{NAMESPACE}/backlogQuota?backlogQuotaType=destination_storage", _quota(500_000_000)),
                line("POST", f"{NAMESPACE}/retention", {"retentionTimeInMinutes": 10080, "retentionSizeInMB": 1024}),
                f"GET {NAMESPACE}",
            ],
            check_absent=[READ_TENANT, f"GET {NAMESPACE}", f"GET {TOPICS}"],
            absent=[READ_TENANT, f"GET {NAMESPACE}", f"GET {TOPICS}", f"DELETE {NAMESPACE}", f"GET {NAMESPACE}"],
            absent_again=[READ_TENANT, f"GET {NAMESPACE}"],
        ),
        points={
            "GET of the tenant": Point({"method": "GET", "path": f"/tenants/{TENANT}$"}),
            "GET before": Point({"method": "GET", "path": f"{NAMESPACE}$"}),
            "PUT": Point(
                {"method": "PUT", "path": f"{NAMESPACE}$"}, states=("present",), writes=True, conflict="exists"
            ),
            "GET of defaults": Point(
                {"method": "GET", "path": f"{NAMESPACE}$"}, skip=1, states=("present",), is_after_write=True
            ),
            "POST of a policy": Point(
                {"method": "POST", "path": "/retention$"}, states=("present",), writes=True, is_after_write=True
            ),
            "GET of topics": Point(
                {"method": "GET", "path": f"{TOPICS}$"}, states=("absent",), differs={"a list": True}
            ),
            "DELETE": Point({"method": "DELETE", "path": f"{NAMESPACE}$"}, states=("absent",), writes=True),
            "GET while waiting": Point(
                {"method": "GET", "path": f"{NAMESPACE}$"}, skip=2, states=("present",), is_after_write=True
            ),
        },
    ),
    "topic": Row(
        kind="topic",
        command=_command.STREAMING_TOPIC,
        info=_command.STREAMING_TOPIC_INFO,
        options={
            "tenant": TENANT,
            "namespace": "audit",
            "name": "events",
            "partitions": 2,
            "subscriptions": ["siem"],
            "force": True,
        },
        changes={"partitions": 3, "subscriptions": ["archive"]},
        created={**_SHOWN_TOPIC, "partitions": 2, "subscriptions": ["siem"]},
        updated={**_SHOWN_TOPIC, "partitions": 3, "subscriptions": ["archive", "siem"]},
        prepare=lambda service: make_tenant(service, {"name": "audit"}),
        find=find_topic,
        steps=Steps(
            check=[READ_TENANT, f"GET {TOPIC}/partitioned-stats?perPartition=false", f"GET {TOPICS}"],
            create=[
                READ_TENANT,
                f"GET {TOPIC}/partitioned-stats?perPartition=false",
                f"GET {TOPICS}",
                line("PUT", f"{TOPIC}/partitions", 2),
                line("PUT", f"{TOPIC}/subscription/siem", "earliest"),
                f"GET {TOPIC}/partitioned-stats?perPartition=false",
            ],
            again=[READ_TENANT, f"GET {TOPIC}/partitioned-stats?perPartition=false"],
            update=[
                READ_TENANT,
                f"GET {TOPIC}/partitioned-stats?perPartition=false",
                line("POST", f"{TOPIC}/partitions", 3),
                line("PUT", f"{TOPIC}/subscription/archive", "earliest"),
                f"GET {TOPIC}/partitioned-stats?perPartition=false",
            ],
            check_absent=[READ_TENANT, f"GET {TOPIC}/partitioned-stats?perPartition=false"],
            absent=[
                READ_TENANT,
                f"GET {TOPIC}/partitioned-stats?perPartition=false",
                f"DELETE {TOPIC}/partitions?force=true",
                f"GET {TOPIC}/partitioned-stats?perPartition=false",
                f"GET {TOPICS}",
            ],
            absent_again=[READ_TENANT, f"GET {TOPIC}/partitioned-stats?perPartition=false", f"GET {TOPICS}"],
        ),
        points={
            "GET before": Point({"method": "GET", "path": "-stats"}),
            "GET of topics": Point(
                {"method": "GET", "path": f"{TOPICS}$"}, states=("present",), differs={"a list": True}
            ),
            "PUT": Point(
                {"method": "PUT", "path": "/partitions$"}, states=("present",), writes=True, conflict="exists"
            ),
            "PUT of a subscription": Point(
                {"method": "PUT", "path": "/subscription/"},
                states=("present",),
                writes=True,
                is_after_write=True,
                conflict="exists",
            ),
            "DELETE": Point({"method": "DELETE", "path": "/partitions"}, states=("absent",), writes=True),
            "GET while waiting": Point({"method": "GET", "path": "-stats"}, skip=1, is_after_write=True),
        },
    ),
    "sink": Row(
        kind="sink",
        command=_command.STREAMING_SINK,
        info=_command.STREAMING_SINK_INFO,
        options={
            "tenant": TENANT,
            "namespace": "audit",
            "name": "siem",
            "connector": "kafka",
            "topic": "events",
            "configs": {"bootstrapServers": "kafka:9092", "topic": "audit"},
        },
        changes={"configs": {"topic": "other"}, "parallelism": 2},
        created=_SHOWN_SINK,
        updated={**_SHOWN_SINK, "parallelism": 2, "configs": {"bootstrapServers": "kafka:9092", "topic": "other"}},
        prepare=lambda service: make_tenant(service, {"name": "audit", "topics": [{"name": "events"}]}),
        find=find_sink,
        steps=Steps(
            check=[READ_TENANT, f"GET {SINK}", "GET /admin/v3/sinks/builtinsinks"],
            create=[
                READ_TENANT,
                f"GET {SINK}",
                "GET /admin/v3/sinks/builtinsinks",
                line("POST", SINK, _sink_body({"bootstrapServers": "kafka:9092", "topic": "audit"})),
                f"GET {SINK}",
                READ_STATUS,
                f"GET {TOPIC}/stats",
            ],
            again=[READ_TENANT, f"GET {SINK}", READ_STATUS],
            update=[
                READ_TENANT,
                f"GET {SINK}",
                line(
                    "PUT",
                    SINK,
                    _sink_body({"bootstrapServers": "kafka:9092", "topic": "other"}, 2, "ATLEAST_ONCE"),
                ),
                f"GET {SINK}",
                READ_STATUS,
                f"GET {TOPIC}/stats",
            ],
            check_update=[READ_TENANT, f"GET {SINK}"],
            check_absent=[READ_TENANT, f"GET {SINK}"],
            absent=[READ_TENANT, f"GET {SINK}", f"DELETE {SINK}", f"GET {SINK}"],
            absent_again=[READ_TENANT, f"GET {SINK}"],
        ),
        points={
            "GET before": Point({"method": "GET", "path": f"{SINK}$"}),
            "GET of connectors": Point({"method": "GET", "path": "/builtinsinks$"}, states=("present",)),
            "POST": Point({"method": "POST", "path": f"{SINK}$"}, states=("present",), writes=True),
            "DELETE": Point({"method": "DELETE", "path": f"{SINK}$"}, states=("absent",), writes=True),
            "GET while waiting": Point({"method": "GET", "path": f"{SINK}$"}, skip=1, is_after_write=True),
            "GET of the status": Point({"method": "GET", "path": "/status$"}, states=("present",), is_after_write=True),
            "GET of the consumers": Point(
                {"method": "GET", "path": "/stats$"}, states=("present",), is_after_write=True
            ),
        },
    ),
    "Pulsar token": Row(
        kind="streaming_token",
        command=_command.STREAMING_TOKEN,
        info=_command.STREAMING_TOKEN_INFO,
        options={"tenant": TENANT, "validity": "90d"},
        changes={},
        created={},
        updated={},
        prepare=make_tenant,
        find=lambda service: (find_tenant(service) or {"tokens": []})["tokens"] or None,
        name_for_removal=lambda result: {"token_id": result["token_id"]},
        steps=Steps(
            check=[READ_TENANT, READ_TOKENS],
            create=[
                READ_TENANT,
                READ_TOKENS,
                line("POST", f"/v3/streaming/tenants/{TENANT}/tokens", {"type": "admin", "exp": "90d"}),
                f"{READ_TOKENS}/ID",
            ],
            again=[READ_TENANT, READ_TOKENS, f"{READ_TOKENS}/ID"],
            update=[],
            check_absent=[READ_TENANT, READ_TOKENS],
            absent=[READ_TENANT, READ_TOKENS, f"DELETE /v2/streaming/tenants/{TENANT}/tokens/ID", READ_TOKENS],
            absent_again=[READ_TENANT, READ_TOKENS],
        ),
        points={},
    ),
    "application token": Row(
        kind="client",
        command=_command.TOKEN,
        info=_command.TOKEN_INFO,
        options={"roles": ["Organization Administrator"], "description": "daily"},
        changes={},
        created={"roles": [_ADMINISTRATOR_ROLE], "description": "daily", "expires_at": None},
        updated={},
        prepare=lambda service: None,
        find=lambda service: [each for each in service.tokens() if each["description"] == "daily"] or None,
        name_for_removal=lambda result: {"client_id": result["client"]["client_id"]},
        steps=Steps(
            check=[f"GET {_ROLES}", "GET /v2/tokens", FIND_ORGANIZATION],
            create=[
                f"GET {_ROLES}",
                "GET /v2/tokens",
                FIND_ORGANIZATION,
                line(
                    "POST",
                    "/v2/tokens",
                    {"roles": [_ADMINISTRATOR_ROLE], "orgId": ORGANIZATION, "description": "daily"},
                ),
                f"GET {_ROLES}",
                "GET /v2/tokens",
            ],
            again=[f"GET {_ROLES}", "GET /v2/tokens"],
            update=[],
            check_absent=[f"GET {_ROLES}", "GET /v2/tokens"],
            absent=[
                f"GET {_ROLES}",
                "GET /v2/tokens",
                "DELETE /v2/clientIdSecrets/ID",
                f"GET {_ROLES}",
                "GET /v2/tokens",
            ],
            absent_again=[f"GET {_ROLES}", "GET /v2/tokens"],
        ),
        points={},
    ),
}
