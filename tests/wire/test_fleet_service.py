# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Asking the service about many organizations: shared connections, one pace for all, and an end when it is down."""

from __future__ import annotations

import itertools
import socket
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler

import pytest
from ansible_collections.datastax.astra.plugins.module_utils._errors import AstraError, ConnectionFailed
from ansible_collections.datastax.astra.plugins.module_utils._resources.audit_log_stream import (
    confirm_absence,
    read_stream,
)
from ansible_collections.datastax.astra.plugins.plugin_utils.fleet_service import Question, ask_all

from emulator.client import Emulator
from tests.playbooks.serving import serving
from tests.wire.support import TOKEN_BODY

CONTENT = b'{"pulsar": {"endpoint": "pulsar://b", "topic": "a/b/c", "auth_strategy": "token"}}'
NUMBER = 40
IDS = {f"org-{number}": f"0a1b2c3d-0000-4000-8000-{number:012}" for number in range(1, NUMBER + 1)}
TOKENS = {name: f"AstraCS:{name:a<24}:{'0123456789abcdef' * 4}" for name in IDS}
ENTERPRISE = f"AstraCS:{'enterprise':a<24}:{'0123456789abcdef' * 4}"


@pytest.fixture(scope="module")
def _emulator():
    tokens = [{"token": TOKENS[name], "organization_id": IDS[name]} for name in IDS]
    tokens.append({"token": ENTERPRISE, "enterprise": True, "organizations": list(IDS.values())})
    with Emulator([{"id": each, "name": name} for name, each in IDS.items()], tokens) as emulator:
        yield emulator


@pytest.fixture
def service(_emulator):
    _emulator.reset()
    for organization_id in IDS.values():
        _emulator.set_organization(organization_id, TOKEN_BODY)
    return _emulator


def ask(url, *, concurrency=8, rate=None, tokens=TOKENS, names=IDS, progress=lambda done: None, **options):
    """Ask about all organizations; returns for each whether something is configured, or the error's message."""
    params = {"api_url": url, "validate_certs": True, "ca_path": None, "timeout": 5, "retries": 5, **options}

    def look(name, api):
        stored = read_stream(api, IDS[name])
        return bool(stored) or confirm_absence(api, IDS[name])

    questions = [Question(name, {**params, "application_token": tokens[name]}, ()) for name in names]
    answers = ask_all(questions, look, concurrency, rate, progress)
    return {name: answer.message if isinstance(answer, AstraError) else answer for name, answer in answers.items()}


def test_each_is_asked_about_once(service):
    assert ask(service.api_url) == dict.fromkeys(IDS, True)
    journal = service.journal()
    assert Counter(entry["organization_id"] for entry in journal) == dict.fromkeys(IDS.values(), 1)


def test_connections_are_shared(service):
    connections = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self):
            super().setup()
            connections.append(self.client_address)

        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", str(len(CONTENT)))
            self.end_headers()
            self.wfile.write(CONTENT)

        def log_message(self, *_arguments):
            pass

    with serving(Handler) as url:
        assert ask(url, concurrency=4) == dict.fromkeys(IDS, True)
    assert len(connections) <= 4


def test_an_enterprises_token_is_asked_about_once(service):
    for organization_id in IDS.values():
        service.set_organization(organization_id, None)
    answers = ask(service.api_url, tokens=dict.fromkeys(IDS, ENTERPRISE))
    assert all("may be an enterprise's" in warnings[0] for warnings in answers.values())
    assert len(service.journal()) == NUMBER + 1


def test_not_more_at_once_than_wanted(service):
    service.settings(latency=0.1)
    ask(service.api_url, concurrency=5)
    starts = [entry["time"] for entry in service.journal()]
    assert max(sum(start <= moment < start + 0.1 for start in starts) for moment in starts) <= 5


def test_rate(service):
    started = time.monotonic()
    ask(service.api_url, rate=40)
    assert time.monotonic() - started >= (NUMBER - 2) / 40


def test_one_429_holds_all_back(service):
    service.fault(match={"organization_id": IDS["org-1"]}, times=1, status=429, headers={"Retry-After": "1"})
    assert ask(service.api_url, concurrency=4) == dict.fromkeys(IDS, True)
    moments = sorted(entry["time"] for entry in service.journal())
    assert max(later - earlier for earlier, later in itertools.pairwise(moments)) > 0.9


def test_a_service_that_limits_the_rate_is_asked_slowly_enough_for_all():
    """With all coming back at once after each pause, most would have no try left before they get through."""
    lock, budget = threading.Lock(), {"left": 5, "until": time.monotonic() + 1}

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            with lock:
                if time.monotonic() > budget["until"]:
                    budget.update(left=5, until=time.monotonic() + 1)
                budget["left"] -= 1
                refused = budget["left"] < 0
            content = (
                b"{}" if refused else b'{"pulsar": {"endpoint": "pulsar://b", "topic": "t", "auth_strategy": "token"}}'
            )
            self.send_response(429 if refused else 200)
            self.send_header("Content-Length", str(len(content)))
            if refused:
                self.send_header("Retry-After", "1")
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_arguments):
            pass

    with serving(Handler) as url:
        assert ask(url, concurrency=NUMBER) == dict.fromkeys(IDS, True)


class TestDown:
    def test_nobody_listens(self):
        with socket.create_server(("127.0.0.1", 0)) as closed:
            port = closed.getsockname()[1]
        started = time.monotonic()
        answers = ask(f"http://127.0.0.1:{port}", concurrency=4, retries=1)
        assert time.monotonic() - started < 10
        assert all("refused the connection" in message for message in answers.values())
        given_up = [message for message in answers.values() if message.startswith("The service was not asked any more")]
        assert len(given_up) >= NUMBER - 10

    def test_a_service_that_hangs_costs_no_more_than_a_few_tries(self):
        with socket.create_server(("127.0.0.1", 0), backlog=64) as silent:
            started = time.monotonic()
            url = f"http://127.0.0.1:{silent.getsockname()[1]}"
            answers = ask(url, concurrency=8, timeout=1, retries=1)
            assert time.monotonic() - started < 10
        assert all("did not answer in time" in message for message in answers.values())

    def test_unavailable(self, service):
        service.fault(match={}, times=None, status=503)
        answers = ask(service.api_url, concurrency=2, retries=0)
        assert all("the service answered 503" in message for message in answers.values())
        assert len(service.journal()) <= 7

    def test_a_few_failures_are_not_an_end(self, service):
        for number in range(1, 5):
            service.fault(match={"organization_id": IDS[f"org-{number}"]}, times=None, status=503)
        answers = ask(service.api_url, concurrency=1, retries=0)
        assert sum(answer is True for answer in answers.values()) == NUMBER - 4

    def test_what_concerns_one_organization_is_not_an_end(self, service):
        service.fault(match={}, times=None, status=403)
        ask(service.api_url, concurrency=2, retries=0)
        assert len(service.journal()) == NUMBER


def test_a_connection_that_cannot_be_used_is_that_of_some_alone(service, tmp_path):
    questions = []
    for name in ("org-1", "org-2"):
        ca_path = str(tmp_path / "missing.pem") if name == "org-1" else None
        params = {"api_url": service.api_url, "validate_certs": True, "ca_path": ca_path, "timeout": 5, "retries": 0}
        questions.append(Question(name, {**params, "application_token": TOKENS[name]}, ()))
    answers = ask_all(questions, lambda name, api: bool(read_stream(api, IDS[name])), 4, None, lambda done: None)
    assert answers["org-1"].message.startswith("ca_path")
    assert answers["org-2"] is True


def test_progress(service):
    reported = []
    ask(service.api_url, progress=reported.append)
    assert reported[-1] == NUMBER
    assert reported == sorted(reported)


def test_what_the_service_repeats_of_a_secret_is_hidden(service):
    said = {"errors": [{"ID": 1, "message": f"{TOKENS['org-1']} and secret-of-one"}]}
    service.fault(match={"organization_id": IDS["org-1"]}, times=None, status=400, body=said)
    params = {"api_url": service.api_url, "validate_certs": True, "ca_path": None, "timeout": 5, "retries": 0}
    question = Question("org-1", {**params, "application_token": TOKENS["org-1"]}, ["secret-of-one"])
    answer = ask_all([question], lambda name, api: read_stream(api, IDS[name]), 4, None, lambda done: None)["org-1"]
    assert not isinstance(answer, ConnectionFailed)
    assert "******** and ********" in answer.message
