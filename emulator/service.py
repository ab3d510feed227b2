# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The emulated service as a whole: what belongs to it, and how it begins. No HTTP in it."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from emulator.access import Access, Token, read_bearer
from emulator.exporter import Exporter, Transport
from emulator.organizations import Organization, Organizations
from emulator.refused import Refused
from emulator.settings import Conditions, Settings
from emulator.signing import Signer
from emulator.state import State
from emulator.tenants import Broker, Cluster, Tenants

# What Pulsar is: clusters, the broker that is all of them, and the exporter's way to it.
Pulsar = tuple[tuple[Cluster, ...], Broker, Transport]


class Service:
    """The state of the emulated service.

    :arg make_pulsar: called at the start and with every reset.
    :ivar conditions: the settings, which may be replaced at any time, and the clock.
    :ivar broker: what holds namespaces and topics.
    """

    def __init__(
        self,
        state: State,
        settings: Settings,
        signer: Signer,
        admin_url: str,
        make_pulsar: Callable[[Conditions, Signer], Pulsar],
    ) -> None:
        self.signer = signer
        self._state = state
        self._first_settings = settings
        self._admin_url = admin_url
        self._make_pulsar = make_pulsar
        self.conditions = Conditions(settings)
        self._begin()

    async def reset(self) -> None:
        """Return to the settings at the start and to the seed, but for tenants and organizations."""
        self.conditions.clock.stop()
        for organization in list(self.organizations.by_id.values()):
            self.organizations.remove(organization)
        for tenant in list(self.tenants.tenants.values()):
            await self.tenants.remove(tenant)
        self.conditions = Conditions(self._first_settings)
        self._begin()

    def _begin(self) -> None:
        clusters, self.broker, transport = self._make_pulsar(self.conditions, self.signer)
        self.tenants = Tenants(self.conditions, self.signer, self.broker, clusters, self._admin_url)
        self.exporter = Exporter(self.conditions, transport)
        self.access = Access(self.conditions)
        for organization_id, role in self._state.roles:
            self.access.roles.setdefault(organization_id, {})[role.id] = role
        for token in self._state.tokens:
            self.access.add_token(token)
        self.organizations = Organizations(self.conditions, self.exporter.follow)

    def add_organizations(self) -> None:
        """Add the organizations of the seed: their exporters look for topics that have to be there."""
        for entry in self._state.organizations:
            self.organizations.put(Organization(**entry))

    def find_organization(self, organization_id: str) -> Organization:
        """Return an organization."""
        if organization_id not in self.organizations.by_id:
            raise Refused(404, "The organization was not found.")
        return self.organizations.by_id[organization_id]

    def authorize(self, authorization: str | None, organization_id: str, action: str) -> Organization:
        """Return the organization with which the token may do something."""
        token = self.access.authenticate(authorization)
        organization_id = organization_id.lower()
        if not self.access.allows(token, action, organization_id):
            raise Refused(403, f"The role Organization Administrator or the permission {action} is needed.")
        if not token.reaches(organization_id):
            raise Refused(404, "The organization was not found.")
        return self.find_organization(organization_id)

    def audit(self, organization_id: str, token: Token, event_type: str, **event: object) -> None:
        """Let the exporter publish that somebody has done something."""
        organization = self.organizations.by_id.get(organization_id)
        self.exporter.export(organization, user_id(token), event_type, event)

    def find_owner(self, authorization: str | None) -> str | None:
        """Return the id of the organization that a credential, of either kind, belongs to."""
        if token := self.access.find_token(authorization):
            return token.organization_id
        claims = self.read_pulsar_token(authorization)
        parts = claims.get("sub", "").split(";") if claims else []
        return parts[1] if len(parts) == 4 else None

    def read_pulsar_token(self, authorization: str | None) -> dict | None:
        """Return the claims of a valid Pulsar token in an Authorization header."""
        credential = read_bearer(authorization)
        claims = self.signer.read(credential) if credential else None
        if claims is None or claims.get("exp", float("inf")) <= self.conditions.clock.now():
            return None
        return claims


def user_id(token: Token) -> str:
    """Return the id of the user that a token stands for."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, token.token))
