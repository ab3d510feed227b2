# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The routes of Astra Streaming's control plane: clusters, tenants and their Pulsar tokens."""

from __future__ import annotations

from starlette.endpoints import HTTPEndpoint
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from emulator.access import Token
from emulator.refused import Refused
from emulator.requests import (
    answer_json,
    authorize_streaming,
    created,
    get_authorization,
    get_service,
    read_json,
    read_optional_json,
)
from emulator.tenants import Tenant
from emulator.wire import make_json_response

ORGANIZATION_HEADER = "x-datastax-current-org"
CLUSTER_HEADER = "x-datastax-pulsar-cluster"


class TenantList(HTTPEndpoint):
    """/v2/streaming/tenants"""

    async def get(self, request: Request) -> Response:
        """List the organization's tenants on all clusters."""
        _token, organization_id = _authorize(request, None)
        tenants = get_service(request).tenants
        return answer_json(request, [tenants.show(tenant) for tenant in tenants.list_of(organization_id)])

    async def post(self, request: Request) -> Response:
        """Create a tenant."""
        token, organization_id = _authorize(request, None)
        document = await read_json(request)
        name = document.get("tenantName") if isinstance(document, dict) else None
        authorize_streaming(request, token, organization_id, name)
        tenants = get_service(request).tenants
        tenant = await tenants.create(organization_id, document)
        event = {"tenantName": tenant.name, "clusterName": tenant.cluster.name}
        get_service(request).audit(organization_id, token, "CREATE_STREAMING_TENANT", **event)
        return answer_json(request, tenants.show(tenant), created(request, 200))


class OneTenant(HTTPEndpoint):
    """/v2/streaming/tenants/{tenant}"""

    async def get(self, request: Request) -> Response:
        """Show a tenant."""
        return answer_json(request, get_service(request).tenants.show(_find_tenant(request)))

    async def head(self, request: Request) -> Response:
        """Tell whether the name is taken, by whomever."""
        name = request.path_params["tenant"]
        _authorize(request, name)
        taken = get_service(request).tenants.is_taken(name, dict(request.query_params))
        return Response(status_code=200 if taken else 404)


class TokenList(HTTPEndpoint):
    """/v2/streaming/tenants/{tenant}/tokens"""

    async def get(self, request: Request) -> Response:
        """List what the tenant's tokens say of themselves."""
        _need(request, ORGANIZATION_HEADER)
        return answer_json(request, [token.claims for token in _find_tenant(request).tokens.values()])

    async def post(self, request: Request) -> Response:
        """Create a Pulsar token and answer with it as text."""
        _need(request, ORGANIZATION_HEADER)
        tenant, tenants = _find_tenant(request), get_service(request).tenants
        token = await tenants.create_token_v2(tenant, request.query_params.get("exp"))
        return PlainTextResponse(tenants.make_text(token), created(request, 201))


class OneToken(HTTPEndpoint):
    """/v2/streaming/tenants/{tenant}/tokens/{tokenID}"""

    async def get(self, request: Request) -> Response:
        """Show a Pulsar token as text."""
        _need(request, ORGANIZATION_HEADER)
        tenant, tenants = _find_tenant(request), get_service(request).tenants
        return PlainTextResponse(tenants.make_text(tenants.find_token(tenant, request.path_params["token_id"])))

    async def delete(self, request: Request) -> Response:
        """Revoke a Pulsar token."""
        _need(request, ORGANIZATION_HEADER)
        tenant, tenants = _find_tenant(request), get_service(request).tenants
        await tenants.delete_token(tenant, tenants.find_token(tenant, request.path_params["token_id"]))
        return Response(status_code=200)


async def _create_token(request: Request) -> Response:
    _need(request, ORGANIZATION_HEADER)
    tenant, tenants = _find_tenant(request), get_service(request).tenants
    token = await tenants.create_token(tenant, await read_optional_json(request, {}))
    shown = {"id": token.id, "rolename": token.claims["sub"], "token": tenants.make_text(token)}
    return make_json_response(shown, created(request, 201))


async def _delete_tenant(request: Request) -> Response:
    name, cluster = request.path_params["tenant"], request.path_params["cluster"]
    token, organization_id = _authorize(request, name)
    tenants = get_service(request).tenants
    tenant = tenants.find(organization_id, cluster, name)
    option = request.query_params.get("opt", "")
    if option not in ("", "soft"):
        raise Refused(400, "opt must be soft")
    await tenants.delete(tenant, is_soft=option == "soft")
    get_service(request).audit(organization_id, token, "DELETE_STREAMING_TENANT", tenantName=name, clusterName=cluster)
    return Response(status_code=202)


async def _get_limits(request: Request) -> Response:
    return answer_json(request, await get_service(request).tenants.show_limits(_find_tenant(request)))


async def _list_clusters(request: Request) -> Response:
    _authorize(request, None)
    tenants = get_service(request).tenants
    shown = [
        {
            "clusterName": cluster.name,
            "cloudProvider": cluster.provider,
            "cloudRegion": tenants.show_region(cluster),
            "clusterType": "shared",
            "webServiceUrl": f"https://{cluster.name}.api.streaming.datastax.com",
            "brokerServiceUrl": cluster.broker_service_url,
            "websocketUrl": f"wss://{cluster.host}:8001/ws/v2",
        }
        for cluster in tenants.clusters.values()
        if request.query_params.get("provider", cluster.provider) == cluster.provider
        and request.query_params.get("region", cluster.region).replace("-", "") == cluster.region.replace("-", "")
    ]
    if not shown:
        raise Refused(404, "Cloud provider or region not found")
    return answer_json(request, shown)


async def _list_providers(request: Request) -> Response:
    _authorize(request, None)
    tenants = get_service(request).tenants
    regions: dict[str, list[str]] = {}
    for cluster in tenants.clusters.values():
        known = regions.setdefault(cluster.provider, [])
        if (region := tenants.show_region(cluster)) not in known:
            known.append(region)
    return answer_json(request, regions)


def _need(request: Request, header: str) -> str:
    if header not in request.headers:
        raise Refused(400, f"The header {header} is required")
    return request.headers[header]


def _authorize(request: Request, tenant: str | None) -> tuple[Token, str]:
    """Return the application token, and the organization that the header names or that the token belongs to."""
    service = get_service(request)
    token = service.access.authenticate(get_authorization(request))
    organization_id = request.headers.get(ORGANIZATION_HEADER, "").lower() or token.organization_id
    if organization_id is None:
        raise Refused(400, f"An enterprise's token needs the header {ORGANIZATION_HEADER}")
    if not token.reaches(organization_id) or organization_id not in service.organizations.by_id:
        raise Refused(401, "The organization is not the token's own")
    authorize_streaming(request, token, organization_id, tenant)
    return token, organization_id


def _find_tenant(request: Request) -> Tenant:
    """Return the tenant of the path, on the cluster that the header names."""
    name = request.path_params["tenant"]
    _token, organization_id = _authorize(request, name)
    return get_service(request).tenants.find(organization_id, _need(request, CLUSTER_HEADER), name)


ROUTES = [
    Route("/v2/streaming/clusters", _list_clusters),
    Route("/v2/streaming/providers", _list_providers),
    Route("/v2/streaming/tenants", TenantList),
    Route("/v2/streaming/tenants/{tenant}", OneTenant),
    Route("/v2/streaming/tenants/{tenant}/clusters/{cluster}", _delete_tenant, methods=["DELETE"]),
    Route("/v2/streaming/tenants/{tenant}/limits", _get_limits),
    Route("/v2/streaming/tenants/{tenant}/tokens", TokenList),
    Route("/v2/streaming/tenants/{tenant}/tokens/{token_id}", OneToken),
    Route("/v3/streaming/tenants/{tenant}/tokens", _create_token, methods=["POST"]),
]
