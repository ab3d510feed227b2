# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whatever a body holds, the service answers as a service does."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.emulator.support import CLUSTER, ORGANIZATION, STREAMING_HEADERS, audit_logs, call, call_admin, connect, send

SINK = {"archive": "builtin://kafka", "inputs": ["persistent://acme/audit/log"], "configs": {"topic": "t"}}
POLICY = {"description": "", "actions": ["a"], "effect": "allow", "resources": ["r"]}
TENANT = {"tenantName": "more", "userEmail": "a@b", "cloudProvider": "aws", "cloudRegion": "useast2", "clusterName": ""}
STREAM = {"endpoint": "pulsar://h", "topic": "t", "auth_strategy": "token", "auth_name": "token", "token": "x"}

# Each with a body that is right, from which the wrong ones are made.
REQUESTS = {
    ("POST", audit_logs()): {"pulsar": STREAM},
    ("POST", "/v2/organizations/roles"): {"name": "n", "policy": POLICY},
    ("POST", "/v2/tokens"): {"roles": ["x"], "orgId": ORGANIZATION, "tokenExpiry": "2099-01-01T00:00:00Z"},
    ("POST", "/v2/streaming/tenants"): TENANT,
    ("POST", "/v3/streaming/tenants/acme/tokens"): {"exp": "1d", "type": "admin", "role": "r"},
    ("PUT", "/admin/v2/namespaces/acme/new"): {},
    ("POST", "/admin/v2/namespaces/acme/audit/retention"): {"retentionTimeInMinutes": 1, "retentionSizeInMB": -1},
    ("POST", "/admin/v2/namespaces/acme/audit/backlogQuota"): {"limitSize": 1, "policy": "producer_exception"},
    ("POST", "/admin/v2/namespaces/acme/audit/messageTTL"): 0,
    ("POST", "/admin/v2/namespaces/acme/audit/permissions/r"): ["produce"],
    ("PUT", "/admin/v2/persistent/acme/audit/new"): {"a": "b"},
    ("PUT", "/admin/v2/persistent/acme/audit/parts/partitions"): 2,
    ("PUT", "/admin/v2/persistent/acme/audit/log/properties"): {"a": "b"},
    ("PUT", "/admin/v2/persistent/acme/audit/log/subscription/s"): "earliest",
    ("POST", "/admin/v3/astrasinks/acme/audit/new"): SINK,
    ("PUT", "/admin/v3/astrasinks/acme/audit/sink"): SINK,
}
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@st.composite
def mutants(draw, document):
    """A document with some value, at any depth, in place of another one."""
    if not isinstance(document, dict) or not document or draw(st.booleans()):
        return draw(VALUES)
    name = draw(st.sampled_from(sorted(document)) | st.text())
    return {**document, name: draw(mutants(document.get(name)))}


@pytest.mark.parametrize("request_", REQUESTS, ids=" ".join)
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_body_breaks_the_service(emulator, request_, data):
    body = data.draw(mutants(REQUESTS[request_]))
    namespaces = [{"name": "audit", "topics": [{"name": "log"}]}]
    sinks = [{"name": "sink", "namespace": "audit", **SINK}]
    emulator.reset()
    emulator.set_tenant(ORGANIZATION, "acme", namespaces=namespaces, sinks=sinks)
    answer = call(emulator, *request_, body=json.dumps(body).encode(), headers=STREAMING_HEADERS)
    assert answer.status < 500
    if answer.status >= 400:
        assert answer.reason if request_[1].startswith(("/admin", "/v2/streaming", "/v3")) else answer.messages
    # And nothing is broken afterwards.
    for path in ("/v2/organizations/roles", "/v2/tokens", "/v2/streaming/tenants"):
        assert call(emulator, "GET", path).status == 200
    for path in ("namespaces/acme/audit", "persistent/acme/audit/log/stats", "/admin/v3/sinks/acme/audit/sink/status"):
        assert call_admin(emulator, "GET", path).status == 200
    emulator.act(ORGANIZATION)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    path=st.lists(
        st.sampled_from([*"acdlnpst", "acme", "audit", "log", "%2F", "%00", "%zz", ";", "..", "", "position", "-1"])
    )
)
def test_no_path_breaks_the_service(emulator, path):
    emulator.set_tenant(ORGANIZATION, "acme", namespaces=[{"name": "audit", "topics": [{"name": "log"}]}])
    connection = connect(emulator, url=emulator.admin_url)
    for start in ("/admin/v2/persistent/acme/audit/log/", "/admin/v2/namespaces/", "/admin/v3/sinks/", "/"):
        assert send(connection, "GET", start + "/".join(path)).status < 500
    connection.close()
    assert emulator.tenant("acme", CLUSTER)["name"] == "acme"
