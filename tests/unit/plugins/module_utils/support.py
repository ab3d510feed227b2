# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the tests of pure code share: names, tokens, and the sentence of a refusal."""

from __future__ import annotations

import base64
import json

import pytest
from ansible_collections.datastax.astra.plugins.module_utils._errors import InputError

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
