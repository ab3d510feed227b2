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
import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ansible_collections.datastax.astra.plugins.module_utils._errors import InputError, ServiceError

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


class TokenFacts(NamedTuple):
    """What can be told of one of Astra's Pulsar tokens: its id, and seconds since the epoch, or None for no end."""

    token_id: str
    issued_at: int
    expires_at: int | None

    def lasts(self, seconds: int) -> bool:
        """Tell whether it is valid for so many seconds from now; a negative number asks for one without an end."""
        return self.expires_at is None or (seconds >= 0 and self.expires_at > time.time() + seconds)

    def replaces(self, token_id: str | None, listed: Sequence[TokenFacts]) -> bool:
        """Tell whether it was made after the token of this id, if that is among those that are listed."""
        older = [each for each in listed if each.token_id == token_id]
        return all(self.token_id != token_id and self.issued_at >= each.issued_at for each in older)

    def show(self) -> dict[str, Any]:
        """Return it as results show it."""
        ends = None if self.expires_at is None else rfc3339(self.expires_at)
        return {"token_id": self.token_id, "issued_at": rfc3339(self.issued_at), "expires_at": ends}


def read_facts(claims: Mapping[str, Any]) -> TokenFacts:
    """Return what the claims of a token say. Astra writes numbers as strings in some answers.

    :raises InputError: they are not those of one of Astra's tokens.
    """
    try:
        expiry = claims.get("exp")
        return TokenFacts(str(claims["tokenid"]), int(claims.get("iat") or 0), None if expiry is None else int(expiry))
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError):
        raise InputError("is not a token of Astra Streaming: it has no id or an end that is not a number.") from None


def interpret_token(shown: Any, label: str) -> TokenFacts:
    """Return what the service tells of a token, as its text or as an entry of a list.

    :arg label: what messages call it.
    :raises ServiceError: it is no token of Astra's.
    """
    try:
        return read_facts(read_jwt(shown) if isinstance(shown, str) else shown)
    except InputError as error:
        raise ServiceError(f"What Astra shows as {label} {error.message}") from None


def describe_tokens(listed: Sequence[TokenFacts], chosen: TokenFacts | None = None, **secrets: str) -> dict[str, Any]:
    """Return what results tell of a tenant's tokens: the one that was chosen, if any, its secrets, and the others."""
    shown = chosen.show() if chosen else {"token_id": None, "expires_at": None}
    others = [each.show() for each in listed if each.token_id != shown["token_id"]]
    return {"token_id": shown["token_id"], "expires_at": shown["expires_at"], "other_tokens": others, **secrets}


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
