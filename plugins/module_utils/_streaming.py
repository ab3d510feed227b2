# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the resources of Astra Streaming share: names, the tenant's record, and Pulsar's admin API behind it.

One application token is the credential for both (terraform-provider-astra, pull request 369). The admin API's URL is
taken from the tenant's record and never computed: dedicated clusters have other names (issue 228 there).
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Callable, ClassVar, NamedTuple, TypeVar, cast

from ansible_collections.datastax.astra.plugins.module_utils._api import Api, Call
from ansible_collections.datastax.astra.plugins.module_utils._connection import open_http
from ansible_collections.datastax.astra.plugins.module_utils._deadline import Deadline
from ansible_collections.datastax.astra.plugins.module_utils._documents import read_keys
from ansible_collections.datastax.astra.plugins.module_utils._errors import Busy, InputError, ServiceError
from ansible_collections.datastax.astra.plugins.module_utils._organizations import normalize_organization_id
from ansible_collections.datastax.astra.plugins.module_utils._pulsar.client_conf import format_client_conf
from ansible_collections.datastax.astra.plugins.module_utils._pulsar.statistics import TopicUse, interpret_statistics
from ansible_collections.datastax.astra.plugins.module_utils._resource import DeclaredResource

# What a tenant's record says, and what results call it.
_TENANT_KEYS = {
    "tenantName": "name",
    "clusterName": "cluster",
    "status": "status",
    "astraOrgGUID": "organization_id",
    "webServiceUrl": "web_service_url",
    "brokerServiceUrl": "broker_service_url",
    "websocketUrl": "websocket_url",
    "plan": "plan",
    "pulsarVersion": "pulsar_version",
}

_LIKE_A_HOST = r"[a-z]([-a-z0-9]*[a-z0-9])", "with lower case letters, digits and hyphens, a letter first"
_AS_PULSAR_HAS_IT = r"[-=:.\w]+", "with letters, digits and any of - _ = : ."
_FORMS = {
    "a tenant's name": _LIKE_A_HOST,
    "a cluster's name": _LIKE_A_HOST,
    "a namespace's name": _AS_PULSAR_HAS_IT,
    "a subscription's name": _AS_PULSAR_HAS_IT,
    "a topic's name": (
        r"(?!.*-partition-\d+$)[a-zA-Z][-.\w]*",
        "with letters, digits and any of - _ ., a letter first, without tenant and namespace and without -partition-N",
    ),
    "a sink's name": (r"[a-zA-Z0-9][-.\w]*", "with letters, digits and any of - _ ., a letter or digit first"),
    "an email address": (r"[^@\s]+@[^@\s]+", "such as somebody@example.com"),
}
_FORMS_OF_OPTIONS = {
    **{option: f"a {option}'s name" for option in ("tenant", "cluster", "namespace")},
    **dict.fromkeys(("subscriptions", "subscription_name"), "a subscription's name"),
    "user_email": "an email address",
}
_NAMED = 5  # names in a message
_T = TypeVar("_T")


class KnownTenant(NamedTuple):
    """What somebody who has several things to do in a tenant knows of it already.

    :ivar shown: the tenant as its own module returns it, or None where it is going to be made.
    """

    shown: Mapping[str, Any] | None

    @property
    def record(self) -> dict[str, Any] | None:
        """The tenant's record, as far as it matters to what is in it."""
        return {key: self.shown[name] for key, name in _TENANT_KEYS.items()} if self.shown else None


def name_some(kind: str, names: Collection[str]) -> str:
    """Return the names of things of a kind, the first of them at least."""
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"the {kind}{'s' if len(names) > 1 else ''} {', '.join([*names][:_NAMED])}{more}"


class StreamingResource(DeclaredResource):
    """A resource of Astra Streaming, on its control plane. The first of its identity options is the tenant."""

    shared_options = "tenant"
    permissions = dict.fromkeys(("GET", "POST", "PUT", "DELETE"), "org-stream-manage")
    organization_methods: ClassVar[tuple[str, ...]] = ()  # of those calls about it that have to name the organization

    _admin: Api | None = None
    _record: dict[str, Any] | None = None  # the tenant's, as it was last read
    _is_awaited = False  # whether somebody is going to make the tenant

    def know(self, tenant: KnownTenant) -> None:
        """Take from who has just looked at the tenant what there is to know of it."""
        self._record = tenant.record
        self._is_awaited = tenant.shown is None

    @property
    def tenant(self) -> str:
        """The tenant's name."""
        return str(self.params[self.identity_options[0]])

    @property
    def organization(self) -> str:
        """The organization's id, which some of the calls want. The tenant's record names it, once that was read."""
        with contextlib.suppress(InputError):
            return normalize_organization_id(str(read_keys(self._record, "astraOrgGUID")[0]))
        return self.devops.find_organization(enterprise="give an application token of the organization itself")

    @classmethod
    def examine(cls, params: Mapping[str, Any]) -> Iterable[str]:
        """Yield a sentence for every mistake in the options that can be seen offline."""
        yield from super().examine(params)
        for option, form in {**_FORMS_OF_OPTIONS, "name": f"a {cls.kind}'s name"}.items():
            given = params.get(option)
            values = given if isinstance(given, list) else [given]
            if not all(value is None or re.fullmatch(_FORMS[form][0], value, re.ASCII) for value in values):
                yield f"{option} is not {form}, {_FORMS[form][1]}."

    def call(self, purpose: str, method: str, *path: str, **more: Any) -> Call:
        """Return a call of the control plane or of the admin API, about this cluster's tenant."""
        more["headers"] = {"X-DataStax-Pulsar-Cluster": self.params["cluster"], **more.get("headers", {})}
        return super().call(purpose, method, *path, **more)

    def ask(self, verb: str, method: str, *path: str, **more: Any) -> Call:
        """Return a call about this resource, which names the organization where it has to."""
        if method in self.organization_methods:
            more["headers"] = {"X-DataStax-Current-Org": self.organization}
        return super().ask(verb, method, *path, **more)

    def read_tenant(self, deadline: Deadline) -> dict[str, Any] | None:
        """Return the tenant's record as the control plane shows it, or None where there is no such tenant.

        :raises AstraError: it cannot be read, or is that of another cluster.
        """
        if self._is_awaited:
            return None
        asked = self.params["cluster"]
        purpose = f"Reading tenant {self.tenant} of cluster {asked}"
        call = self.call(purpose, "GET", "v2", "streaming", "tenants", self.tenant, absent=(404,), form=dict)
        record: dict[str, Any] | None = self.devops.read(call, deadline)
        if record is not None:
            name, cluster = read_keys(record, "tenantName", "clusterName")
            if name != self.tenant or cluster != asked:
                raise ServiceError(
                    f"{purpose} failed: the service shows tenant {name} of cluster {cluster} instead: check cluster."
                )
        self._record = record
        return record

    @staticmethod
    def show_tenant(record: Mapping[str, Any]) -> dict[str, Any]:
        """Return a tenant's record as results show it."""
        return dict(zip(_TENANT_KEYS.values(), read_keys(record, *_TENANT_KEYS)))

    def find_tenant(self, deadline: Deadline) -> dict[str, Any] | None:
        """Return the tenant's record, read until it is ready, or None, with a ``blocker``, without the tenant."""
        record = self._record if self._record and is_active(self._record) else self.read_tenant(deadline)
        self.blocker = None
        if record is None:
            self._block("tenant", f"{self.tenant} on cluster {self.params['cluster']}")
        return record

    def find_urls(self) -> tuple[str, str]:
        """Return the URLs of the admin API and the broker of the tenant that was found, or raise Busy without them."""
        web_service_url, broker_service_url = read_keys(self._record, "webServiceUrl", "brokerServiceUrl")
        if not web_service_url or not broker_service_url:
            raise Busy(f"Astra shows no URLs for tenant {self.tenant}: it may not be ready yet.")
        return web_service_url, broker_service_url

    def format_conf(self, token: str) -> str:
        """Return the text of a client.conf with a token of the tenant."""
        return format_client_conf(*self.find_urls(), token)

    def find_admin(self, deadline: Deadline) -> Api | None:
        """Return Pulsar's admin API, or None where the tenant does not exist.

        :raises AstraError: it cannot be found out.
        """
        if self._admin is None:
            url = self.params["admin_url"]
            if not url:
                record = self.find_tenant(deadline)
                if record is None:
                    return None
                url = read_keys(record, "webServiceUrl")[0]
            if not isinstance(url, str) or not url.startswith(("http://", "https://")):
                raise ServiceError(f"Astra shows no webServiceUrl for tenant {self.tenant}: give admin_url.")
            http = self.stack.enter_context(open_http({**self.params, "admin_url": url}, "admin_url"))
            self._admin = self.devops.move_to(http)
        return self._admin

    def ask_admin(self, question: Callable[[Api, Deadline], _T], deadline: Deadline) -> _T | None:
        """Return what Pulsar's admin API answers to a question, or None, with a ``blocker``, without the tenant.

        The admin API answers 401 for a tenant that does not exist or is not ready, as it does for a wrong token, so
        that then the control plane decides (terraform-provider-astra, pull request 425).

        :raises Busy: the tenant is being made.
        """
        self.blocker = None
        admin = self.find_admin(deadline)
        if admin is not None:
            try:
                return question(admin, deadline)
            except ServiceError as error:
                if error.result.get("http_status") != 401:
                    raise
                record = self.read_tenant(deadline)
                if record is not None:
                    if is_active(record):
                        raise
                    raise Busy(f"Tenant {self.tenant} is not ready yet: {error.message}", **error.result) from None
        self._block("tenant", f"{self.tenant} on cluster {self.params['cluster']}")
        return None

    def _block(self, kind: str, name: str) -> None:
        self.blocker = f"There is no {kind} {name}: make it first, with datastax.astra.astra_streaming_{kind}."

    def list_names(self, admin: Api, deadline: Deadline, *path: str) -> list[str] | None:
        """Return the last parts of the names that the admin API lists, or None where what should hold them is not."""
        purpose = f"Listing what is in {'/'.join(path[3:])}"
        names = admin.read(self.call(purpose, "GET", *path, absent=(404,), form=list), deadline)
        return None if names is None else sorted(str(name).rpartition("/")[2] for name in names)


class AdminResource(StreamingResource):
    """A resource of an Astra Streaming tenant, behind Pulsar's admin API."""

    listing: ClassVar[tuple[str, ...]]  # as ``place``, where the admin API lists the names of all

    @property
    def api(self) -> Api:
        """Pulsar's admin API, after ``find_admin`` has found it."""
        return cast(Api, self._admin)

    def read_admin(self, admin: Api, deadline: Deadline) -> dict[str, Any] | None:
        """Return what the admin API shows, named as the options, or None where nothing exists."""
        raise NotImplementedError

    def delete(self, before: dict[str, Any]) -> tuple[Call, ...]:
        """Return the requests that remove it."""
        return (self.ask("Deleting", "DELETE"),)

    def list_admin(self, admin: Api, deadline: Deadline) -> list[dict[str, Any]]:
        """Return all that the admin API shows: each that it lists, read by its name."""
        names = self.list_names(admin, deadline, *self.locate(self.listing)) or ()
        return [shown for shown in (self.rename(name).read_admin(admin, deadline) for name in names) if shown]

    def rename(self, name: str) -> AdminResource:
        """Return what is the same but for its name."""
        return type(self)({**self.params, "name": name}, self.devops, self.stack)

    def list_topics(self, admin: Api, deadline: Deadline, namespace: str) -> dict[str, int]:
        """Return the topics of a namespace with their numbers of partitions; none, with a ``blocker``, without it."""
        topics: dict[str, int] = {}
        names = self.list_names(admin, deadline, "admin", "v2", "persistent", self.tenant, namespace)
        if names is None:
            self._block("namespace", f"{namespace} in tenant {self.tenant}")
        for name in names or ():
            topic = re.sub(r"-partition-\d+$", "", name)
            topics[topic] = topics.get(topic, 0) + (topic != name)
        return topics

    def read_topic(self, admin: Api, deadline: Deadline, full_name: str, is_partitioned: bool) -> TopicUse | None:
        """Return what a topic's statistics say, or None where there is no such topic.

        Pulsar answers 404 for the statistics of a topic of the other kind (terraform-provider-astra issue 347), so that
        then the list of topics tells whether there is one.

        :arg is_partitioned: whether it is first looked for as a partitioned topic.
        """
        whole = {"perPartition": "false"}
        use = self.read_use(admin, deadline, full_name, is_partitioned, whole)
        if use is None:
            namespace, name = full_name.split("/")[-2:]
            partitions = self.list_topics(admin, deadline, namespace).get(name)
            if partitions is not None and bool(partitions) != is_partitioned:
                return self.read_use(admin, deadline, full_name, not is_partitioned, whole)
        return use

    def read_use(
        self, admin: Api, deadline: Deadline, topic: str, is_partitioned: bool, query: Mapping[str, str] | None = None
    ) -> TopicUse | None:
        """Return what the statistics of a topic say, by its full name, or None where there is no topic of this kind."""
        path = topic.partition("://")[2].split("/")
        place = ("admin", "v2", "persistent", *path, "partitioned-stats" if is_partitioned else "stats")
        more = {"query": query if is_partitioned else None, "absent": (404,), "form": dict}
        document = admin.read(self.call(f"Reading topic {'/'.join(path[1:])}", "GET", *place, **more), deadline)
        return None if document is None else interpret_statistics(document, is_partitioned)

    def delete_topic(self, namespace: str, name: str, partitions: int) -> Call:
        """Return the request that removes a topic; with ``force``, whoever uses it."""
        path = ["v2", "persistent", self.tenant, namespace, name, *(["partitions"] if partitions else [])]
        query = {"force": "true"} if self.params["force"] else None
        return self.call(f"Deleting topic {namespace}/{name}", "DELETE", "admin", *path, query=query)

    def read(self, deadline: Deadline) -> dict[str, Any] | None:
        """Return what the service shows, named as the options, or None where nothing exists."""
        return self.ask_admin(self.read_admin, deadline)

    def list(self, deadline: Deadline) -> list[dict[str, Any]]:
        """Return all that exist, for the info module."""
        return self.ask_admin(self.list_admin, deadline) or []


class NamespacedResource(AdminResource):
    """A resource within a namespace."""

    shared_options = "namespace"
    identity_options = ("tenant", "namespace", "name")


def is_active(record: Mapping[str, Any]) -> bool:
    """Tell whether a tenant can be used; one whose record has no status can."""
    status = read_keys(record, "status")[0]
    return status is None or str(status).lower() in ("", "active")
