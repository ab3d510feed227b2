# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What can be set when the emulator starts and changed while it runs."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from emulator.clock import Clock
from emulator.contract import FIELDS


def is_seconds(value: object) -> bool:
    """Tell whether a value is a finite number that is not negative."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < math.inf


def is_count(value: object) -> bool:
    """Tell whether a value is a whole number that is not negative."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _setting(
    default: Any,
    help_text: str,
    check: Callable[[Any], bool],
    expected: str,
    parse: Callable[[str], Any],
    choices: tuple[str, ...] | None = None,
) -> Any:
    metadata = {"help": help_text, "check": check, "expected": expected, "parse": parse, "choices": choices}
    # It makes the fields of a dataclass below.
    return field(default=default, metadata=metadata)  # pylint: disable=invalid-field-call


def _seconds(help_text: str) -> Any:
    return _setting(0.0, help_text, is_seconds, "a number of seconds, 0 or more", float)


def _count(default: int, help_text: str) -> Any:
    return _setting(default, help_text, is_count, "a number, 0 or more", int)


def _flag(default: bool, help_text: str) -> Any:
    return _setting(default, help_text, lambda value: isinstance(value, bool), "true or false", _parse_flag)


def _choice(help_text: str, *choices: str) -> Any:
    return _setting(choices[0], help_text, lambda value: value in choices, f"one of {', '.join(choices)}", str, choices)


def _parse_flag(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError
    return text == "true"


def _is_masked(value: object) -> bool:
    return isinstance(value, (list, tuple)) and set(map(str, value)) <= set(FIELDS)


@dataclass(frozen=True)
class Settings:
    """How the service behaves where the vendor's descriptions leave it open; README.md has the meanings.

    :raises ValueError: one sentence that says what is wrong.
    """

    apply_lag: float = _seconds("time between a 202 and the change of a stream being visible")
    latency: float = _seconds("time that every answer takes")
    get_when_absent: str = _choice(
        "what GET answers when no stream is configured", "404", "204", "empty", "null", "no-pulsar"
    )
    post_while_applying: str = _choice(
        "what a change of a stream does while an earlier one is being applied", "replace", "conflict"
    )
    masked: tuple[str, ...] = _setting(
        ("token", "oauth2_credentials_url"),
        "fields of a stream that GET shows as ********, separated by commas",
        _is_masked,
        f"a list of fields out of {', '.join(FIELDS)}",
        lambda text: tuple(filter(None, text.split(","))),
    )
    write_needs: str = _choice(
        "what a token needs to change a stream: org-audits-read, or the role of an administrator",
        "permission",
        "administrator",
    )
    creation_status: str = _choice("what a request that creates answers", "documented", "200", "201")
    key_case: str = _choice("how the keys of roles are written: id or ID", "lower", "upper")
    token_descriptions: bool = _flag(True, "whether the list of application tokens shows descriptions")
    region_shown: str = _choice("how Astra Streaming writes regions", "useast2", "us-east-2")
    region_accepted: str = _choice("how regions may be written to Astra Streaming", "either", "useast2", "us-east-2")
    tenant_create_lag: float = _seconds("time until a new tenant is active")
    tenant_delete_lag: float = _seconds("time until a deleted tenant is gone")
    tenant_name_reuse: bool = _flag(True, "whether the name of a deleted tenant can be used again")
    missing_permission: str = _choice("what Astra Streaming answers to a token without the permission", "403", "401")
    pulsar_token_text: str = _choice("whether a Pulsar token reads the same each time", "stable", "changing")
    numbers_as_strings: bool = _flag(False, "whether Astra Streaming shows numbers as strings")
    policies_unset: str = _choice("what GET answers for a policy that nobody has set", "effective", "empty", "204")
    subscription_exists: str = _choice("what PUT answers for a subscription that exists", "409", "204")
    sink_secrets: str = _choice("how GET shows the secrets of a sink", "masked", "shown")
    sink_consumer_lag: float = _seconds("time from a sink being shown as running until it consumes")
    exporter_connects: str = _choice("when the exporter connects to a topic", "at-once", "with-event")
    tenant_limit: int = _count(10, "tenants of an organization")
    namespace_limit: int = _count(20, "namespaces of a tenant")
    topic_limit: int = _count(100, "topics of a namespace")
    partition_limit: int = _count(128, "partitions of a topic")
    producer_limit: int = _count(50, "producers of a topic")
    subscription_limit: int = _count(50, "subscriptions of a topic")
    token_limit: int = _count(20, "Pulsar tokens of a tenant")

    def __post_init__(self) -> None:
        for each in dataclasses.fields(self):
            if not each.metadata["check"](getattr(self, each.name)):
                raise ValueError(f"{each.name} must be {each.metadata['expected']}.")


@dataclass
class Conditions:
    """What every part of the service looks at: the settings of the moment, and the clock."""

    settings: Settings
    clock: Clock = field(default_factory=Clock)
