# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One emulator for each worker; every test finds it as new."""

from __future__ import annotations

import pytest

from tests.wire.support import seeded


@pytest.fixture(scope="session")
def _emulator():
    with seeded() as emulator:
        yield emulator


@pytest.fixture
def service(_emulator):
    """The service, with nothing configured and an empty journal."""
    _emulator.reset()
    return _emulator
