# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whoever looks up what went wrong finds it in the guide: each kind of failure has an entry there."""

from __future__ import annotations

import http.client
import re
import socket
import ssl

import pytest
import requests
from ansible_collections.datastax.astra.plugins.module_utils import _api, _http
from ansible_collections.datastax.astra.plugins.module_utils._api import Api, Call
from ansible_collections.datastax.astra.plugins.module_utils._convergence import Settings, converge
from ansible_collections.datastax.astra.plugins.module_utils._deadline import Deadline
from ansible_collections.datastax.astra.plugins.module_utils._errors import AstraError, Broken, InputError
from ansible_collections.datastax.astra.plugins.module_utils._fingerprint_store import StoreError, recall
from ansible_collections.datastax.astra.plugins.module_utils._http_limits import AnswerTooLarge
from ansible_collections.datastax.astra.plugins.module_utils._resources._audit_log_stream_request import Request
from ansible_collections.datastax.astra.plugins.module_utils._resources.audit_log_stream import (
    AuditLogStream,
    Policy,
    confirm_absence,
    interpret_document,
)
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, ProxyError

from tests.conftest import ROOT
from tests.unit.plugins.module_utils.support import APPLICATION_TOKEN, ORGANIZATION, OTHER_ORGANIZATION, Service

GUIDE = (ROOT / "docs/docsite/rst/troubleshooting.rst").read_text()
TERMS = [term for line in re.findall(r"^``.*``", GUIDE, re.MULTILINE) for term in re.findall(r"``(.*?)``", line)]
STREAM = {
    "endpoint": "pulsar+ssl://broker",
    "topic": "persistent://a/b/c",
    "auth_strategy": "token",
    "auth_name": "token",
}
REQUEST = Request("present", ORGANIZATION, STREAM, "secret")

GET = Call("Reading the thing", "GET", "/thing", absent=(404,), conflict="busy")
POST = Call("Making the thing", "POST", "/thing", expected=(202,), conflict="exists")


def is_explained(message):
    """Whether a term is what the message says; ... stands for what differs."""
    patterns = (".*".join(map(re.escape, term.split("..."))) for term in TERMS)
    return any(re.search(pattern, message) for pattern in patterns)


def test_not_everything_is_explained():
    assert not is_explained("The service has made coffee: drink it.")


def catch(function, *arguments):
    with pytest.raises(AstraError) as caught:
        function(*arguments)
    return caught.value


class Http:
    """Gives one answer to everything."""

    url_option = "api_url"

    def __init__(self, status, body=b""):
        self.answer = _http.Answer(status, body)

    def request(self, *_arguments, **_keywords):
        return self.answer


def answered(call, status, body=b""):
    api = Api(Http(status, body), APPLICATION_TOKEN)
    return catch(api.read if call.method == "GET" else api.write, call)


STATUSES = sorted({*_api._ADVICE, *_api.MAYBE_APPLIED_STATUSES, *_http.RETRIED_STATUSES, 404, 409})


@pytest.mark.parametrize("call", [GET, POST], ids=["GET", "POST"])
@pytest.mark.parametrize("status", STATUSES)
def test_statuses(call, status):
    """Those from 500 on are explained together, by the first of them."""
    message = answered(call, status, b"<html>").message
    if (call, status) == (GET, 404):  # somebody else's
        assert is_explained(message)
    else:
        assert f"the service answered {status}" in message
        assert f"the service answered {min(status, 500)}" in TERMS


def caused(error):
    return requests.ConnectionError(MaxRetryError(None, "/", error))


BROKEN = {
    "name": caused(socket.gaierror()),
    "refused": caused(ConnectionRefusedError()),
    "unreachable": requests.ConnectTimeout(MaxRetryError(None, "/", ConnectTimeoutError())),
    "timeout": caused(TimeoutError()),
    "reset": caused(ConnectionResetError()),
    "cut off": caused(http.client.IncompleteRead(b"")),
    "certificate": requests.exceptions.SSLError(MaxRetryError(None, "/", ssl.SSLCertVerificationError())),
    "TLS": requests.exceptions.SSLError(MaxRetryError(None, "/", ssl.SSLError())),
    "too large": caused(AnswerTooLarge()),
    "not HTTP": caused(http.client.BadStatusLine("SSH-2.0")),
    "unusable": requests.exceptions.InvalidSchema(),
    "proxy": requests.exceptions.ProxyError(MaxRetryError(None, "/", ProxyError("Refused.", OSError()))),
}


def broken(monkeypatch, error, method="GET"):
    def request(*_arguments, **_keywords):
        raise error

    monkeypatch.setattr(requests.Session, "request", request)
    return catch(_http.Http("https://api.example.com", retries=0).request, method, "/thing")


@pytest.mark.parametrize("error", BROKEN.values(), ids=BROKEN)
def test_connections(monkeypatch, error):
    assert is_explained(broken(monkeypatch, error).message)


def redirected(monkeypatch, status, location):
    http = _http.Http("https://api.example.com", retries=0)
    monkeypatch.setattr(http, "_send", lambda *_arguments: _http.Answer(status, b"", {"Location": location}))
    return catch(http.request, "POST", "/thing")


@pytest.mark.parametrize(
    ("status", "location"), [(307, "https://elsewhere.example.com/"), (302, "/thing"), (307, "/thing")]
)
def test_redirects(monkeypatch, status, location):
    assert is_explained(redirected(monkeypatch, status, location).message)


def test_no_time_for_what_the_service_asks_for():
    gate = _http.Gate()
    gate.close(60)
    http = _http.Http("https://api.example.com", gate=gate)
    assert is_explained(catch(lambda: http.request("GET", "/thing", deadline=Deadline(1))).message)


class Damaged:
    """A store in which nothing can be read or written."""

    def read(self, organization_id):
        raise StoreError("cannot be read")


def stream_of(service, request=REQUEST, **policy):
    return AuditLogStream(Api(service, APPLICATION_TOKEN), request, Policy(**policy))


class Idle(Service):
    """Accepts everything and does nothing."""

    def request(self, method, path, **more):
        return _http.Answer(202, b"") if method == "POST" else super().request(method, path, **more)


OUTCOMES = {
    "not shown in time": lambda: catch(converge, stream_of(Idle()), Settings(wait_timeout=0)).message,
    "secret missing": lambda: catch(converge, stream_of(Service(), REQUEST._replace(secret=None)), Settings()).message,
    "token of another organization": lambda: (
        catch(
            confirm_absence, Api(Service(organization_id=OTHER_ORGANIZATION), APPLICATION_TOKEN), ORGANIZATION
        ).message
    ),
    "enterprise's token": lambda: confirm_absence(Api(Http(403), APPLICATION_TOKEN), ORGANIZATION)[0],
    "document of a wrong form": lambda: catch(interpret_document, {"pulsar": 7}).message,
    "no object": lambda: catch(interpret_document, []).message,
    "no JSON": lambda: answered(GET, 200, b"<html>").message,
    "no organization": lambda: catch(Api(Http(200, b"{}"), APPLICATION_TOKEN).find_organization).message,
    "store": lambda: recall(Damaged(), ORGANIZATION)[1][0],
}


@pytest.mark.parametrize("produce", OUTCOMES.values(), ids=OUTCOMES)
def test_outcomes(produce):
    assert is_explained(produce())


@pytest.mark.parametrize(
    ("policy", "secret"),
    [({}, "secret"), ({}, None), ({"update_token": "always"}, "secret"), ({"update_token": "always"}, None)],
)
def test_warnings_about_the_secret(policy, secret):
    stored = {"pulsar": {**STREAM, "token": "secret"}}
    stream = stream_of(Service(stored), REQUEST._replace(secret=secret), **policy)
    [warning] = converge(stream, Settings(wait=False), check_mode=True)["warnings"]
    assert is_explained(warning)


def test_every_class_of_errors_is_among_these(monkeypatch):
    """One that is new needs an example above, and an entry in the guide."""
    examples = [
        answered(POST, 403),
        answered(POST, 404),
        answered(GET, 409),
        answered(POST, 409),
        broken(monkeypatch, BROKEN["refused"]),
        broken(monkeypatch, BROKEN["reset"], "POST"),
        catch(converge, stream_of(Idle()), Settings(wait_timeout=0)),
        InputError("Examples are the tests of what is found offline."),
        StoreError("cannot be read"),
        Broken("The connector of sink a/b/c failed: no such index."),
    ]
    assert is_explained(examples[-1].message)
    pending, known = [AstraError], set()
    while pending:
        kind = pending.pop()
        known.add(kind)
        pending += kind.__subclasses__()
    # Tests may have classes of their own.
    ours = {kind for kind in known - {AstraError} if kind.__module__.startswith("ansible_collections.")}
    assert ours == {example.__class__ for example in examples}


def test_every_check_of_the_way_of_an_event_and_of_what_guards_it():
    delivery = pytest.importorskip("ansible_collections.datastax.astra.plugins.module_utils._delivery")
    assert {*delivery.WAY, *delivery.GUARDS} - set(TERMS) == set()
