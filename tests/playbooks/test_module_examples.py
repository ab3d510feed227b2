# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The examples in the modules' documentation run as they stand, and show no secret."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
import yaml

from tests.playbooks.conftest import ADMINISTRATORS, IDS, VAULT_PASSWORD
from tests.wire.support import application_token

MODULES = Path(__file__).parents[2] / "plugins" / "modules"
ORGANIZATION = IDS["acme-1"]
OLD_TOKEN = application_token("o")
# What the examples take for given.
VARIABLES = {
    "vault_password": VAULT_PASSWORD,
    "elasticsearch_password": "elasticsearch-password-for-tests",
    "old_token_id": "old",
    "old_client_id": OLD_TOKEN.split(":")[1],
    "organization_id": ORGANIZATION,
}
ROLE = {
    "description": "Streaming",
    "actions": ["org-audits-read"],
    "effect": "allow",
    "resources": [f"drn:astra:org:{ORGANIZATION}"],
}
# How many tasks of each module's examples change something.
EXAMPLES = {
    "astra_role": 1,
    "astra_role_info": 0,
    "astra_streaming_tenant": 1,
    "astra_streaming_tenant_info": 0,
    "astra_streaming_namespace": 2,
    "astra_streaming_namespace_info": 0,
    "astra_streaming_topic": 1,
    "astra_streaming_topic_info": 0,
    "astra_streaming_token": 4,
    "astra_streaming_token_info": 0,
    "astra_streaming_sink": 3,
    "astra_streaming_sink_info": 0,
    "astra_token": 3,
    "astra_token_info": 0,
}


def read_examples(module: str) -> list[dict]:
    """The tasks that the module's documentation shows."""
    for node in ast.parse((MODULES / f"{module}.py").read_text()).body:
        if isinstance(node, ast.Assign) and node.targets[0].id == "EXAMPLES":
            return yaml.safe_load(node.value.value)
    raise AssertionError(f"{module} has no examples")


@pytest.mark.parametrize("module", EXAMPLES)
def test_examples(fleet, module):
    fleet.service.set_tenant(
        ORGANIZATION,
        "acme",
        namespaces=[{"name": "audit", "topics": [{"name": "log"}]}],
        tokens=[{"id": "old", "exp": "1d"}],
    )
    fleet.service.set_role(organization_id=ORGANIZATION, name="audit-log-streaming", policy=ROLE)
    fleet.service.set_token(token=OLD_TOKEN, organization_id=ORGANIZATION)
    play = {"name": "Examples", "hosts": "localhost", "gather_facts": False, "tasks": read_examples(module)}
    path = fleet.write("examples.yml", yaml.safe_dump([play], sort_keys=False))
    variables = fleet.write("variables.yml", yaml.safe_dump(VARIABLES), vaulted=True)
    environment = {"ASTRA_DB_APPLICATION_TOKEN": ADMINISTRATORS["acme-1"], "ASTRA_API_URL": fleet.service.api_url}
    run = fleet.play("-e", f"@{variables}", "-vvvv", "--diff", playbook=str(path), **environment)
    assert f"changed={EXAMPLES[module]} " in run.screen
    secrets = [VARIABLES["elasticsearch_password"], *(token["token"] for token in fleet.service.tokens())]
    assert not any(secret in run.screen + run.errors for secret in secrets)
    assert "eyJ" not in run.screen + run.errors  # with which every Pulsar token begins
