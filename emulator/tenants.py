# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The control plane of Astra Streaming: clusters, tenants and their Pulsar tokens. No HTTP in it."""

from __future__ import annotations

import base64
import re
import secrets
from dataclasses import dataclass, field
from typing import Any, Protocol

from emulator.contract import find_pulsar_token_problems, find_tenant_problems, find_validity_problems, parse_validity
from emulator.refused import Refused
from emulator.settings import Conditions
from emulator.signing import Signer

DEFAULT_CLUSTER = "pulsar-aws-useast2"

_TENANT_NAME = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")


class Broker(Protocol):
    """What the control plane asks of Pulsar."""

    async def create_tenant(self, cluster: str, name: str, admins: set[str]) -> None:
        """Make a tenant with the namespace default."""

    async def set_admins(self, cluster: str, name: str, admins: set[str]) -> None:
        """Say which roles may do everything in a tenant."""

    async def delete_tenant(self, cluster: str, name: str) -> None:
        """Remove a tenant with all that it holds."""

    async def revoke(self, cluster: str, name: str, role: str) -> None:
        """Take from a role what it was granted on namespaces and topics."""

    async def list_topics(self, cluster: str, name: str) -> dict[str, list[str]]:
        """Return the full names of the topics of each namespace."""


@dataclass(frozen=True)
class Cluster:
    """A Pulsar cluster.

    :ivar region: with dashes, as in us-east-2.
    :ivar broker_url: of a real broker; otherwise the one that Astra has.
    """

    name: str
    provider: str
    region: str
    broker_url: str | None = None

    @property
    def host(self) -> str:
        """The name under which Astra's brokers and proxies are reached."""
        return f"{self.name}.streaming.datastax.com"

    @property
    def broker_service_url(self) -> str:
        """Where clients connect."""
        return self.broker_url or f"pulsar+ssl://{self.host}:6651"


CLUSTERS = tuple(
    Cluster(f"pulsar-{provider}-{region.replace('-', '')}", provider, region)
    for provider, region in (
        ("aws", "us-east-2"),
        ("aws", "us-east-1"),
        ("aws", "us-west-2"),
        ("azure", "west-us-2"),
        ("gcp", "us-central1"),
    )
)


@dataclass
class PulsarToken:
    """A Pulsar token of a tenant.

    :ivar claims: what the JWT says; sub is the role that Pulsar authorizes.
    """

    id: str
    claims: dict
    is_admin: bool


@dataclass
class Tenant:
    """A tenant on one cluster.

    :ivar role: of the token that every answer shows.
    :ivar status: what the control plane says of it.
    """

    organization_id: str
    name: str
    cluster: Cluster
    plan: str
    role: str
    status: str = "active"
    tokens: dict[str, PulsarToken] = field(default_factory=dict)

    @property
    def admins(self) -> set[str]:
        """The roles that may do everything in it."""
        return {self.role, *(token.claims["sub"] for token in self.tokens.values() if token.is_admin)}


class Tenants:
    """All tenants.

    :ivar clusters: by name; for one that is asked for by provider and region, the first that fits is taken.
    :ivar tenants: by cluster and name.
    """

    def __init__(
        self, conditions: Conditions, signer: Signer, broker: Broker, clusters: tuple[Cluster, ...], admin_url: str
    ) -> None:
        self._conditions = conditions
        self._signer = signer
        self._broker = broker
        self.admin_url = admin_url
        self.clusters = {cluster.name: cluster for cluster in clusters}
        self.tenants: dict[tuple[str, str], Tenant] = {}
        self._used: set[tuple[str, str]] = set()

    def list_of(self, organization_id: str) -> list[Tenant]:
        """Return the tenants of an organization."""
        return [tenant for tenant in self.tenants.values() if tenant.organization_id == organization_id]

    def find(self, organization_id: str, cluster: str, name: str) -> Tenant:
        """Return a tenant of an organization."""
        tenant = self.tenants.get((cluster, name))
        if tenant is None or tenant.organization_id != organization_id:
            raise Refused(404, "Tenant not found")
        return tenant

    def is_taken(self, name: str, query: dict[str, str]) -> bool:
        """HEAD of a tenant's name: on the cluster that the query names, or anywhere."""
        provider, region = query.get("provider"), query.get("region")
        if bool(provider) != bool(region):
            raise Refused(400, "provider and region belong together")
        clusters = list(self.clusters)
        if provider:
            clusters = [self._find_cluster_of(provider, region, 400).name]
        if "cluster" in query:
            clusters = [query["cluster"]]
        return any((cluster, name) in self._taken() for cluster in clusters)

    def _taken(self) -> set[tuple[str, str]]:
        reuse = self._conditions.settings.tenant_name_reuse
        return set(self.tenants) if reuse else self._used

    async def create(self, organization_id: str, document: Any) -> Tenant:
        """POST of a tenant."""
        if problems := find_tenant_problems(document):
            raise Refused(400, *problems)
        if document.get("orgID", organization_id).lower() not in ("", organization_id):
            raise Refused(401, "The organization is not the token's own")
        name = document["tenantName"]
        if not _TENANT_NAME.fullmatch(name):
            raise Refused(422, "tenantName must begin with a letter and hold lower case letters, digits and hyphens")
        if not _EMAIL.fullmatch(document["userEmail"]):
            raise Refused(422, "userEmail is not an email address")
        cluster = self._choose_cluster(document)
        if (cluster.name, name) in self._taken():
            raise Refused(409, "Tenant already exists")
        if len(self.list_of(organization_id)) >= self._conditions.settings.tenant_limit:
            raise Refused(409, "Exceeded the tenant limit for this organization")
        lag = self._conditions.settings.tenant_create_lag
        return await self.add(organization_id, name, cluster, lag, document.get("plan") or "payg")

    async def add(
        self, organization_id: str, name: str, cluster: Cluster, lag: float = 0.0, plan: str = "payg"
    ) -> Tenant:
        """Make a tenant, which is active after so many seconds, without asking whether it may be made."""
        role = make_role(organization_id, name, secrets.token_hex(5))
        tenant = Tenant(organization_id, name, cluster, plan, role)
        self.tenants[cluster.name, name] = tenant
        self._used.add((cluster.name, name))
        if not lag:
            try:
                await self._broker.create_tenant(cluster.name, name, tenant.admins)
            except Refused:
                del self.tenants[cluster.name, name]
                raise
            return tenant
        tenant.status = "creating"

        async def activate() -> None:
            if self.tenants.get((cluster.name, name)) is tenant:
                await self._broker.create_tenant(cluster.name, name, tenant.admins)
                tenant.status = "active"

        self._conditions.clock.call_later(lag, activate)
        return tenant

    async def delete(self, tenant: Tenant, is_soft: bool) -> None:
        """DELETE of a tenant: gone after a while, with all that it holds, unless it is only marked."""
        lag = self._conditions.settings.tenant_delete_lag
        if is_soft:
            tenant.status = "deleted"
        elif lag:
            tenant.status = "deleting"
            self._conditions.clock.call_later(lag, lambda: self.remove(tenant))
        else:
            await self.remove(tenant)

    async def remove(self, tenant: Tenant) -> None:
        """Remove a tenant at once."""
        key = tenant.cluster.name, tenant.name
        if self.tenants.get(key) is tenant:
            del self.tenants[key]
            await self._broker.delete_tenant(*key)

    def show(self, tenant: Tenant) -> dict:
        """Return the control plane's answer about a tenant."""
        host = tenant.cluster.host
        now = int(self._conditions.clock.now())
        claims = {"iat": now, "iss": "datastax", "sub": tenant.role, "tokenid": secrets.token_hex(5)}
        return {
            "namespace": "default",
            "topic": "",
            "id": "",
            "tenantName": tenant.name,
            "clusterName": tenant.cluster.name,
            "webServiceUrl": self.admin_url,
            "brokerServiceUrl": tenant.cluster.broker_service_url,
            "websocketUrl": f"wss://{host}:8001/ws/v2",
            "websocketQueryParamUrl": f"wss://{host}:8964/ws/v2",
            # Another one each time, as the service does it.
            "pulsarToken": self._signer.sign(claims),
            "plan": tenant.plan,
            "planCode": "",
            "astraOrgGUID": tenant.organization_id,
            "cloudProvider": tenant.cluster.provider,
            "cloudProviderCode": "",
            "cloudRegion": self.show_region(tenant.cluster),
            "status": tenant.status,
            "jvmVersion": "JDK11",
            "pulsarVersion": "3.1",
            "regionZone": "",
            "Email": "",
            "userMetricsUrl": "",
            "pulsarInstance": "",
        }

    async def show_limits(self, tenant: Tenant) -> dict:
        """Return the limits of a tenant, and what it uses of them."""
        topics = await self._broker.list_topics(tenant.cluster.name, tenant.name)
        return {
            "namespace_limit": self._conditions.settings.namespace_limit,
            "topic_per_namespace_limit": self._conditions.settings.topic_limit,
            "usage": [{"namespace": f"{tenant.name}/{name}", "topics": each} for name, each in topics.items()],
        }

    def show_region(self, cluster: Cluster) -> str:
        """Return a region in the spelling that the service shows."""
        dashed = self._conditions.settings.region_shown == "us-east-2"
        return cluster.region if dashed else cluster.region.replace("-", "")

    def find_token(self, tenant: Tenant, token_id: str) -> PulsarToken:
        """Return a Pulsar token of a tenant."""
        if token_id not in tenant.tokens:
            raise Refused(404, "Token not found")
        return tenant.tokens[token_id]

    def make_text(self, token: PulsarToken) -> str:
        """Return the JWT of a token; whether it is always the same is a setting."""
        if self._conditions.settings.pulsar_token_text == "changing":
            return self._signer.sign({**token.claims, "jti": secrets.token_hex(8)})
        return self._signer.sign(token.claims)

    async def create_token(self, tenant: Tenant, document: Any) -> PulsarToken:
        """POST of a Pulsar token (v3)."""
        if problems := find_pulsar_token_problems(document):
            raise Refused(400, *problems)
        if len(tenant.tokens) >= self._conditions.settings.token_limit:
            raise Refused(409, "Exceeded the token limit for this tenant")
        return await self.add_token(tenant, secrets.token_hex(5), document)

    async def create_token_v2(self, tenant: Tenant, validity: str | None) -> PulsarToken:
        """POST of a Pulsar token (v2)."""
        if validity is None:
            return await self.create_token(tenant, {})
        if problems := find_validity_problems(validity):
            raise Refused(400, *problems)
        return await self.create_token(tenant, {"exp": validity})

    async def add_token(self, tenant: Tenant, token_id: str, document: dict) -> PulsarToken:
        """Make a Pulsar token without asking whether it may be made."""
        now = int(self._conditions.clock.now())
        role = make_role(tenant.organization_id, tenant.name, document.get("role", token_id))
        claims = {"iat": now, "iss": "datastax", "sub": role, "tokenid": token_id}
        if "exp" in document:
            claims["exp"] = now + parse_validity(document["exp"])
        token = PulsarToken(token_id, claims, document.get("type", "admin") == "admin")
        tenant.tokens[token_id] = token
        await self._broker.set_admins(tenant.cluster.name, tenant.name, tenant.admins)
        return token

    async def delete_token(self, tenant: Tenant, token: PulsarToken) -> None:
        """DELETE of a Pulsar token: its role loses its rights, unless another token has the same."""
        del tenant.tokens[token.id]
        place = tenant.cluster.name, tenant.name
        await self._broker.set_admins(*place, tenant.admins)
        role = token.claims["sub"]
        if all(each.claims["sub"] != role for each in tenant.tokens.values()):
            await self._broker.revoke(*place, role)

    def _choose_cluster(self, document: dict) -> Cluster:
        name = document.get("clusterName", "")
        provider, region = document.get("cloudProvider", ""), document.get("cloudRegion", "")
        if not name and not (provider and region):
            raise Refused(400, "clusterName, or cloudProvider and cloudRegion, is required")
        if name and name not in self.clusters:
            raise Refused(422, f"There is no cluster {name}")
        found = self.clusters[name] if name else self._find_cluster_of(provider, region, 422)
        if provider and region and not self._is_in(found, provider, region):
            raise Refused(422, f"The cluster {name} is not in {provider} {region}")
        return found

    def _find_cluster_of(self, provider: str, region: str, status: int) -> Cluster:
        for cluster in self.clusters.values():
            if self._is_in(cluster, provider, region):
                return cluster
        raise Refused(status, f"There is no cluster in {provider} {region}")

    def _is_in(self, cluster: Cluster, provider: str, region: str) -> bool:
        accepted = self._conditions.settings.region_accepted
        spellings = {"useast2": (cluster.region.replace("-", ""),), "us-east-2": (cluster.region,)}
        spelled = spellings.get(accepted, (cluster.region, cluster.region.replace("-", "")))
        return provider.lower() == cluster.provider and region in spelled


def make_role(organization_id: str, tenant: str, last: str) -> str:
    """Return the name of a role as the tokens of Astra Streaming have it."""
    return f"client;{organization_id};{base64.b64encode(tenant.encode()).decode()};{last}"
