# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The file that the emulator's organizations and tokens are seeded from."""

from __future__ import annotations

import uuid
from dataclasses import dataclass


@dataclass(frozen=True)
class Token:
    """An application token: of one organization, or of an enterprise (organization_id is None)."""

    token: str
    organization_id: str | None
    organizations: frozenset[str] | None  # of an enterprise; None means every organization
    authorized: bool  # whether a role or permission allows to see and change audit log streaming

    def reaches(self, organization_id: str) -> bool:
        """Tell whether the organization is this token's own, or one of its enterprise."""
        if self.organization_id is not None:
            return organization_id == self.organization_id
        return self.organizations is None or organization_id in self.organizations


@dataclass(frozen=True)
class State:
    """What the emulator starts with and returns to on reset."""

    organizations: tuple[dict, ...]  # each with id, name and audit_logs
    tokens: dict[str, Token]


def parse_state(document: object) -> State:
    """Return the State that a parsed state file describes.

    :raises ValueError: one sentence that says what is wrong.
    """
    _check_object(document, "The state", ("organizations", "tokens"))
    organizations = [
        _parse_organization(entry, f"organizations[{index}]") for index, entry in _entries(document, "organizations")
    ]
    tokens = [_parse_token(entry, f"tokens[{index}]") for index, entry in _entries(document, "tokens")]
    for name, values in (
        ("organization", [entry["id"] for entry in organizations]),
        ("token", [entry.token for entry in tokens]),
    ):
        if len(set(values)) < len(values):
            raise ValueError(f"The state has the same {name} twice.")
    return State(tuple(organizations), {entry.token: entry for entry in tokens})


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


def _parse_organization(entry: object, where: str) -> dict:
    _check_object(entry, where, ("id", "name", "audit_logs"))
    organization_id = parse_organization_id(entry.get("id"), f"{where}.id")
    name = entry.get("name", organization_id)
    if not isinstance(name, str):
        raise ValueError(f"{where}.name must be a string.")
    audit_logs = check_audit_logs(entry.get("audit_logs"), f"{where}.audit_logs")
    return {"id": organization_id, "name": name, "audit_logs": audit_logs}


def _parse_token(entry: object, where: str) -> Token:
    _check_object(entry, where, ("token", "organization_id", "enterprise", "organizations", "roles", "permissions"))
    token = entry.get("token")
    if not isinstance(token, str) or not token or token.split() != [token]:
        raise ValueError(f"{where}.token must be a string without spaces.")
    lists = {}
    for name in ("organizations", "roles", "permissions"):
        lists[name] = entry.get(name)
        if lists[name] is not None and not _is_list_of_strings(lists[name]):
            raise ValueError(f"{where}.{name} must be a list of strings.")
    if lists["roles"] is None and lists["permissions"] is None:
        lists["roles"] = ["Organization Administrator"]
    authorized = "Organization Administrator" in (lists["roles"] or ()) or "org-audits-read" in (
        lists["permissions"] or ()
    )
    if entry.get("enterprise", False) not in (True, False):
        raise ValueError(f"{where}.enterprise must be true or false.")
    if bool(entry.get("enterprise")) == ("organization_id" in entry):
        raise ValueError(f"{where} needs either organization_id or enterprise: true.")
    if not entry.get("enterprise"):
        if lists["organizations"] is not None:
            raise ValueError(f"{where}.organizations belongs to a token with enterprise: true.")
        organization_id = parse_organization_id(entry["organization_id"], f"{where}.organization_id")
        return Token(token, organization_id, None, authorized)
    organizations = lists["organizations"]
    if organizations is not None:
        organizations = frozenset(parse_organization_id(value, f"{where}.organizations") for value in organizations)
    return Token(token, None, organizations, authorized)


def _entries(document: dict, name: str) -> enumerate:
    entries = document.get(name, [])
    if not isinstance(entries, list):
        raise ValueError(f"{name} must be a list.")
    return enumerate(entries)


def _check_object(value: object, where: str, names: tuple[str, ...]) -> None:
    if not isinstance(value, dict):
        raise ValueError(f"{where} must be an object.")
    for name in value:
        if name not in names:
            raise ValueError(f"{where} has the unknown key {name}; known are {', '.join(names)}.")


def _is_list_of_strings(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)
