# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What bodies of requests must look like.

Sources are DevOps API 2.3.0, Astra Streaming's DevOps API 3.1.0, Vector's rules for Pulsar, and Pulsar's admin API.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

# A check of a value, and what it must be.
Check = tuple[Callable[[Any], bool], str]


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value != ""


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_moment(value: object) -> bool:
    try:
        return parse_moment(value) is not None
    except (ValueError, TypeError):
        return False


TEXT: Check = (_is_text, "a string that is not empty")
ANY_TEXT: Check = (lambda value: isinstance(value, str), "a string")
TEXTS: Check = (lambda value: isinstance(value, list) and all(map(_is_text, value)), "a list of strings")
SOME_TEXTS: Check = (lambda value: TEXTS[0](value) and value != [], "a list of strings that is not empty")
TEXT_MAP: Check = (
    lambda value: isinstance(value, dict) and all(isinstance(each, str) for each in value.values()),
    "an object of strings",
)
OBJECT: Check = (lambda value: isinstance(value, dict), "an object")
WHOLE: Check = (_is_whole, "a whole number")
FLAG: Check = (lambda value: isinstance(value, bool), "true or false")
MOMENT: Check = (_is_moment, "a moment such as 2030-01-31T12:00:00Z")


def one_of(*choices: str) -> Check:
    """Return the check of a value that must be one of these."""
    return lambda value: isinstance(value, str) and value in choices, f"{' or '.join(choices)}"


def parse_moment(text: str) -> float:
    """Return the seconds since the epoch of a moment in RFC 3339.

    :raises ValueError: it is none, or has no time zone.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("no time zone")
    return moment.timestamp()


def find_problems(
    document: object, required: dict[str, Check], optional: dict[str, Check] | None = None, where: str = ""
) -> list[str]:
    """Return one sentence for each way in which a parsed body breaks its contract.

    :arg where: the name of the object inside the body, or nothing for the body itself.
    """
    if not isinstance(document, dict):
        return [f"{where or 'The body'} must be {'an object' if where else 'a JSON object'}."]
    known = {**required, **(optional or {})}
    prefix = f"{where}." if where else ""
    problems = []
    for name, value in document.items():
        if name not in known:
            problems.append(f"Unknown field {prefix}{name}.")
        elif not known[name][0](value):
            problems.append(f"{prefix}{name} must be {known[name][1]}.")
    return problems + [f"{prefix}{name} is required." for name in required if name not in document]


# --- The audit log stream -------------------------------------------------------------------------------------------

_COMMON = ("endpoint", "topic", "auth_strategy")
_REQUIRED = {
    "token": (*_COMMON, "auth_name", "token"),
    "oauth2": (*_COMMON, "oauth2_credentials_url", "oauth2_issuer_url"),
}
_OPTIONAL = {"token": (), "oauth2": ("oauth2_audience", "oauth2_scope")}
FIELDS = tuple(dict.fromkeys(name for names in (*_REQUIRED.values(), *_OPTIONAL.values()) for name in names))

_BROKER_URL = re.compile(r"pulsar(\+ssl)?://[^\s/]")


def find_stream_problems(document: object) -> list[str]:
    """Return what is wrong with the body of a POST of an audit log configuration."""
    problems = find_problems(document, {}, {"pulsar": (lambda _value: True, "")})
    if not isinstance(document, dict):
        return problems
    pulsar = document.get("pulsar")
    if not isinstance(pulsar, dict):
        return [*problems, "pulsar must be an object."]
    return problems + _find_pulsar_problems(pulsar)


def _find_pulsar_problems(pulsar: dict) -> list[str]:
    strategy = pulsar.get("auth_strategy")
    if strategy not in ("token", "oauth2"):
        return ["pulsar.auth_strategy must be token or oauth2."]
    foreign = [name for name in pulsar if name in FIELDS and name not in _REQUIRED[strategy] + _OPTIONAL[strategy]]
    problems = [f"pulsar.{name} cannot be used with auth_strategy {strategy}." for name in foreign]
    problems += find_problems(
        {name: value for name, value in pulsar.items() if name not in foreign},
        dict.fromkeys(_REQUIRED[strategy], TEXT),
        dict.fromkeys(_OPTIONAL[strategy], TEXT),
        "pulsar",
    )
    if problems:
        return problems
    if not _BROKER_URL.match(pulsar["endpoint"]):
        problems.append("pulsar.endpoint must be a URL with the scheme pulsar or pulsar+ssl.")
    if strategy == "token" and pulsar["auth_name"] != "token":
        problems.append("pulsar.auth_name must be token.")
    return problems


# --- Roles and application tokens -----------------------------------------------------------------------------------


def find_role_problems(document: object) -> list[str]:
    """Return what is wrong with the body of a POST or PUT of a custom role."""
    problems = find_problems(document, {"name": TEXT, "policy": OBJECT})
    if isinstance(document, dict) and isinstance(document.get("policy"), dict):
        policy = {"description": ANY_TEXT, "actions": SOME_TEXTS, "effect": one_of("allow"), "resources": SOME_TEXTS}
        problems += find_problems(document["policy"], policy, where="policy")
    return problems


def find_token_problems(document: object) -> list[str]:
    """Return what is wrong with the body of a POST of an application token."""
    return find_problems(
        document, {"roles": SOME_TEXTS}, {"orgId": TEXT, "tokenExpiry": MOMENT, "description": ANY_TEXT}
    )


# --- Astra Streaming ------------------------------------------------------------------------------------------------

VALIDITY = re.compile(r"([1-9][0-9]{0,8})([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def parse_validity(text: str) -> int:
    """Return the seconds of a validity such as 90d, which must match VALIDITY."""
    number, unit = VALIDITY.fullmatch(text).groups()
    return int(number) * _SECONDS[unit]


_VALIDITY: Check = (
    lambda value: isinstance(value, str) and VALIDITY.fullmatch(value) is not None,
    "a number and a unit, such as 5m, 2h or 10d",
)


def find_tenant_problems(document: object) -> list[str]:
    """Return what is wrong with the body of a POST of a tenant; the vendor's CLI sends plan as well."""
    optional = ("cloudProvider", "cloudRegion", "clusterName", "orgID", "orgName", "plan")
    return find_problems(document, {"tenantName": TEXT, "userEmail": TEXT}, dict.fromkeys(optional, ANY_TEXT))


def find_pulsar_token_problems(document: object) -> list[str]:
    """Return what is wrong with the body of a POST of a Pulsar token (v3)."""
    role = (lambda value: isinstance(value, str) and re.fullmatch(r"[-\w]+", value) is not None, "letters and digits")
    return find_problems(document, {}, {"exp": _VALIDITY, "type": one_of("admin", "non-admin"), "role": role})


def find_validity_problems(text: str) -> list[str]:
    """Return what is wrong with the query parameter exp of a POST of a Pulsar token (v2)."""
    return [] if _VALIDITY[0](text) else [f"exp must be {_VALIDITY[1]}."]


_SINK_FIELDS: dict[str, Check] = {
    **dict.fromkeys(
        (
            "archive",
            "className",
            "customRuntimeOptions",
            "deadLetterTopic",
            "name",
            "namespace",
            "runtimeFlags",
            "sinkType",
            "sourceSubscriptionName",
            "tenant",
            "topicsPattern",
        ),
        TEXT,
    ),
    **dict.fromkeys(("maxMessageRetries", "negativeAckRedeliveryDelayMs", "parallelism", "timeoutMs"), WHOLE),
    **dict.fromkeys(("autoAck", "cleanupSubscription", "retainKeyOrdering", "retainOrdering"), FLAG),
    **dict.fromkeys(("configs", "inputSpecs", "resources", "secrets"), OBJECT),
    **dict.fromkeys(("topicToSchemaProperties", "topicToSchemaType", "topicToSerdeClassName"), TEXT_MAP),
    "inputs": SOME_TEXTS,
    "processingGuarantees": one_of("ATLEAST_ONCE", "ATMOST_ONCE", "EFFECTIVELY_ONCE"),
    "sourceSubscriptionPosition": one_of("Earliest", "Latest"),
}


def find_sink_problems(document: object, required: Iterable[str]) -> list[str]:
    """Return what is wrong with the configuration of a sink."""
    return find_problems(document, {name: _SINK_FIELDS[name] for name in required}, _SINK_FIELDS)


# --- Pulsar's policies ----------------------------------------------------------------------------------------------

_BODIES: dict[str, tuple[dict[str, Check], dict[str, Check]]] = {
    "retention": ({"retentionTimeInMinutes": WHOLE, "retentionSizeInMB": WHOLE}, {}),
    "backlogQuota": (
        {"policy": one_of("producer_request_hold", "producer_exception", "consumer_backlog_eviction")},
        {"limit": WHOLE, "limitSize": WHOLE, "limitTime": WHOLE},
    ),
    "inactiveTopicPolicies": (
        {
            "inactiveTopicDeleteMode": one_of("delete_when_no_subscriptions", "delete_when_subscriptions_caught_up"),
            "maxInactiveDurationSeconds": WHOLE,
            "deleteWhileInactive": FLAG,
        },
        {},
    ),
    "autoTopicCreation": (
        {"allowAutoTopicCreation": FLAG, "topicType": one_of("non-partitioned", "partitioned")},
        {"defaultNumPartitions": WHOLE},
    ),
}


def find_policy_problems(name: str, document: object) -> list[str]:
    """Return what is wrong with the body of a POST of a namespace's policy: a number, or an object."""
    if name in _BODIES:
        return find_problems(document, *_BODIES[name])
    return [] if _is_whole(document) else [f"The body must be {WHOLE[1]}."]
