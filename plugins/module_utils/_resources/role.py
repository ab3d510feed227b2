# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A custom role of an organization, found by its name.

Reading a role by its id needs more rights than listing them (terraform-provider-astra issues 101 and 152), so it is
listed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.datastax.astra.plugins.module_utils._access import read_role, write_role
from ansible_collections.datastax.astra.plugins.module_utils._api import Call
from ansible_collections.datastax.astra.plugins.module_utils._deadline import Deadline
from ansible_collections.datastax.astra.plugins.module_utils._resource import DeclaredResource, Field


class Role(DeclaredResource):
    """A custom role."""

    kind = "role"
    list_key = "roles"
    place = ("v2", "organizations", "roles")
    permissions = {
        "GET": "org-role-read",
        **dict.fromkeys(("POST", "PUT"), "org-role-write"),
        "DELETE": "org-role-delete",
    }
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
        documents = self.devops.read(self.call("Listing the roles", "GET", *self.place, form=list), deadline)
        return [read_role(document) for document in documents]

    def write(self, verb: str, method: str, whole: dict[str, Any]) -> Call:
        """Return the request that makes it, or replaces its policy; its tokens have the new one at once."""
        names, conflict = ([], "exists") if method == "POST" else ([whole["id"]], None)
        return self.ask(verb, method, *names, body=write_role(whole), conflict=conflict)

    def delete(self, before: dict[str, Any]) -> tuple[Call, ...]:
        """Return the request that removes it."""
        return (self.ask("Deleting", "DELETE", before["id"]),)
