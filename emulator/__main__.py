# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The emulator's command line."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import dataclasses
import errno
import json
import os
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from starlette.routing import Route

from emulator import pulsar_admin
from emulator.api import Emulation
from emulator.broker import MemoryBroker
from emulator.control import make_control
from emulator.exporter import MemoryTransport
from emulator.real_broker import BrokerAccess, RealBroker, read_access
from emulator.server import Server, bind, make_tls_context, run
from emulator.service import Pulsar, Service
from emulator.settings import Conditions, Settings
from emulator.signing import Signer, read_key
from emulator.state import State, parse_state
from emulator.tenants import CLUSTERS


class StartError(Exception):
    """The emulator cannot start; the message is one sentence."""


def main(arguments: list[str] | None = None) -> int:
    """Run the emulator; returns its exit status."""
    options = _parse_arguments(arguments)
    try:
        with contextlib.ExitStack() as stack:
            _serve(options, stack)
    except StartError as error:
        print(f"emulator: {error}", file=sys.stderr)
        return 2
    return 0


def _parse_arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m emulator",
        description="Emulates the parts of Astra that concern audit log streaming, Astra Streaming included.",
        epilog="When it listens, it prints one line of JSON with api_url, admin_url, control_url, pid and ca_path.",
    )
    add = parser.add_argument
    add("--state", required=True, type=Path, metavar="FILE", help="organizations and tokens to start with (JSON)")
    add("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    add("--port", default=0, type=_port, help="port of the API (default: a free one)")
    add("--admin-port", default=0, type=_port, metavar="PORT", help="port of Pulsar's admin API (default: a free one)")
    add("--control-port", default=0, type=_port, metavar="PORT", help="port of the control API (default: a free one)")
    add("--ready-file", type=Path, metavar="FILE", help="write the line of JSON to this file too, while it listens")
    add("--tls", action="store_true", help="serve both APIs over TLS; ca_path names the CA certificate to trust")
    add("--signing-key", type=Path, metavar="FILE", help="key for Pulsar tokens: a secret, or a private RSA key")
    add(
        "--pulsar", type=Path, metavar="FILE", help="how to reach a real Pulsar broker (JSON), instead of one in memory"
    )
    for setting in dataclasses.fields(Settings):
        default = setting.default if isinstance(setting.default, str) else json.dumps(setting.default)
        add(
            f"--{setting.name.replace('_', '-')}",
            default=setting.default,
            type=setting.metadata["parse"],
            choices=setting.metadata["choices"],
            metavar="VALUE",
            help=f"{setting.metadata['help']}: {setting.metadata['expected']} (default: {default})".replace("%", "%%"),
        )
    add("--verbose", action="store_true", help="write a line for each request to standard error")
    add("--until-stdin-closes", action="store_true", help="stop when standard input closes, so with the parent")
    return parser.parse_args(arguments)


def _port(text: str) -> int:
    if not (text.isdecimal() and int(text) < 65536):
        raise argparse.ArgumentTypeError("must be a number from 0 to 65535")
    return int(text)


def _serve(options: argparse.Namespace, stack: contextlib.ExitStack) -> None:
    state, settings, access = _read_state(options.state), _read_settings(options), _read_access(options.pulsar)
    signer = _read_signer(Path(access.secret_key_path) if access else options.signing_key)
    make_pulsar, routes = _use_broker(access, state) if access else _use_memory(state)
    api_socket = stack.enter_context(_listen(options.host, options.port))
    admin_socket = stack.enter_context(_listen(options.host, options.admin_port))
    control_socket = stack.enter_context(_listen(options.host, options.control_port))
    ca_path = tls = None
    if options.tls:
        ca_path = str(Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="astra-emulator-"))) / "ca.pem")
        tls = make_tls_context(options.host, ca_path)
    scheme = "https" if tls else "http"
    ready = {
        "api_url": _url(scheme, options.host, api_socket),
        "admin_url": _url(scheme, options.host, admin_socket),
        "control_url": _url("http", options.host, control_socket),
        "pid": os.getpid(),
        "ca_path": ca_path,
    }
    service = Service(state, settings, signer, ready["admin_url"], make_pulsar)
    emulation = Emulation(service, state, routes, options.verbose)

    def announce() -> None:
        line = json.dumps(ready)
        if options.ready_file:
            stack.enter_context(_published(options.ready_file, line))
        print(line, flush=True)

    async def serve() -> None:
        emulation.api.listener, emulation.admin.listener = Server(emulation.api, tls), Server(emulation.admin, tls)
        try:
            await emulation.reset()
        except ValueError as error:
            raise StartError(f"{options.state} cannot be used: {error}") from None
        servers = {
            emulation.api.listener: api_socket,
            emulation.admin.listener: admin_socket,
            Server(make_control(emulation)): control_socket,
        }
        await run(servers, announce, options.until_stdin_closes)

    asyncio.run(serve())


def _use_memory(state: State) -> tuple[Callable[[Conditions, Signer], Pulsar], list[Route]]:
    """Return what makes Pulsar in memory, and its admin API."""
    clusters = (*state.clusters, *CLUSTERS)

    def make(conditions: Conditions, signer: Signer) -> Pulsar:
        broker = MemoryBroker(conditions)
        return clusters, broker, MemoryTransport(conditions, broker, signer, clusters)

    return make, pulsar_admin.ROUTES


def _use_broker(access: BrokerAccess, state: State) -> tuple[Callable[[Conditions, Signer], Pulsar], list[Route]]:
    """Return what takes a real broker for Pulsar, and its admin API behind Astra's rules."""
    try:
        from emulator.client_transport import ClientTransport
    except ImportError:
        raise StartError("--pulsar needs the package pulsar-client.") from None
    if state.clusters:
        raise StartError("With --pulsar there is one cluster, so that the state cannot have others.")
    broker, transport = RealBroker(access), ClientTransport(access.ca_path)
    cluster = dataclasses.replace(CLUSTERS[0], broker_url=access.broker_url)
    return lambda _conditions, _signer: ((cluster,), broker, transport), broker.make_routes()


def _read_access(path: Path | None) -> BrokerAccess | None:
    try:
        return read_access(path) if path else None
    except OSError as error:
        raise StartError(f"{path} cannot be read: {error.strerror}.") from None
    except ValueError as error:
        raise StartError(f"{path} cannot be used: {error}") from None


def _read_state(path: Path) -> State:
    try:
        return parse_state(json.loads(path.read_text("utf-8")))
    except OSError as error:
        raise StartError(f"{path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise StartError(f"{path} is not UTF-8 text.") from None
    except json.JSONDecodeError as error:
        raise StartError(f"{path} is not valid JSON: {error}.") from None
    except ValueError as error:
        raise StartError(f"{path} cannot be used: {error}") from None


def _read_settings(options: argparse.Namespace) -> Settings:
    try:
        return Settings(**{setting.name: getattr(options, setting.name) for setting in dataclasses.fields(Settings)})
    except ValueError as error:
        raise StartError(str(error)) from None


def _read_signer(path: Path | None) -> Signer:
    try:
        return Signer(read_key(path) if path else None)
    except OSError as error:
        raise StartError(f"{path} cannot be read: {error.strerror}.") from None
    except ValueError:
        raise StartError(f"{path} is not a key that can be used.") from None


def _listen(host: str, port: int) -> socket.socket:
    try:
        sock = bind(host, port)
        sock.listen()
        return sock
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            reason = f"port {port} is in use: choose another one, or 0 for a free one"
        else:
            reason = f"cannot listen on {host}, port {port}: {error.strerror}"
        raise StartError(f"{reason}.") from None


def _url(scheme: str, host: str, sock: socket.socket) -> str:
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{sock.getsockname()[1]}"


@contextlib.contextmanager
def _published(path: Path, line: str) -> Iterator[None]:
    """Have a file while the emulator runs; it appears at once and complete."""
    unfinished = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        unfinished.write_text(line + "\n", "utf-8")
        unfinished.replace(path)
    except OSError as error:
        raise StartError(f"{path} cannot be written: {error.strerror}.") from None
    yield
    path.unlink(missing_ok=True)


if __name__ == "__main__":
    sys.exit(main())
