# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The handshake: all that a producer of Apache Pulsar does before its first message, and nothing more.

It connects, authenticates, looks the topic up, creates a producer and closes it, as the exporter of audit logs has to.
Every broker tells by this alone whether the events of a token would be taken, and nothing stays behind at the topic.
A topic that is missing stays so, with one exception: where a cluster creates topics by itself, which Astra Streaming
does not, a broker before 3.0.6 does it for this too, and so does Pulsar's proxy, which forgets the wish not to.

What it costs in round trips: ``connect`` 1, ``tls`` 1 (TLS 1.2: 2), ``authenticate`` 1, ``topic`` 2 (partitions,
lookup), ``produce`` 2 (create, close): 7. Where another broker has the topic, and behind Pulsar's proxy, as in Astra
Streaming, ``produce`` needs a connection of its own: 3 more, so 10. The partitions of a topic are asked all at once;
each further broker that has some of them costs 5, and each redirection of a lookup 4.
"""

from __future__ import annotations

import functools
import json
import os
import queue
import re
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from ansible_collections.datastax.astra.plugins.module_utils._deadline import Deadline
from ansible_collections.datastax.astra.plugins.module_utils._errors import InputError
from ansible_collections.datastax.astra.plugins.module_utils._pulsar.frames import (
    SIZE_LIMIT,
    SIZES,
    Fields,
    Kind,
    MalformedFrame,
    ServerError,
    decode_command,
    encode_frame,
)

STEPS = ("connect", "tls", "authenticate", "topic", "produce")
PASSED, FAILED, UNKNOWN = "passed", "failed", "unknown"

_DEFAULT_PORTS = {False: 6650, True: 6651}
_LONGEST_WAIT = 3600.0  # seconds; sockets take no infinity
_REDIRECT_LIMIT = 10
_PARTITION_LIMIT = 1000  # Astra allows 128
_FRAME_LIMIT = 1000  # that are not an answer: a broker sends a ping each half minute
_TEXT_LIMIT = 300  # characters of a broker's own words
_CLIENT = "ansible-collection-datastax.astra"
_PROTOCOL_VERSION = 15
_PRODUCER_ID = 1
_UNMATCHED = -1
_HTTP = int.from_bytes(b"HTTP", "big")  # what the size of a frame is where a web server answers

# What passes by itself, for example while a topic moves to another broker: clients try again, so this does too.
_PASSING = frozenset(("ServiceNotReady", "TooManyRequests", "MetadataError", "Closed"))
_PATIENCE = 5.0  # seconds that further tries may take in all
_FIRST_PAUSE = 0.1  # seconds; each further one is twice as long

_ADDRESS = re.compile(r"(pulsar|pulsar\+ssl)://(?:\[([0-9a-fA-F:.%]+)\]|([^\s/:,@\[\]]+))(?::([0-9]{1,5}))?/?")
_SECRETS = re.compile(r"eyJ[\w-]{8,}[\w.-]*|AstraCS:\S+")

_QUOTA = "Let the topic's subscriptions catch up, remove those that nobody reads, or raise the backlog quota."
_CHECK_NETWORK = "Check the endpoint, and that no firewall is between this machine and it."
_CHECK_PORT = "Check the endpoint: brokers usually have TLS (pulsar+ssl://) at port 6651 and none (pulsar://) at 6650."
_TRY_AGAIN = "Try again; if it stays so, look at the state of the Pulsar cluster."
_GRANT = "Give a token of the tenant that owns the topic, or grant its role the right to produce."

# For each code: what it means, and what to do. Codes that are not here speak for themselves.
_MEANINGS: Mapping[str, tuple[str, str]] = {
    "AuthenticationError": (
        "The broker does not accept the token",
        "Give a token of this tenant that has not ended and was not revoked.",
    ),
    "AuthorizationError": ("The token has no right to produce to the topic", _GRANT),
    "IncompatibleSchema": (
        "The topic takes messages of its schema alone",
        "Use a topic without a schema, or end the enforcement of schemas in its namespace.",
    ),
    "InvalidTopicName": ("The broker does not accept the topic's name", "Check the name of the topic."),
    "NotAllowedError": ("The topic does not allow this", "Check the policies of the topic and of its namespace."),
    "ProducerBlockedQuotaExceededError": ("The topic is full and takes no more messages", _QUOTA),
    "ProducerBlockedQuotaExceededException": ("The topic is full and takes no more messages", _QUOTA),
    "ProducerBusy": (
        "The topic takes no further producer",
        "Use a topic of its own for this stream, or disconnect the producers that are not needed.",
    ),
    "ProducerFenced": ("Another producer has the topic for itself", "Disconnect that producer, or use another topic."),
    "TopicNotFound": (
        "The topic does not exist",
        "Check its name, or create it: Astra Streaming does not create topics by itself.",
    ),
    "TopicTerminatedError": (
        "The topic was terminated and takes no more messages",
        "Use another topic: this one cannot be opened again.",
    ),
}
_ADVICE: Mapping[str, str] = {
    "Certificate": "Check the host of the endpoint, and ca_path where the broker's certificates are your own CA's.",
    "NameNotResolved": "Check the host of the endpoint, and the DNS of this machine.",
    "NotPulsar": _CHECK_PORT,
    "NoTls": _CHECK_PORT,
    "Refused": _CHECK_PORT,
}
# Where a code means something else at a certain step.
_ADVICE_AT_STEP: Mapping[tuple[str, str], str] = {
    # A port with TLS closes the connection when it is spoken to without.
    ("authenticate", "Closed"): _CHECK_PORT,
    # Without any right a broker does not even tell whether there is such a topic.
    ("topic", "AuthorizationError"): f"{_GRANT} Check the name too: the topic or its namespace may not exist.",
}


class Step(NamedTuple):
    """What became of a step.

    :ivar id: one of ``STEPS``.
    :ivar state: ``passed``, ``failed``, or ``unknown`` when it was not reached. Without TLS in the endpoint nothing can
        fail at ``tls``, so it is passed, and the message says so.
    :ivar code: why it failed: the name of the broker's error (``ServerError``), or one of ``NameNotResolved``,
        ``Refused``, ``Unreachable``, ``Timeout``, ``Certificate``, ``NoTls``, ``Tls``, ``Closed``, ``NotPulsar``,
        ``TooManyRedirects``, ``TooManyPartitions``. Empty when it did not fail.
    :ivar message: one sentence, without secrets and control characters.
    :ivar advice: what to do; empty when there is nothing to do.
    """

    id: str
    state: str
    code: str = ""
    message: str = ""
    advice: str = ""


class Handshake(NamedTuple):
    """How far a handshake came.

    :ivar steps: one for each of ``STEPS``, in their order.
    :ivar partitions: how many the topic has: 0 for one that is not partitioned, None when it was not told.
    """

    steps: tuple[Step, ...]
    partitions: int | None = None

    @property
    def failed_step(self) -> Step | None:
        """The step that failed, or None."""
        return next((step for step in self.steps if step.state == FAILED), None)


@dataclass(frozen=True)
class Destination:
    """Where somebody wants to produce, and as whom.

    :ivar endpoint: ``pulsar://`` or ``pulsar+ssl://``, host and, if it is not the usual one, port.
    :ivar topic: full name, ``persistent://tenant/namespace/topic``.
    :ivar token: the Pulsar token (a JWT), or None to come without.
    """

    endpoint: str
    topic: str
    token: str | None = field(repr=False)


def make_tls_context(validate_certs: bool = True, ca_path: str | None = None) -> ssl.SSLContext:
    """Return what TLS connections are made with: host names are verified wherever certificates are.

    Building one takes 12 to 20 ms, so there is one for the same arguments, in all threads.

    :arg ca_path: file or directory of CA certificates in PEM format, or None for those of the system.
    :raises InputError: they cannot be read.
    """
    # A cache alone has all threads build one that come before the first is done.
    with _building_tls_context:
        return _build_tls_context(validate_certs, ca_path)


_building_tls_context = threading.Lock()


@functools.cache
def _build_tls_context(validate_certs: bool, ca_path: str | None) -> ssl.SSLContext:
    try:
        if ca_path and os.path.isdir(ca_path):
            context = ssl.create_default_context(capath=ca_path)
        else:
            context = ssl.create_default_context(cafile=ca_path or None)
    except OSError:  # ssl.SSLError is one
        raise InputError("ca_path cannot be read as CA certificates in PEM format.") from None
    if not validate_certs:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def shake_hands(destination: Destination, deadline: Deadline, tls_context: ssl.SSLContext) -> Handshake:
    """Find out whether a broker would take messages for a topic, without sending any.

    A broker that is not ready is asked again for some seconds, as every client of Pulsar does.

    :arg deadline: for all of it, name resolution included.
    :arg tls_context: used for ``pulsar+ssl://``, see ``make_tls_context``.
    :raises InputError: the endpoint is not the URL of one broker.
    """
    address = _parse_address(destination.endpoint)
    if address is None:
        raise InputError("endpoint must be the URL of one broker, such as pulsar+ssl://host:6651.")
    patience = Deadline(deadline.bound(_PATIENCE))
    pause = _FIRST_PAUSE
    while True:
        attempt = _Attempt(address, destination, deadline, tls_context)
        handshake = attempt.run()
        failed = handshake.failed_step
        if not failed or failed.code not in _PASSING or not patience.sleep(pause):
            return handshake
        if failed.code == "Closed":
            # Once more is enough: a server that closes again speaks something else, and should be named soon.
            patience = Deadline(0)
        pause *= 2


class _Failure(Exception):
    """A step failed. ``words`` is a sentence, not yet cleaned."""

    def __init__(self, code: str, words: str) -> None:
        super().__init__(words)
        self.code = code
        self.words = words


class _Address(NamedTuple):
    host: str
    port: int
    tls: bool

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def _parse_address(url: str) -> _Address | None:
    """Return what the URL of a broker says, or None when it is none."""
    match = _ADDRESS.fullmatch(url.strip())
    if not match:
        return None
    scheme, literal, name, port = match.groups()
    tls = scheme == "pulsar+ssl"
    number = int(port) if port else _DEFAULT_PORTS[tls]
    return _Address(literal or name, number, tls) if 0 < number < 65536 else None


class _Target(NamedTuple):
    """Where a lookup leads: the address to connect to and, behind a proxy, the broker that it shall connect to."""

    address: _Address
    through_proxy_to: str = ""


class _Attempt:
    """One try of a handshake. ``_step`` is the step that it is at, to which every failure belongs."""

    def __init__(
        self, address: _Address, destination: Destination, deadline: Deadline, tls_context: ssl.SSLContext
    ) -> None:
        self._address = address
        self._topic = destination.topic
        self._token = destination.token or ""
        self._deadline = deadline
        self._tls_context = tls_context
        self._step = STEPS[0]
        self._passed: dict[str, str] = {}
        self._partitions: int | None = None

    def run(self) -> Handshake:
        """Go as far as possible."""
        failure = None
        connections: dict[_Target, _Connection] = {}
        try:
            self._shake_hands(connections)
        except _Failure as error:
            failure = error
            if error.code == ServerError.TopicNotFound.name and "topic" in self._passed:
                # Brokers before 3.0.6 answer that a missing topic has no partitions, and say so only now.
                self._step = "topic"
                del self._passed[self._step]
        except MalformedFrame as error:
            failure = _Failure("NotPulsar", f"What {self._address} answers is not Pulsar's protocol ({error}).")
        finally:
            for connection in connections.values():
                connection.close()
        return Handshake(tuple(self._describe(step, failure) for step in STEPS), self._partitions)

    def _describe(self, step: str, failure: _Failure | None) -> Step:
        if step in self._passed:
            return Step(step, PASSED, "", _clean(self._passed[step], self._token))
        if failure is None or step != self._step:
            return Step(step, UNKNOWN, "", "Not reached.")
        return Step(step, FAILED, failure.code, _clean(failure.words, self._token), _advise(step, failure.code))

    def _pass(self, message: str) -> None:
        """Note that the step is passed, and go to the next."""
        self._passed[self._step] = message
        self._step = STEPS[min(STEPS.index(self._step) + 1, len(STEPS) - 1)]

    def _shake_hands(self, connections: dict[_Target, _Connection]) -> None:
        here = _Target(self._address)
        sock, ip_address = _connect(self._address, self._deadline)
        self._pass(f"{self._address} accepts connections (at {ip_address}).")
        if self._address.tls:
            sock = _secure(sock, self._address, self._tls_context, self._deadline)
            verified = (
                "its certificate verifies" if self._tls_context.check_hostname else "its certificate is not verified"
            )
            self._pass(f"{self._address} speaks TLS, {verified}.")
        else:
            self._pass("The endpoint has no TLS: token and events travel unencrypted.")
        connections[here] = connection = _Connection(sock, self._address, self._deadline)
        connection.authenticate(self._token)
        self._pass("The broker accepts the token." if self._token else "The broker asks for no token.")

        self._partitions = self._count_partitions(connection, connections, here)
        if self._partitions > _PARTITION_LIMIT:
            raise _Failure("TooManyPartitions", f"The topic has {self._partitions} partitions, too many to try each.")
        topics = [f"{self._topic}-partition-{number}" for number in range(self._partitions)] or [self._topic]
        targets = self._look_up(topics, connections, here)
        kind = f"has {self._partitions} partitions" if self._partitions else "is not partitioned"
        self._pass(f"The topic exists and {kind}.")

        for target in dict.fromkeys(targets):
            owner = self._open(target, connections)
            owner.try_producers([topic for topic, owned_by in zip(topics, targets) if owned_by == target])
        self._pass("The broker creates a producer for the token.")

    def _count_partitions(self, connection: _Connection, connections: dict[_Target, _Connection], here: _Target) -> int:
        """Return the number of the topic's partitions, 0 when it has none."""
        try:
            return connection.count_partitions(self._topic)
        except _Failure as failure:
            # Pulsar's proxy before 4.0 says so whatever the broker says, which is then asked itself.
            if failure.code != ServerError.ServiceNotReady.name:
                raise
            [owner] = self._look_up([self._topic], connections, here)
            if not owner.through_proxy_to:
                raise
            return self._open(owner, connections).count_partitions(self._topic)

    def _look_up(self, topics: Sequence[str], connections: dict[_Target, _Connection], here: _Target) -> list[_Target]:
        """Return for each topic, or partition, where its producers have to connect."""
        found: dict[str, _Target] = {}
        pending = {here: list(topics)}
        authoritative = False
        for _hop in range(_REDIRECT_LIMIT + 1):
            redirected: dict[_Target, list[str]] = {}
            for place, asked in pending.items():
                answers = self._open(place, connections).look_up(asked, authoritative)
                for topic, (target, is_final) in zip(asked, answers):
                    if is_final:
                        found[topic] = target
                    else:
                        redirected.setdefault(target, []).append(topic)
            if not redirected:
                return [found[topic] for topic in topics]
            pending, authoritative = redirected, True
        raise _Failure("TooManyRedirects", "The brokers redirect to each other without an end.")

    def _open(self, target: _Target, connections: dict[_Target, _Connection]) -> _Connection:
        """Return the connection with a target, which is made if there is none yet."""
        if target not in connections:
            sock, _ip_address = _connect(target.address, self._deadline)
            if target.address.tls:
                sock = _secure(sock, target.address, self._tls_context, self._deadline)
            connections[target] = connection = _Connection(sock, target.address, self._deadline)
            connection.authenticate(self._token, target.through_proxy_to)
        return connections[target]


def _wait(deadline: Deadline, address: _Address) -> float:
    """Return the seconds to wait for an operation of a socket, which takes 0 for something else."""
    seconds = deadline.bound(_LONGEST_WAIT)
    if seconds <= 0:
        raise _timed_out(address)
    return seconds


def _timed_out(address: _Address) -> _Failure:
    return _Failure("Timeout", f"{address} did not answer in time.")


def _connect(address: _Address, deadline: Deadline) -> tuple[socket.socket, str]:
    """Return a TCP connection with the first of a name's addresses that takes one, and that address."""
    candidates = _resolve(address, deadline)
    failure = _Failure("NameNotResolved", f"The name {address.host} has no address.")
    for number, (family, _type, _protocol, _name, socket_address) in enumerate(candidates):
        # An address that is silent must leave time for the others.
        share = _wait(deadline, address) / (len(candidates) - number)
        sock = None
        try:
            sock = socket.socket(family, socket.SOCK_STREAM)
            sock.settimeout(share)
            sock.connect(socket_address)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return sock, str(socket_address[0])
        except OSError as error:
            if sock is not None:
                sock.close()
            failure = _describe_connect_error(error, address)
    raise failure


def _describe_connect_error(error: OSError, address: _Address) -> _Failure:
    if isinstance(error, ConnectionRefusedError):
        return _Failure("Refused", f"{address} refuses connections.")
    if isinstance(error, socket.timeout):
        return _timed_out(address)
    return _Failure("Unreachable", f"{address} cannot be reached: {error.strerror or error}.")


def _resolve(address: _Address, deadline: Deadline) -> list[tuple]:  # type: ignore[type-arg]
    """Return the addresses of a name; in a thread of its own, since the resolver cannot be given a bound."""
    answers: queue.SimpleQueue[list[tuple] | Exception] = queue.SimpleQueue()  # type: ignore[type-arg]

    def ask() -> None:
        try:
            answers.put(socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM))
        except (OSError, ValueError) as error:  # a name with impossible characters is a UnicodeError
            answers.put(error)

    threading.Thread(target=ask, name="resolver", daemon=True).start()
    try:
        answer = answers.get(timeout=_wait(deadline, address))
    except queue.Empty:
        raise _Failure("Timeout", f"The name {address.host} was not resolved in time.") from None
    if isinstance(answer, Exception):
        reason = answer.strerror if isinstance(answer, OSError) else "it is no host name"
        raise _Failure("NameNotResolved", f"The name {address.host} cannot be resolved: {reason}.")
    return answer


def _secure(sock: socket.socket, address: _Address, tls_context: ssl.SSLContext, deadline: Deadline) -> ssl.SSLSocket:
    try:
        sock.settimeout(_wait(deadline, address))
        return tls_context.wrap_socket(sock, server_hostname=address.host.rstrip("."))
    except ssl.SSLCertVerificationError as error:
        failure = _Failure("Certificate", f"The certificate of {address} does not verify: {error.verify_message}.")
    except socket.timeout:
        failure = _timed_out(address)
    except (ssl.SSLEOFError, ssl.SSLZeroReturnError, ConnectionError):
        failure = _Failure("NoTls", f"{address} does not speak TLS: it closed the connection.")
    except ssl.SSLError as error:
        if error.reason in ("WRONG_VERSION_NUMBER", "UNKNOWN_PROTOCOL", "RECORD_LAYER_FAILURE"):
            failure = _Failure("NoTls", f"{address} does not speak TLS.")
        else:
            failure = _Failure("Tls", f"TLS with {address} failed: {error.reason or error}.")
    except (OSError, ValueError) as error:  # a host that cannot be a server's name is a ValueError
        failure = _Failure("Tls", f"TLS with {address} failed: {error}.")
    except _Failure as error:
        failure = error
    sock.close()
    raise failure


class _Connection:
    """Pulsar's protocol over a connection. Raises _Failure, or MalformedFrame when something else is spoken there."""

    def __init__(self, sock: socket.socket, address: _Address, deadline: Deadline) -> None:
        self._socket = sock
        self._address = address
        self._deadline = deadline
        self._received = bytearray()
        self._last_request = 0

    def close(self) -> None:
        """Close it; what the other side thinks of that does not matter any more."""
        self._socket.close()

    def authenticate(self, token: str, through_proxy_to: str = "") -> None:
        """Introduce this client."""
        fields: dict[int, int | str | bytes] = {1: _CLIENT, 4: _PROTOCOL_VERSION}
        if token:
            fields.update({3: token, 5: "token"})
        if through_proxy_to:
            fields[6] = through_proxy_to
        self._send(encode_frame(Kind.CONNECT, fields))
        kind, _answer = next(self._receive())
        if kind != Kind.CONNECTED:
            # Another method of authentication would go on with a question.
            raise _Failure("NotPulsar", f"{self._address} asks for something else than a token.")

    def count_partitions(self, topic: str) -> int:
        """Return the number of a topic's partitions, 0 when it has none."""
        # A broker that creates topics by itself must not do so for this.
        create_if_missing = 6
        [answer] = self._ask(Kind.PARTITIONED_METADATA, [{1: topic, create_if_missing: False}], request_field=2)
        return answer.number(1)

    def look_up(self, topics: Sequence[str], authoritative: bool) -> list[tuple[_Target, bool]]:
        """Return for each topic where to connect, and whether that is the end of the search."""
        answers = self._ask(Kind.LOOKUP, [{1: topic, 3: authoritative} for topic in topics], request_field=2)
        return [self._read_lookup(answer) for answer in answers]

    def _read_lookup(self, answer: Fields) -> tuple[_Target, bool]:
        address = _parse_address(answer.text(2 if self._address.tls else 1))
        through_proxy, is_final = bool(answer.number(8)), answer.number(3) == 1
        # What a proxy speaks with its brokers is its own matter. Else never from TLS to none, whatever a broker says.
        if address is None or not (through_proxy or address.tls == self._address.tls):
            transport = "with TLS" if self._address.tls else "without TLS"
            raise _Failure("NotPulsar", f"{self._address} names no broker {transport} that has the topic.")
        # A standalone broker is its own proxy.
        if through_proxy and address != self._address:
            return _Target(self._address, str(address)), is_final
        return _Target(address), is_final

    def try_producers(self, topics: Sequence[str]) -> None:
        """Create a producer for each topic and close it again."""
        producers = list(enumerate(topics, _PRODUCER_ID))
        # Field 9 says that the broker may choose the producer's name.
        self._ask(Kind.PRODUCER, [{1: topic, 2: number, 9: False} for number, topic in producers], request_field=3)
        self._ask(Kind.CLOSE_PRODUCER, [{1: number} for number, _topic in producers], request_field=2)

    def _ask(self, kind: Kind, requests: Sequence[Mapping[int, int | str]], request_field: int) -> list[Fields]:
        """Send requests all at once; returns their answers in the same order.

        :arg request_field: the field of the request that takes its number.
        """
        numbers = range(self._last_request + 1, self._last_request + 1 + len(requests))
        self._last_request = numbers[-1]
        self._send(
            b"".join(
                encode_frame(kind, {**request, request_field: number}) for number, request in zip(numbers, requests)
            )
        )
        answers: dict[int, Fields] = {}
        for answer_kind, answer in self._receive():
            number = _find_request(answer_kind, answer)
            if number in numbers:
                answers[number] = answer
            if len(answers) == len(requests):
                break
        return [answers[number] for number in numbers]

    def _send(self, data: bytes) -> None:
        try:
            self._socket.settimeout(_wait(self._deadline, self._address))
            self._socket.sendall(data)
        except socket.timeout:
            raise _timed_out(self._address) from None
        except OSError:
            raise self._closed() from None

    def _receive(self) -> Iterator[tuple[int, Fields]]:
        """Yield commands; raises what an error among them says."""
        for _number in range(_FRAME_LIMIT):
            kind, fields = decode_command(self._read_frame())
            if kind == Kind.PING:
                self._send(encode_frame(Kind.PONG, {}))
                continue
            _raise_error(kind, fields)
            yield kind, fields
        raise MalformedFrame("it never answers what was asked")

    def _read_frame(self) -> bytes:
        size, command_size = SIZES.unpack(self._read(SIZES.size))
        rest = size - 4
        if size == _HTTP:
            raise MalformedFrame("a web server is there")
        if not 0 < command_size <= rest <= SIZE_LIMIT:
            raise MalformedFrame("the size of a frame is impossible")
        return self._read(rest)[:command_size]

    def _read(self, size: int) -> bytes:
        while len(self._received) < size:
            try:
                self._socket.settimeout(_wait(self._deadline, self._address))
                data = self._socket.recv(65536)
            except socket.timeout:
                raise _timed_out(self._address) from None
            except OSError:
                raise self._closed() from None
            if not data:
                raise self._closed()
            self._received += data
        data = bytes(self._received[:size])
        del self._received[:size]
        return data

    def _closed(self) -> _Failure:
        return _Failure("Closed", f"{self._address} closed the connection.")


def _find_request(kind: int, answer: Fields) -> int:
    """Return the number of the request that an answer belongs to."""
    if kind in (Kind.SUCCESS, Kind.PRODUCER_SUCCESS):
        return answer.number(1, _UNMATCHED)
    if kind == Kind.PARTITIONED_METADATA_RESPONSE:
        return answer.number(2, _UNMATCHED)
    if kind == Kind.LOOKUP_RESPONSE:
        return answer.number(4, _UNMATCHED)
    return _UNMATCHED


def _raise_error(kind: int, fields: Fields) -> None:
    """Raise what a broker refuses. Each answer has fields of its own for that.

    Pulsar's proxy tells a failed request for partitions by the answer to a lookup, so what was asked does not matter.
    """
    if kind == Kind.ERROR:
        code, words = fields.number(2), fields.text(3)
    elif kind == Kind.PARTITIONED_METADATA_RESPONSE and fields.number(3) == 1:
        code, words = fields.number(4), fields.text(5)
    elif kind == Kind.LOOKUP_RESPONSE and fields.number(3) == 2:
        code, words = fields.number(6), fields.text(7)
    else:
        return
    name = ServerError(code).name if code in ServerError._value2member_map_ else ServerError.UnknownError.name
    words = _unwrap(words)
    if name == ServerError.ServiceNotReady.name and "does not exist" in words:
        # Pulsar's proxy before 4.0 keeps the broker's words and loses its code.
        name = ServerError.TopicNotFound.name
    meaning, _advice = _MEANINGS.get(name, ("The broker refuses", ""))
    raise _Failure(name, f"{meaning} ({name}: {words})." if words else f"{meaning} ({name}).")


def _advise(step: str, code: str) -> str:
    if (step, code) in _ADVICE_AT_STEP:
        return _ADVICE_AT_STEP[step, code]
    if code in _MEANINGS:
        return _MEANINGS[code][1]
    return _ADVICE.get(code, _CHECK_NETWORK if step in ("connect", "tls") else _TRY_AGAIN)


def _unwrap(words: str) -> str:
    """Return the broker's words without the JSON that Pulsar's proxy puts around them."""
    if words.startswith("{"):
        try:
            wrapped = json.loads(words)
        except (ValueError, RecursionError):
            return words
        if isinstance(wrapped, dict) and isinstance(wrapped.get("errorMsg"), str):
            return str(wrapped["errorMsg"])
    return words


def _clean(words: str, token: str) -> str:
    """Return words of another machine as text to show: bounded, printable, and without what may be a secret."""
    text = _SECRETS.sub("********", words.replace(token, "********") if token else words)
    text = " ".join("".join(character if character.isprintable() else " " for character in text).split())
    return text if len(text) <= _TEXT_LIMIT else f"{text[: _TEXT_LIMIT - 3]}..."
