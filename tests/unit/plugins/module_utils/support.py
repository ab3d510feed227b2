# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the tests of pure code share: names, tokens, and the sentence of a refusal."""

from __future__ import annotations

import base64
import json

import pytest
from ansible_collections.datastax.astra.plugins.module_utils._errors import InputError
from ansible_collections.datastax.astra.plugins.module_utils._http import Answer, Attempts

NOW = 1_800_000_000  # 2027-01-15T08:00:00Z
DAY = 86400

ORGANIZATION = "0a1b2c3d-0000-4000-8000-000000000001"
OTHER_ORGANIZATION = "0a1b2c3d-0000-4000-8000-000000000002"
APPLICATION_TOKEN = f"AstraCS:{'a' * 24}:{'0123456789abcdef' * 4}"
MASK = "********"

# Sentences that several tests expect. They go on after the name of the option.
WEB = "is a web URL, give the broker URL, which starts with pulsar+ssl://."
TOPIC_FORM = "must be written as persistent://tenant/namespace/topic."
NO_UUID = "must be the organization's UUID, as the Astra portal shows it."
JWT_PARTS = "is not a JWT: it must have three parts separated by dots."
JWT_UNREADABLE = "is not a readable JWT: it may be cut off or changed by copying."
JWT_OBJECTS = "is not a readable JWT: its header and claims must be JSON objects."
JWT_EXPIRY = "has an expiry (exp) that is not a number."


def segment(content):
    """Encode bytes, or anything else as JSON, as a segment of a JWT."""
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def jwt(header=None, signature="bm90LXNpZ25lZA", **claims):
    return ".".join([segment({"alg": "none"} if header is None else header), segment(claims), signature])


def jwt_of(claims):
    return ".".join([segment({"alg": "none"}), segment(claims), "bm90LXNpZ25lZA"])


def message_of(function, value):
    with pytest.raises(InputError) as caught:
        function(value)
    return caught.value.message


class Service:
    """Connections with a service in memory, which applies changes at once and masks the secrets.

    ``failures`` are raised or answered by method, once each: what is raised comes after the change.
    """

    url_option = "api_url"

    def __init__(self, document=None, organization_id=ORGANIZATION):
        self.document = document
        self.organization_id = organization_id
        self.requests = []
        self.failures = {}

    def make_attempts(self):
        return Attempts(0)

    def request(self, method, path, *, body=None, **_more):
        if path == "/v2/currentOrg":
            self.requests.append("ORG")
            return Answer(200, json.dumps({"id": self.organization_id}).encode())
        self.requests.append(method)
        failures = self.failures.get(method, [])
        failure = failures.pop(0) if failures else None
        if isinstance(failure, Answer):
            return failure
        if method == "GET":
            return Answer(200, json.dumps(self._masked()).encode())
        self.document = json.loads(body) if method == "POST" else None
        if failure:
            raise failure
        return Answer(202, b"")

    def _masked(self):
        if not self.document or "pulsar" not in self.document:
            return self.document
        secrets = {"token", "oauth2_credentials_url"} & self.document["pulsar"].keys()
        return {"pulsar": {**self.document["pulsar"], **dict.fromkeys(secrets, MASK)}}


class Clock:
    """Time that passes only where somebody sleeps, in place of the module ``time``."""

    def __init__(self):
        self.now = 1000.0
        self.slept = []

    def monotonic(self):
        return self.now

    def sleep(self, seconds):
        assert seconds >= 0
        self.slept.append(seconds)
        self.now += seconds
