# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An application token of an organization, found by its client id, its description or its roles, or made.

Its secret is in the answer to the request that makes it and nowhere else. The API takes the name of a role as well as
its id, and makes a token without rights of it (terraform-provider-astra issue 40), so names are looked up.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from ansible_collections.datastax.astra.plugins.module_utils._api import ORGANIZATION_ADMINISTRATOR, Call
from ansible_collections.datastax.astra.plugins.module_utils._deadline import Deadline
from ansible_collections.datastax.astra.plugins.module_utils._documents import has_passed, read_keys, read_texts
from ansible_collections.datastax.astra.plugins.module_utils._errors import InputError
from ansible_collections.datastax.astra.plugins.module_utils._pulsar.jwt import rfc3339
from ansible_collections.datastax.astra.plugins.module_utils._pulsar.units import (
    NO_LIMIT,
    UNLIMITED,
    format_duration,
    parse_duration,
)
from ansible_collections.datastax.astra.plugins.module_utils._resource import DeclaredResource, Field
from ansible_collections.datastax.astra.plugins.module_utils._resources.role import Role

_PATH = "/v2/tokens"
_READ = {403: f"{ORGANIZATION_ADMINISTRATOR} org-token-read"}
_WRITE = {403: f"{ORGANIZATION_ADMINISTRATOR} org-token-write"}


class Token(DeclaredResource):
    """An application token."""

    kind = "client"
    list_key = "clients"
    identity_options = ("client_id",)
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
        Field("validity", lambda text: format_duration(parse_duration(text)), is_compared=False),
    )
    needed_to_create = ("roles",)

    @property
    def key(self) -> dict[str, Any]:
        """Nothing: Astra chooses the id."""
        return {}

    @property
    def label(self) -> str:
        """What messages call it."""
        return f"application token {self.params['client_id'] or self.params['description'] or ''}".rstrip()

    @classmethod
    def examine(cls, params: Mapping[str, Any]) -> Iterable[str]:
        """Yield a sentence for every mistake in the options that can be seen offline."""
        if params["state"] and not any(params[name] for name in ("client_id", "description", "roles")):
            yield "client_id, description or roles must be given, to say which token it is."
        yield from super().examine(params)

    def list(self, deadline: Deadline) -> list[dict[str, Any]]:
        """Return every application token of the organization, without what is secret."""
        call = Call("Listing the application tokens", "GET", _PATH, advice=_READ, form=dict)
        return [_interpret(document) for document in read_keys(self.devops.read(call, deadline), "clients")[0] or []]

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
            "tokenExpiry": None if seconds == NO_LIMIT else rfc3339(time.time() + seconds),
        }
        body = {name: value for name, value in body.items() if value is not None}
        return (Call(f"Making {self.label}", "POST", _PATH, (200, 201), advice=_WRITE, body=body, replay=False),)

    def delete(self, before: dict[str, Any]) -> tuple[Call, ...]:
        """Return the request that revokes it: by the path that all of the vendor's clients use."""
        path = f"/v2/clientIdSecrets/{quote(before['client_id'])}"
        return (Call(f"Removing {self.label}", "DELETE", path, (200, 202, 204), advice=_WRITE),)

    def accept(self, call: Call, document: Any) -> None:
        """Take note of the token that was made."""
        client_id, token = read_keys(document, "clientId", "token")
        if client_id and token:
            self.values = {"token": token}
            self.params = {**self.params, "client_id": client_id}

    @property
    def _own_id(self) -> str:
        return str(self.params["application_token"]).split(":")[1]

    def _look_up_roles(self, deadline: Deadline) -> Sequence[str]:
        roles = Role(self.params, self.devops, self.stack).list(deadline)
        ids = {role[key]: role["id"] for key in ("name", "id") for role in roles}
        if unknown := [name for name in self.params["roles"] if name not in ids]:
            raise InputError(f"The organization has no role {' and no role '.join(unknown)}.")
        return sorted({ids[name] for name in self.params["roles"]})

    def _find_fitting(self, clients: Sequence[dict[str, Any]]) -> Sequence[dict[str, Any]]:
        asked = self.params
        if asked["state"] == "present":
            clients = [client for client in clients if not has_passed(client["expires_at"])]
        named = [client for client in clients if client["client_id"] == asked["client_id"]]
        if named or not asked["state"] or (asked["client_id"] and asked["state"] == "absent"):
            return named
        if asked["description"] and any(client["description"] is not None for client in clients):
            return [client for client in clients if client["description"] == asked["description"]]
        if asked["state"] == "absent" and not asked["roles"]:
            raise InputError("The service shows no descriptions of application tokens: give client_id.")
        return [client for client in clients if client["roles"] == asked["roles"]]


def _interpret(document: Any) -> dict[str, Any]:
    names = ("client_id", "description", "created_at", "expires_at")
    shown = dict(zip(names, read_keys(document, "clientId", "description", "generatedOn", "tokenExpiry")))
    return {**shown, "roles": read_texts(document, "roles")}
