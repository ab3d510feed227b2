# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A custom role of an organization, found by its name.

The keys of the API's answers come in either case (``ID`` or ``id``), so they are read without regard to it. Reading a
role by its id needs more rights than listing them (terraform-provider-astra issues 101 and 152), so it is listed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.datastax.astra.plugins.module_utils._api import ORGANIZATION_ADMINISTRATOR, Call
from ansible_collections.datastax.astra.plugins.module_utils._deadline import Deadline
from ansible_collections.datastax.astra.plugins.module_utils._documents import read_keys, read_texts
from ansible_collections.datastax.astra.plugins.module_utils._resource import DeclaredResource, Field

_PATH = "/v2/organizations/roles"


class Role(DeclaredResource):
    """A custom role."""

    kind = "role"
    list_key = "roles"
    spec = {
        "name": {"type": "str", "required": True},
        "permissions": {"type": "list", "elements": "str"},
        "resources": {"type": "list", "elements": "str"},
        "description": {"type": "str"},
    }
    fields = (Field("permissions", sorted), Field("resources", sorted), Field("description"))
    needed_to_create = ("permissions", "resources")

    @classmethod
    def examine(cls, params: Mapping[str, Any]) -> Iterable[str]:
        """Yield a sentence for every mistake in the options that can be seen offline."""
        if params.get("state") == "present" and params["description"] == "":
            yield "description must not be empty: leave it out to have the role's name there."

    def list(self, deadline: Deadline) -> list[dict[str, Any]]:
        """Return every role, the built-in ones too."""
        advice = {403: f"{ORGANIZATION_ADMINISTRATOR} org-role-read"}
        call = Call("Listing the roles", "GET", _PATH, advice=advice, form=list)
        return [_interpret(document) for document in self.devops.read(call, deadline)]

    def read(self, deadline: Deadline) -> dict[str, Any] | None:
        """Return the role of this name, or None."""
        return next((role for role in self.list(deadline) if role["name"] == self.params["name"]), None)

    def create(self, asked: dict[str, Any]) -> tuple[Call, ...]:
        """Return the request that makes it."""
        return (self._write("Creating", "POST", _PATH, asked, conflict="exists"),)

    def update(self, before: dict[str, Any], asked: dict[str, Any]) -> tuple[Call, ...]:
        """Return the request that replaces its policy; its tokens have the new one at once."""
        return (self._write("Changing", "PUT", f"{_PATH}/{before['id']}", {**before, **asked}),)

    def delete(self, before: dict[str, Any]) -> tuple[Call, ...]:
        """Return the request that removes it."""
        advice = {403: f"{ORGANIZATION_ADMINISTRATOR} org-role-delete"}
        return (Call(f"Deleting {self.label}", "DELETE", f"{_PATH}/{before['id']}", (200, 202, 204), advice=advice),)

    def _write(self, verb: str, method: str, path: str, role: dict[str, Any], conflict: str | None = None) -> Call:
        policy = {
            "actions": role["permissions"],
            "description": role.get("description") or role["name"],  # the API refuses a policy without one
            "effect": "allow",
            "resources": role["resources"],
        }
        advice, body = {403: f"{ORGANIZATION_ADMINISTRATOR} org-role-write"}, {"name": role["name"], "policy": policy}
        return Call(f"{verb} {self.label}", method, path, (200, 201, 204), (), advice, conflict, body=body)


def _interpret(document: Any) -> dict[str, Any]:
    identifier, name, policy = read_keys(document, "id", "name", "policy")
    described = {"id": identifier, "name": name, "description": read_keys(policy, "description")[0] or ""}
    return {**described, "permissions": read_texts(policy, "actions"), "resources": read_texts(policy, "resources")}
