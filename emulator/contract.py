# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a POST of an audit log configuration must look like (DevOps API 2.3.0, and Vector's rules for Pulsar)."""

from __future__ import annotations

import re

_COMMON = ("endpoint", "topic", "auth_strategy")
_REQUIRED = {
    "token": (*_COMMON, "auth_name", "token"),
    "oauth2": (*_COMMON, "oauth2_credentials_url", "oauth2_issuer_url"),
}
_OPTIONAL = {"token": (), "oauth2": ("oauth2_audience", "oauth2_scope")}
FIELDS = tuple(dict.fromkeys(name for names in (*_REQUIRED.values(), *_OPTIONAL.values()) for name in names))

_BROKER_URL = re.compile(r"pulsar(\+ssl)?://[^\s/]")


def find_problems(document: object) -> list[str]:
    """Return one sentence for each way in which the parsed body of a POST breaks the contract."""
    if not isinstance(document, dict):
        return ["The body must be a JSON object."]
    problems = [f"Unknown field {name}." for name in document if name != "pulsar"]
    pulsar = document.get("pulsar")
    if not isinstance(pulsar, dict):
        return [*problems, "pulsar must be an object."]
    return problems + _find_pulsar_problems(pulsar)


def _find_pulsar_problems(pulsar: dict) -> list[str]:
    strategy = pulsar.get("auth_strategy")
    if strategy not in ("token", "oauth2"):
        return ["pulsar.auth_strategy must be token or oauth2."]
    problems = []
    for name, value in pulsar.items():
        if name not in FIELDS:
            problems.append(f"Unknown field pulsar.{name}.")
        elif name not in _REQUIRED[strategy] + _OPTIONAL[strategy]:
            problems.append(f"pulsar.{name} cannot be used with auth_strategy {strategy}.")
        elif not isinstance(value, str) or not value:
            problems.append(f"pulsar.{name} must be a string that is not empty.")
    problems += [f"pulsar.{name} is required." for name in _REQUIRED[strategy] if name not in pulsar]
    if problems:
        return problems
    if not _BROKER_URL.match(pulsar["endpoint"]):
        problems.append("pulsar.endpoint must be a URL with the scheme pulsar or pulsar+ssl.")
    if strategy == "token" and pulsar["auth_name"] != "token":
        problems.append("pulsar.auth_name must be token.")
    return problems
