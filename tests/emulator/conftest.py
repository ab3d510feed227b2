# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One emulator for each worker, and one with TLS; every test finds them as new."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from emulator.client import Emulator
from tests.emulator.support import STATE


@pytest.fixture(scope="session")
def _plain() -> Iterator[Emulator]:
    with Emulator(**STATE) as running:
        yield running


@pytest.fixture(scope="session")
def _tls() -> Iterator[Emulator]:
    with Emulator(**STATE, tls=True) as running:
        yield running


@pytest.fixture
def emulator(_plain: Emulator) -> Emulator:
    """An emulator in its first state."""
    _plain.reset()
    return _plain


@pytest.fixture(params=["http", "https"])
def either(request: pytest.FixtureRequest) -> Emulator:
    """The same without and with TLS."""
    running: Emulator = request.getfixturevalue("_plain" if request.param == "http" else "_tls")
    running.reset()
    return running
