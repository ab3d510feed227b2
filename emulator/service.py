# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The emulated service itself: organizations, tokens, and the rules of the three requests. No HTTP in it."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass

from emulator.contract import find_problems
from emulator.settings import Settings
from emulator.state import State, Token

MASK = "********"

_BEARER = re.compile(r"Bearer +(\S+)", re.IGNORECASE)


class Refused(Exception):
    """The service answers with an error status and one message for each problem."""

    def __init__(self, status: int, *messages: str) -> None:
        super().__init__(*messages)
        self.status = status
        self.messages = messages


@dataclass
class Organization:
    """An organization and its one audit log configuration."""

    id: str
    name: str
    audit_logs: dict | None
    # What was accepted and is not effective yet, and when it will be (time.monotonic).
    pending: tuple[dict | None, float] | None = None

    def settle(self) -> Organization:
        """Make a pending change effective when its time has come; returns the organization itself."""
        if self.pending and self.pending[1] <= time.monotonic():
            self.audit_logs, self.pending = self.pending[0], None
        return self

    def accept(self, audit_logs: dict | None, lag: float) -> None:
        """Take a change that becomes effective after so many seconds, instead of one that was pending."""
        self.pending = audit_logs, time.monotonic() + lag

    def describe(self) -> dict:
        """Return what is effective now, unmasked, and what is pending."""
        self.settle()
        pending = None
        if self.pending:
            audit_logs, due = self.pending
            pending = {"audit_logs": audit_logs, "seconds": max(0.0, due - time.monotonic())}
        return {"id": self.id, "name": self.name, "audit_logs": self.audit_logs, "pending": pending}


class Service:
    """The state of the emulated service.

    :ivar organizations: by id.
    :ivar settings: may be replaced at any time.
    """

    def __init__(self, state: State, settings: Settings) -> None:
        self._state = state
        self._first_settings = settings
        self.reset()

    def reset(self) -> None:
        """Return to the seed and to the settings at the start."""
        self.settings = self._first_settings
        self.organizations = {entry["id"]: Organization(**entry) for entry in self._state.organizations}

    def find_token(self, authorization: str | None) -> Token | None:
        """Return the token of an Authorization header, or None when it is not a known one."""
        bearer = _BEARER.fullmatch(authorization or "")
        return self._state.tokens.get(bearer[1]) if bearer else None

    def current_organization(self, authorization: str | None) -> dict:
        """GET /v2/currentOrg."""
        token = self._authenticate(authorization)
        if token.organization_id is None:
            raise Refused(403, "An enterprise's token has no organization of its own.")
        if token.organization_id not in self.organizations:
            raise Refused(404, "The organization of this token does not exist.")
        return {"id": token.organization_id}

    def authorize(self, authorization: str | None, organization_id: str) -> Organization:
        """Return the organization whose audit log configuration the token may see and change."""
        token = self._authenticate(authorization)
        if not token.authorized:
            raise Refused(403, "The role Organization Administrator or the permission org-audits-read is needed.")
        organization_id = organization_id.lower()
        if organization_id not in self.organizations or not token.reaches(organization_id):
            raise Refused(404, "The organization was not found.")
        return self.organizations[organization_id].settle()

    def read(self, organization: Organization) -> dict | None:
        """GET .../telemetry/auditLogs: what is effective, with masks, or None when nothing is configured."""
        audit_logs = organization.audit_logs
        if audit_logs is None or "pulsar" not in audit_logs:
            return audit_logs
        pulsar = audit_logs["pulsar"]
        return {"pulsar": {name: MASK if name in self.settings.masked else pulsar[name] for name in pulsar}}

    def write(self, organization: Organization, document: object) -> None:
        """POST .../telemetry/auditLogs: accept a configuration that replaces the whole."""
        if problems := find_problems(document):
            raise Refused(400, *problems)
        self._refuse_while_applying(organization)
        organization.accept(document, self.settings.apply_lag)

    def delete(self, organization: Organization) -> None:
        """DELETE .../telemetry/auditLogs: accept that the configuration goes away."""
        self._refuse_while_applying(organization)
        wanted = organization.pending[0] if organization.pending else organization.audit_logs
        if wanted is None:
            raise Refused(404, "No audit log configuration was found.")
        organization.accept(None, self.settings.apply_lag)

    def _refuse_while_applying(self, organization: Organization) -> None:
        if organization.pending and self.settings.post_while_applying == "conflict":
            raise Refused(409, "An earlier change of the audit log configuration is still being applied.")

    def _authenticate(self, authorization: str | None) -> Token:
        token = self.find_token(authorization)
        if token is None:
            raise Refused(401, "The application token is missing, malformed or unknown.")
        return token
