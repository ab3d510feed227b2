# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The examples of sinks, as a user runs them: each makes a sink that works, and the same again changes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.playbooks.conftest import ADMINISTRATORS, IDS

EXAMPLES = Path(__file__).parents[2] / "examples" / "sinks"
SECRETS = {
    "elasticsearch_password": "elasticsearch-password-for-tests",
    "kafka_password": "kafka-password-for-tests",
    "s3_access_key_id": "access-key-id-for-tests",
    "s3_secret_access_key": "secret-access-key-for-tests",
    "snowflake_private_key": "private-key-for-tests",
}
# What has to arrive in each connector's configuration, with the secrets.
EXPECTED = {
    "elasticsearch": {"indexName": "astra-audit", "password": SECRETS["elasticsearch_password"], "schemaEnable": False},
    "kafka": {"bootstrapServers": "kafka.example.com:9093", "topic": "astra-audit", "batchSize": 16384},
    "s3": {"provider": "aws-s3", "secretAccessKey": SECRETS["s3_secret_access_key"], "batchTimeMs": 60000},
    "snowflake": {"topic": "astra-audit", "offsetStorageTopic": "persistent://acme/audit/audit-to-snowflake-offsets"},
}
CONNECTORS = {"elasticsearch": "elastic_search", "kafka": "kafka", "s3": "cloud-storage", "snowflake": "snowflake"}


def test_all_are_tested():
    assert sorted(EXPECTED) == sorted(path.stem for path in EXAMPLES.glob("*.yml"))


@pytest.mark.parametrize("name", EXPECTED)
def test_example(fleet, name):
    topics = [{"name": "log"}, {"name": "audit-to-snowflake-offsets"}]
    fleet.service.set_tenant(IDS["acme-1"], "acme", namespaces=[{"name": "audit", "topics": topics}])
    secrets = fleet.write("secrets.yml", yaml.safe_dump(SECRETS), vaulted=True)
    environment = {"ASTRA_DB_APPLICATION_TOKEN": ADMINISTRATORS["acme-1"], "ASTRA_API_URL": fleet.service.api_url}

    def play(*arguments):
        names = ("-e", "streaming_tenant=acme", "-e", "streaming_namespace=audit", "-e", "streaming_topic=log")
        playbook = str(EXAMPLES / f"{name}.yml")
        run = fleet.play(*arguments, *names, "-e", f"@{secrets}", "-vvvv", "--diff", playbook=playbook, **environment)
        assert not any(secret in run.screen + run.errors for secret in SECRETS.values())
        return run

    assert "changed=1" in play("--check").screen
    assert fleet.service.tenant("acme")["sinks"] == []
    assert "changed=1" in play().screen
    sink = fleet.service.sink("acme", "audit", f"audit-to-{name}")
    assert sink["config"]["archive"] == f"builtin://{CONNECTORS[name]}"
    assert sink["config"]["configs"].items() >= EXPECTED[name].items()
    assert sink["config"]["sourceSubscriptionPosition"] == "Earliest"
    fleet.service.publish("persistent://acme/audit/log", {"typename": "AuditEvent"})
    assert fleet.service.sink("acme", "audit", f"audit-to-{name}")["written"] == [{"typename": "AuditEvent"}]
    assert "changed=0" in play().screen
