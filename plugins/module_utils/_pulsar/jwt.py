# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pulsar's tokens, which are JWTs. Pure code; only the broker can verify a signature."""

from __future__ import annotations

import base64
import datetime
import json
import math
import re
from typing import Any

from ansible_collections.datastax.astra.plugins.module_utils._errors import InputError

EXPIRY_WARNING_DAYS = 14  # before the end of a token that somebody should know of it

_VISIBLE_ASCII = re.compile(r"[\x21-\x7e]+")


def read_jwt(token: str) -> dict[str, Any]:
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


def _decode_segment(segment: str) -> Any:
    if not _VISIBLE_ASCII.fullmatch(segment):
        raise ValueError("not base64url")
    padded = segment + "=" * (-len(segment) % 4)
    return json.loads(base64.b64decode(padded, altchars=b"-_", validate=True).decode("utf-8"))


def rfc3339(timestamp: float) -> str | None:
    """Return seconds since the epoch as an RFC 3339 time in UTC, or None when no calendar can hold it."""
    try:
        moment = datetime.datetime.fromtimestamp(math.floor(timestamp), datetime.timezone.utc)
    except (OverflowError, OSError, ValueError):
        return None
    return moment.isoformat().replace("+00:00", "Z")


def find_tenant(subject: object) -> str | None:
    """Return the tenant that Astra writes into a token's ``sub``, ``client;organization;base64 tenant;id``."""
    parts = subject.split(";") if isinstance(subject, str) else []
    if len(parts) != 4 or parts[0] != "client":
        return None
    try:
        padded = parts[2] + "=" * (-len(parts[2]) % 4)
        return base64.b64decode(padded.translate({0x2D: "+", 0x5F: "/"}), validate=True).decode("utf-8") or None
    except ValueError:
        return None
