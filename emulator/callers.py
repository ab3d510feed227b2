# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who asks Pulsar's admin API in memory, and whether the caller may: each kind of refusal has a status of its own.

The statuses were measured on a real broker.
"""

from __future__ import annotations

from typing import NamedTuple

from starlette.requests import Request

from emulator.broker import BrokerTenant, Namespace
from emulator.refused import NotAuthenticated, Refused
from emulator.requests import authorize_streaming, get_authorization, get_service
from emulator.streaming import CLUSTER_HEADER
from emulator.topic import Subscription, Topic


class Caller(NamedTuple):
    """Who asks, and about which tenant.

    :ivar role: of a Pulsar token; None for an application token, which may do everything in the tenant.
    """

    tenant: BrokerTenant
    role: str | None

    @property
    def is_admin(self) -> bool:
        """Whether the caller may do everything in the tenant."""
        return self.role is None or self.role in self.tenant.admins

    def may(self, actions: tuple[str, ...], namespace: str, topic: str) -> bool:
        """Tell whether the caller may do one of these things with a topic."""
        return self.is_admin or any(self.tenant.may(self.role, action, namespace, topic) for action in actions)


def identify(request: Request) -> Caller:
    """Return who asks about the tenant of the path.

    :raises NotAuthenticated: the credential is neither an application token nor a valid Pulsar token.
    :raises Refused: there is no such tenant, which Astra does not tell from a tenant of somebody else.
    """
    service, name = get_service(request), request.path_params["tenant"]
    claims = service.read_pulsar_token(get_authorization(request))
    token = None if claims else service.access.find_token(get_authorization(request))
    if not claims and not token:
        raise NotAuthenticated
    cluster = find_cluster(request)
    found = [
        tenant
        for (its_cluster, its_name), tenant in service.broker.tenants.items()
        if its_name == name and cluster in (None, its_cluster)
    ]
    if token:
        found = [tenant for tenant in found if token.reaches(_find_owner(request, tenant))]
    elif len(found) > 1:
        found = [tenant for tenant in found if tenant.knows(claims["sub"])]
    if len(found) > 1:
        raise Refused(400, f"There is a tenant {name} on several clusters: the header {CLUSTER_HEADER} is required")
    if not found:
        raise Refused(401, f"Unauthorized: tenant {name} does not exist or belongs to somebody else")
    if token:
        authorize_streaming(request, token, _find_owner(request, found[0]), name)
    return Caller(found[0], claims["sub"] if claims else None)


def _find_owner(request: Request, tenant: BrokerTenant) -> str:
    return get_service(request).tenants.tenants[tenant.cluster, tenant.name].organization_id


def find_cluster(request: Request) -> str | None:
    """Return the cluster that the header names; without the header the tenant's name has to tell."""
    cluster = request.headers.get(CLUSTER_HEADER)
    if cluster is None and request.app.state.needs_cluster:
        raise Refused(400, f"The header {CLUSTER_HEADER} is required")
    return cluster


def administer_tenant(request: Request) -> BrokerTenant:
    """Return the tenant of the path, if the caller administrates it."""
    caller = identify(request)
    if not caller.is_admin:
        raise Refused(401, "Don't have permission to administrate resources on this tenant")
    return caller.tenant


def administer_namespace(request: Request) -> tuple[BrokerTenant, Namespace]:
    """Return the namespace of the path, and its tenant, if the caller administrates it."""
    caller, name = identify(request), request.path_params["namespace"]
    if not caller.is_admin:
        raise Refused(403, f"Unauthorized to validateNamespaceOperation on namespace [{name}]")
    return caller.tenant, get_service(request).broker.find_namespace(caller.tenant, name)


class Found(NamedTuple):
    """A topic of the path: one that is not partitioned, or all partitions."""

    tenant: BrokerTenant
    namespace: Namespace
    name: str
    topics: list[Topic]

    @property
    def is_partitioned(self) -> bool:
        """Whether it has partitions."""
        return self.name in self.namespace.partitioned

    @property
    def full_name(self) -> str:
        """Its name with tenant and namespace."""
        return f"persistent://{self.tenant.name}/{self.namespace.name}/{self.name}"

    def single(self) -> Topic:
        """Return the topic if it has no partitions."""
        if self.is_partitioned:
            raise Refused(404, f"Topic {self.full_name} not found")
        return self.topics[0]

    def need_partitions(self) -> None:
        """Check that the topic is partitioned."""
        if not self.is_partitioned:
            raise Refused(404, f"Partitioned Topic {self.full_name} not found")

    def find_subscription(self, topic: Topic, name: str) -> Subscription:
        """Return a subscription of the topic."""
        if name not in topic.subscriptions:
            raise Refused(404, f"Subscription {name} not found for topic {self.full_name}")
        return topic.subscriptions[name]


def find_topic(request: Request, operation: str, *actions: str) -> Found:
    """Return the topic, if the caller may do one of these things with it; an administrator may do all."""
    caller = identify(request)
    names = request.path_params["namespace"], request.path_params["topic"]
    if not caller.may(actions, *names):
        topic = f"persistent://{caller.tenant.name}/{names[0]}/{names[1]}"
        raise Refused(401, f"Unauthorized to validateTopicOperation for operation [{operation}] on topic [{topic}]")
    namespace = get_service(request).broker.find_namespace(caller.tenant, names[0])
    topics = namespace.find(names[1])
    if not topics:
        raise Refused(404, f"Topic persistent://{caller.tenant.name}/{names[0]}/{names[1]} not found")
    return Found(caller.tenant, namespace, names[1], topics)


def look_at(request: Request, operation: str) -> Found:
    """Return the topic, if the caller may produce to it or consume from it."""
    return find_topic(request, operation, "produce", "consume")


def use_namespace(request: Request) -> tuple[BrokerTenant, Namespace]:
    """Return a namespace in which the caller may do something."""
    caller, name = identify(request), request.path_params["namespace"]
    if not caller.is_admin and not caller.tenant.has_grant(caller.role, name):
        raise Refused(403, f"Unauthorized to validateNamespaceOperation on namespace [{name}]")
    return caller.tenant, get_service(request).broker.find_namespace(caller.tenant, name)


def authenticate(request: Request) -> None:
    """Check that the credential is an application token or a valid Pulsar token, whatever its rights.

    :raises NotAuthenticated: it is neither.
    """
    service, authorization = get_service(request), get_authorization(request)
    if not service.read_pulsar_token(authorization) and not service.access.find_token(authorization):
        raise NotAuthenticated
