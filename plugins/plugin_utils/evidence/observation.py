# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an audit judges: one observation for each organization, and the facts of the run."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from typing import Any, TypedDict

_RFC3339 = re.compile(r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.\d+)?(?:[Zz]|([+-])(\d\d):(\d\d))", re.ASCII)


class Check(TypedDict):
    """One check of the delivery; ``state`` is ``passed``, ``failed`` or ``unknown``."""

    id: str
    state: str
    message: str
    advice: str


class Delivery(TypedDict):
    """What the broker showed; ``verdict`` is ``proven``, ``quiet``, ``broken`` or ``unknown``.

    ``reason`` and ``advice`` say why, and what to do. ``shared_by`` is how many organizations of the run stream to the
    topic: an event does not tell whose it is.
    """

    verdict: str
    reason: str
    advice: str
    checks: list[Check]
    at_risk: list[str]
    last_event: str | None
    shared_by: int


class Observation(TypedDict):
    """What the fleet's reading found for one organization.

    ``problems`` are mistakes in its variables, ``error`` is why reading failed, ``exists`` is None when not known.
    ``stream`` has the keys of astra_audit_log_stream_info, ``differences`` names the options that are not as desired.
    ``token_expires_at`` is None for a token that was not given or that has no end; ``token_given`` tells which.
    ``delivery`` is None when the broker was not asked.
    """

    name: str
    organization_id: str | None
    problems: list[str]
    error: str | None
    exists: bool | None
    stream: Mapping[str, Any] | None
    desired: Mapping[str, Any] | None
    differences: list[str]
    action: str | None
    token_given: bool
    token_compared: bool
    token_expires_at: str | None
    delivery: Delivery | None


class Run(TypedDict):
    """Who audited what, when, and with what. ``time`` is RFC 3339 in UTC; ``limit`` and ``slice`` are None for all."""

    time: str
    user: str
    api_url: str
    inventory: str
    limit: str | None
    slice: str | None
    collection_version: str
    ansible_version: str


def read_time(text: str) -> datetime.datetime:
    """Return the moment that an RFC 3339 text names, in UTC and whole seconds.

    :raises ValueError: the text is not RFC 3339, or no calendar has that moment.
    """
    match = _RFC3339.fullmatch(text)
    if not match:
        raise ValueError(f"not an RFC 3339 time: {text!r}")
    *numbers, sign, hours, minutes = match.groups()
    offset = datetime.timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
    year, month, day, hour, minute, second = map(int, numbers)
    # Leap seconds: RFC 3339 has a second 60, which datetime does not.
    moment = datetime.datetime(year, month, day, hour, minute, min(second, 59), tzinfo=datetime.timezone.utc)
    try:
        return moment + offset if sign == "-" else moment - offset
    except OverflowError:
        raise ValueError(f"no calendar has this time: {text!r}") from None


def write_time(moment: datetime.datetime) -> str:
    """Return a moment in UTC as RFC 3339."""
    return moment.isoformat().replace("+00:00", "Z")
