# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The file that the emulator starts with: organizations, tokens, roles, and what Astra Streaming has."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from emulator.access import ADMINISTRATOR, Role, Token
from emulator.contract import (
    ANY_TEXT,
    MOMENT,
    TEXT,
    TEXTS,
    find_pulsar_token_problems,
    find_role_problems,
    parse_moment,
)
from emulator.policies import DEFAULTS
from emulator.tenants import CLUSTERS, DEFAULT_CLUSTER, Cluster

_TOKEN_KEYS = (
    "token",
    "organization_id",
    "enterprise",
    "organizations",
    "roles",
    "permissions",
    "description",
    "expires_at",
)


@dataclass(frozen=True)
class State:
    """What the emulator starts with and returns to on reset."""

    organizations: tuple[dict, ...]  # each with id, name and audit_logs
    tokens: tuple[Token, ...]
    roles: tuple[tuple[str, Role], ...]  # each with the id of its organization
    clusters: tuple[Cluster, ...]  # besides those of Astra
    tenants: tuple[dict, ...]  # see parse_tenant


def parse_state(document: object) -> State:
    """Return the State that a parsed state file describes.

    :raises ValueError: one sentence that says what is wrong.
    """
    _check_object(document, "The state", ("organizations", "tokens", "roles", "clusters", "tenants"))
    clusters = _parse_list(document, "clusters", _parse_cluster)
    names = [cluster.name for cluster in (*clusters, *CLUSTERS)]
    state = State(
        organizations=_parse_list(document, "organizations", _parse_organization),
        tokens=_parse_list(document, "tokens", parse_token),
        roles=_parse_list(document, "roles", parse_role),
        clusters=clusters,
        tenants=_parse_list(document, "tenants", lambda entry, where: parse_tenant(entry, where, names)),
    )
    for name, values in (
        ("organization", [entry["id"] for entry in state.organizations]),
        ("token", [entry.token for entry in state.tokens]),
        ("role", [role.id for _organization_id, role in state.roles]),
        ("cluster", names),
        ("tenant", [(entry["cluster"], entry["name"]) for entry in state.tenants]),
    ):
        if len(set(values)) < len(values):
            raise ValueError(f"The state has the same {name} twice.")
    return state


def parse_organization_id(value: object, where: str) -> str:
    """Return an organization's UUID in its canonical form; where names the place in the message.

    :raises ValueError: it is not a UUID.
    """
    try:
        return str(uuid.UUID(value))
    except (ValueError, AttributeError, TypeError):
        raise ValueError(f"{where} must be a UUID.") from None


def check_audit_logs(value: object, where: str) -> dict | None:
    """Return a stored configuration unchanged: an object with a destination, Pulsar or not, or None.

    :raises ValueError: it is something else.
    """
    if value is None or (isinstance(value, dict) and value and all(isinstance(v, dict) for v in value.values())):
        return value
    raise ValueError(f'{where} must be null or an object such as {{"pulsar": {{...}}}}.')


def parse_token(entry: object, where: str) -> Token:
    """Return the application token that an entry describes.

    :raises ValueError: one sentence that says what is wrong.
    """
    _check_object(entry, where, _TOKEN_KEYS)
    token = entry.get("token")
    if not isinstance(token, str) or not token or token.split() != [token]:
        raise ValueError(f"{where}.token must be a string without spaces.")
    lists = {name: _parse_texts(entry, name, where) for name in ("organizations", "roles", "permissions")}
    if lists["roles"] is None and lists["permissions"] is None:
        lists["roles"] = (ADMINISTRATOR,)
    if entry.get("enterprise", False) not in (True, False):
        raise ValueError(f"{where}.enterprise must be true or false.")
    if bool(entry.get("enterprise")) == ("organization_id" in entry):
        raise ValueError(f"{where} needs either organization_id or enterprise: true.")
    organization_id, organizations = None, lists["organizations"]
    if not entry.get("enterprise"):
        if organizations is not None:
            raise ValueError(f"{where}.organizations belongs to a token with enterprise: true.")
        organization_id = parse_organization_id(entry["organization_id"], f"{where}.organization_id")
    elif organizations is not None:
        organizations = frozenset(parse_organization_id(value, f"{where}.organizations") for value in organizations)
    _check(entry, where, "description", ANY_TEXT, is_required=False)
    _check(entry, where, "expires_at", MOMENT, is_required=False)
    return Token(
        token=token,
        organization_id=organization_id,
        organizations=organizations,
        roles=lists["roles"] or (),
        permissions=lists["permissions"] or (),
        description=entry.get("description", ""),
        expires_at=parse_moment(entry["expires_at"]) if "expires_at" in entry else None,
    )


def parse_role(entry: object, where: str) -> tuple[str, Role]:
    """Return the id of an organization and the custom role of it that an entry describes.

    :raises ValueError: one sentence that says what is wrong.
    """
    _check_object(entry, where, ("organization_id", "id", "name", "policy"))
    organization_id = parse_organization_id(entry.get("organization_id"), f"{where}.organization_id")
    _check(entry, where, "id", TEXT, is_required=False)
    if problems := find_role_problems({name: entry[name] for name in ("name", "policy") if name in entry}):
        raise ValueError(f"{where}: {problems[0]}")
    return organization_id, Role(entry.get("id") or str(uuid.uuid4()), entry["name"], entry["policy"])


def parse_tenant(entry: object, where: str, clusters: list[str]) -> dict:
    """Return the entry of a tenant, complete: what Pulsar holds of it is checked when it is made.

    :raises ValueError: one sentence that says what is wrong.
    """
    _check_object(entry, where, ("organization_id", "name", "cluster", "tokens", "namespaces", "sinks"))
    organization_id = parse_organization_id(entry.get("organization_id"), f"{where}.organization_id")
    _check(entry, where, "name", TEXT)
    cluster = entry.get("cluster", DEFAULT_CLUSTER)
    if cluster not in clusters:
        raise ValueError(f"{where}.cluster must be one of {', '.join(clusters)}.")
    return {
        "organization_id": organization_id,
        "name": entry["name"],
        "cluster": cluster,
        "tokens": _parse_list(entry, "tokens", _check_pulsar_token, where),
        "namespaces": _parse_list(entry, "namespaces", _check_namespace, where),
        "sinks": _parse_list(entry, "sinks", _check_sink, where),
    }


def _parse_organization(entry: object, where: str) -> dict:
    _check_object(entry, where, ("id", "name", "audit_logs"))
    organization_id = parse_organization_id(entry.get("id"), f"{where}.id")
    _check(entry, where, "name", ANY_TEXT, is_required=False)
    audit_logs = check_audit_logs(entry.get("audit_logs"), f"{where}.audit_logs")
    return {"id": organization_id, "name": entry.get("name", organization_id), "audit_logs": audit_logs}


def _parse_cluster(entry: object, where: str) -> Cluster:
    _check_object(entry, where, ("name", "provider", "region"))
    for name in ("name", "provider", "region"):
        _check(entry, where, name, TEXT)
    return Cluster(**entry)


def _check_pulsar_token(entry: object, where: str) -> dict:
    _check_object(entry, where, ("id", "exp", "type", "role"))
    _check(entry, where, "id", TEXT, is_required=False)
    if problems := find_pulsar_token_problems({name: value for name, value in entry.items() if name != "id"}):
        raise ValueError(f"{where}: {problems[0]}")
    return entry


def _check_namespace(entry: object, where: str) -> dict:
    _check_object(entry, where, ("name", *DEFAULTS, "permissions", "topics"))
    _check(entry, where, "name", TEXT)
    return {**entry, "topics": _parse_list(entry, "topics", _check_topic, where)}


def _check_topic(entry: object, where: str) -> dict:
    _check_object(entry, where, ("name", "partitions", "properties", "subscriptions", "permissions"))
    _check(entry, where, "name", TEXT)
    return entry


def _check_sink(entry: object, where: str) -> dict:
    if not isinstance(entry, dict):
        raise ValueError(f"{where} must be an object.")
    for name in ("name", "namespace"):
        _check(entry, where, name, TEXT)
    return entry


def _parse_list(document: dict, name: str, parse: Callable[[Any, str], Any], where: str = "") -> tuple:
    place = f"{where}.{name}" if where else name
    entries = document.get(name, [])
    if not isinstance(entries, (list, tuple)):
        raise ValueError(f"{place} must be a list.")
    return tuple(parse(entry, f"{place}[{index}]") for index, entry in enumerate(entries))


def _parse_texts(entry: dict, name: str, where: str) -> tuple[str, ...] | None:
    if entry.get(name) is None:
        return None
    _check(entry, where, name, TEXTS)
    return tuple(entry[name])


def _check(entry: dict, where: str, name: str, check: tuple, is_required: bool = True) -> None:
    if name not in entry and not is_required:
        return
    if not check[0](entry.get(name)):
        raise ValueError(f"{where}.{name} must be {check[1]}.")


def _check_object(value: object, where: str, names: list[str] | tuple[str, ...]) -> None:
    if not isinstance(value, dict):
        raise ValueError(f"{where} must be an object.")
    for name in value:
        if name not in names:
            raise ValueError(f"{where} has the unknown key {name}; known are {', '.join(names)}.")
