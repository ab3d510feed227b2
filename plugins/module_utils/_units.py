# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Durations as people write them, and moments. Pure code."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.datastax.astra.plugins.module_utils._errors import InputError

UNLIMITED = "unlimited"

_SECONDS = {"w": 604800, "d": 86400, "h": 3600, "m": 60, "s": 1}
_DURATION = re.compile(r"([0-9]{1,9})\s*([wdhms])", re.IGNORECASE | re.ASCII)
_FRACTION = re.compile(r"\.[0-9]+")


def parse_duration(text: str) -> int | None:
    """Return the seconds of a duration such as ``90d``, ``12h`` or ``30m``, or None for ``unlimited``.

    :raises InputError: the text is neither. The message goes on after the name of the option.
    """
    if text.strip().lower() == UNLIMITED:
        return None
    duration = _DURATION.fullmatch(text.strip())
    if not duration:
        raise InputError("must be a number and a unit (s, m, h, d or w), such as 90d, or unlimited.")
    return int(duration.group(1)) * _SECONDS[duration.group(2).lower()]


def format_duration(seconds: int | None) -> str:
    """Return a duration in the largest unit that divides it, up to days, which is how the services take it."""
    if seconds is None:
        return UNLIMITED
    unit = next(unit for unit in "dhms" if seconds % _SECONDS[unit] == 0)
    return f"{seconds // _SECONDS[unit]}{unit}"


def examine_durations(params: Mapping[str, Any], *names: str) -> Iterator[str]:
    """Yield a sentence for each of these options that is given and is no duration."""
    for name in names:
        try:
            parse_duration(params[name] or UNLIMITED)
        except InputError as error:
            yield f"{name} {error.message}"


def is_longer(text: str, than: str) -> bool:
    """Tell whether a duration is longer than another one; nothing is longer than ``unlimited`` but itself."""
    seconds, others = parse_duration(text), parse_duration(than)
    return seconds is None or (others is not None and seconds > others)


def is_past(moment: str | None) -> bool:
    """Tell whether a moment in RFC 3339 has passed. One that cannot be read has not."""
    try:
        parsed = datetime.datetime.fromisoformat(_FRACTION.sub("", moment or "").replace("Z", "+00:00"))
    except ValueError:
        return False
    return parsed.tzinfo is not None and parsed <= datetime.datetime.now(datetime.timezone.utc)
