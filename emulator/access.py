# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who may do what: roles and application tokens of organizations."""

from __future__ import annotations

import hashlib
import re
import secrets
import string
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from emulator.contract import find_role_problems, find_token_problems, parse_moment
from emulator.refused import Refused
from emulator.settings import Conditions

ADMINISTRATOR = "Organization Administrator"

_BEARER = re.compile(r"Bearer +(\S+)", re.IGNORECASE)
_TOKEN = re.compile(r"AstraCS:(\w+):\w+")
_ANY_ORGANIZATION = "__ORG_ID__"
_ADMINISTRATOR_ACTIONS = (
    "accesslist-read",
    "accesslist-write",
    "org-read",
    "org-write",
    "org-audits-read",
    "org-cmk-read",
    "org-cmk-write",
    "org-role-read",
    "org-role-write",
    "org-role-delete",
    "org-external-auth-read",
    "org-external-auth-write",
    "org-notification-write",
    "org-token-read",
    "org-token-write",
    "org-billing-read",
    "org-billing-write",
    "org-user-read",
    "org-user-write",
    "org-db-create",
    "org-db-passwordreset",
    "org-db-terminate",
    "org-db-suspend",
    "org-db-addpeering",
    "org-db-managemigratorproxy",
    "org-db-expand",
    "org-db-view",
    "org-integrations-read",
    "org-integrations-write",
    "org-stream-manage",
    "db-manage-privateendpoint",
    "db-cql",
)


@dataclass
class Role:
    """A role, built-in or of one organization."""

    id: str
    name: str
    policy: dict
    updated: str | None = None  # when a custom role was last changed, in RFC 3339
    updated_by: str | None = None

    def allows(self, action: str, organization_id: str, covers: Callable[[str], bool]) -> bool:
        """Tell whether the role allows an action on a resource of an organization that is covered by one of its own."""
        return action in self.policy["actions"] and any(
            covers(resource.replace(_ANY_ORGANIZATION, organization_id)) for resource in self.policy["resources"]
        )

    def show(self, key_case: str) -> dict:
        """Return what the API shows, with keys as the setting key_case says."""
        shown = {"id": self.id, "name": self.name, "policy": self.policy}
        if key_case == "upper":
            shown = {"ID": self.id, "Name": self.name, "Policy": self.policy}
        if self.updated:
            shown |= {"last_update_datetime": self.updated, "last_update_userid": self.updated_by}
        return shown


def _built_in(identifier: str, name: str, *actions: str) -> Role:
    paths = ("", ":db:*", ":db:*:keyspace:*", ":db:*:keyspace:*:table:*", ":stream:*", ":role:*")
    resources = [f"drn:astra:org:{_ANY_ORGANIZATION}{path}" for path in paths]
    policy = {"description": name, "actions": list(actions), "effect": "allow", "resources": resources}
    return Role(identifier, name, policy)


# Ids and names as the vendor's clients have them.
BUILT_IN = {
    role.id: role
    for role in (
        _built_in("ad0566b5-2a67-49de-89e8-92258c2f2c98", ADMINISTRATOR, *_ADMINISTRATOR_ACTIONS),
        _built_in("67c4b5dc-dd3f-4b2d-be51-09be12836d57", "API Admin User", "org-stream-manage", "db-cql"),
        _built_in("43745b73-ad46-46e4-b826-c15d06d2cea0", "Admin User", "org-db-view", "db-cql"),
        _built_in("b4ed0e9e-67e8-47b6-8b58-c6629be961a9", "R/W Svc Acct", "org-db-view", "db-cql"),
        _built_in("16a4b1d7-a615-41f8-95ca-52b0280f4d77", "RO Svc Acct", "org-db-view"),
    )
}
_ADMINISTRATOR_ID = "ad0566b5-2a67-49de-89e8-92258c2f2c98"


@dataclass(frozen=True)
class Token:
    """An application token: of one organization, or of an enterprise (organization_id is None).

    :ivar organizations: of an enterprise; None means every organization.
    :ivar roles: what it was made with; only ids of roles that exist give it rights.
    :ivar permissions: what it may do besides, everywhere; only tokens of the state file have such.
    :ivar expires_at: seconds since the epoch, or None for a token without an end.
    """

    token: str
    organization_id: str | None
    organizations: frozenset[str] | None = None
    roles: tuple[str, ...] = ()
    permissions: tuple[str, ...] = ()
    description: str = ""
    generated_on: str | None = None
    expires_at: float | None = None

    @property
    def client_id(self) -> str | None:
        """The part of the token that may be shown; tokens of another form have none and are in no list."""
        match = _TOKEN.fullmatch(self.token)
        return match[1] if match else None

    def reaches(self, organization_id: str) -> bool:
        """Tell whether the organization is this token's own, or one of its enterprise."""
        if self.organization_id is not None:
            return organization_id == self.organization_id
        return self.organizations is None or organization_id in self.organizations


class Access:
    """Roles and application tokens of all organizations.

    :ivar roles: the custom ones, by the organization's id and the role's.
    :ivar tokens: by the token itself.
    """

    def __init__(self, conditions: Conditions) -> None:
        self._conditions = conditions
        self.roles: dict[str, dict[str, Role]] = {}
        self.tokens: dict[str, Token] = {}

    def find_token(self, authorization: str | None) -> Token | None:
        """Return the token of an Authorization header, or None when it is not a known one that is valid."""
        bearer = read_bearer(authorization)
        token = self.tokens.get(bearer) if bearer else None
        if token and token.expires_at is not None and token.expires_at <= self._conditions.clock.now():
            return None
        return token

    def authenticate(self, authorization: str | None) -> Token:
        """Return the token of an Authorization header.

        :raises Refused: it is not a known one.
        """
        token = self.find_token(authorization)
        if token is None:
            raise Refused(401, "The application token is missing, malformed or unknown.")
        return token

    def allows(self, token: Token, action: str, organization_id: str) -> bool:
        """Tell whether a token may do something with an organization."""
        needed = f"drn:astra:org:{organization_id}"
        return self._allows(token, action, organization_id, lambda resource: resource == needed)

    def allows_streaming(self, token: Token, organization_id: str, tenant: str | None) -> bool:
        """Tell whether a token may manage a tenant of Astra Streaming; without a name, some tenant."""
        prefix = f"drn:astra:org:{organization_id}:stream:"

        def covers(resource: str) -> bool:
            return resource in (f"{prefix}*", f"{prefix}{tenant}") or (tenant is None and resource.startswith(prefix))

        return self._allows(token, "org-stream-manage", organization_id, covers)

    def is_administrator(self, token: Token) -> bool:
        """Tell whether a token has the role of an administrator."""
        return _ADMINISTRATOR_ID in token.roles

    def _allows(self, token: Token, action: str, organization_id: str, covers: Callable[[str], bool]) -> bool:
        if action in token.permissions:
            return True
        custom = self.roles.get(organization_id, {})
        roles = (BUILT_IN.get(each) or custom.get(each) for each in token.roles)
        return any(role.allows(action, organization_id, covers) for role in roles if role)

    def list_roles(self, organization_id: str) -> list[Role]:
        """GET /v2/organizations/roles."""
        return [*BUILT_IN.values(), *self.roles.get(organization_id, {}).values()]

    def find_role(self, organization_id: str, role_id: str) -> Role:
        """GET /v2/organizations/roles/{id}."""
        role = BUILT_IN.get(role_id) or self.roles.get(organization_id, {}).get(role_id)
        if role is None:
            raise Refused(404, "The role was not found.")
        return role

    def store_role(self, organization_id: str, document: object, by: str, role_id: str | None = None) -> Role:
        """POST /v2/organizations/roles, or PUT where role_id says which one is replaced."""
        if problems := find_role_problems(document):
            raise Refused(400, *problems)
        if any(role.name == document["name"] and role.id != role_id for role in self.list_roles(organization_id)):
            raise Refused(409, "A role with this name exists already.")
        moment = self._conditions.clock.text()
        role = Role(role_id or str(uuid.uuid4()), document["name"], document["policy"], moment, by)
        self.roles.setdefault(organization_id, {})[role.id] = role
        return role

    def find_custom_role(self, organization_id: str, role_id: str) -> Role:
        """Return a role that can be changed."""
        role = self.find_role(organization_id, role_id)
        if role.id in BUILT_IN:
            raise Refused(400, "A built-in role cannot be changed.")
        return role

    def delete_role(self, organization_id: str, role_id: str) -> Role:
        """DELETE /v2/organizations/roles/{id}; tokens that have the role lose its rights."""
        role = self.find_custom_role(organization_id, role_id)
        del self.roles[organization_id][role.id]
        return role

    def create_token(self, organization_id: str, document: object) -> dict:
        """POST /v2/tokens: the answer, in which alone the secret and the token are shown."""
        if problems := find_token_problems(document):
            raise Refused(400, *problems)
        if document.get("orgId", organization_id).lower() != organization_id:
            raise Refused(403, "The organization is not the token's own.")
        now = self._conditions.clock.now()
        expires_at = parse_moment(document["tokenExpiry"]) if "tokenExpiry" in document else None
        if expires_at is not None and expires_at <= now:
            raise Refused(400, "tokenExpiry must be in the future.")
        client_id = "".join(secrets.choice(string.ascii_letters) for _number in range(24))
        secret = secrets.token_urlsafe(96)
        token = Token(
            token=f"AstraCS:{client_id}:{hashlib.sha256(secret.encode()).hexdigest()}",
            organization_id=organization_id,
            # A role's name is taken and means nothing, as the service does it.
            roles=tuple(document["roles"]),
            description=document.get("description", ""),
            generated_on=self._conditions.clock.text(now),
            expires_at=expires_at,
        )
        self.tokens[token.token] = token
        return {
            **self._describe(token),
            "secret": secret,
            "orgId": organization_id,
            "token": token.token,
            "description": token.description,
        }

    def list_tokens(self, organization_id: str) -> list[dict]:
        """GET /v2/tokens."""
        tokens = [each for each in self.tokens.values() if each.organization_id == organization_id and each.client_id]
        descriptions = self._conditions.settings.token_descriptions
        return [
            self._describe(token) | ({"description": token.description} if descriptions else {}) for token in tokens
        ]

    def delete_token(self, organization_id: str, client_id: str) -> Token:
        """DELETE /v2/clientIdSecrets/{clientId}."""
        for token in self.tokens.values():
            if token.organization_id == organization_id and token.client_id == client_id:
                return self.tokens.pop(token.token)
        raise Refused(404, "The client id was not found.")

    def add_token(self, token: Token) -> None:
        """Add a token of the state file, whose roles may be names."""
        custom = self.roles.get(token.organization_id, {}).values() if token.organization_id else ()
        ids = {role.name: role.id for role in (*BUILT_IN.values(), *custom)}
        roles = tuple(ids.get(each, each) for each in token.roles)
        self.tokens[token.token] = Token(**{**vars(token), "roles": roles})

    def _describe(self, token: Token) -> dict:
        shown = {"clientId": token.client_id, "roles": list(token.roles), "generatedOn": token.generated_on}
        if token.expires_at is not None:
            shown["tokenExpiry"] = self._conditions.clock.text(token.expires_at)
        return shown


def read_bearer(authorization: str | None) -> str | None:
    """Return the credential of an Authorization header."""
    bearer = _BEARER.fullmatch(authorization or "")
    return bearer[1] if bearer else None
