# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Searches for secrets where none may be."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator
from functools import cache
from urllib.parse import quote


def _disguised(secret: str) -> Iterator[str]:
    """Yield what must not be found: either half of a secret, as it is, URL-encoded, or in base64 at any offset."""
    middle = len(secret) // 2
    for half in (secret[:middle], secret[middle:]):
        yield half
        yield quote(half, safe="")
        for offset in range(3):
            encoded = base64.b64encode(bytes(offset) + half.encode())
            # The first and last characters depend on what is around.
            yield encoded[4:-4].decode()
            yield encoded[4:-4].translate(bytes.maketrans(b"+/", b"-_")).decode()


@cache
def _traces(secrets: frozenset[str]) -> frozenset[bytes]:
    return frozenset(trace.lower().encode() for secret in secrets for trace in _disguised(secret))


def leaks(content: bytes, secrets: Iterable[str]) -> list[bytes]:
    """Return the traces of these secrets in the content, whatever their case."""
    lowered = content.lower()
    return [trace for trace in _traces(frozenset(secrets)) if trace in lowered]
