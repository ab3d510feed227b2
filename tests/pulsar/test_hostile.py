# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The handshake with servers that are broken, slow, endless, in trouble or malicious."""

from __future__ import annotations

import contextlib
import functools
import itertools
import json
import ssl
import struct
import time
import tracemalloc

import pytest
import trustme
from ansible_collections.datastax.astra.plugins.module_utils._deadline import Deadline
from ansible_collections.datastax.astra.plugins.module_utils._errors import InputError
from ansible_collections.datastax.astra.plugins.module_utils._pulsar import frames, wire
from ansible_collections.datastax.astra.plugins.module_utils._pulsar.frames import Kind, ServerError, encode_frame
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.pulsar.fake_broker import FakeBroker, answer, refuse
from tests.pulsar.support import port_of

TOPIC = "persistent://acme/audit/events"
TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhY21lIn0.c2lnbmF0dXJl"


@pytest.fixture
def fake():
    """A broker that does what a test tells it."""
    with FakeBroker() as server:
        yield server


@pytest.fixture(scope="module")
def lasting_fake():
    """The same for many examples of one test."""
    with FakeBroker() as server:
        yield server


def shake(server, timeout=5.0, tls_context=None):
    return wire.shake_hands(
        wire.Destination(server.url, TOPIC, TOKEN), Deadline(timeout), tls_context or wire.make_tls_context()
    )


def script(**changes):
    """A script that answers as usual but for some fields."""
    return functools.partial(answer, **changes)


def at(wanted, *data):
    """A script that answers as usual but for one kind of command."""

    def run(kind, fields):
        return iter(data) if kind == wanted else answer(kind, fields)

    return run


def test_a_broker_that_behaves(fake):
    assert shake(fake).failed_step is None
    # Two connections, since the lookup says to go on through the proxy. It is not itself what it names.
    sent = [Kind.CONNECT, Kind.PARTITIONED_METADATA, Kind.LOOKUP, Kind.CONNECT, Kind.PRODUCER, Kind.CLOSE_PRODUCER]
    assert fake.commands == sent


def test_no_more_round_trips_than_the_protocol_needs(fake):
    fake.script = script(lookup={1: fake.url, 8: False})
    assert shake(fake).failed_step is None
    assert fake.connections == 1
    assert fake.commands == [Kind.CONNECT, Kind.PARTITIONED_METADATA, Kind.LOOKUP, Kind.PRODUCER, Kind.CLOSE_PRODUCER]


class TestFrames:
    @pytest.mark.parametrize(
        "data",
        [
            b"\x00\x00\x00\x00\x00\x00\x00\x00",
            struct.pack(">II", 3, 1) + b"\x08\x03",
            struct.pack(">II", 6, 100) + b"\x08\x03",
            struct.pack(">II", 0xFFFFFFFF, 0xFFFFFFFB),
            struct.pack(">II", 0x7FFFFFFF, 10),
            struct.pack(">II", 6, 2) + b"\xff\xff",
            struct.pack(">II", 15, 11) + b"\xff" * 11,
            struct.pack(">II", 6, 2) + b"\x1a\x7f",
            b"HTTP/1.1 400 Bad Request\r\n\r\n",
            b"SSH-2.0-OpenSSH_9.2\r\n",
            b"220 mail.example.com ESMTP\r\n",
        ],
    )
    def test_malformed(self, fake, data):
        fake.script = at(Kind.CONNECT, data)
        failed = shake(fake, timeout=1).failed_step
        assert failed.id == "authenticate"
        assert failed.code == "NotPulsar"

    def test_huge(self, fake):
        """What is announced is not believed, and not waited for."""
        fake.script = at(Kind.CONNECT, struct.pack(">II", frames.SIZE_LIMIT + 5, 10), b"\x08\x03" * 500_000)
        tracemalloc.start()
        failed = shake(fake).failed_step
        _now, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert failed.code == "NotPulsar"
        # The server is in this process, and has the data once.
        assert peak < 4_000_000

    def test_huge_words(self, fake):
        fake.script = at(Kind.LOOKUP, refuse(ServerError.AuthorizationError, "no " * 50_000))
        failed = shake(fake).failed_step
        assert (failed.id, failed.code) == ("topic", "AuthorizationError")
        assert len(failed.message) <= 300

    @pytest.mark.parametrize("kind", [Kind.CONNECT, Kind.PARTITIONED_METADATA, Kind.LOOKUP, Kind.PRODUCER])
    def test_slow(self, fake, kind):
        """One byte now and then does not prolong the deadline."""

        def drip(command, fields):
            [frame] = answer(command, fields)
            if command != kind:
                yield frame
                return
            for byte in itertools.cycle(frame):
                time.sleep(0.05)
                yield bytes([byte])

        fake.script = drip
        started = time.monotonic()
        failed = shake(fake, timeout=0.3).failed_step
        assert failed.code == "Timeout"
        assert 0.25 < time.monotonic() - started < 0.6

    @pytest.mark.parametrize("kind", [Kind.CONNECT, Kind.LOOKUP, Kind.CLOSE_PRODUCER])
    def test_silent(self, fake, kind):
        fake.script = at(kind)
        started = time.monotonic()
        assert shake(fake, timeout=0.3).failed_step.code == "Timeout"
        assert time.monotonic() - started < 0.6

    @pytest.mark.parametrize("frame", [encode_frame(Kind.PING, {}), encode_frame(Kind.SUCCESS, {1: 12345})])
    def test_endless(self, fake, frame):
        fake.script = lambda kind, fields: itertools.repeat(frame) if kind == Kind.LOOKUP else answer(kind, fields)
        started = time.monotonic()
        assert shake(fake, timeout=5).failed_step.code in ("NotPulsar", "Timeout")
        assert time.monotonic() - started < 5.5

    def test_pings_are_answered(self, fake):
        fake.script = lambda kind, fields: itertools.chain([encode_frame(Kind.PING, {})] * 3, answer(kind, fields))
        assert shake(fake).failed_step is None
        assert fake.commands.count(Kind.PONG) >= 9


class TestLookups:
    def test_redirected_in_circles(self, fake):
        fake.script = script(lookup={1: fake.url, 3: 0, 8: False})
        failed = shake(fake).failed_step
        assert (failed.id, failed.code) == ("topic", "TooManyRedirects")
        assert fake.commands.count(Kind.LOOKUP) <= 11

    def test_redirected_once(self, fake):
        authoritative = []

        def redirect(kind, fields):
            if kind == Kind.LOOKUP:
                authoritative.append(fields[3])
                return answer(kind, fields, lookup={1: fake.url, 3: 0 if len(authoritative) == 1 else 1, 8: False})
            return answer(kind, fields)

        fake.script = redirect
        assert shake(fake).failed_step is None
        assert authoritative == [0, 1]

    def test_redirected_to_where_nobody_is(self, fake):
        fake.script = script(lookup={1: "pulsar://127.0.0.1:1", 3: 0, 8: False})
        failed = shake(fake).failed_step
        assert failed.id == "topic"
        assert "127.0.0.1:1" in failed.message

    def test_the_owner_cannot_be_reached(self, fake):
        fake.script = script(lookup={1: "pulsar://127.0.0.1:1", 8: False})
        failed = shake(fake).failed_step
        assert failed.id == "produce"
        assert "127.0.0.1:1" in failed.message

    @pytest.mark.parametrize("url", ["", "pulsar+ssl://127.0.0.1:6651", "http://127.0.0.1", "pulsar://a:b@c", "\x00"])
    def test_no_usable_address(self, fake, url):
        fake.script = script(lookup={1: url, 8: False})
        failed = shake(fake).failed_step
        assert (failed.id, failed.code) == ("topic", "NotPulsar")

    def test_never_from_tls_to_none(self):
        authority = trustme.CA()
        server_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(server_context)
        client_context = ssl.create_default_context()
        authority.configure_trust(client_context)
        with FakeBroker() as plain, FakeBroker(tls_context=server_context) as secure:
            secure.script = script(lookup={1: plain.url, 2: plain.url, 3: 0, 8: False})
            failed = shake(secure, tls_context=client_context).failed_step
            assert (failed.id, failed.code) == ("topic", "NotPulsar")
            assert plain.connections == 0

    def test_to_a_real_broker(self, place, broker):
        """The lookup of a real one goes on where a redirection leads, as an authoritative one."""
        with FakeBroker(script(lookup={1: broker.broker_url, 3: 0, 8: False})) as fake:
            destination = wire.Destination(fake.url, place.topic, place.token())
            handshake = wire.shake_hands(destination, Deadline(5), wire.make_tls_context())
        assert handshake.failed_step is None
        assert handshake.steps[4].message
        assert str(port_of(fake.url)) in handshake.steps[0].message

    def test_partitions_on_several_brokers(self, fake):
        with FakeBroker() as other:
            owners = itertools.cycle([fake, other])

            def share(kind, fields):
                if kind == Kind.LOOKUP:
                    return answer(kind, fields, lookup={1: next(owners).url, 8: False})
                return answer(kind, fields, partitioned_metadata={1: 6})

            fake.script = share
            handshake = shake(fake)
            assert handshake.failed_step is None
            assert handshake.partitions == 6
            assert other.commands == [Kind.CONNECT] + [Kind.PRODUCER] * 3 + [Kind.CLOSE_PRODUCER] * 3
            assert fake.commands.count(Kind.PRODUCER) == 3

    def test_a_topic_that_is_missed_late(self, fake):
        """Brokers before 3.0.6 say of a missing topic that it has no partitions, and then refuse the producer."""
        fake.script = at(Kind.PRODUCER, refuse(ServerError.TopicNotFound, "Topic Not Found."))
        handshake = shake(fake)
        assert handshake.failed_step.id == "topic"
        assert [step.state for step in handshake.steps] == ["passed", "passed", "passed", "failed", "unknown"]

    def test_more_partitions_than_can_be(self, fake):
        fake.script = script(partitioned_metadata={1: 2**32 - 1})
        failed = shake(fake).failed_step
        assert (failed.id, failed.code) == ("topic", "TooManyPartitions")


class TestPassingTrouble:
    """What passes by itself is asked again, within bounds."""

    @pytest.mark.parametrize("code", ["ServiceNotReady", "TooManyRequests", "MetadataError"])
    def test_of_the_broker(self, fake, code):
        troubles = iter([refuse(ServerError[code], "later")] * 3)
        fake.script = lambda kind, fields: (
            [next(troubles)] if kind == Kind.PRODUCER and fake.commands.count(kind) <= 3 else answer(kind, fields)
        )
        assert shake(fake).failed_step is None

    def test_that_does_not_pass(self, fake):
        fake.script = at(Kind.LOOKUP, refuse(ServerError.ServiceNotReady, "never"))
        started = time.monotonic()
        failed = shake(fake, timeout=1).failed_step
        assert (failed.id, failed.code) == ("topic", "ServiceNotReady")
        assert time.monotonic() - started < 1.5

    def test_a_connection_that_breaks_once(self, fake):
        def run(kind, fields):
            if kind == Kind.LOOKUP and fake.connections == 1:
                raise OSError
            return answer(kind, fields)

        fake.script = run
        assert shake(fake).failed_step is None

    def test_a_connection_that_always_breaks(self, fake):
        def run(kind, fields):
            raise OSError

        fake.script = run
        started = time.monotonic()
        failed = shake(fake).failed_step
        assert (failed.id, failed.code) == ("authenticate", "Closed")
        assert fake.connections == 2
        assert time.monotonic() - started < 1


class TestWords:
    """What a broker says is shown, and nothing that should not be."""

    @pytest.mark.parametrize(
        ("words", "shown"),
        [
            ("denied for acme", "denied for acme"),
            (f"bad token {TOKEN}", "bad token ********"),
            (f"bad claims {TOKEN.split('.')[1]}", "bad claims ********"),
            ("bad token AstraCS:abc:def", "bad token ********"),
            ("red \x1b[31malarm\x07\r\nHost: x", "red [31malarm Host: x"),
            ("\u202eevil\u2066", "evil"),
            (json.dumps({"errorMsg": "wrapped by a proxy", "reqId": 1}), "wrapped by a proxy"),
            ('{"errorMsg": 1}', '{"errorMsg": 1}'),
            ("{" * 10_000, "{{{"),
        ],
    )
    def test_clean(self, fake, words, shown):
        fake.script = at(Kind.CONNECT, refuse(ServerError.AuthenticationError, words))
        message = shake(fake).failed_step.message
        assert shown in message
        assert message.isprintable()
        for part in (TOKEN, *TOKEN.split(".")[:2]):
            assert part not in message

    def test_an_error_that_is_not_known(self, fake):
        fake.script = at(Kind.PRODUCER, refuse(77, "something new"))
        failed = shake(fake).failed_step
        assert (failed.id, failed.code) == ("produce", "UnknownError")
        assert "something new" in failed.message

    def test_the_token_is_in_no_representation(self):
        assert TOKEN not in repr(wire.Destination("pulsar://127.0.0.1", TOPIC, TOKEN))


@pytest.mark.parametrize(
    "endpoint", ["", "host", "http://host", "pulsar://", "pulsar://a,b", "pulsar://h:0", "pulsar://h:99999"]
)
def test_no_endpoint(endpoint):
    with pytest.raises(InputError, match="endpoint"):
        wire.shake_hands(wire.Destination(endpoint, TOPIC, TOKEN), Deadline(1), wire.make_tls_context())


# An answer to each command, of anything: frames with any fields, or no frames at all.
_values = st.one_of(
    st.integers(0, 2**64 - 1),
    st.binary(max_size=40),
    st.text(max_size=40),
    st.sampled_from([TOKEN, "pulsar://127.0.0.1:1"]),
)
_frames = st.builds(
    encode_frame,
    st.sampled_from(list(Kind)),
    st.dictionaries(st.integers(1, 12), _values, max_size=6),
)
_truncated = st.builds(lambda frame, size: frame[:size], _frames, st.integers(0, 40))
_answers = st.lists(st.one_of(_frames, _truncated, st.binary(max_size=60)), max_size=4)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(per_command=st.dictionaries(st.sampled_from(list(Kind)), _answers, max_size=5))
def test_anything_that_a_server_may_answer(lasting_fake, per_command):
    """Whatever comes back, a handshake ends in time with an outcome that can be shown."""

    def run(kind, fields):
        if kind not in per_command:
            yield from answer(kind, fields)
            return
        yield from per_command[kind]
        raise OSError  # closes the connection

    lasting_fake.script = run
    started = time.monotonic()
    handshake = shake(lasting_fake, timeout=0.15)
    assert time.monotonic() - started < 1
    states = [step.state for step in handshake.steps]
    passed = states.count("passed")
    assert states == (["passed"] * passed + ["failed"] + ["unknown"] * 5)[:5]
    shown = " ".join(step.message + step.advice for step in handshake.steps)
    assert TOKEN not in shown
    assert shown.isprintable()


@given(st.dictionaries(st.integers(1, 2**20), st.one_of(st.integers(0, 2**64 - 1), st.binary()), max_size=8))
def test_what_is_encoded_is_decoded(fields):
    assert frames.decode(frames.encode(fields)) == fields


@given(st.binary(max_size=200))
def test_bytes_of_any_kind_are_decoded_or_refused(data):
    with contextlib.suppress(frames.MalformedFrame):
        frames.decode(data)
