# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The connection: TLS, proxies, .netrc, names that do not resolve, ports where nobody listens."""

from __future__ import annotations

import base64
import contextlib
import re
import socket
import threading

import pytest
import requests
from ansible_collections.datastax.astra.plugins.module_utils import _http

from tests.wire.support import ADMINISTRATOR, ORGANIZATION, absent, methods, present, seeded


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch):
    """The right pauses for a run are too long for a test."""
    monkeypatch.setattr(_http, "BACKOFF_START", 0.02)


@pytest.fixture(scope="module")
def tls_service():
    with seeded(tls=True) as emulator:
        yield emulator


@pytest.fixture
def unused_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class TestTls:
    def test_a_certificate_of_the_given_ca_verifies(self, tls_service):
        tls_service.reset()
        assert present(tls_service, ca_path=tls_service.ca_path)["action"] == "created"
        assert absent(tls_service, ca_path=tls_service.ca_path)["action"] == "deleted"

    def test_the_environment_can_name_the_ca(self, tls_service, monkeypatch):
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", tls_service.ca_path)
        assert absent(tls_service)["action"] == "none"

    def test_any_certificate_is_taken_when_it_is_not_validated(self, tls_service):
        assert absent(tls_service, validate_certs=False)["action"] == "none"

    def test_an_unknown_ca_is_refused_without_a_second_try(self, tls_service, monkeypatch):
        monkeypatch.setattr(_http.time, "sleep", lambda seconds: pytest.fail("tried again"))
        tls_service.clear_journal()
        result = absent(tls_service)
        assert result["failed"]
        assert "does not verify: check api_url and ca_path" in result["msg"]
        assert methods(tls_service) == []

    def test_a_wrong_name_is_refused(self, tls_service, monkeypatch):
        port = tls_service.api_url.rsplit(":", 1)[1]
        real = socket.getaddrinfo
        monkeypatch.setattr(socket, "getaddrinfo", lambda host, *rest: real("127.0.0.1", *rest))
        result = absent(tls_service, api_url=f"https://api.example.com:{port}", ca_path=tls_service.ca_path)
        assert "does not verify" in result["msg"]

    def test_a_service_without_tls(self, service):
        result = absent(service, api_url=service.api_url.replace("http:", "https:"), retries=1)
        assert result["failed"]
        assert "no TLS connection with" in result["msg"]

    @pytest.mark.parametrize("content", [None, "not a certificate"], ids=["missing", "not PEM"])
    def test_a_ca_path_that_cannot_be_used_is_named(self, service, tmp_path, content):
        path = tmp_path / "ca.pem"
        if content:
            path.write_text(content)
        result = absent(service, ca_path=str(path))
        assert result["msg"] == "ca_path cannot be read as CA certificates in PEM format."
        assert methods(service) == []


@pytest.mark.parametrize("method", ["present", "absent"])
def test_nobody_listens(service, unused_port, method):
    result = {"present": present, "absent": absent}[method](service, api_url=f"http://127.0.0.1:{unused_port}")
    assert (result["failed"], result["changed"]) == (True, False)
    assert "refused the connection: check api_url and the network." in result["msg"]


def test_a_name_that_does_not_resolve(service):
    result = absent(service, api_url="https://api.invalid", retries=0)
    assert "the name of api.invalid cannot be resolved: check api_url and the network." in result["msg"]


@pytest.mark.parametrize(
    "failing",
    [socket.gaierror(-3, "try again"), ConnectionRefusedError(), TimeoutError()],
    ids=["DNS", "refused", "timeout"],
)
@pytest.mark.parametrize("write", [1, 3], ids=["GET", "POST"])
def test_a_connection_that_fails_once_is_tried_again(service, monkeypatch, failing, write):
    """The third connection of a run is a new one for POST when the service closes after each answer."""
    real = socket.getaddrinfo
    calls = []

    def sometimes(*arguments, **keywords):
        calls.append(arguments)
        if len(calls) == write:
            raise failing
        return real(*arguments, **keywords)

    if write == 3:
        closing = {"headers": {"Connection": "close"}}
        service.fault(match={"path": "auditLogs$"}, status=404, body={"errors": []}, **closing)
        service.fault(match={"path": "currentOrg$"}, status=200, body={"id": ORGANIZATION}, **closing)
    monkeypatch.setattr("urllib3.util.connection.socket.getaddrinfo", sometimes)
    assert present(service)["action"] == "created"
    assert methods(service) == ["GET", "ORG", "POST", "GET"]
    assert len(calls) > write


class TestProxies:
    @pytest.fixture
    def proxy(self):
        """A proxy that counts: it understands CONNECT and absolute URLs just enough for these tests.

        Gives its address, what was asked of it, and the credentials that it was given.
        """
        seen, credentials = [], []
        listener = socket.create_server(("127.0.0.1", 0))

        def pump(source, sink):
            with contextlib.suppress(OSError):
                while data := source.recv(65536):
                    sink.sendall(data)
            sink.close()

        def serve():
            while True:
                try:
                    client, _address = listener.accept()
                except OSError:
                    return
                head = client.recv(65536)
                method, target, _rest = head.split(b" ", 2)
                seen.append((method.decode(), target.decode()))
                credentials.extend(re.findall(rb"Proxy-Authorization: (.*)\r\n", head, re.IGNORECASE))
                place = target.decode().split("://")[-1].split("/")[0]
                upstream = socket.create_connection(place.split(":"))
                if method == b"CONNECT":
                    client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                else:
                    upstream.sendall(head)
                for ends in ((client, upstream), (upstream, client)):
                    threading.Thread(target=pump, args=ends, daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        yield f"127.0.0.1:{listener.getsockname()[1]}", seen, credentials
        listener.close()

    @pytest.mark.parametrize("form", ["http://{}", "{}"])
    def test_https_is_tunnelled_and_verified(self, tls_service, proxy, monkeypatch, form):
        address, seen, _credentials = proxy
        monkeypatch.setenv("HTTPS_PROXY", form.format(address))
        assert absent(tls_service, ca_path=tls_service.ca_path)["action"] == "none"
        assert seen == [("CONNECT", tls_service.api_url.split("://")[1])]
        assert "does not verify" in absent(tls_service)["msg"]

    def test_http_is_sent_through(self, service, proxy, monkeypatch):
        address, seen, _credentials = proxy
        monkeypatch.setenv("HTTP_PROXY", f"http://{address}")
        assert absent(service)["action"] == "none"
        [(method, target)] = seen
        assert (method, target.startswith(f"{service.api_url}/v2/organizations/")) == ("GET", True)

    @pytest.mark.parametrize("tls", [True, False])
    def test_the_proxy_gets_its_credentials_and_nobody_else(self, service, tls_service, proxy, monkeypatch, tls):
        address, _seen, credentials = proxy
        for variable in ("HTTP_PROXY", "HTTPS_PROXY"):
            monkeypatch.setenv(variable, f"http://somebody:else@{address}")
        one = tls_service if tls else service
        one.reset()
        assert absent(one, ca_path=one.ca_path)["action"] == "none"
        assert credentials == [b"Basic " + base64.b64encode(b"somebody:else")]
        headers = one.journal()[0]["headers"]
        assert headers["authorization"] == f"Bearer {ADMINISTRATOR}"
        # What this proxy does not take off what it sends on by itself is left out of a tunnel by us.
        assert ("proxy-authorization" in headers) is not tls

    def test_no_proxy_is_respected(self, tls_service, proxy, monkeypatch):
        address, seen, _credentials = proxy
        monkeypatch.setenv("HTTPS_PROXY", f"http://{address}")
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        assert absent(tls_service, ca_path=tls_service.ca_path)["action"] == "none"
        assert seen == []

    def test_a_proxy_that_refuses_is_named_and_its_password_is_not(self, tls_service, monkeypatch, unused_port):
        monkeypatch.setenv("HTTPS_PROXY", f"http://somebody:else@127.0.0.1:{unused_port}")
        message = absent(tls_service, ca_path=tls_service.ca_path)["msg"]
        assert f"the proxy 127.0.0.1:{unused_port} refused the connection: check the proxy variables" in message
        assert "else" not in message

    @pytest.mark.parametrize("status", ["403 Forbidden", "407 Proxy Authentication Required"])
    @pytest.mark.parametrize("tls", [True, False])
    def test_a_proxy_that_does_not_pass_on_is_named(self, service, tls_service, monkeypatch, status, tls):
        with answering(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n") as (port, asked):
            for variable in ("HTTP_PROXY", "HTTPS_PROXY"):
                monkeypatch.setenv(variable, f"http://127.0.0.1:{port}")
            one = tls_service if tls else service
            message = absent(one, ca_path=one.ca_path)["msg"]
        if tls or status.startswith("407"):
            assert f"the proxy 127.0.0.1:{port} " in message
            assert "check the proxy variables of the environment" in message
        assert len(asked) == 1

    def test_a_socks_proxy_that_nobody_runs_is_named(self, service, monkeypatch, unused_port):
        monkeypatch.setenv("HTTP_PROXY", f"socks5://somebody:else@127.0.0.1:{unused_port}")
        message = absent(service)["msg"]
        assert f"the proxy 127.0.0.1:{unused_port} refused the connection: check the proxy variables" in message
        assert "else" not in message

    def test_a_socks_proxy_without_its_library_is_a_clear_failure(self, service, monkeypatch):
        def refuse(*_arguments, **_keywords):
            raise requests.exceptions.InvalidSchema("Missing dependencies for SOCKS support.")

        monkeypatch.setattr("requests.adapters.SOCKSProxyManager", refuse)
        monkeypatch.setenv("HTTP_PROXY", "socks5://127.0.0.1:1080")
        assert "can be made: check api_url and the proxy variables of the environment." in absent(service)["msg"]

    def test_the_systems_own_settings_are_not_looked_at(self, service, monkeypatch):
        """They crash a forked worker on macOS (cpython issue 75999)."""
        monkeypatch.setattr("urllib.request.getproxies", lambda: pytest.fail("looked"))
        monkeypatch.setattr("requests.utils.getproxies", lambda: pytest.fail("looked"))
        assert absent(service)["action"] == "none"

    @pytest.mark.parametrize(
        "url", ["http://", "http:///proxy", "://", "nonsense://proxy:80", "http://[::1", "socks9://x"]
    )
    def test_a_proxy_that_cannot_be_used_is_not_passed_over(self, service, monkeypatch, url):
        monkeypatch.setenv("HTTP_PROXY", url)
        result = absent(service)
        assert "can be made: check api_url and the proxy variables of the environment." in result["msg"]
        assert methods(service) == []


@contextlib.contextmanager
def answering(answer):
    """Somebody who gives the same answer to everything; gives the port, and what was asked."""
    asked = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve():
            with contextlib.suppress(OSError):
                while True:
                    client, _address = listener.accept()
                    asked.append(client.recv(65536))
                    client.sendall(answer.encode())
                    client.close()

        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1], asked


def test_netrc_does_not_replace_the_token(service, tmp_path, monkeypatch):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    assert requests.utils.get_netrc_auth(service.api_url) == ("somebody", "else")
    assert absent(service)["action"] == "none"
    assert service.journal()[0]["headers"]["authorization"] == f"Bearer {ADMINISTRATOR}"


def test_a_redirect_never_takes_the_token_along(service):
    with seeded() as elsewhere:
        location = f"{elsewhere.api_url}/v2/organizations"
        service.fault(match={"method": "GET"}, times=None, status=307, headers={"Location": location})
        result = present(service)
        assert "the service redirects to another address (307), where tokens are never sent" in result["msg"]
        assert elsewhere.journal() == []


def test_one_connection_serves_a_whole_run(service, monkeypatch):
    real = socket.getaddrinfo
    connections = []
    monkeypatch.setattr(
        "urllib3.util.connection.socket.getaddrinfo", lambda *address: connections.append(address) or real(*address)
    )
    present(service)
    assert len(connections) == 1
    assert methods(service) == ["GET", "ORG", "POST", "GET"]


class TestBounds:
    """One deadline for all waiting, and one count for all repeats, whatever layer it is that waits or repeats."""

    @pytest.fixture(autouse=True)
    def _usual_pauses(self, monkeypatch, _short_pauses):
        monkeypatch.setattr(_http, "BACKOFF_START", 0.25)

    @pytest.mark.parametrize("method", ["POST", "GET"])
    def test_retry_after_does_not_outlast_the_time_for_waiting(self, service, monkeypatch, method):
        slept = []
        monkeypatch.setattr(_http.time, "sleep", slept.append)
        service.fault(match={"method": "POST"}, status=409)
        fault = {"status": 429, "headers": {"Retry-After": "3"}, "times": None}
        service.fault(match={"method": method, "path": "auditLogs$"}, skip=int(method == "GET"), **fault)
        result = present(service, wait_timeout=1, retries=5)
        assert (result["failed"], result["http_status"]) == (True, 429)
        assert sum(slept) <= 1

    @pytest.mark.parametrize("fault", [{"status": 503}, {"status": 429}, {"drop": "before"}, {"close": "before"}])
    @pytest.mark.parametrize("retries", [0, 2])
    def test_a_write_is_sent_once_and_as_often_again_as_retries_says(self, service, monkeypatch, fault, retries):
        monkeypatch.setattr(_http, "BACKOFF_START", 0.01)
        service.fault(match={"method": "POST"}, times=None, **fault)
        assert present(service, retries=retries)["failed"]
        assert methods(service).count("POST") == retries + 1

    def test_mixed_failures_share_the_count(self, service, monkeypatch):
        monkeypatch.setattr(_http, "BACKOFF_START", 0.01)
        for fault in ({"drop": "before"}, {"status": 503}, {"close": "before"}, {"status": 504}):
            service.fault(match={"method": "POST"}, **fault)
        assert present(service, retries=2)["failed"]
        assert methods(service).count("POST") == 3
