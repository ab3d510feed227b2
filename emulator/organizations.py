# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Organizations and their audit log streams. No HTTP in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from emulator.contract import find_stream_problems
from emulator.refused import Refused
from emulator.settings import Conditions
from emulator.sinks import MASK


@dataclass
class Organization:
    """An organization and its one audit log configuration."""

    id: str
    name: str
    audit_logs: dict | None
    # What was accepted and is not effective yet, and when it will be.
    pending: tuple[dict | None, float] | None = None

    @property
    def stream(self) -> dict | None:
        """The Pulsar destination that is effective, if there is one."""
        return (self.audit_logs or {}).get("pulsar")


class Organizations:
    """All organizations.

    :ivar by_id: the organizations themselves.
    :arg on_change: called with an organization whose effective configuration has changed.
    """

    def __init__(self, conditions: Conditions, on_change: Callable[[Organization], None]) -> None:
        self._conditions = conditions
        self._on_change = on_change
        self.by_id: dict[str, Organization] = {}

    def put(self, organization: Organization) -> None:
        """Add an organization, or put it in the place of the one with its id."""
        self.by_id[organization.id] = organization
        self._on_change(organization)

    def remove(self, organization: Organization) -> None:
        """Remove an organization, and with it its stream."""
        del self.by_id[organization.id]
        organization.audit_logs = organization.pending = None
        self._on_change(organization)

    def read(self, organization: Organization) -> dict | None:
        """GET .../telemetry/auditLogs: what is effective, with masks, or None when nothing is configured."""
        pulsar = organization.stream
        if pulsar is None:
            return organization.audit_logs
        masked = self._conditions.settings.masked
        return {"pulsar": {name: MASK if name in masked else value for name, value in pulsar.items()}}

    def write(self, organization: Organization, document: object) -> None:
        """POST .../telemetry/auditLogs: accept a configuration that replaces the whole."""
        if problems := find_stream_problems(document):
            raise Refused(400, *problems)
        self._refuse_while_applying(organization)
        self._accept(organization, document)

    def delete(self, organization: Organization) -> None:
        """DELETE .../telemetry/auditLogs: accept that the configuration goes away."""
        self._refuse_while_applying(organization)
        wanted = organization.pending[0] if organization.pending else organization.audit_logs
        if wanted is None:
            raise Refused(404, "No audit log configuration was found.")
        self._accept(organization, None)

    def describe(self, organization: Organization) -> dict:
        """Return what is effective now, unmasked, and what is pending."""
        pending = None
        if organization.pending:
            audit_logs, due = organization.pending
            pending = {"audit_logs": audit_logs, "seconds": max(0.0, due - self._conditions.clock.now())}
        return {
            "id": organization.id,
            "name": organization.name,
            "audit_logs": organization.audit_logs,
            "pending": pending,
        }

    def _refuse_while_applying(self, organization: Organization) -> None:
        if organization.pending and self._conditions.settings.post_while_applying == "conflict":
            raise Refused(409, "An earlier change of the audit log configuration is still being applied.")

    def _accept(self, organization: Organization, audit_logs: dict | None) -> None:
        """Take a change, instead of one that was pending."""
        lag = self._conditions.settings.apply_lag
        change = organization.pending = audit_logs, self._conditions.clock.now() + lag

        def apply() -> None:
            if organization.pending is change:
                organization.audit_logs, organization.pending = audit_logs, None
                self._on_change(organization)

        if lag:
            self._conditions.clock.call_later(lag, apply)
        else:
            apply()
