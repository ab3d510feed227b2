# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Durations and sizes as people write them: ``7d``, ``10GB``, ``unlimited``. Pure code."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ansible_collections.datastax.astra.plugins.module_utils._errors import InputError

UNLIMITED = "unlimited"
NO_LIMIT = -1  # what Pulsar writes for it

_SECONDS = {"w": 604800, "d": 86400, "h": 3600, "m": 60, "s": 1}
_BYTES = {
    "TiB": 2**40,
    "TB": 10**12,
    "GiB": 2**30,
    "GB": 10**9,
    "MiB": 2**20,
    "MB": 10**6,
    "KiB": 2**10,
    "KB": 10**3,
    "B": 1,
}
_QUANTITY = re.compile(r"([0-9]{1,15})\s*([a-z]*)", re.IGNORECASE | re.ASCII)


def parse_duration(text: str) -> int:
    """Return the seconds of a duration such as ``7d``, or ``NO_LIMIT``.

    :raises InputError: it is not a duration. The message does not repeat it.
    """
    seconds = _parse(text, _SECONDS)
    if seconds is None:
        raise InputError("is not a duration, such as 30m, 12h, 7d, 2w or unlimited.")
    return seconds


def parse_size(text: str) -> int:
    """Return the bytes of a size such as ``10GB`` (10 to the 9) or ``10GiB`` (2 to the 30), or ``NO_LIMIT``.

    :raises InputError: it is not a size. The message does not repeat it.
    """
    size = _parse(text, _BYTES)
    if size is None:
        raise InputError("is not a size, such as 500MB, 10GB, 10GiB or unlimited.")
    return size


def format_duration(seconds: int) -> str:
    """Return a number of seconds with the largest unit that needs no fraction, days at most."""
    return _format(seconds, {unit: size for unit, size in _SECONDS.items() if unit != "w"})


def format_size(size: int) -> str:
    """Return a number of bytes with the largest unit that needs no fraction."""
    return _format(size, _BYTES)


def _parse(text: str, units: Mapping[str, int]) -> int | None:
    text = text.strip()
    if text.lower() == UNLIMITED:
        return NO_LIMIT
    match = _QUANTITY.fullmatch(text)
    if not match:
        return None
    number, unit = int(match[1]), match[2].lower()
    if not unit:
        return 0 if number == 0 else None
    factor = {name.lower(): size for name, size in units.items()}.get(unit)
    return None if factor is None else number * factor


def _format(number: int, units: Mapping[str, int]) -> str:
    if number < 0:
        return UNLIMITED
    if number == 0:
        return "0"
    return next(f"{number // size}{unit}" for unit, size in units.items() if number % size == 0)
