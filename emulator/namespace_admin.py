# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The routes of Pulsar's admin API for namespaces, their policies, and permissions."""

from __future__ import annotations

from urllib.parse import unquote

from starlette.endpoints import HTTPEndpoint
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from emulator.callers import administer_namespace, administer_tenant, find_topic
from emulator.contract import SOME_TEXTS
from emulator.policies import DEFAULTS
from emulator.refused import Refused
from emulator.requests import answer_json, get_service, get_settings, is_forced, read_json, read_optional_json

_ACTIONS = ("produce", "consume", "functions", "sources", "sinks", "packages")


async def _list_namespaces(request: Request) -> Response:
    tenant = administer_tenant(request)
    return answer_json(request, [f"{tenant.name}/{name}" for name in tenant.namespaces])


class OneNamespace(HTTPEndpoint):
    """/admin/v2/namespaces/{tenant}/{namespace}"""

    async def get(self, request: Request) -> Response:
        """Show the policies."""
        tenant, namespace = administer_namespace(request)
        return answer_json(
            request,
            {
                "auth_policies": {
                    "namespace_auth": _show_grants(namespace.permissions),
                    "destination_auth": {
                        f"persistent://{tenant.name}/{namespace.name}/{topic.name}": _show_grants(topic.permissions)
                        for topic in namespace.topics.values()
                        if topic.permissions
                    },
                    "subscription_auth_roles": {},
                },
                "replication_clusters": [tenant.cluster],
                "bundles": {"boundaries": ["0x00000000", "0xffffffff"], "numBundles": 1},
                **namespace.policies.show(_shows_effective(request)),
                "deleted": False,
                "encryption_required": False,
                "schema_compatibility_strategy": "UNDEFINED",
                "schema_validation_enforced": False,
            },
        )

    async def put(self, request: Request) -> Response:
        """Create a namespace; policies in the body are overridden by Astra's own."""
        tenant = administer_tenant(request)
        if not isinstance(await read_optional_json(request, {}), dict):
            raise Refused(400, "The body must be a JSON object.")
        get_service(request).broker.create_namespace(tenant, request.path_params["namespace"])
        return Response(status_code=204)

    async def delete(self, request: Request) -> Response:
        """Delete a namespace without topics."""
        tenant = administer_tenant(request)
        if is_forced(request):
            raise Refused(405, "Broker doesn't allow forced deletion of namespaces")
        get_service(request).broker.delete_namespace(tenant, request.path_params["namespace"])
        return Response(status_code=204)


class OnePolicy(HTTPEndpoint):
    """/admin/v2/namespaces/{tenant}/{namespace}/{policy}"""

    async def get(self, request: Request) -> Response:
        """Show what is effective, or nothing for what is not set."""
        name = _check_policy(request, {"backlogQuotaMap": "backlogQuota"}, "backlogQuota")
        _tenant, namespace = administer_namespace(request)
        if namespace.policies.is_set(name) or _shows_effective(request):
            return answer_json(request, namespace.policies.get(name))
        if name == "backlogQuota":
            return answer_json(request, {})
        return Response(status_code=204 if get_settings(request).policies_unset == "204" else 200)

    async def post(self, request: Request) -> Response:
        """Set a policy."""
        name = _check_policy(request, {}, "backlogQuotaMap")
        _tenant, namespace = administer_namespace(request)
        namespace.policies.set(name, await read_json(request), _quota_type(request))
        return Response(status_code=204)

    async def delete(self, request: Request) -> Response:
        """Let a policy have its default again."""
        name = _check_policy(request, {}, "backlogQuotaMap")
        _tenant, namespace = administer_namespace(request)
        namespace.policies.remove(name, _quota_type(request))
        return Response(status_code=204)


def _check_policy(request: Request, names: dict[str, str], refused: str) -> str:
    """Return the policy's name; that of the backlog quota differs from method to method."""
    asked = request.path_params["policy"]
    name = names.get(asked, asked)
    if asked == refused:
        raise Refused(405, "HTTP 405 Method Not Allowed")
    if name not in DEFAULTS:
        raise Refused(404, "HTTP 404 Not Found")
    return name


def _quota_type(request: Request) -> str:
    quota_type = request.query_params.get("backlogQuotaType", "destination_storage")
    if quota_type not in ("destination_storage", "message_age"):
        raise Refused(400, "backlogQuotaType must be destination_storage or message_age")
    return quota_type


def _shows_effective(request: Request) -> bool:
    return get_settings(request).policies_unset == "effective"


async def _get_namespace_permissions(request: Request) -> Response:
    _tenant, namespace = administer_namespace(request)
    return answer_json(request, _show_grants(namespace.permissions))


async def _get_topic_permissions(request: Request) -> Response:
    found = find_topic(request, "GET_PERMISSION")
    grants = {**found.namespace.permissions}
    for role, actions in found.topics[0].permissions.items():
        grants[role] = grants.get(role, set()) | actions
    return answer_json(request, _show_grants(grants))


class NamespacePermission(HTTPEndpoint):
    """/admin/v2/namespaces/{tenant}/{namespace}/permissions/{role}"""

    async def post(self, request: Request) -> Response:
        """Grant actions on all topics to a role."""
        _tenant, namespace = administer_namespace(request)
        return await _grant(request, [namespace.permissions])

    async def delete(self, request: Request) -> Response:
        """Take them from it."""
        _tenant, namespace = administer_namespace(request)
        return _revoke(request, [namespace.permissions])


class TopicPermission(HTTPEndpoint):
    """/admin/v2/persistent/{tenant}/{namespace}/{topic}/permissions/{role}"""

    async def post(self, request: Request) -> Response:
        """Grant actions on a topic to a role."""
        found = find_topic(request, "GRANT_PERMISSION")
        return await _grant(request, [topic.permissions for topic in found.topics])

    async def delete(self, request: Request) -> Response:
        """Take them from it."""
        found = find_topic(request, "REVOKE_PERMISSION")
        return _revoke(request, [topic.permissions for topic in found.topics])


async def _grant(request: Request, places: list[dict[str, set[str]]]) -> Response:
    actions = await read_json(request)
    if not SOME_TEXTS[0](actions) or not set(actions) <= set(_ACTIONS):
        raise Refused(400, f"The body must be a list out of {', '.join(_ACTIONS)}.")
    for grants in places:
        grants[_find_role(request)] = set(actions)
    return Response(status_code=204)


def _revoke(request: Request, places: list[dict[str, set[str]]]) -> Response:
    for grants in places:
        grants.pop(_find_role(request), None)
    return Response(status_code=204)


def _find_role(request: Request) -> str:
    # Pulsar's web server takes a bare semicolon for the end of the name, and roles of Astra have three of them.
    segment = request.scope["raw_path"].decode("latin-1").rsplit("/", 1)[1]
    return unquote(segment.partition(";")[0])


def _show_grants(grants: dict[str, set[str]]) -> dict[str, list[str]]:
    return {role: sorted(actions) for role, actions in grants.items()}


_NAMESPACE = "/admin/v2/namespaces/{tenant}/{namespace}"
_TOPIC = "/admin/v2/persistent/{tenant}/{namespace}/{topic}"

ROUTES = [
    Route("/admin/v2/namespaces/{tenant}", _list_namespaces),
    Route(_NAMESPACE, OneNamespace),
    Route(f"{_NAMESPACE}/permissions", _get_namespace_permissions),
    Route(f"{_NAMESPACE}/permissions/{{role}}", NamespacePermission),
    Route(f"{_NAMESPACE}/{{policy}}", OnePolicy),
    Route(f"{_TOPIC}/permissions", _get_topic_permissions),
    Route(f"{_TOPIC}/permissions/{{role}}", TopicPermission),
]
