# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An application token of an organization, found by its client id, its description or its roles, or made.

Its secret is in the answer to the request that makes it and nowhere else. The API takes the name of a role as well as
its id, and makes a token without rights of it (terraform-provider-astra issue 40), so names are looked up.
"""

from __future__ import annotations

from typing import Any

from ansible_collections.datastax.astra.plugins.module_utils import _access
from ansible_collections.datastax.astra.plugins.module_utils._api import Call
from ansible_collections.datastax.astra.plugins.module_utils._credentials import Credential
from ansible_collections.datastax.astra.plugins.module_utils._deadline import Deadline
from ansible_collections.datastax.astra.plugins.module_utils._documents import has_passed, read_keys
from ansible_collections.datastax.astra.plugins.module_utils._resource import Field
from ansible_collections.datastax.astra.plugins.module_utils._resources.role import Role


class Token(Credential):
    """An application token."""

    kind = "client"
    title = "application token"
    place = ("v2", "tokens")
    list_key = "clients"
    identity_options = ("client_id",)
    recognized_by = ("description", "roles")
    secret_values = ("token",)
    permissions = {"GET": "org-token-read", **dict.fromkeys(("POST", "DELETE"), "org-token-write")}
    spec = {
        "roles": {"type": "list", "elements": "str"},
        "validity": {"type": "str"},
        "description": {"type": "str"},
        "client_id": {"type": "str"},
    }
    fields = (Field("roles", sorted, is_immutable=True), Field("description", is_immutable=True), *Credential.fields)
    needed_to_create = ("roles",)

    @property
    def label(self) -> str:
        """What messages call it."""
        return f"application token {self.params['client_id'] or self.params['description'] or ''}".rstrip()

    def list(self, deadline: Deadline) -> list[dict[str, Any]]:
        """Return the organization's application tokens; for state present, those that have not ended."""
        call = self.call("Listing the application tokens", "GET", *self.place, form=dict)
        [documents] = read_keys(self.devops.read(call, deadline), "clients")
        clients = [_access.read_client(document) for document in documents or ()]
        return [each for each in clients if self.params["state"] != "present" or not has_passed(each["expires_at"])]

    def read(self, deadline: Deadline) -> dict[str, Any] | None:
        """Return the one token that is meant, or None."""
        if self.params["roles"]:
            roles = Role(self.params, self.devops, self.stack).list(deadline)
            self.params = {**self.params, "roles": _access.find_role_ids(roles, self.params["roles"])}
        client = super().read(deadline)
        if client and client["description"] is None and self.params["state"]:
            client["description"] = self.params["description"]  # the service does not show it, so nothing differs
        return client

    def write(self, verb: str, method: str, whole: dict[str, Any]) -> Call:
        """Return the request that makes it."""
        body = _access.write_client(whole, self.devops.find_organization(), self.find_end())
        return self.ask(verb, method, body=body)

    def delete(self, before: dict[str, Any]) -> tuple[Call, ...]:
        """Return the request that revokes it: by the path that all of the vendor's clients use."""
        return (self.ask("Removing", "DELETE", before["client_id"], place=("v2", "clientIdSecrets")),)

    def take(self, document: Any, secret: str) -> None:
        """Take note of the token that was made."""
        [client_id] = read_keys(document, "clientId")
        if client_id:
            self.values = {"token": secret}
            self.params = {**self.params, "client_id": client_id}
