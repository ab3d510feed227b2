# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""No test reaches another machine: neither this process nor one that it starts."""

from __future__ import annotations

import socket
import subprocess
import sys

import pytest

LOOK = "import socket; socket.getaddrinfo('{}', 443)"


@pytest.mark.parametrize("name", ["api.astra.datastax.com", "192.0.2.1"])
def test_other_machines_have_no_address(name):
    with pytest.raises(socket.gaierror):
        socket.getaddrinfo(name, 443)


@pytest.mark.parametrize(("name", "status"), [("api.astra.datastax.com", 1), ("localhost", 0), ("127.0.0.2", 0)])
def test_nor_have_they_for_what_a_test_starts(ansible_environment, name, status):
    command = [sys.executable, "-c", LOOK.format(name)]
    assert subprocess.run(command, env=ansible_environment, capture_output=True, check=False).returncode == status
