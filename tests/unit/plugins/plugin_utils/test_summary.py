# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The batches of a play, as the summary sees them."""

from __future__ import annotations

import pytest
from ansible_collections.datastax.astra.plugins.action.audit_log_stream_summary import split_batches

HOSTS = list("abcdefg")


@pytest.mark.parametrize(
    ("serial", "batches"),
    [
        ([], ["abcdefg"]),
        (["100%"], ["abcdefg"]),
        ([0], ["abcdefg"]),
        ([3], ["abc", "def", "g"]),
        (["3"], ["abc", "def", "g"]),
        ([1, 2, "100%"], ["a", "bc", "defg"]),
        ([1, "50%"], ["a", "bcd", "efg"]),
        (["1%"], list("abcdefg")),
        ([2, 3], ["ab", "cde", "fg"]),
        ([10], ["abcdefg"]),
    ],
)
def test_batches(serial, batches):
    assert ["".join(batch) for batch in split_batches(HOSTS, serial)] == batches


def test_no_hosts():
    assert split_batches([], [1]) == []
