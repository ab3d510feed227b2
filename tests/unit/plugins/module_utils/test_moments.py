# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Moments as the API writes them."""

from __future__ import annotations

import pytest
from ansible_collections.datastax.astra.plugins.module_utils._documents import has_passed


@pytest.mark.parametrize(
    ("moment", "passed"),
    [
        ("2020-01-01T00:00:00Z", True),
        ("2020-01-01T00:00:00.123456789Z", True),
        ("2020-01-01T00:00:00+02:00", True),
        ("9999-01-01T00:00:00Z", False),
        ("2020-01-01T00:00:00", False),
        ("soon", False),
        ("", False),
        (None, False),
    ],
)
def test_has_passed(moment, passed):
    assert has_passed(moment) is passed
