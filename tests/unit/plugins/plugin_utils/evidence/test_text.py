# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import unicodedata

import pytest
from ansible_collections.datastax.astra.plugins.plugin_utils.evidence.observation import read_time, write_time
from ansible_collections.datastax.astra.plugins.plugin_utils.evidence.text import count, visible

from tests.evidence.samples import SECRETS


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain \u00fc\u65e5", "plain \u00fc\u65e5"),
        ("a\u202eb", "a\\u202eb"),
        ("a\r\n\x00", "a\\u000d\\u000a\\u0000"),
        ("\U000e0041", "\\U000e0041"),
        ("\ud800", "\\ud800"),
    ],
)
def test_visible(text, shown):
    assert visible(text) == shown


def test_nothing_invisible_is_left():
    # Combining marks and blanks of some width can be seen; what is not assigned yet has no glyph to mislead with.
    for code in range(0x110000):
        if unicodedata.category(chr(code)) in ("Cc", "Cs", "Zl", "Zp") or unicodedata.bidirectional(chr(code)) in (
            *("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"),
        ):
            assert visible(chr(code)).startswith("\\"), hex(code)


@pytest.mark.parametrize("secret", SECRETS)
def test_secrets(secret):
    assert visible(f"before {secret} after") == "before ******** after"


def test_count():
    assert [count(number, "day") for number in (0, 1, 1200)] == ["0 days", "1 day", "1,200 days"]


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-10-20T10:15:00Z", "2026-10-20T10:15:00Z"),
        ("2026-10-20t12:15:00.123456789+02:00", "2026-10-20T10:15:00Z"),
        ("2026-10-20 05:15:00-05:00", "2026-10-20T10:15:00Z"),
        ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
    ],
)
def test_times(text, moment):
    assert write_time(read_time(text)) == moment


@pytest.mark.parametrize(
    "text", ["", "2026-10-20", "2026-13-01T00:00:00Z", "2026-10-20T10:15:00", "0001-01-01T00:00:00+01:00", "\u0662026"]
)
def test_what_is_no_time(text):
    with pytest.raises(ValueError, match=r"time|month"):
        read_time(text)
