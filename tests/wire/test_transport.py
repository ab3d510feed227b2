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
from ansible_collections.datastax.astra.plugins.module_utils import transport

from tests.wire.support import ADMINISTRATOR, absent, methods, present, seeded


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch):
    """The right pauses for a run are too long for a test."""
    monkeypatch.setattr(transport, "BACKOFF_START", 0.02)


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
        monkeypatch.setattr(transport.time, "sleep", lambda seconds: pytest.fail("tried again"))
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
@pytest.mark.parametrize("write", [1, 2], ids=["GET", "POST"])
def test_a_connection_that_fails_once_is_tried_again(service, monkeypatch, failing, write):
    """The second connection of a run is a new one for POST when the service closes after each answer."""
    real = socket.getaddrinfo
    calls = []

    def sometimes(*arguments, **keywords):
        calls.append(arguments)
        if len(calls) == write:
            raise failing
        return real(*arguments, **keywords)

    if write == 2:
        service.fault(match={"method": "GET"}, status=404, headers={"Connection": "close"})
    monkeypatch.setattr("urllib3.util.connection.socket.getaddrinfo", sometimes)
    assert present(service)["action"] == "created"
    assert methods(service) == ["GET", "POST", "GET"]
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

    @pytest.mark.parametrize(
        "url", ["http://", "http:///proxy", "://", "nonsense://proxy:80", "http://[::1", "socks9://x"]
    )
    def test_a_proxy_that_cannot_be_used_is_not_passed_over(self, service, monkeypatch, url):
        monkeypatch.setenv("HTTP_PROXY", url)
        result = absent(service)
        assert "can be made: check api_url and the proxy variables." in result["msg"]
        assert methods(service) == []


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
    assert methods(service) == ["GET", "POST", "GET"]
