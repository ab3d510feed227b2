# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The requests that the vendor's Terraform provider was recorded to send, replayed in order."""

from __future__ import annotations

from typing import Any, NamedTuple

from tests.emulator.support import ORGANIZATION, call

CLUSTER = {"X-DataStax-Pulsar-Cluster": "pulsar-aws-useast2"}
BOTH = {**CLUSTER, "X-DataStax-Current-Org": ORGANIZATION}
JSON = {"Content-Type": "application/json"}
NOTHING = object()


class Step(NamedTuple):
    """A recorded request and the status that was recorded, or the one that Astra's limits demand."""

    method: str
    path: str
    status: int
    headers: dict[str, str] = {}
    body: Any = NOTHING


NAMESPACE = "/admin/v2/namespaces/audit-logs-acme/audit"
TOPICS = "/admin/v2/persistent/audit-logs-acme/audit"
SCHEMAS = "/admin/v2/schemas/audit-logs-acme/audit"
SINK = "/admin/v3/astrasinks/audit-logs-acme/audit/audit-es"
TENANT = {
    "orgID": ORGANIZATION,
    "orgName": ORGANIZATION,
    "tenantName": "audit-logs-acme",
    "userEmail": "ops@example.com",
    "cloudProvider": "",
    "cloudRegion": "",
    "clusterName": "pulsar-aws-useast2",
}
ROLE = {
    "name": "audit-log-streaming",
    "policy": {
        "actions": ["org-audits-read", "org-stream-manage"],
        "description": "Manage audit log streaming",
        "effect": "allow",
        "resources": [f"drn:astra:org:{ORGANIZATION}", f"drn:astra:org:{ORGANIZATION}:stream:*"],
    },
}
SINK_CONFIG = {
    "archive": "builtin://elastic_search",
    "autoAck": True,
    "configs": {
        "elasticSearchUrl": "https://es.example.com:9200",
        "indexName": "astra-audit",
        "password": "p",
        "username": "u",
    },
    "inputs": ["persistent://audit-logs-acme/audit/audit-log"],
    "name": "audit-es",
    "namespace": "audit",
    "parallelism": 1,
    "processingGuarantees": "ATLEAST_ONCE",
    "retainOrdering": True,
    "tenant": "audit-logs-acme",
}

CREATE = [
    Step("POST", "/v2/organizations/roles", 201, JSON, ROLE),
    Step("GET", "/v2/currentOrg", 200),
    Step(
        "POST",
        "/v2/streaming/tenants",
        200,
        JSON,
        {
            **TENANT,
            "tenantName": "audit-logs-byregion",
            "cloudProvider": "aws",
            "cloudRegion": "useast2",
            "clusterName": "",
        },
    ),
    Step("GET", "/v2/streaming/tenants/audit-logs-byregion", 200, CLUSTER),
    Step("GET", "/v2/currentOrg", 200),
    Step("POST", "/v2/streaming/tenants", 200, JSON, TENANT),
    Step("GET", "/v2/streaming/tenants/audit-logs-acme", 200, CLUSTER),
    Step("GET", "/v2/organizations/roles/{role}", 200),
    Step("POST", "/v2/tokens", 200, JSON, {"orgId": ORGANIZATION, "roles": ["{role}"]}),
    Step("GET", "/v2/currentOrg", 200),
    Step(
        "POST", "/v3/streaming/tenants/audit-logs-acme/tokens", 201, {**BOTH, **JSON}, {"exp": "90d", "type": "admin"}
    ),
    Step("PUT", NAMESPACE, 204, {**CLUSTER, **JSON}, {}),
    Step("POST", f"{NAMESPACE}/messageTTL", 204, {**CLUSTER, **JSON}, 0),
    Step(
        "POST",
        f"{NAMESPACE}/autoTopicCreation",
        204,
        {**CLUSTER, **JSON},
        {"allowAutoTopicCreation": False, "topicType": "non-partitioned"},
    ),
    Step(
        "POST",
        f"{NAMESPACE}/backlogQuota?backlogQuotaType=destination_storage",
        204,
        {**CLUSTER, **JSON},
        {"limit": 5000000000, "limitSize": 5000000000, "limitTime": -1, "policy": "consumer_backlog_eviction"},
    ),
    # The stub of the recording took it; Pulsar does not, because a backlog of 5 GB is more than 1 GiB.
    Step(
        "POST",
        f"{NAMESPACE}/retention",
        412,
        {**CLUSTER, **JSON},
        {"retentionSizeInMB": 1024, "retentionTimeInMinutes": 10080},
    ),
    Step(
        "POST",
        f"{NAMESPACE}/inactiveTopicPolicies",
        204,
        {**CLUSTER, **JSON},
        {
            "deleteWhileInactive": False,
            "inactiveTopicDeleteMode": "delete_when_no_subscriptions",
            "maxInactiveDurationSeconds": 172800,
        },
    ),
    Step("POST", f"{NAMESPACE}/subscriptionExpirationTime", 204, {**CLUSTER, **JSON}, 0),
    Step("GET", NAMESPACE, 200, CLUSTER),
    Step("PUT", f"{TOPICS}/audit-log-part/partitions", 204, {**CLUSTER, **JSON}, 3),
    Step("PUT", f"{TOPICS}/audit-log", 204, {**CLUSTER, **JSON}),
    Step("GET", "/v2/currentOrg", 200),
    Step("POST", SINK, 204, {**BOTH, **JSON}, SINK_CONFIG),
]
REFRESH = [
    Step("GET", "/v2/organizations/roles/{role}", 200),
    Step("GET", "/v2/streaming/tenants/audit-logs-acme", 200, CLUSTER),
    Step("GET", "/v2/streaming/tenants/audit-logs-byregion", 200, CLUSTER),
    Step("GET", "/v2/clientIdSecrets", 200),
    Step("GET", "/v2/currentOrg", 200),
    Step("GET", "/v2/streaming/tenants/audit-logs-acme/tokens/{token}", 200, BOTH),
    Step("GET", NAMESPACE, 200, CLUSTER),
    Step("GET", f"{TOPICS}/audit-log-part/partitions", 200, CLUSTER),
    Step("GET", f"{SCHEMAS}/audit-log-part/schema", 404, CLUSTER),
    Step("GET", f"{TOPICS}/audit-log/stats", 200, CLUSTER),
    Step("GET", f"{SCHEMAS}/audit-log/schema", 404, CLUSTER),
    Step("GET", SINK, 200, CLUSTER),
]
DESTROY = [
    Step("DELETE", "/v2/streaming/tenants/audit-logs-byregion/clusters/pulsar-aws-useast2", 202),
    Step("GET", "/v2/currentOrg", 200),
    Step("DELETE", "/v2/streaming/tenants/audit-logs-acme/tokens/{token}", 200, BOTH),
    Step("DELETE", SINK, 200, {**CLUSTER, "X-DataStax-Current-Org": ""}),
    Step("DELETE", "/v2/clientIdSecrets/{client}", 204),
    Step("DELETE", f"{TOPICS}/audit-log-part/partitions", 204, CLUSTER),
    Step("DELETE", f"{TOPICS}/audit-log", 204, CLUSTER),
    Step("DELETE", "/v2/organizations/roles/{role}", 204),
    Step("DELETE", NAMESPACE, 204, CLUSTER),
    Step("DELETE", "/v2/streaming/tenants/audit-logs-acme/clusters/pulsar-aws-useast2", 202),
]


class Replay:
    """Sends recorded requests, with the ids that this service gave in place of the recorded ones."""

    def __init__(self, emulator) -> None:
        self.emulator = emulator
        self.ids: dict[str, str] = {}

    def run(self, steps: list[Step]) -> dict[str, Any]:
        """Send them in order, compare the statuses, and return the last answer to each GET."""
        answers = {}
        for step in steps:
            body = None if step.body is NOTHING else self._fill(step.body)
            path = self._fill(step.path)
            answer = call(self.emulator, step.method, path, body=body, headers=step.headers)
            assert answer.status == step.status, (step.method, path, answer.body)
            if step.path.endswith("/roles"):
                self.ids["role"] = answer.json["id"]
            elif step.path == "/v2/tokens":
                self.ids["client"] = answer.json["clientId"]
            elif step.path.startswith("/v3/") and step.path.endswith("/tokens"):
                self.ids["token"] = answer.json["id"]
            if step.method == "GET":
                answers[step.path] = answer
        return answers

    def _fill(self, value: Any) -> Any:
        if value == ["{role}"]:
            return [self.ids["role"]]
        if isinstance(value, dict):
            return {key: self._fill(each) for key, each in value.items()}
        return value.format(**self.ids) if isinstance(value, str) else value


def test_the_recorded_requests_are_served(emulator):
    replay = Replay(emulator)
    replay.run(CREATE)
    seen = replay.run(REFRESH)
    assert seen["/v2/streaming/tenants/audit-logs-acme"].json["webServiceUrl"] == emulator.admin_url
    assert seen[f"{TOPICS}/audit-log-part/partitions"].json["partitions"] == 3
    assert seen[SINK].json["configs"] == {**SINK_CONFIG["configs"], "password": "********"}
    policies = seen[NAMESPACE].json
    assert policies["backlog_quota_map"]["destination_storage"]["policy"] == "consumer_backlog_eviction"
    assert policies["retention_policies"] == {"retentionTimeInMinutes": 0, "retentionSizeInMB": 0}
    replay.run(DESTROY)
    assert emulator.tenants() == []
    assert emulator.roles() == []
    assert {entry["server"] for entry in emulator.journal()} == {"api"}
