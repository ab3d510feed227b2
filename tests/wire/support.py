# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The service under test and the way to it: the modules' own commands, over a real socket."""

from __future__ import annotations

import base64
import json

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.datastax.astra.plugins.module_utils._command import AUDIT_LOG_STREAM, perform

from emulator.client import Emulator

ORGANIZATION = "0a1b2c3d-0000-4000-8000-000000000001"
OTHER_ORGANIZATION = "0a1b2c3d-0000-4000-8000-000000000002"


def application_token(letter: str) -> str:
    """An application token as Astra makes them, obviously fake."""
    return f"AstraCS:{letter * 24}:{'0123456789abcdef' * 4}"


def jwt(**claims: object) -> str:
    """A token that reads like a JWT; nobody has signed it."""
    parts = [{"alg": "none"}, {"sub": "tests", **claims}]
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
    return ".".join([*encoded, "bm90LXNpZ25lZA"])


ADMINISTRATOR = application_token("a")
READER = application_token("r")
ENTERPRISE = application_token("e")
STRANGER = application_token("s")
PULSAR_TOKEN = jwt()
OTHER_PULSAR_TOKEN = jwt(jti="other")
CREDENTIALS_URL = "data:application/json;base64,c2VjcmV0LWNyZWRlbnRpYWxz"

ORGANIZATIONS = [
    {"id": ORGANIZATION, "name": "one", "audit_logs": None},
    {"id": OTHER_ORGANIZATION, "name": "two", "audit_logs": None},
]
TOKENS = [
    {"token": ADMINISTRATOR, "organization_id": ORGANIZATION},
    {"token": READER, "organization_id": ORGANIZATION, "roles": ["Database Reader"]},
    {"token": STRANGER, "organization_id": OTHER_ORGANIZATION},
    {"token": ENTERPRISE, "enterprise": True, "organizations": [ORGANIZATION, OTHER_ORGANIZATION]},
]

ENDPOINT = "pulsar+ssl://pulsar-aws-useast2.streaming.datastax.com:6651"
TOPIC = "persistent://acme/security/audit"

# What a token strategy needs, as options, as the request's body, and as results show it.
TOKEN_OPTIONS = {"endpoint": ENDPOINT, "topic": TOPIC, "pulsar_token": PULSAR_TOKEN}
TOKEN_STREAM = {"endpoint": ENDPOINT, "topic": TOPIC, "auth_strategy": "token", "auth_name": "token"}
TOKEN_BODY = {"pulsar": {**TOKEN_STREAM, "token": PULSAR_TOKEN}}

OAUTH2_OPTIONS = {
    "endpoint": ENDPOINT,
    "topic": TOPIC,
    "auth_strategy": "oauth2",
    "oauth2_credentials_url": CREDENTIALS_URL,
    "oauth2_issuer_url": "https://login.example.com/",
    "oauth2_audience": "urn:pulsar",
}
OAUTH2_STREAM = {name: value for name, value in OAUTH2_OPTIONS.items() if name != "oauth2_credentials_url"}
OAUTH2_BODY = {"pulsar": OAUTH2_OPTIONS}


def seeded(**settings: object) -> Emulator:
    """An emulator with the organizations and tokens of these tests."""
    return Emulator(organizations=ORGANIZATIONS, tokens=TOKENS, **settings)


def run(service, *, check=False, diff=True, command=AUDIT_LOG_STREAM, **options):
    """Validate the options as Ansible does, run the command and return its result."""
    options = {
        "api_url": service.api_url,
        "organization_id": ORGANIZATION,
        "application_token": ADMINISTRATOR,
        "retries": 2,
        "timeout": 5,
        "wait_timeout": 10,
        **options,
    }
    options = {name: value for name, value in options.items() if name in command.argument_spec}
    validation = ArgumentSpecValidator(command.argument_spec).validate(options)
    assert not validation.error_messages, validation.error_messages
    return perform(command, validation.validated_parameters, check, diff)


def present(service, **options):
    """Run the module with state present and a Pulsar token."""
    return run(service, **{**TOKEN_OPTIONS, **options})


def absent(service, **options):
    """Run the module with state absent."""
    return run(service, state="absent", **options)


def methods(service) -> list[str]:
    """The methods of the requests that reached the service, in order; ORG is what tells the token's organization."""
    return ["ORG" if entry["path"] == "/v2/currentOrg" else entry["method"] for entry in service.journal()]


def configure(service, body=None) -> None:
    """Have something stored before the test begins."""
    service.set_organization(ORGANIZATION, TOKEN_BODY if body is None else body)


def stored(service) -> dict | None:
    """What the service has stored, unmasked, with nothing still pending."""
    return service.organization(ORGANIZATION)["audit_logs"]
