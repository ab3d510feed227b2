# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.datastax.astra.plugins.module_utils import _convergence, _deadline, _http

from tests.unit.plugins.module_utils.support import Clock


@pytest.fixture
def clock(monkeypatch):
    """The time of everything that waits."""
    clock = Clock()
    for module in (_convergence, _deadline, _http):
        monkeypatch.setattr(module, "time", clock)
    return clock
