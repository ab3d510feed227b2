# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What can be known about a request offline: normalised values, every mistake, every warning.

Pure code. The rules are those of the Pulsar sink of Vector, whose field names the service uses, and of the
vendor's page on audit log streaming.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Callable, NamedTuple

from ansible_collections.datastax.astra.plugins.module_utils._connection import examine_connection, examine_url
from ansible_collections.datastax.astra.plugins.module_utils._errors import InputError
from ansible_collections.datastax.astra.plugins.module_utils._fingerprint_store import TOPIC_STORE
from ansible_collections.datastax.astra.plugins.module_utils._organizations import normalize_organization_id
from ansible_collections.datastax.astra.plugins.module_utils._pulsar.client_conf import (
    OAUTH2_OPTIONS,
    SECRET_OPTIONS,
    TOKEN_OPTIONS,
)
from ansible_collections.datastax.astra.plugins.module_utils._pulsar.jwt import (
    EXPIRY_WARNING_DAYS,
    find_tenant,
    read_jwt,
    rfc3339,
)
from ansible_collections.datastax.astra.plugins.module_utils._pulsar.names import normalize_endpoint, normalize_topic
from ansible_collections.datastax.astra.plugins.module_utils._secrets import MASK, is_fingerprint

_ISSUER = re.compile(r"https?://[^\s/@]+(?:/\S*)?", re.IGNORECASE)
_ASTRA_STREAMING = ".streaming.datastax.com"
_AUDIT_LOG_REGION = "aws-useast2"


class Request(NamedTuple):
    """One organization's request, validated and normalised.

    ``stream`` has the destination's fields without secrets, named as the module's options; for state absent, nothing.
    ``secret`` is the Pulsar token or the OAuth2 credentials URL, or None; ``expires_at`` is an RFC 3339 time or None.
    """

    state: str
    organization_id: str | None
    stream: dict[str, str]
    secret: str | None = None
    expires_at: str | None = None

    @property
    def pulsar_token(self) -> str | None:
        """The secret if it is for Pulsar: OAuth2 credentials are for an issuer, and go to no broker or admin API."""
        return self.secret if self.stream.get("auth_strategy") == "token" else None


class Findings(NamedTuple):
    """The outcome of ``examine``; ``request`` is None when there are problems."""

    problems: list[str]
    warnings: list[str]
    request: Request | None


def examine(options: Mapping[str, Any], now: float) -> Findings:
    """Find every mistake that can be seen offline, all at once.

    :arg options: the module's options after Ansible's own validation, as a dict.
    :arg now: seconds since the epoch.
    :returns: ``Findings``. Problems and warnings are sentences that name the option and never repeat a value.
    """
    problems, warnings = examine_connection(options)
    organization_id = options["organization_id"]
    if organization_id is not None:
        organization_id = _normalize("organization_id", organization_id, normalize_organization_id, problems)
    elif options.get("fingerprint_store"):
        problems.append("organization_id is needed with fingerprint_store.")
    if options.get("web_service_url"):
        examine_url("web_service_url", options["web_service_url"], problems, warnings)
    request = Request(options.get("state", "present"), organization_id, {})
    if options.get("state") == "present":
        request = _examine_present(options, request, now, problems, warnings)
    return Findings(problems, warnings, None if problems else request)


def _examine_present(
    options: Mapping[str, Any], request: Request, now: float, problems: list[str], warnings: list[str]
) -> Request:
    if options["known_token_fingerprint"] is not None and not is_fingerprint(options["known_token_fingerprint"]):
        problems.append("known_token_fingerprint must be sha256: and 64 hexadecimal digits, as an earlier run gave it.")
    if options["fingerprint_store"] == TOPIC_STORE:
        if options["auth_strategy"] != "token":
            problems.append("fingerprint_store can be topic for the token strategy alone: name a directory.")
        elif not options["web_service_url"]:
            problems.append("web_service_url is needed with fingerprint_store topic; client.conf has it.")
    stream: dict[str, str] = {
        "endpoint": _normalize("endpoint", options["endpoint"], normalize_endpoint, problems),
        "topic": _normalize("topic", options["topic"], normalize_topic, problems),
        "auth_strategy": options["auth_strategy"],
    }
    if stream["endpoint"] and options["validate_region"]:
        _examine_region(stream["endpoint"], problems)
    examine_strategy = _examine_oauth2 if options["auth_strategy"] == "oauth2" else _examine_token_strategy
    secret_option = SECRET_OPTIONS[options["auth_strategy"]]
    stream.update(examine_strategy(options, problems))
    secret = options[secret_option]
    expires_at = None
    if secret is not None:
        secret = secret.strip()
        if not secret:
            problems.append(f"{secret_option} is empty.")
        elif secret == MASK:
            secret = None
            warnings.append(f"{secret_option} is the mask that the API shows for a secret; it counts as not given.")
        elif secret_option == "oauth2_credentials_url":
            _examine_credentials_url(secret, problems)
        else:
            expires_at = _examine_pulsar_token(secret, stream["topic"], now, problems, warnings)
    return request._replace(stream=stream, secret=secret, expires_at=expires_at)


def _normalize(option: str, value: str | None, normalize: Callable[[str], str], problems: list[str]) -> str:
    """Return the value normalised, or an empty string where that is a problem."""
    if value is None:
        problems.append(f"{option} is needed for state present.")
        return ""
    try:
        return normalize(value)
    except InputError as error:
        problems.append(f"{option} {error.message}")
        return ""


def is_in_region(endpoint: str) -> bool | None:
    """Tell whether a normalised endpoint is in AWS us-east-2, as the vendor's page asks for.

    :returns: None when the name does not tell, because it is not one of Astra Streaming.
    """
    host = endpoint.partition("://")[2].rsplit(":", 1)[0].rstrip(".")
    if not host.endswith(_ASTRA_STREAMING):
        return None
    return host[: -len(_ASTRA_STREAMING)].endswith(_AUDIT_LOG_REGION)


def _examine_region(endpoint: str, problems: list[str]) -> None:
    if is_in_region(endpoint) is False:
        problems.append(
            "endpoint is an Astra Streaming broker outside AWS us-east-2, where audit logs would never arrive: "
            "use a tenant in that region, or set validate_region to false."
        )


def _examine_token_strategy(options: Mapping[str, Any], problems: list[str]) -> dict[str, str]:
    _refuse_options(OAUTH2_OPTIONS, options, problems)
    if options["auth_name"] not in (None, "token"):
        problems.append("auth_name must be 'token' for the token strategy.")
    return {"auth_name": "token"}


def _examine_oauth2(options: Mapping[str, Any], problems: list[str]) -> dict[str, str]:
    _refuse_options(TOKEN_OPTIONS, options, problems)
    issuer = (options["oauth2_issuer_url"] or "").strip()
    if not issuer:
        problems.append("oauth2_issuer_url is needed for the oauth2 strategy.")
    elif not issuer.isprintable() or not _ISSUER.fullmatch(issuer):
        problems.append("oauth2_issuer_url must be an http(s) URL without a user name.")
    fields = {"oauth2_issuer_url": issuer}
    for option in ("oauth2_audience", "oauth2_scope"):
        value = (options[option] or "").strip()
        if value == MASK:
            problems.append(f"{option} is the mask that the API shows: give the real value.")
        elif value:
            fields[option] = value
    return fields


def _refuse_options(names: tuple[str, ...], options: Mapping[str, Any], problems: list[str]) -> None:
    for name in names:
        if options[name] is not None:
            problems.append(f"{name} cannot be used with the {options['auth_strategy']} strategy.")


def _examine_credentials_url(secret: str, problems: list[str]) -> None:
    if secret.lower().startswith("file:"):
        problems.append(
            "oauth2_credentials_url is a file: URL, which would point into the service's own machine: "
            "give the credentials as a data: URL."
        )
    elif not secret.lower().startswith(("data:", "https://", "http://")) or not secret.isprintable():
        problems.append("oauth2_credentials_url must be a data: or http(s) URL.")


def _examine_pulsar_token(secret: str, topic: str, now: float, problems: list[str], warnings: list[str]) -> str | None:
    if secret.startswith("AstraCS:"):
        problems.append("pulsar_token is an Astra application token: give the Pulsar JWT of the streaming tenant.")
        return None
    if secret.startswith(("token:", "file:")):
        problems.append("pulsar_token must be the JWT alone, without token: or file: before it.")
        return None
    try:
        claims = read_jwt(secret)
    except InputError as error:
        problems.append(f"pulsar_token {error.message}")
        return None
    expiry = claims.get("exp")
    expires_at = None if expiry is None else rfc3339(expiry)
    if expiry is not None and expiry <= now:
        problems.append(f"pulsar_token expired{f' on {expires_at}' if expires_at else ''}: create a new one.")
    elif expiry is not None and expiry <= now + EXPIRY_WARNING_DAYS * 86400:
        warnings.append(f"pulsar_token expires on {expires_at}, within {EXPIRY_WARNING_DAYS} days.")
    tenant = find_tenant(claims.get("sub"))
    if topic and tenant is not None and tenant != topic.split("/")[2]:
        warnings.append("pulsar_token belongs to another tenant than the topic's.")
    return expires_at
