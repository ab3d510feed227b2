# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What can be set when the emulator starts and changed while it runs."""

from __future__ import annotations

import math
from dataclasses import dataclass

from emulator.contract import FIELDS

GET_WHEN_ABSENT = ("404", "204", "empty", "null", "no-pulsar")
POST_WHILE_APPLYING = ("replace", "conflict")


@dataclass(frozen=True)
class Settings:
    """How the service behaves where the vendor's description leaves it open.

    :ivar apply_lag: seconds between the 202 and the moment from which GET shows the change.
    :ivar latency: seconds that every answer of the API takes.
    :ivar get_when_absent: what GET answers when nothing is configured, one of GET_WHEN_ABSENT.
    :ivar post_while_applying: what happens to a POST or DELETE while an earlier change is being applied.
    :ivar masked: the fields that GET shows as a mask.
    :raises ValueError: one sentence that says what is wrong.
    """

    apply_lag: float = 0.0
    latency: float = 0.0
    get_when_absent: str = "404"
    post_while_applying: str = "replace"
    masked: tuple[str, ...] = ("token", "oauth2_credentials_url")

    def __post_init__(self) -> None:
        for name in ("apply_lag", "latency"):
            if not is_seconds(getattr(self, name)):
                raise ValueError(f"{name} must be a number of seconds, 0 or more.")
        for name, choices in (("get_when_absent", GET_WHEN_ABSENT), ("post_while_applying", POST_WHILE_APPLYING)):
            if getattr(self, name) not in choices:
                raise ValueError(f"{name} must be one of {', '.join(choices)}.")
        if not isinstance(self.masked, (list, tuple)) or not set(map(str, self.masked)) <= set(FIELDS):
            raise ValueError(f"masked must be a list of fields out of {', '.join(FIELDS)}.")


def is_seconds(value: object) -> bool:
    """Tell whether a value is a finite number that is not negative."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < math.inf
