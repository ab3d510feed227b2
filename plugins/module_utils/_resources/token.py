# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An application token of an organization, found by its client id, its description or its roles, or made.

Its secret is in the answer to the request that makes it and nowhere else. The API takes the name of a role as well as
its id, and makes a token without rights of it (terraform-provider-astra issue 40), so names are looked up.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

from ansible_collections.datastax.astra.plugins.module_utils._api import ORGANIZATION_ADMINISTRATOR, Call
from ansible_collections.datastax.astra.plugins.module_utils._deadline import Deadline
from ansible_collections.datastax.astra.plugins.module_utils._errors import InputError
from ansible_collections.datastax.astra.plugins.module_utils._pulsar.jwt import rfc3339
from ansible_collections.datastax.astra.plugins.module_utils._resource import DeclaredResource, Field
from ansible_collections.datastax.astra.plugins.module_utils._resources.role import Role, read_case_insensitively
from ansible_collections.datastax.astra.plugins.module_utils._units import (
    UNLIMITED,
    examine_durations,
    is_past,
    parse_duration,
)

_PATH = "/v2/tokens"
_READ = {403: f"{ORGANIZATION_ADMINISTRATOR} org-token-read"}
_WRITE = {403: f"{ORGANIZATION_ADMINISTRATOR} org-token-write"}


class Token(DeclaredResource):
    """An application token."""

    kind = "client"
    list_key = "clients"
    identity_options = ("client_id",)
    is_named_by_service = True
    secret_values = ("token",)
    spec = {
        "roles": {"type": "list", "elements": "str"},
        "validity": {"type": "str"},
        "description": {"type": "str"},
        "client_id": {"type": "str"},
    }
    fields = (
        Field("roles", sorted, is_immutable=True),
        Field("description", is_immutable=True),
        Field("validity", is_compared=False),
    )
    needed_to_create = ("roles",)

    @property
    def label(self) -> str:
        """What messages call it."""
        return f"application token {self.params['client_id'] or self.params['description'] or ''}".rstrip()

    @classmethod
    def examine(cls, params: Mapping[str, Any]) -> Iterable[str]:
        """Yield a sentence for every mistake in the options that can be seen offline."""
        if params["state"] and not any(params[name] for name in ("client_id", "description", "roles")):
            yield "client_id, description or roles must be given, to say which token it is."
        yield from examine_durations(params, "validity")

    def list(self, deadline: Deadline) -> list[dict[str, Any]]:
        """Return every application token of the organization, without what is secret."""
        documents = self.devops.read(Call("Listing the application tokens", "GET", _PATH, advice=_READ), deadline)
        return [_interpret(document) for document in documents["clients"] or []]

    def read(self, deadline: Deadline) -> dict[str, Any] | None:
        """Return the one token that fits, or None."""
        if self.params["roles"]:
            self.params = {**self.params, "roles": self._look_up_roles(deadline)}
        fitting = self._find_fitting(self.list(deadline))
        if len(fitting) > 1:
            names = ", ".join(client["client_id"] for client in fitting)
            raise InputError(
                f"{len(fitting)} application tokens fit ({names}): give the client_id of the one you mean."
            )
        if not fitting:
            return None
        [client] = fitting
        if self.params["state"] == "absent" and not self.params["client_id"] and client["client_id"] == self._own_id:
            raise InputError(
                "What fits is the application token that this run uses: give its client_id to remove it all the same."
            )
        if self.params["state"] and client["description"] is None:
            client["description"] = self.params["description"]  # the service does not show it, so nothing differs
        return client

    def create(self, asked: dict[str, Any]) -> tuple[Call, ...]:
        """Return the request that makes it, with the organization, without which it failed at times (issue 251)."""
        seconds = parse_duration(self.params["validity"] or UNLIMITED)
        body = {
            "roles": asked["roles"],
            "orgId": self.devops.find_organization(),
            "description": self.params["description"],
            "tokenExpiry": None if seconds is None else rfc3339(time.time() + seconds),
        }
        body = {name: value for name, value in body.items() if value is not None}
        return (Call(f"Making {self.label}", "POST", _PATH, (200, 201), advice=_WRITE, body=body, replay=False),)

    def delete(self, before: dict[str, Any]) -> tuple[Call, ...]:
        """Return the request that revokes it: by the path that all of the vendor's clients use."""
        path = f"/v2/clientIdSecrets/{quote(before['client_id'])}"
        return (Call(f"Removing {self.label}", "DELETE", path, (200, 202, 204), advice=_WRITE),)

    def accept(self, call: Call, document: Any) -> None:
        """Take note of the token that was made."""
        client_id, token = read_case_insensitively(document, "clientId", "token")
        if client_id and token:
            self.values = {"token": token}
            self.params = {**self.params, "client_id": client_id}

    @property
    def _own_id(self) -> str:
        return self.params["application_token"].split(":")[1:2][0]

    def _look_up_roles(self, deadline: Deadline) -> list[str]:
        roles = Role(self.params, self.devops, self.stack).list(deadline)
        ids = {role[key]: role["id"] for key in ("name", "id") for role in roles}
        if unknown := [name for name in self.params["roles"] if name not in ids]:
            raise InputError(f"The organization has no role {' and no role '.join(unknown)}.")
        return sorted({ids[name] for name in self.params["roles"]})

    def _find_fitting(self, clients: list[dict[str, Any]]) -> list[dict[str, Any]]:
        asked = self.params
        if asked["state"] == "present":
            clients = [client for client in clients if not is_past(client["expires_at"])]
        named = [client for client in clients if client["client_id"] == asked["client_id"]]
        if named or not asked["state"] or (asked["client_id"] and asked["state"] == "absent"):
            return named
        if asked["description"] and any(client["description"] is not None for client in clients):
            return [client for client in clients if client["description"] == asked["description"]]
        if asked["state"] == "absent" and not asked["roles"]:
            raise InputError("The service shows no descriptions of application tokens: give client_id.")
        return [client for client in clients if client["roles"] == asked["roles"]]


def _interpret(document: Any) -> dict[str, Any]:
    names = ("clientId", "roles", "description", "generatedOn", "tokenExpiry")
    client_id, roles, description, created_at, expires_at = read_case_insensitively(document, *names)
    times = {"created_at": created_at, "expires_at": expires_at}
    return {"client_id": client_id, "roles": sorted(roles or []), "description": description, **times}
