# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The routes of the DevOps API: the audit log stream, roles and application tokens of organizations."""

from __future__ import annotations

from starlette.endpoints import HTTPEndpoint
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from emulator.access import Token
from emulator.organizations import Organization
from emulator.refused import Refused
from emulator.requests import created, get_authorization, get_service, get_settings, read_json
from emulator.service import user_id
from emulator.wire import make_json_response

_WHEN_ABSENT = {"empty": {}, "null": None, "no-pulsar": {"status": "not configured"}}


class AuditLogs(HTTPEndpoint):
    """/v2/organizations/{orgID}/telemetry/auditLogs"""

    async def get(self, request: Request) -> Response:
        """Answer with the effective configuration, or with what is set for none."""
        service = get_service(request)
        document = service.organizations.read(self._authorize(request))
        if document is not None:
            return make_json_response(document)
        when_absent = get_settings(request).get_when_absent
        if when_absent == "404":
            raise Refused(404, "No audit log configuration was found.")
        if when_absent == "204":
            return Response(status_code=204)
        return make_json_response(_WHEN_ABSENT[when_absent])

    async def post(self, request: Request) -> Response:
        """Accept a configuration."""
        organization = self._authorize_change(request)
        get_service(request).organizations.write(organization, await read_json(request))
        return Response(status_code=202)

    async def delete(self, request: Request) -> Response:
        """Accept that the configuration goes away."""
        get_service(request).organizations.delete(self._authorize_change(request))
        return Response(status_code=202)

    def _authorize(self, request: Request) -> Organization:
        organization_id = request.path_params["organization_id"]
        return get_service(request).authorize(get_authorization(request), organization_id, "org-audits-read")

    def _authorize_change(self, request: Request) -> Organization:
        access = get_service(request).access
        organization = self._authorize(request)
        if get_settings(request).write_needs == "administrator":
            token = access.authenticate(get_authorization(request))
            if not access.is_administrator(token):
                raise Refused(403, "The role Organization Administrator is needed.")
        return organization


class Roles(HTTPEndpoint):
    """/v2/organizations/roles"""

    async def get(self, request: Request) -> Response:
        """List the built-in roles and those of the organization."""
        _token, organization_id = _authorize_own(request, "org-role-read")
        service = get_service(request)
        key_case = get_settings(request).key_case
        return make_json_response([role.show(key_case) for role in service.access.list_roles(organization_id)])

    async def post(self, request: Request) -> Response:
        """Create a custom role."""
        token, organization_id = _authorize_own(request, "org-role-write")
        service = get_service(request)
        role = service.access.store_role(organization_id, await read_json(request), user_id(token))
        service.audit(organization_id, token, "CREATE_ROLE", roleId=role.id, roleName=role.name)
        return make_json_response(role.show(get_settings(request).key_case), created(request, 201))


class OneRole(HTTPEndpoint):
    """/v2/organizations/roles/{roleID}"""

    async def get(self, request: Request) -> Response:
        """Show a role; more permissions are needed than for the list (issues of the vendor's Terraform provider)."""
        for action in ("org-role-read", "org-role-write", "org-role-delete"):
            _token, organization_id = _authorize_own(request, action)
        service = get_service(request)
        role = service.access.find_role(organization_id, request.path_params["role_id"])
        return make_json_response(role.show(get_settings(request).key_case))

    async def put(self, request: Request) -> Response:
        """Replace a custom role, and with it the rights of its tokens."""
        token, organization_id = _authorize_own(request, "org-role-write")
        access = get_service(request).access
        role = access.find_custom_role(organization_id, request.path_params["role_id"])
        role = access.store_role(organization_id, await read_json(request), user_id(token), role.id)
        get_service(request).audit(organization_id, token, "UPDATE_ROLE", roleId=role.id, roleName=role.name)
        return Response(status_code=200)

    async def delete(self, request: Request) -> Response:
        """Delete a custom role."""
        token, organization_id = _authorize_own(request, "org-role-delete")
        role = get_service(request).access.delete_role(organization_id, request.path_params["role_id"])
        get_service(request).audit(organization_id, token, "DELETE_ROLE", roleId=role.id, roleName=role.name)
        return Response(status_code=204)


class Tokens(HTTPEndpoint):
    """/v2/tokens"""

    async def get(self, request: Request) -> Response:
        """List the application tokens, without what is secret."""
        return await _list_tokens(request)

    async def post(self, request: Request) -> Response:
        """Create an application token, which is shown this once."""
        document = None
        token = get_service(request).access.authenticate(get_authorization(request))
        if token.organization_id is None:
            # An enterprise's token says in the body which organization it means.
            document = await read_json(request)
            named = document.get("orgId") if isinstance(document, dict) else None
            organization_id = _authorize_in(request, token, named, "org-token-write")
        else:
            organization_id = _authorize_in(request, token, token.organization_id, "org-token-write")
            document = await read_json(request)
        answer = get_service(request).access.create_token(organization_id, document)
        event = {"clientId": answer["clientId"], "roles": answer["roles"], "description": answer["description"]}
        get_service(request).audit(organization_id, token, "GENERATE_TOKEN_FOR_CLIENT", **event)
        return make_json_response(answer, created(request, 200))


async def _delete_token(request: Request) -> Response:
    token, organization_id = _authorize_own(request, "org-token-write")
    gone = get_service(request).access.delete_token(organization_id, request.path_params["client_id"])
    get_service(request).audit(organization_id, token, "DELETE_TOKEN_FOR_CLIENT", clientId=gone.client_id)
    return Response(status_code=204)


async def _list_tokens(request: Request) -> Response:
    _token, organization_id = _authorize_own(request, "org-token-read")
    return make_json_response({"clients": get_service(request).access.list_tokens(organization_id)})


async def _get_current_org(request: Request) -> Response:
    token = get_service(request).access.authenticate(get_authorization(request))
    if token.organization_id is None:
        raise Refused(403, "An enterprise's token has no organization of its own.")
    if token.organization_id not in get_service(request).organizations.by_id:
        raise Refused(404, "The organization of this token does not exist.")
    return make_json_response({"id": token.organization_id})


def _authorize_own(request: Request, action: str) -> tuple[Token, str]:
    """Return the token and the id of its organization, with which it may do something."""
    token = get_service(request).access.authenticate(get_authorization(request))
    return token, _authorize_in(request, token, token.organization_id, action)


def _authorize_in(request: Request, token: Token, organization_id: object, action: str) -> str:
    if not isinstance(organization_id, str):
        raise Refused(403, "An enterprise's token has no organization of its own.")
    return get_service(request).authorize(get_authorization(request), organization_id, action).id


ROUTES = [
    Route("/v2/organizations/{organization_id}/telemetry/auditLogs", AuditLogs),
    Route("/v2/currentOrg", _get_current_org),
    Route("/v2/organizations/roles", Roles),
    Route("/v2/organizations/roles/{role_id}", OneRole),
    Route("/v2/tokens", Tokens),
    Route("/v2/clientIdSecrets", _list_tokens),
    Route("/v2/clientIdSecrets/{client_id}", _delete_token, methods=["DELETE"]),
]
