# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Makes the tenants of the state file, by the same requests that a client would send."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, unquote

from starlette.types import ASGIApp

from emulator.policies import DEFAULTS
from emulator.service import Service
from emulator.streaming import CLUSTER_HEADER, ORGANIZATION_HEADER
from emulator.wire import run_app

# Method, path with query, and the body as JSON, if there is one.
_Request = tuple[str, str, Any]
_NONE = object()


async def plant(service: Service, admin: ASGIApp, entry: dict) -> None:
    """Make a tenant with all that its entry of the state file says.

    :arg admin: Pulsar's admin API.
    :raises ValueError: Pulsar refuses some of it; one sentence says what and why.
    """
    cluster = service.tenants.clusters[entry["cluster"]]
    tenant = await service.tenants.add(entry["organization_id"], entry["name"], cluster)
    for token in entry["tokens"]:
        wanted = {name: value for name, value in token.items() if name != "id"}
        await service.tenants.add_token(tenant, token.get("id") or secrets.token_hex(5), wanted)
    headers = {
        "authorization": f"Bearer {service.tenants.show(tenant)['pulsarToken']}",
        "content-type": "application/json",
        CLUSTER_HEADER: cluster.name,
        ORGANIZATION_HEADER: tenant.organization_id,
    }
    for method, target, body in _make_requests(entry):
        content = b"" if body is _NONE else json.dumps(body).encode()
        path, _separator, query = target.partition("?")
        scope = {
            "type": "http",
            "method": method,
            "path": unquote(path),
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        }
        response = await run_app(admin, scope, content)
        if response.status_code >= 400:
            reason = response.body.decode("utf-8", "replace")
            raise ValueError(f"the tenant {entry['name']} cannot be made: {method} {target} was refused: {reason}")


def _make_requests(entry: dict) -> Iterator[_Request]:
    for namespace in entry["namespaces"]:
        yield from _make_namespace(entry["name"], namespace)
    for sink in entry["sinks"]:
        yield "POST", _path("v3/astrasinks", entry["name"], sink["namespace"], sink["name"]), sink


def _make_namespace(tenant: str, namespace: dict) -> Iterator[_Request]:
    path = _path("v2/namespaces", tenant, namespace["name"])
    if namespace["name"] != "default":
        yield "PUT", path, _NONE
    # Before retention, because a new namespace retains nothing, so that every quota is taken.
    for kind, quota in namespace.get("backlogQuota", {}).items():
        yield "POST", f"{path}/backlogQuota?backlogQuotaType={kind}", quota
    for name in DEFAULTS:
        if name in namespace and name != "backlogQuota":
            yield "POST", f"{path}/{name}", namespace[name]
    for role, actions in namespace.get("permissions", {}).items():
        yield "POST", _path(f"{path}/permissions", role), actions
    for topic in namespace["topics"]:
        yield from _make_topic(_path("v2/persistent", tenant, namespace["name"], topic["name"]), topic)


def _make_topic(path: str, topic: dict) -> Iterator[_Request]:
    if topic.get("partitions"):
        yield "PUT", f"{path}/partitions", topic["partitions"]
    else:
        yield "PUT", path, _NONE
    if topic.get("properties"):
        yield "PUT", f"{path}/properties", topic["properties"]
    for name, position in topic.get("subscriptions", {}).items():
        yield "PUT", _path(f"{path}/subscription", name), position
    for role, actions in topic.get("permissions", {}).items():
        yield "POST", _path(f"{path}/permissions", role), actions


def _path(start: str, *names: str) -> str:
    start = start if start.startswith("/") else f"/admin/{start}"
    return "/".join([start, *(quote(name, safe="") for name in names)])
