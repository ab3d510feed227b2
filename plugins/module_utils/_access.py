# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The documents of roles and application tokens, as the DevOps API has them. Pure code."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.datastax.astra.plugins.module_utils._documents import read_keys, read_texts
from ansible_collections.datastax.astra.plugins.module_utils._errors import InputError


def read_role(document: Any) -> dict[str, Any]:
    """Return what a role's document says, named as options."""
    identifier, name, policy = read_keys(document, "id", "name", "policy")
    described = {"id": identifier, "name": name, "description": read_keys(policy, "description")[0] or ""}
    return {**described, "permissions": read_texts(policy, "actions"), "resources": read_texts(policy, "resources")}


def write_role(role: Mapping[str, Any]) -> dict[str, Any]:
    """Return the document of a role."""
    policy = {
        "actions": role["permissions"],
        "description": role.get("description") or role["name"],  # the API refuses a policy without one
        "effect": "allow",
        "resources": role["resources"],
    }
    return {"name": role["name"], "policy": policy}


def find_role_ids(roles: Iterable[Mapping[str, Any]], names: Iterable[str]) -> list[str]:
    """Return the ids of those of an organization's roles that are given by name or id, sorted.

    :raises InputError: it has no such role.
    """
    ids = {role[key]: role["id"] for role in roles for key in ("name", "id")}
    if unknown := [name for name in names if name not in ids]:
        raise InputError(f"The organization has no role {' and no role '.join(unknown)}.")
    return sorted({ids[name] for name in names})


def read_client(document: Any) -> dict[str, Any]:
    """Return what the document of an application token says, named as options. The token is not in it."""
    names = ("client_id", "description", "created_at", "expires_at")
    shown = dict(zip(names, read_keys(document, "clientId", "description", "generatedOn", "tokenExpiry")))
    return {**shown, "roles": read_texts(document, "roles")}


def write_client(client: Mapping[str, Any], organization_id: str, expires_at: str | None) -> dict[str, Any]:
    """Return the document that makes an application token.

    :arg client: as its options name it; its roles by id.
    :arg organization_id: without it, the request failed at times (terraform-provider-astra issue 251).
    """
    document = {"roles": client["roles"], "orgId": organization_id, "description": client.get("description")}
    return {name: value for name, value in {**document, "tokenExpiry": expires_at}.items() if value is not None}
