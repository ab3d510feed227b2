# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keeps tests, and every Python that they start, on this machine: no other name resolves.

The examples name Astra's own hosts. Without this, a test on a machine with a network would send them made-up tokens.
"""

from __future__ import annotations

import ipaddress
import socket

_resolve = socket.getaddrinfo


def _is_local(host: object) -> bool:
    name = host.decode() if isinstance(host, bytes) else host
    if name in (None, "", "localhost"):
        return True
    try:
        return ipaddress.ip_address(str(name).partition("%")[0]).is_loopback or str(name) == "0.0.0.0"
    except ValueError:
        return False


def resolve(host, *arguments, **keywords):
    """Resolve a name of this machine; fail for every other as where there is no network."""
    if not _is_local(host):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    return _resolve(host, *arguments, **keywords)


socket.getaddrinfo = resolve
