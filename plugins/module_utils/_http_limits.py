# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A bound on the time and the size of one answer.

A socket's own timeout starts anew with every byte, so that a slow enough sender could hold a run forever, and a body
without end would fill the memory. requests has no bound of its own for either.
"""

from __future__ import annotations

import http.client
import io
import socket
import time
from typing import Any

try:
    from urllib3.connection import HTTPConnection, HTTPSConnection
    from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
except ImportError:  # _http says so
    HTTPConnection = HTTPSConnection = HTTPConnectionPool = HTTPSConnectionPool = object  # type: ignore[assignment,misc]

ANSWER_SIZE_LIMIT = 1024 * 1024  # bytes; the largest answer of the contract has a few thousand


class AnswerTooLarge(http.client.HTTPException):
    """An answer exceeded ``ANSWER_SIZE_LIMIT``."""


class _BoundedReader(io.RawIOBase):
    """Reads one answer from a socket, with one deadline and a size limit for the whole of it."""

    def __init__(self, sock: socket.socket, stream: Any) -> None:
        super().__init__()
        self._socket = sock
        self._stream = stream
        self._deadline = time.monotonic() + (sock.gettimeout() or 0)
        self._left = ANSWER_SIZE_LIMIT

    def readable(self) -> bool:
        """Tell that this is a reader."""
        return True

    def readinto(self, buffer: Any) -> int | None:
        """Read what is there into ``buffer`` and return the number of bytes, 0 at the end."""
        remaining = self._deadline - time.monotonic()
        if remaining <= 0:
            raise socket.timeout("timed out")
        self._socket.settimeout(remaining)
        count: int | None = self._stream.readinto(buffer)
        self._left -= count or 0
        if self._left < 0:
            raise AnswerTooLarge()
        return count

    def close(self) -> None:
        """Close the underlying stream too."""
        self._stream.close()
        super().close()


class _BoundedResponse(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp = io.BufferedReader(_BoundedReader(sock, self.fp.detach()))


class _BoundedHTTPConnection(HTTPConnection):
    response_class = _BoundedResponse


class _BoundedHTTPSConnection(HTTPSConnection):
    response_class = _BoundedResponse


class _BoundedHTTPConnectionPool(HTTPConnectionPool):
    ConnectionCls = _BoundedHTTPConnection


class _BoundedHTTPSConnectionPool(HTTPSConnectionPool):
    ConnectionCls = _BoundedHTTPSConnection


POOL_CLASSES = {"http": _BoundedHTTPConnectionPool, "https": _BoundedHTTPSConnectionPool}
