# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the resources of Astra Streaming share: the tenant's record, and Pulsar's admin API behind it.

One application token is the credential for both (terraform-provider-astra, pull request 369). The admin API's URL is
taken from the tenant's record and never computed: dedicated clusters have other names (issue 228 there).
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

from ansible_collections.datastax.astra.plugins.module_utils._api import Api, Call
from ansible_collections.datastax.astra.plugins.module_utils._connection import open_http
from ansible_collections.datastax.astra.plugins.module_utils._deadline import UNBOUNDED, Deadline
from ansible_collections.datastax.astra.plugins.module_utils._errors import InputError, ServiceError
from ansible_collections.datastax.astra.plugins.module_utils._organizations import normalize_organization_id
from ansible_collections.datastax.astra.plugins.module_utils._resource import DeclaredResource

MANAGE_STREAMING = "the application token needs the role Organization Administrator or the permission org-stream-manage"


class StreamingResource(DeclaredResource):
    """A resource of an Astra Streaming tenant, on the control plane."""

    is_streaming = True

    _organization_id: str | None = None
    _tenant: dict[str, Any] | None = None

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers that say which cluster's tenant is meant."""
        return {"X-DataStax-Pulsar-Cluster": self.params["cluster"]}

    def find_headers(self, deadline: Deadline = UNBOUNDED) -> Mapping[str, str]:
        """Return these headers and the one that says whose tenant it is, which some requests need.

        The tenant's record names its organization, so that one is looked up only where the record was not read.
        """
        self._organization_id = self._organization_id or self.devops.find_organization(deadline)
        return {**self.headers, "X-DataStax-Current-Org": self._organization_id}

    def find_tenant(self, deadline: Deadline) -> dict[str, Any] | None:
        """Return the tenant's record with the URLs that clients need, read once, or None without the tenant.

        :raises AstraError: it cannot be read, or has no such URLs.
        """
        self._tenant = self._tenant or self.read_tenant(deadline)
        for name in ("webServiceUrl", "brokerServiceUrl") if self._tenant else ():
            if not isinstance(self._tenant.get(name), str) or not self._tenant[name]:
                raise ServiceError(f"Astra shows no {name} for tenant {self.params['tenant']}: is it active already?")
        return self._tenant

    def read_tenant(self, deadline: Deadline) -> dict[str, Any] | None:
        """Return the tenant's record as the control plane shows it, or None where there is no such tenant.

        :raises AstraError: it cannot be read.
        """
        tenant, cluster = self.params["tenant"], self.params["cluster"]
        call = Call(
            f"Reading tenant {tenant} of cluster {cluster}",
            "GET",
            f"/v2/streaming/tenants/{tenant}",
            absent=(404,),
            advice={403: MANAGE_STREAMING},
            headers=self.headers,
        )
        document = self.devops.read(call, deadline)
        if document is not None and not isinstance(document, dict):
            raise ServiceError(f"{call.purpose} failed: the service answered with a body that is not a JSON object.")
        with contextlib.suppress(InputError):
            self._organization_id = normalize_organization_id(str((document or {}).get("astraOrgGUID")))
        return document

    def refuse_without_tenant(self) -> ServiceError:
        """Return the error for a tenant that does not exist."""
        return ServiceError(
            f"There is no tenant {self.params['tenant']} on cluster {self.params['cluster']}: "
            "make it first, with datastax.astra.astra_streaming_tenant."
        )


class AdminResource(StreamingResource):
    """A resource of an Astra Streaming tenant, behind Pulsar's admin API."""

    _admin: Api | None = None

    @property
    def api(self) -> Api:
        """Pulsar's admin API, after ``find_admin`` has found it."""
        assert self._admin
        return self._admin

    def find_admin(self, deadline: Deadline) -> bool:
        """Find Pulsar's admin API; return False where the tenant does not exist.

        :raises AstraError: it cannot be found out.
        """
        if self._admin is None:
            url = self.params["admin_url"]
            if not url:
                tenant = self.read_tenant(deadline)
                if tenant is None:
                    return False
                url = tenant.get("webServiceUrl")
            if not isinstance(url, str) or not url.startswith(("http://", "https://")):
                raise ServiceError(
                    f"Astra shows no webServiceUrl for tenant {self.params['tenant']}: give admin_url.",
                )
            http = self.stack.enter_context(open_http({**self.params, "admin_url": url}, "admin_url"))
            self._admin = self.devops.move_to(http)
        return True
