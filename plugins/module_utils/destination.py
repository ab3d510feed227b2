# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What can be known about a request offline: normalised values, every mistake, every warning.

Pure code. The rules are those of the Pulsar sink of Vector, whose field names the service uses, and of the
vendor's page on audit log streaming.
"""

from __future__ import annotations

import base64
import datetime
import json
import math
import re
from typing import NamedTuple

from ansible_collections.datastax.astra.plugins.module_utils.errors import InputError

MASK = "********"  # what GET shows instead of a secret

TOKEN_OPTIONS = ("auth_name", "pulsar_token")
OAUTH2_OPTIONS = ("oauth2_credentials_url", "oauth2_issuer_url", "oauth2_audience", "oauth2_scope")
SECRET_OPTIONS = {"token": "pulsar_token", "oauth2": "oauth2_credentials_url"}

EXPIRY_WARNING_DAYS = 14
LONGEST_TIMEOUT = 3600  # seconds

_ORGANIZATION_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_FINGERPRINT = re.compile(r"sha256:[0-9a-f]{64}")
_BROKER_PREFIXES = re.compile(r"(?:(?:pulsar\+)*(?:pulsar|ssl)://)*", re.IGNORECASE | re.ASCII)
_BROKER = re.compile(
    r"((?=.{1,253}(?::|$))[a-z0-9_][a-z0-9_-]{0,62}(?:\.[a-z0-9_-]{1,63})*\.?|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?",
    re.IGNORECASE | re.ASCII,
)
_WEB_HOST = re.compile(r"(?:[a-z0-9_][a-z0-9._-]*|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?", re.IGNORECASE | re.ASCII)
_LOOPBACK = re.compile(r"(?:localhost|127\.[0-9.]+|\[::1\])(?::[0-9]+)?")
_ISSUER = re.compile(r"https?://[^\s/@]+(?:/\S*)?", re.IGNORECASE)
_NAMED_ENTITY = re.compile(r"[-=:.\w]+", re.ASCII)
_VISIBLE_ASCII = re.compile(r"[\x21-\x7e]+")
_ASTRA_STREAMING = ".streaming.datastax.com"
_AUDIT_LOG_REGION = "aws-useast2"


class Request(NamedTuple):
    """One organization's request, validated and normalised.

    C(stream) has the destination's fields without secrets, named as the module's options; C(secret) is the
    Pulsar token or the OAuth2 credentials URL, or None; C(expires_at) is an RFC 3339 time or None.
    """

    state: str
    organization_id: str | None
    stream: dict | None = None
    secret: str | None = None
    expires_at: str | None = None


class Findings(NamedTuple):
    """The outcome of M(examine); C(request) is None when there are problems."""

    problems: list
    warnings: list
    request: Request | None


def normalize_endpoint(value):
    """Return a broker URL as the service wants it: C(pulsar://host[:port]) or C(pulsar+ssl://host[:port]).

    C(ssl://) and a bare C(host[:port]) become C(pulsar+ssl://), a doubled prefix becomes one, a trailing slash
    is dropped and no port is invented. The vendor's page tells readers to prefix the URL of client.conf, which
    has the prefix already, so doubled prefixes are common.

    :raises InputError: the value is not the URL of one Pulsar broker. The message does not repeat the value,
        which may be a secret pasted in the wrong place.
    """
    text = value.strip()
    prefixes = _BROKER_PREFIXES.match(text).group().lower()
    rest = text[len(prefixes) :].rstrip("/")
    if not rest:
        raise InputError("is empty, give the broker URL, such as pulsar+ssl://host:6651.")
    if rest.lower().startswith(("http://", "https://")):
        raise InputError("is a web URL, give the broker URL, which starts with pulsar+ssl://.")
    if "://" in rest:
        raise InputError("must start with pulsar+ssl:// or pulsar://.")
    if "," in rest:
        raise InputError("names several brokers, give the URL of one.")
    if "@" in rest:
        raise InputError("must not contain a user name or password.")
    broker = _BROKER.fullmatch(rest)
    if not broker or (broker.group(2) and not 0 < int(broker.group(2)) < 65536):
        raise InputError("must be a broker URL without a path, such as pulsar+ssl://host:6651.")
    scheme = "pulsar+ssl" if not prefixes or "ssl" in prefixes else "pulsar"
    return f"{scheme}://{rest.lower()}"


def normalize_topic(value):
    """Return the full name of a persistent topic, C(persistent://tenant/namespace/topic).

    :raises InputError: the value is not the name of a persistent topic. The message does not repeat the value.
    """
    name = value.strip()
    if name.startswith("non-persistent://"):
        raise InputError("is non-persistent, an audit log needs a persistent topic.")
    if name.startswith("persistent://"):
        name = name[len("persistent://") :]
    parts = name.split("/")
    if len(parts) != 3 or "://" in name:
        raise InputError("must be written as persistent://tenant/namespace/topic.")
    tenant, namespace, topic = parts
    if not (_NAMED_ENTITY.fullmatch(tenant) and _NAMED_ENTITY.fullmatch(namespace)):
        raise InputError("has a tenant or namespace that is empty or has characters that Pulsar does not allow.")
    if not topic or not topic.isprintable() or any(character.isspace() for character in topic):
        raise InputError("has a topic name that is empty or contains white space.")
    return f"persistent://{name}"


def normalize_organization_id(value):
    """Return an organization's UUID in lower case.

    :raises InputError: the value is not a UUID. The message does not repeat the value.
    """
    text = value.strip()
    if not _ORGANIZATION_ID.fullmatch(text):
        raise InputError("must be the organization's UUID, as the Astra portal shows it.")
    return text.lower()


def read_jwt(token):
    """Return the claims of a JWT. The signature is not verified: only the broker can do that.

    :raises InputError: the text is not a JWT whose claims can be read. The message does not repeat the text.
    """
    segments = token.split(".")
    if len(segments) != 3:
        raise InputError("is not a JWT: it must have three parts separated by dots.")
    if segments[2] and not _VISIBLE_ASCII.fullmatch(segments[2]):
        raise InputError("is not a readable JWT: it may be cut off or changed by copying.")
    try:
        header, claims = (_decode_segment(segment) for segment in segments[:2])
    except (ValueError, RecursionError):
        raise InputError("is not a readable JWT: it may be cut off or changed by copying.") from None
    if not isinstance(header, dict) or not isinstance(claims, dict):
        raise InputError("is not a readable JWT: its header and claims must be JSON objects.")
    expiry = claims.get("exp")
    is_number = isinstance(expiry, int) or (isinstance(expiry, float) and not math.isnan(expiry))
    if expiry is not None and (isinstance(expiry, bool) or not is_number):
        raise InputError("has an expiry (exp) that is not a number.")
    return claims


def _decode_segment(segment):
    if not _VISIBLE_ASCII.fullmatch(segment):
        raise ValueError("not base64url")
    padded = segment + "=" * (-len(segment) % 4)
    return json.loads(base64.b64decode(padded, altchars=b"-_", validate=True).decode("utf-8"))


def rfc3339(timestamp):
    """Return seconds since the epoch as an RFC 3339 time in UTC, or None when no calendar can hold it."""
    try:
        moment = datetime.datetime.fromtimestamp(math.floor(timestamp), datetime.timezone.utc)
    except (OverflowError, OSError, ValueError):
        return None
    return moment.isoformat().replace("+00:00", "Z")


def examine(options, now):
    """Find every mistake that can be seen offline, all at once.

    :arg options: the module's options after Ansible's own validation, as a dict.
    :arg now: seconds since the epoch.
    :returns: M(Findings). Problems and warnings are sentences that name the option and never repeat a value.
    """
    problems, warnings = [], []
    _examine_connection(options, problems, warnings)
    organization_id = options["organization_id"]
    if organization_id is not None:
        organization_id = _normalized("organization_id", organization_id, normalize_organization_id, problems)
    elif options.get("fingerprint_store"):
        problems.append("organization_id is needed with fingerprint_store.")
    state = options.get("state")
    request = Request(state, organization_id)
    if state is not None and options["wait_timeout"] < 0:
        problems.append("wait_timeout must not be negative.")
    if state == "present":
        request = _examine_present(options, request, now, problems, warnings)
    return Findings(problems, warnings, None if problems else request)


def _examine_connection(options, problems, warnings):
    token = (options["application_token"] or "").strip()
    if not token:
        problems.append("application_token is needed: give the option or set ASTRA_DB_APPLICATION_TOKEN.")
    elif not token.startswith("AstraCS:"):
        problems.append("application_token must be an Astra application token, which starts with AstraCS:.")
    elif not _VISIBLE_ASCII.fullmatch(token):
        problems.append("application_token contains white space or characters that no Astra token has.")
    _examine_api_url(options["api_url"], problems, warnings)
    if not 1 <= options["timeout"] <= LONGEST_TIMEOUT:
        problems.append(f"timeout must be between 1 and {LONGEST_TIMEOUT} seconds.")
    if options["retries"] < 0:
        problems.append("retries must not be negative.")


def _examine_api_url(value, problems, warnings):
    scheme, _separator, rest = value.strip().partition("://")
    host = rest.split("/", 1)[0]
    if any(character in rest for character in "@?#"):
        problems.append("api_url must not contain a user name, a query or a fragment.")
    elif scheme.lower() not in ("http", "https") or not _WEB_HOST.fullmatch(host) or not _VISIBLE_ASCII.fullmatch(rest):
        problems.append("api_url must be a URL, such as https://api.astra.datastax.com.")
    elif rest.rstrip("/").endswith("/v2"):
        problems.append("api_url must be given without /v2.")
    elif scheme.lower() == "http" and not _LOOPBACK.fullmatch(host):
        warnings.append("api_url is not https: the tokens travel unencrypted.")


def _examine_present(options, request, now, problems, warnings):
    fingerprint = options["known_token_fingerprint"]
    if fingerprint is not None and not _FINGERPRINT.fullmatch(fingerprint):
        problems.append("known_token_fingerprint must be sha256: and 64 hexadecimal digits, as an earlier run gave it.")
    stream = {
        "endpoint": _normalized("endpoint", options["endpoint"], normalize_endpoint, problems),
        "topic": _normalized("topic", options["topic"], normalize_topic, problems),
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


def _normalized(option, value, normalize, problems):
    if value is None:
        problems.append(f"{option} is needed for state present.")
        return None
    try:
        return normalize(value)
    except InputError as error:
        problems.append(f"{option} {error.message}")
        return None


def _examine_region(endpoint, problems):
    host = endpoint.partition("://")[2].rsplit(":", 1)[0].rstrip(".")
    if host.endswith(_ASTRA_STREAMING) and not host[: -len(_ASTRA_STREAMING)].endswith(_AUDIT_LOG_REGION):
        problems.append(
            "endpoint is an Astra Streaming broker outside AWS us-east-2, where audit logs would never arrive: "
            "use a tenant in that region, or set validate_region to false."
        )


def _examine_token_strategy(options, problems):
    _refuse_options(OAUTH2_OPTIONS, options, problems)
    if options["auth_name"] not in (None, "token"):
        problems.append("auth_name must be 'token' for the token strategy.")
    return {"auth_name": "token"}


def _examine_oauth2(options, problems):
    _refuse_options(TOKEN_OPTIONS, options, problems)
    issuer = (options["oauth2_issuer_url"] or "").strip()
    if not issuer:
        problems.append("oauth2_issuer_url is needed for the oauth2 strategy.")
    elif not issuer.isprintable() or not _ISSUER.fullmatch(issuer):
        problems.append("oauth2_issuer_url must be an http(s) URL without a user name.")
    fields = {"oauth2_issuer_url": issuer}
    for option in ("oauth2_audience", "oauth2_scope"):
        if options[option] == MASK:
            problems.append(f"{option} is the mask that the API shows: give the real value.")
        elif options[option]:
            fields[option] = options[option]
    return fields


def _refuse_options(names, options, problems):
    for name in names:
        if options[name] is not None:
            problems.append(f"{name} cannot be used with the {options['auth_strategy']} strategy.")


def _examine_credentials_url(secret, problems):
    if secret.lower().startswith("file:"):
        problems.append(
            "oauth2_credentials_url is a file: URL, which would point into the service's own machine: "
            "give the credentials as a data: URL."
        )
    elif not secret.lower().startswith(("data:", "https://", "http://")) or not secret.isprintable():
        problems.append("oauth2_credentials_url must be a data: or http(s) URL.")


def _examine_pulsar_token(secret, topic, now, problems, warnings):
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
    tenant = _tenant_of(claims.get("sub"))
    if topic and tenant is not None and tenant != topic.split("/")[2]:
        warnings.append("pulsar_token belongs to another tenant than the topic's.")
    return expires_at


def _tenant_of(subject):
    """Return the tenant that Astra writes into a token's C(sub), C(client;organization;base64 tenant;id)."""
    parts = subject.split(";") if isinstance(subject, str) else []
    if len(parts) != 4 or parts[0] != "client":
        return None
    try:
        padded = parts[2] + "=" * (-len(parts[2]) % 4)
        return base64.b64decode(padded.translate({0x2D: "+", 0x5F: "/"}), validate=True).decode("utf-8") or None
    except ValueError:
        return None
