# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role's two argument specifications are one."""

from __future__ import annotations

from tests import argument_specs


def test_validated():
    current = argument_specs.VALIDATED.read_text("utf-8")
    assert current == argument_specs.validated(), "argument_specs.yml was changed: run nox -s argument_specs"
