# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Serving the API and the control API: sockets, TLS, start and stop."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import ssl
import threading
from collections.abc import Callable
from functools import partial

import uvicorn
from starlette.types import ASGIApp

from emulator.wire import Protocol

_BACKLOG = 2048
# Clients that poll keep their connection; uvicorn's 5 seconds would close it under their next request.
_KEEP_ALIVE = 75  # seconds


class Server(uvicorn.Server):
    """A uvicorn server on a socket of ours, which several of can share a process.

    :ivar ready: set when the server accepts connections.
    """

    def __init__(self, app: ASGIApp, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=Protocol,
                ws="none",
                lifespan="off",
                interface="asgi3",
                loop="asyncio",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                backlog=_BACKLOG,
                timeout_keep_alive=_KEEP_ALIVE,
                timeout_graceful_shutdown=1,
                ssl_context_factory=(lambda _config, _default: tls) if tls else None,
            )
        )
        self.ready = asyncio.Event()
        self._refusal: asyncio.Task | None = None
        self._resume = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to accept connections."""
        await super().startup(sockets)
        self.ready.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop at once: a dripping answer would hold a graceful stop for as long as it likes."""
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        await super().shutdown(sockets)

    def capture_signals(self) -> contextlib.AbstractContextManager[None]:
        """Leave signals to run(), which stops all servers."""
        return contextlib.nullcontext()

    def refuse_connections(self, seconds: float) -> None:
        """Stop to listen, and listen again on the same port after so many seconds."""
        if self._refusal is None or self._refusal.done():
            address = self.servers[0].sockets[0].getsockname()[:2]
            self.servers[0].close()
            # A socket that is bound but does not listen refuses connections and keeps others from taking the port.
            self._resume.clear()
            self._refusal = asyncio.create_task(self._listen_later(bind(*address), seconds))

    async def accept_connections(self) -> None:
        """Listen again now, if refuse_connections() has stopped it."""
        self._resume.set()
        if self._refusal:
            await self._refusal

    async def _listen_later(self, sock: socket.socket, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._resume.wait(), seconds)
        config = self.config
        protocol = partial(config.http_protocol_class, config=config, server_state=self.server_state, app_state={})
        loop = asyncio.get_running_loop()
        self.servers[0] = await loop.create_server(protocol, sock=sock, ssl=config.ssl, backlog=_BACKLOG)


def bind(host: str, port: int) -> socket.socket:
    """Return a socket bound to an address; port 0 means a free one.

    :raises OSError: the address cannot be used.
    """
    # asyncio switches Nagle's algorithm off only where the protocol is spelled out.
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, proto=socket.IPPROTO_TCP)
    try:
        if port:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host, port))
        # Only now for a free port: Linux may give the same one to two sockets that ask for it with SO_REUSEADDR.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    except OSError:
        sock.close()
        raise
    return sock


def make_tls_context(host: str, ca_path: str) -> ssl.SSLContext:
    """Return a context with a new certificate for loopback and this host, and write its CA's certificate to a file."""
    # Half of the time that the emulator takes to start would go into this import.
    import trustme

    authority = trustme.CA()
    authority.cert_pem.write_to_path(ca_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*dict.fromkeys(("localhost", "127.0.0.1", "::1", host))).configure_cert(context)
    return context


async def run(servers: dict[Server, socket.socket], announce: Callable[[], None], until_stdin_closes: bool) -> None:
    """Serve until SIGINT or SIGTERM, or until standard input closes.

    :arg announce: called when all servers accept connections.
    """
    loop = asyncio.get_running_loop()

    def stop() -> None:
        for server in servers:
            server.should_exit = True

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    if until_stdin_closes:
        threading.Thread(target=_wait_for_stdin, args=(loop, stop), daemon=True).start()
    serving = [asyncio.create_task(server.serve(sockets=[sock])) for server, sock in servers.items()]
    try:
        for server in servers:
            await server.ready.wait()
        announce()
    except BaseException:
        stop()
        raise
    finally:
        await asyncio.gather(*serving)


def _wait_for_stdin(loop: asyncio.AbstractEventLoop, stop: Callable[[], None]) -> None:
    # os.read, because a thread inside sys.stdin would hold a lock that the interpreter needs for its own end.
    while os.read(0, 4096):
        pass
    with contextlib.suppress(RuntimeError):  # the loop has stopped already
        loop.call_soon_threadsafe(stop)
