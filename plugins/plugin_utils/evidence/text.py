# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Text from users and services, made safe to show: what is invisible or misleading becomes visible, secrets do not."""

from __future__ import annotations

import re

from ansible_collections.datastax.astra.plugins.module_utils._secrets import MASK

# Written out, because what Python calls printable changes with the Unicode version of each release.
_INVISIBLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\u3164\ud800-\udfff\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff\U000e0000-\U000e0fff]"
)
# Neither belongs in a finding; a user may have pasted one into a reason or a topic all the same.
_SECRET = re.compile(r"AstraCS:[\w:+/=-]+|\beyJ[\w-]{8,}\.[\w-]{2,}(?:\.[\w-]*)?", re.ASCII)


def visible(text: str) -> str:
    """Return a text in one line that shows what it holds.

    Control characters, marks that turn the direction of writing, and characters without width appear as ``\\u202e``.
    Whatever looks like an application token or a JWT becomes a mask.
    """
    # Most texts are plain, and a large fleet has half a million of them.
    if "AstraCS:" in text or "eyJ" in text:
        text = _SECRET.sub(MASK, text)
    return text if text.isascii() and text.isprintable() else _INVISIBLE.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    code = ord(match.group())
    return f"\\U{code:08x}" if code > 0xFFFF else f"\\u{code:04x}"


def count(number: int, noun: str) -> str:
    """Return a number with its noun: ``1 organization``, ``1,200 organizations``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
