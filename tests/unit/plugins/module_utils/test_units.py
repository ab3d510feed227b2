# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.datastax.astra.plugins.module_utils._errors import InputError
from ansible_collections.datastax.astra.plugins.module_utils._pulsar.units import (
    NO_LIMIT,
    format_duration,
    format_size,
    parse_duration,
    parse_size,
)
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("text", "seconds", "shown"),
    [
        ("30s", 30, "30s"),
        ("90m", 5400, "90m"),
        ("24h", 86400, "1d"),
        ("7d", 604800, "7d"),
        ("2w", 1209600, "14d"),
        (" 7 D ", 604800, "7d"),
        ("0", 0, "0"),
        ("0d", 0, "0"),
        ("Unlimited", NO_LIMIT, "unlimited"),
    ],
)
def test_durations(text, seconds, shown):
    assert parse_duration(text) == seconds
    assert format_duration(seconds) == shown


@pytest.mark.parametrize(
    ("text", "size", "shown"),
    [
        ("512B", 512, "512B"),
        ("10GB", 10**10, "10GB"),
        ("10gb", 10**10, "10GB"),
        ("10GiB", 10 * 2**30, "10GiB"),
        ("1024 MiB", 2**30, "1GiB"),
        ("5000MB", 5 * 10**9, "5GB"),
        ("0", 0, "0"),
        ("unlimited", NO_LIMIT, "unlimited"),
    ],
)
def test_sizes(text, size, shown):
    assert parse_size(text) == size
    assert format_size(size) == shown


@pytest.mark.parametrize("text", ["", "7", "-1", "7 days", "d", "1.5h", "7d7d", "10GB", "٣d", "1e3s", "infinite"])
def test_what_is_no_duration(text):
    with pytest.raises(InputError, match="is not a duration, such as 30m") as caught:
        parse_duration(text)
    assert not text or f" {text} " not in str(caught.value)


@pytest.mark.parametrize("text", ["", "10", "10G", "-1GB", "10 gigabytes", "1.5TB", "7d"])
def test_what_is_no_size(text):
    with pytest.raises(InputError, match="is not a size, such as 500MB"):
        parse_size(text)


@given(st.integers(0, 10**14))
def test_what_is_shown_can_be_written(number):
    assert parse_duration(format_duration(number)) == number
    assert parse_size(format_size(number)) == number
