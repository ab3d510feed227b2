# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One request on its connection, and every way to answer it, the broken ones included.

ASGI knows no way to break a connection or to send bytes that are not a valid answer. So the protocol puts the
connection's transport into the scope, and the broken answers write to it directly.
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections.abc import Mapping
from typing import Any

from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

_CHUNK = b" " * 65536
_CHUNK_INTERVAL = 0.001  # seconds; lets other requests have their turn while an endless answer is read


class Protocol(HttpToolsProtocol):
    """uvicorn's protocol, with the connection's transport in the scope as state.transport."""

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Take a new connection."""
        super().connection_made(transport)
        self.app_state = {**self.app_state, "transport": transport}


class Exchange:
    """A request on a connection, to be read and then answered.

    :ivar scope: the request's ASGI scope.
    :ivar body: the request's whole body.
    """

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scope = scope
        self.body = b""
        self._receive = receive
        self._send = send
        self._transport: asyncio.Transport = scope["state"]["transport"]

    async def read(self) -> bool:
        """Read the request's body; returns whether it came to its end."""
        while (message := await self._receive())["type"] == "http.request":
            self.body += message["body"]
            if not message["more_body"]:
                return True
        return False

    async def pause(self, seconds: float) -> bool:
        """Wait; returns whether the client is still there, and at once when it is not."""
        try:
            async with asyncio.timeout(seconds):
                await self._wait_for_end()
        except TimeoutError:
            return True
        return False

    async def answer(self, response: Response) -> None:
        """Answer as it should be."""
        await self._start(response)
        await self._send_body(response.body)

    async def drip(self, response: Response, what: str, interval: float) -> None:
        """Answer with the headers or the body sent one byte at a time, so many seconds apart."""
        if what == "body":
            await self._start(response)
            for index in range(len(response.body)):
                await self._send_body(response.body[index : index + 1], more=True)
                if not await self.pause(interval):
                    return
            await self._send_body(b"")
            return
        for byte in _encode_head(response):
            self._transport.write(bytes((byte,)))
            if not await self.pause(interval):
                return
        await self.send_raw(response.body)

    async def answer_endlessly(self, response: Response) -> None:
        """Answer with a body that goes on, with spaces, until the client has had enough."""
        headers = [(name, value) for name, value in response.raw_headers if name != b"content-length"]
        await self._start(response, headers)
        await self._send_body(response.body, more=True)
        while await self.pause(_CHUNK_INTERVAL):
            await self._send_body(_CHUNK, more=True)

    async def truncate(self, response: Response, count: int) -> None:
        """Answer with the right Content-Length, but close after so many bytes of the body."""
        await self._start(response)
        await self._send_body(response.body[:count], more=True)
        await self.close()

    async def send_raw(self, data: bytes) -> None:
        """Send these bytes instead of an answer, and close."""
        self._transport.write(data)
        await self.close()

    async def close(self) -> None:
        """End the connection in order (FIN, and close_notify before it under TLS)."""
        self._transport.close()
        await self._wait_for_end()

    async def reset(self) -> None:
        """Break the connection with a TCP RST."""
        no_linger = struct.pack("ii", 1, 0)
        self._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, no_linger)
        self._transport.abort()
        await self._wait_for_end()

    async def _start(self, response: Response, headers: list[tuple[bytes, bytes]] | None = None) -> None:
        headers = response.raw_headers if headers is None else headers
        await self._send({"type": "http.response.start", "status": response.status_code, "headers": headers})

    async def _send_body(self, body: bytes, more: bool = False) -> None:
        await self._send({"type": "http.response.body", "body": body, "more_body": more})

    async def _wait_for_end(self) -> None:
        # uvicorn complains about an application that returns without an answer, unless the connection is gone.
        while (await self._receive())["type"] != "http.disconnect":
            pass


def make_json_response(document: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return an answer in JSON; unlike Starlette's own it can repeat whatever a client managed to send."""
    return Response(json.dumps(document), status, headers, "application/json")


async def run_app(app: Any, scope: Scope, body: bytes) -> Response:
    """Return what an ASGI application answers to a request whose body has been read."""
    response = Response()
    parts = []

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            response.status_code = message["status"]
            response.raw_headers = list(message["headers"])
        else:
            parts.append(message.get("body", b""))

    await app(scope, receive, send)
    response.body = b"".join(parts)
    return response


def _encode_head(response: Response) -> bytes:
    headers = [*response.raw_headers, (b"connection", b"close")]
    lines = [name + b": " + value + b"\r\n" for name, value in headers]
    return b"".join([STATUS_LINE[response.status_code], *lines, b"\r\n"])
