# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""HTTP: one connection per run, retries, redirects, and a bound on the time and size of every answer.

By urllib3, on which requests stands: an unchanged organization needs one request, and the session that requests would
make for it costs a forked worker half as much again. The proxies and CA certificates are those of requests.
"""

from __future__ import annotations

import contextlib
import functools
import http.client
import io
import os
import random
import re
import socket
import ssl
import time
import traceback
from typing import NamedTuple
from urllib.parse import urljoin, urlsplit
from urllib.request import getproxies

from ansible_collections.datastax.astra.plugins.module_utils.errors import (
    AnswerLost,
    ConnectionFailed,
    InputError,
    ServiceError,
)

try:
    import requests
    import urllib3
    from requests.adapters import HTTPAdapter
    from urllib3.connection import CertificateError, HTTPConnection, HTTPSConnection
    from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
    from urllib3.exceptions import ConnectTimeoutError, InvalidHeader, LocationValueError
    from urllib3.util import Retry, parse_url
    from urllib3.util.ssl_ import create_urllib3_context
except ImportError:
    REQUESTS_IMPORT_ERROR = traceback.format_exc()
    HTTPConnection = HTTPSConnection = HTTPConnectionPool = HTTPSConnectionPool = Retry = object
else:
    REQUESTS_IMPORT_ERROR = None
    CERTIFICATE_ERRORS = (ssl.SSLCertVerificationError, CertificateError)

ANSWER_SIZE_LIMIT = 1024 * 1024  # bytes; the largest answer of the contract has a few hundred
REDIRECT_LIMIT = 5
RETRY_AFTER_LIMIT = 60  # seconds
BACKOFF_START = 0.25  # seconds
BACKOFF_LIMIT = 30  # seconds
BROKEN_CONNECTION = (OSError, http.client.IncompleteRead)
CONTENT_LENGTH = re.compile("[0-9]{1,18}")
RETRIED_STATUSES = frozenset((429, 502, 503, 504))
# All that the service has. For None, which means all as well, urllib3 does a costly check in every new process.
METHODS = frozenset(("DELETE", "GET", "POST"))


class Answer(NamedTuple):
    """An answer of the service. C(retried) says that an earlier try of the same request failed."""

    status: int
    body: bytes
    retried: bool


class Transport:
    """A connection with the service. Use it as a context manager, and never across a fork.

    :arg api_url: base URL of the DevOps API.
    :arg application_token: sent as bearer token, to this host alone.
    :arg validate_certs: whether the service's certificate is verified.
    :arg ca_path: file or directory of CA certificates in PEM format, or None for the usual ones.
    :arg timeout: seconds for connecting, and again for a complete answer.
    :arg retries: how many further tries a request has after 429, 502, 503, 504 or a connection failure.
    :raises InputError: C(ca_path) cannot be used.
    """

    def __init__(self, api_url, application_token, validate_certs=True, ca_path=None, timeout=30, retries=5):
        self._api_url = api_url.strip().rstrip("/")
        self._timeout = urllib3.Timeout(connect=timeout, read=timeout)
        self._retries = _Retry(
            total=retries, allowed_methods=METHODS, status_forcelist=RETRIED_STATUSES, raise_on_status=False
        )
        self._tls_context = tls_context(validate_certs, ca_path)
        self._headers = {
            "Authorization": f"Bearer {application_token.strip()}",
            "Accept": "application/json",
            "Accept-Encoding": "identity",  # so that the size limit holds for what is read into memory
            "User-Agent": "ansible-collection-datastax.astra",
        }
        if not validate_certs:
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        if "_pools" in vars(self):
            self._pools.clear()

    @functools.cached_property
    def _pools(self):
        """The connections: to the service, or to the proxy that the environment names for it."""
        # Whether the service is an exception is costly to find out.
        proxies = requests.utils.get_environ_proxies(self._api_url, no_proxy=None) if getproxies() else {}
        proxy = requests.utils.select_proxy(self._api_url, proxies)
        tls = {"ssl_context": self._tls_context}
        manager = _proxy_manager(proxy, **tls) if proxy else urllib3.PoolManager(**tls)
        manager.pool_classes_by_scheme = {"http": _BoundedHTTPConnectionPool, "https": _BoundedHTTPSConnectionPool}
        return manager

    def request(self, method, path, body=None):
        """Send a request and return the M(Answer), whatever its status.

        :arg body: bytes of a JSON document, or None.
        :raises ConnectionFailed: no answer came and nothing was changed.
        :raises AnswerLost: the request is one that changes something, and it may have arrived.
        :raises ServiceError: the answer was a redirect that is not followed.
        """
        url = self._api_url + path
        for _hop in range(REDIRECT_LIMIT + 1):
            answer, location = self._exchange(method, url, body)
            if location is None:
                return answer
            url = _redirect_target(method, url, answer.status, location)
        raise ServiceError(
            f"the service redirects in circles ({answer.status}): check api_url.", http_status=answer.status
        )

    def _exchange(self, method, url, body):
        headers = self._headers if body is None else {**self._headers, "Content-Type": "application/json"}
        retries = self._retries
        try:
            while True:
                response = self._pools.request(
                    method,
                    url,
                    body=body,
                    headers=headers,
                    retries=retries,
                    timeout=self._timeout,
                    redirect=False,
                    preload_content=False,
                )
                content, error = _read(response)
                if error is None or method != "GET" or response.status != 200:
                    location = response.headers.get("Location") if 300 <= response.status < 400 else None
                    return Answer(response.status, content, bool(response.retries.history)), location
                retries = response.retries.increment(method, url, error=error)
                retries.sleep()
        # A header that cannot be parsed ends in a ValueError of the libraries below.
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            raise _translated(method, url, error) from None


def _proxy_manager(proxy, **options):
    """Return what connects through a proxy, as requests would; raise LocationValueError if it cannot be used."""
    with contextlib.suppress(ValueError):
        url = requests.utils.prepend_scheme_if_needed(proxy, "http")
        if parse_url(url).host:  # urllib3 would pass over a proxy without a host
            return HTTPAdapter().proxy_manager_for(url, **options)
    raise LocationValueError


def backoff(failures):
    """Return the seconds to wait after so many failures: exponential, with jitter so that a fleet spreads out."""
    if not failures:
        return 0
    return min(BACKOFF_LIMIT, BACKOFF_START * 2 ** min(failures - 1, 16)) * random.uniform(0.5, 1)


def _read(response):
    """Return the body and None, or what could be read of it and the error that ended it."""
    content = bytearray()
    try:
        for chunk in response.stream(65536, decode_content=False):
            content += chunk
        expected = response.headers.get("Content-Length", "")
        # urllib3 before 2.0 takes a body that ends early for complete.
        if CONTENT_LENGTH.fullmatch(expected) and len(content) < int(expected):
            return bytes(content), urllib3.exceptions.ProtocolError(http.client.IncompleteRead(b""))
    except (urllib3.exceptions.HTTPError, OSError) as error:
        response.close()
        return bytes(content), error
    return bytes(content), None


def _redirect_target(method, url, status, location):
    """Return where a redirect leads, if the token may go there and the request stays what it is."""
    try:
        target = urljoin(url, location)
        here, there = urlsplit(url), urlsplit(target)
        same_place = (here.hostname, here.port or _default_port(here)) == (
            there.hostname,
            there.port or _default_port(there),
        )
    except ValueError:
        same_place = False
    if not same_place or "@" in there.netloc or (here.scheme == "https" and there.scheme != "https"):
        raise ServiceError(
            f"the service redirects to another address ({status}), where tokens are never sent: check api_url.",
            http_status=status,
        )
    if status not in (307, 308) and (method != "GET" or status not in (301, 302, 303)):
        raise ServiceError(
            f"the service answered {status}, a redirect that would change the request: check api_url.",
            http_status=status,
        )
    return target


def _default_port(parts):
    return {"http": 80, "https": 443}.get(parts.scheme)


def _causes(error):
    """Yield an exception and everything that it wraps or follows from."""
    pending, seen = [error], set()
    while pending:
        current = pending.pop(0)
        if not isinstance(current, BaseException) or id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        pending += [getattr(current, "reason", None), getattr(current, "original_error", None), *current.args]
        pending += [current.__cause__, current.__context__]


def _is_certificate_error(error):
    return any(isinstance(cause, CERTIFICATE_ERRORS) for cause in _causes(error))


def _translated(method, url, error):
    """Return the collection's own exception for one of urllib3."""
    host = url.partition("://")[2].partition("/")[0]
    causes = list(_causes(error))
    if isinstance(error, LocationValueError):
        return ConnectionFailed(f"no request to {host} can be made: check api_url and the proxy variables.")
    reasons = (
        (AnswerTooLarge, f"the answer of {host} is larger than {ANSWER_SIZE_LIMIT // 1024} KiB: check api_url."),
        (CERTIFICATE_ERRORS, f"the certificate of {host} does not verify: check api_url and ca_path."),
        (socket.gaierror, f"the name of {host} cannot be resolved: check api_url and the network."),
        (ConnectionRefusedError, f"{host} refused the connection: check api_url and the network."),
        (socket.timeout, f"{host} did not answer in time: check the network or raise timeout."),
        (ConnectTimeoutError, f"{host} cannot be reached: check api_url and the network."),
        (ssl.SSLError, f"no TLS connection with {host} was possible: check api_url."),
        (BROKEN_CONNECTION, f"the connection with {host} broke before a complete answer came: check the network."),
        (Exception, f"{host} gave an answer that is not valid HTTP: check api_url."),
    )
    reason = next(reason for kind, reason in reasons if any(isinstance(cause, kind) for cause in causes))
    never_sent = _is_certificate_error(error) or any(isinstance(cause, ConnectTimeoutError) for cause in causes)
    return ConnectionFailed(reason) if method == "GET" or never_sent else AnswerLost(reason)


@functools.cache
def _load_tls_context(validate_certs, ca_path):
    context = create_urllib3_context(cert_reqs=ssl.CERT_REQUIRED if validate_certs else ssl.CERT_NONE)
    if validate_certs:
        if os.path.isdir(ca_path):
            context.load_verify_locations(capath=ca_path)
        else:
            context.load_verify_locations(cafile=ca_path)
    return context


def tls_context(validate_certs=True, ca_path=None):
    """Return the TLS context for these settings, built once per process and inherited by forks.

    Building one takes 12 to 20 ms. The controller does it before it forks, by calling this without arguments.

    :arg ca_path: file or directory of CA certificates in PEM format; None for what requests would use.
    :raises InputError: the certificates cannot be loaded.
    """
    if not validate_certs:
        return _load_tls_context(False, None)
    default = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or requests.certs.where()
    try:
        return _load_tls_context(True, ca_path or default)
    except OSError:  # ssl.SSLError is one
        source = "ca_path" if ca_path else "The CA bundle that REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE names"
        raise InputError(f"{source} cannot be read as CA certificates in PEM format.") from None


class AnswerTooLarge(http.client.HTTPException):
    """An answer exceeded ANSWER_SIZE_LIMIT."""


class _Retry(Retry):
    """Retries by the rules of this service: every method by status, but only GET after a lost answer."""

    RETRY_AFTER_STATUS_CODES = frozenset()  # status_forcelist alone decides

    def increment(self, method=None, url=None, response=None, error=None, _pool=None, _stacktrace=None):
        """Count a failure; raise the error itself where another try could do harm or no good."""
        if error is not None:
            never_sent = any(isinstance(cause, ConnectTimeoutError) for cause in _causes(error))
            if _is_certificate_error(error) or not (never_sent or method == "GET"):
                raise error
            if any(isinstance(cause, AnswerTooLarge) for cause in _causes(error)):
                raise error
        return super().increment(method, url, response, error, _pool, _stacktrace)

    def get_backoff_time(self):
        """Return the seconds to wait before the next try."""
        return backoff(len(self.history))

    def get_retry_after(self, response):
        """Return the seconds that the service asks for, up to the limit, or None when it names none."""
        try:
            seconds = super().get_retry_after(response)
        except (InvalidHeader, ValueError, OverflowError):
            return None
        return None if seconds is None else min(seconds, RETRY_AFTER_LIMIT)


class _BoundedReader(io.RawIOBase):
    """Reads one answer from a socket, with one deadline and a size limit for the whole of it.

    A socket's own timeout starts anew with every byte, so that a slow enough sender could hold a run forever.
    """

    def __init__(self, sock, stream):
        super().__init__()
        self._socket = sock
        self._stream = stream
        self._deadline = time.monotonic() + sock.gettimeout()
        self._left = ANSWER_SIZE_LIMIT

    def readable(self):
        """Tell that this is a reader."""
        return True

    def readinto(self, buffer):
        """Read what is there into C(buffer) and return the number of bytes, 0 at the end."""
        remaining = self._deadline - time.monotonic()
        if remaining <= 0:
            raise socket.timeout("timed out")
        self._socket.settimeout(remaining)
        count = self._stream.readinto(buffer)
        self._left -= count or 0
        if self._left < 0:
            raise AnswerTooLarge()
        return count

    def close(self):
        """Close the underlying stream too."""
        self._stream.close()
        super().close()


class _BoundedResponse(http.client.HTTPResponse):
    def __init__(self, sock, *args, **kwargs):
        super().__init__(sock, *args, **kwargs)
        self.fp = io.BufferedReader(_BoundedReader(sock, self.fp.detach()))


class _BoundedHTTPConnection(HTTPConnection):
    response_class = _BoundedResponse


class _BoundedHTTPSConnection(HTTPSConnection):
    response_class = _BoundedResponse


class _BoundedHTTPConnectionPool(HTTPConnectionPool):
    ConnectionCls = _BoundedHTTPConnection


class _BoundedHTTPSConnectionPool(HTTPSConnectionPool):
    ConnectionCls = _BoundedHTTPSConnection
