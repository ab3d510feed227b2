# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A server that answers the handshake as no real broker can be made to: wrongly, slowly, and without an end."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterable, Mapping

from ansible_collections.datastax.astra.plugins.module_utils._pulsar.frames import Kind, decode_command, encode_frame

# What a script yields: frames, or bytes of any kind.
Script = Callable[[int, Mapping[int, object]], Iterable[bytes]]


class FakeBroker:
    """Answers each command by what a script makes of it.

    :arg script: called with the kind and the fields of each command; replaced at will while it runs.
    :ivar commands: the kinds received, of all connections.
    :ivar connections: how many there were.
    """

    def __init__(self, script: Script | None = None, tls_context: ssl.SSLContext | None = None) -> None:
        self.script = script or answer
        self.commands: list[int] = []
        self.connections = 0
        self._tls_context = tls_context
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        self.url = f"pulsar{'+ssl' if tls_context else ''}://127.0.0.1:{self.port}"
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> FakeBroker:
        return self

    def __exit__(self, *exception: object) -> None:
        # Closing alone does not end an accept that waits.
        with contextlib.suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _address = self._server.accept()
                self.connections += 1
                threading.Thread(target=self._serve, args=[connection], daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError, StopIteration), contextlib.ExitStack() as stack:
            if self._tls_context:
                connection = self._tls_context.wrap_socket(connection, server_side=True)
            stack.enter_context(connection)
            stream = stack.enter_context(connection.makefile("rb"))
            while header := stream.read(8):
                size, command_size = struct.unpack(">II", header)
                kind, fields = decode_command(stream.read(size - 4)[:command_size])
                self.commands.append(kind)
                for data in self.script(kind, fields):
                    connection.sendall(data)


def answer(kind: int, fields: Mapping[int, object], **changes: Mapping[int, object]) -> Iterable[bytes]:
    """Answer as a broker that has a topic which is not partitioned.

    :arg changes: fields of the answer to a kind, by its name in lower case, that are otherwise.
    """
    answers = {
        Kind.CONNECT: (Kind.CONNECTED, {1: "Fake", 2: 15}),
        Kind.PARTITIONED_METADATA: (Kind.PARTITIONED_METADATA_RESPONSE, {1: 0, 2: fields.get(2), 3: 0}),
        Kind.LOOKUP: (Kind.LOOKUP_RESPONSE, {1: "pulsar://127.0.0.1:1", 3: 1, 4: fields.get(2), 8: True}),
        Kind.PRODUCER: (Kind.PRODUCER_SUCCESS, {1: fields.get(3), 2: "fake-0"}),
        Kind.CLOSE_PRODUCER: (Kind.SUCCESS, {1: fields.get(2)}),
    }
    if kind in answers:
        answer_kind, answer_fields = answers[Kind(kind)]
        yield encode_frame(answer_kind, {**answer_fields, **changes.get(Kind(kind).name.lower(), {})})


def refuse(code: int, words: str) -> bytes:
    """Return the frame of an error."""
    return encode_frame(Kind.ERROR, {1: 1, 2: code, 3: words})
