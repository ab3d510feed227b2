# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A sink of Pulsar's own, the HTTP connector: events counted at both ends, whatever happens to the receiver.

Seen here: with ATLEAST_ONCE the connector of 4.0.8 never acknowledges. Nothing is lost by that, but the backlog of its
subscription grows for ever, and a restart delivers everything again.
"""

from __future__ import annotations

import base64
import http.server
import json
import threading
import time
from contextlib import contextmanager

import pytest

from tests.pulsar.support import wait_until

_REDELIVERY = 90  # seconds; what a sink could not deliver once, it tries again after 60


class Receiver:
    """What an external system is to a sink.

    :ivar received: the bodies of the requests that were answered with 200.
    :ivar refused: how many were not.
    :ivar status: of the next answers.
    :ivar delay: seconds that they take.
    """

    def __init__(self, port=0):
        self.received = []
        self.refused = 0
        self.status = 200
        self.delay = 0.0
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                time.sleep(receiver.delay)
                if receiver.status == 200:
                    receiver.received.append(body)
                else:
                    receiver.refused += 1
                self.send_response(receiver.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *arguments):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.port = self._server.server_address[1]

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *exception):
        self._server.shutdown()
        self._server.server_close()


def make_sink(place, port, **changes):
    """Make a sink from the topic to a receiver."""
    config = {
        "tenant": place.tenant,
        "namespace": "audit",
        "name": "siem",
        "archive": "builtin://http",
        "inputs": [place.topic],
        "sourceSubscriptionName": "siem",
        "sourceSubscriptionPosition": "Earliest",
        "processingGuarantees": "ATLEAST_ONCE",
        "parallelism": 1,
        "configs": {"url": f"http://127.0.0.1:{port}/ingest"},
        **changes,
    }
    part = {"sinkConfig": (None, json.dumps(config), "application/json")}
    answer = call(place, "POST", "", files=part)
    assert answer.ok, answer.text


def call(place, method, path, **options):
    """Call what the admin API has about the sink."""
    return place.admin.call(method, f"/../v3/sinks/{place.namespace}/siem{path}", **options)


@contextmanager
def exporting(place, count):
    """Send so many numbered events, half of them before the body and half after it."""
    with place.producer() as producer:
        for number in range(count):
            if number == count // 2:
                yield
            producer.send(b"%06d" % number)


def numbers(receiver):
    """Return the numbers that were received, each once: a sink may deliver an event again."""
    return sorted({int(base64.b64decode(json.loads(body))) for body in receiver.received})


def test_every_event_of_a_subscription_arrives(place):
    """Those of before the sink too, and those of the moment in which it starts."""
    place.subscribe("siem")
    with Receiver() as receiver:
        with exporting(place, 40):
            make_sink(place, receiver.port)
        wait_until(lambda: len(numbers(receiver)) == 40, _REDELIVERY)
    assert numbers(receiver) == list(range(40))
    assert place.stats()["subscriptions"]["siem"]["msgBacklog"] == 40


def test_a_sink_that_makes_its_subscription_itself(place):
    """Nothing is missing once its subscription has a consumer; before that, nothing holds an event."""
    with Receiver() as receiver:
        make_sink(place, receiver.port)
        wait_until(lambda: place.stats()["subscriptions"].get("siem", {}).get("consumers"))
        with exporting(place, 40):
            pass
        wait_until(lambda: len(numbers(receiver)) == 40, _REDELIVERY)
    assert numbers(receiver) == list(range(40))


def test_a_slow_receiver(place):
    place.subscribe("siem")
    with Receiver() as receiver:
        receiver.delay = 0.1
        make_sink(place, receiver.port)
        with exporting(place, 20):
            pass
        wait_until(lambda: len(numbers(receiver)) == 20, _REDELIVERY)
    assert numbers(receiver) == list(range(20))


@pytest.mark.parametrize("trouble", ["down", "refuses"])
def test_a_receiver_in_trouble_gets_all_events_in_the_end(place, trouble):
    """The subscription holds them, and a restart of the sink delivers them."""
    place.subscribe("siem")
    with Receiver() as receiver:
        port = receiver.port
        receiver.status = 503
        if trouble == "refuses":
            make_sink(place, port)
            with exporting(place, 10):
                pass
            wait_until(lambda: receiver.refused)
    if trouble == "down":
        make_sink(place, port)
        with exporting(place, 10):
            pass
    assert receiver.received == []
    assert place.stats()["subscriptions"]["siem"]["msgBacklog"] == 10
    with Receiver(port) as receiver:
        assert call(place, "POST", "/restart").ok
        wait_until(lambda: len(numbers(receiver)) == 10, _REDELIVERY)
    assert numbers(receiver) == list(range(10))


def test_at_most_once_loses_what_the_receiver_refuses(place):
    """Why processing_guarantees is not to be ATMOST_ONCE."""
    place.subscribe("siem")
    with Receiver() as receiver:
        receiver.status = 503
        make_sink(place, receiver.port, processingGuarantees="ATMOST_ONCE")
        with exporting(place, 10):
            pass
        wait_until(lambda: place.stats()["subscriptions"]["siem"]["msgBacklog"] < 10)
        wait_until(lambda: receiver.refused)
        receiver.status = 200
        assert call(place, "POST", "/restart").ok
        wait_until(lambda: place.stats()["subscriptions"]["siem"]["msgBacklog"] == 0)
    assert len(numbers(receiver)) < 10
