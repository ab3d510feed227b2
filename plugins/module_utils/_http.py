# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""HTTP by requests: repeats, redirects, and a bound on the time and size of every answer."""

from __future__ import annotations

import functools
import http.client
import os
import random
import re
import socket
import ssl
import threading
import time
import traceback
import urllib.request
from collections.abc import Iterator, Mapping
from http.cookiejar import DefaultCookiePolicy
from typing import Any, NamedTuple
from urllib.parse import urljoin, urlsplit

from ansible_collections.datastax.astra.plugins.module_utils._deadline import UNBOUNDED, Deadline
from ansible_collections.datastax.astra.plugins.module_utils._errors import (
    AnswerLost,
    AstraError,
    ConnectionFailed,
    InputError,
    ServiceError,
)

REQUESTS_IMPORT_ERROR: str | None = None
try:
    import requests
    import urllib3
    from ansible_collections.datastax.astra.plugins.module_utils import _http_limits
    from requests.adapters import HTTPAdapter
except ImportError:
    REQUESTS_IMPORT_ERROR = traceback.format_exc()
    HTTPAdapter = object  # type: ignore[misc,assignment]
else:
    # Not every version has it where it is public.
    _CERTIFICATE_ERRORS = (ssl.SSLCertVerificationError, urllib3.connection.CertificateError)  # type: ignore[attr-defined]
    _CONNECT_TIMEOUTS = (urllib3.exceptions.ConnectTimeoutError,)
    _PROXY_ERRORS = (urllib3.exceptions.ProxyError, requests.exceptions.ProxyError)
    _UNUSABLE = (
        requests.exceptions.InvalidURL,
        requests.exceptions.InvalidSchema,
        requests.exceptions.InvalidHeader,
        urllib3.exceptions.LocationValueError,
    )

_BROKEN_CONNECTION = (OSError, http.client.IncompleteRead)

RETRIES = 5
REDIRECT_LIMIT = 5
RETRY_AFTER_LIMIT = 60  # seconds
BACKOFF_START = 0.25  # seconds
BACKOFF_LIMIT = 30  # seconds
SHORTEST_TRY = 1  # seconds; also what is left of a deadline is no reason to give a request less
RETRIED_STATUSES = frozenset((429, 502, 503, 504))

_CONTENT_LENGTH = re.compile("[0-9]{1,18}")
_HARMLESS_METHODS = frozenset(("GET", "HEAD"))
_CHECK_PROXY = "check the proxy variables of the environment"


class Answer(NamedTuple):
    """An answer. ``repeated`` says that an earlier try of the same request failed, and may have arrived."""

    status: int
    body: bytes
    headers: Mapping[str, str] = {}
    repeated: bool = False


class Attempts:
    """How often a request may still be repeated, whichever layer repeats it.

    :arg retries: the number of further tries.
    """

    def __init__(self, retries: int) -> None:
        self._left = retries
        self._failures = 0

    def pause(self, deadline: Deadline, seconds: float | None = None) -> bool:
        """Wait before another try; return False when there is none left, or no time for it.

        :arg seconds: how long; None for a time that grows with each failure.
        """
        if not self._left:
            return False
        self._left -= 1
        self._failures += 1
        return deadline.sleep(compute_backoff(self._failures) if seconds is None else seconds)


class Gate:
    """What all requests of a connection pass: it spaces them out, and one 429 holds all of them back.

    :arg rate: requests per second, or None for no limit.
    """

    def __init__(self, rate: float | None = None) -> None:
        self._interval = 1 / rate if rate else 0.0
        self._lock = threading.Lock()
        self._opens_at = 0.0

    def close(self, seconds: float) -> None:
        """Let nobody through for so many seconds."""
        with self._lock:
            self._opens_at = max(self._opens_at, time.monotonic() + seconds)

    def wait(self, deadline: Deadline) -> bool:
        """Wait for one's turn; return False when it would come after the deadline."""
        while True:
            with self._lock:
                seconds = self._opens_at - time.monotonic()
                if seconds <= 0:
                    self._opens_at = max(self._opens_at, time.monotonic() - self._interval) + self._interval
                    return True
            if not deadline.sleep(seconds):
                return False


class Http:
    """Connections with one service. Use it as a context manager, share it among threads, never across a fork.

    :arg base_url: what every path is appended to.
    :arg url_option: the option that it comes from, for messages.
    :arg validate_certs: whether the service's certificate is verified.
    :arg ca_path: file or directory of CA certificates in PEM format, or None for the usual ones.
    :arg timeout: seconds for connecting, and again for a complete answer.
    :arg retries: how many further tries a request has after 429, 502, 503, 504 or a connection failure.
    :arg connections: how many connections are kept open.
    :arg gate: what spaces out the requests; None for nothing but a pause after 429.
    :raises InputError: ``ca_path`` cannot be used.
    """

    def __init__(
        self,
        base_url: str,
        *,
        url_option: str = "api_url",
        validate_certs: bool = True,
        ca_path: str | None = None,
        timeout: float = 30,
        retries: int = RETRIES,
        connections: int = 1,
        gate: Gate | None = None,
    ) -> None:
        self.url_option = url_option
        self._base_url = base_url.strip().rstrip("/")
        self._timeout = timeout
        self._retries = retries
        self._gate = gate or Gate()
        self._session = requests.Session()
        # Neither .netrc nor the system's settings: a look at those, in a forked worker, crashes on macOS.
        self._session.trust_env = False
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
        self._session.verify = validate_certs
        if urllib.request.getproxies_environment():
            self._session.proxies.update(requests.utils.get_environ_proxies(self._base_url, no_proxy=None))
        adapter = _Adapter(load_tls_context(validate_certs, ca_path), connections)
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)
        self._session.headers.update(
            {
                "Accept": "application/json",
                "Accept-Encoding": "identity",  # so that the size limit holds for what is read into memory
                "User-Agent": "ansible-collection-datastax.astra",
            }
        )
        if not validate_certs:
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)

    def __enter__(self) -> Http:
        return self

    def __exit__(self, *exception: object) -> None:
        self._session.close()

    def make_attempts(self) -> Attempts:
        """Return the further tries that a request has, to be shared by all that repeat it."""
        return Attempts(self._retries)

    def request(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        body: bytes | None = None,
        replay: bool = True,
        deadline: Deadline = UNBOUNDED,
        attempts: Attempts | None = None,
    ) -> Answer:
        """Send a request and return the answer, whatever its status.

        :arg headers: besides the usual ones, the credential among them.
        :arg replay: False for a request that would do harm if it arrived twice, such as one that makes a credential.
        :arg deadline: bounds every try and every pause. A try has at least a second.
        :arg attempts: the further tries, when they are shared with others; otherwise ``retries``.
        :raises ConnectionFailed: no answer came and nothing was changed.
        :raises AnswerLost: the request is one that changes something, and it may have arrived.
        :raises ServiceError: the answer was a redirect that is not followed.
        """
        url = self._base_url + path
        attempts = attempts or self.make_attempts()
        for _hop in range(REDIRECT_LIMIT + 1):
            answer = self._send_patiently(method, url, headers, query, body, replay, deadline, attempts)
            location = answer.headers.get("Location") if 300 <= answer.status < 400 else None
            if location is None:
                return answer
            url, query = self._follow_redirect(method, url, answer.status, location), None
        raise ServiceError(
            f"the service redirects in circles ({answer.status}): check {self.url_option}.",
            http_status=answer.status,
        )

    def _send_patiently(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        query: Mapping[str, str] | None,
        body: bytes | None,
        replay: bool,
        deadline: Deadline,
        attempts: Attempts,
    ) -> Answer:
        repeated = False
        while True:
            if not self._gate.wait(deadline):
                reason = "the service asks to wait longer than there is time: try again later, or raise wait_timeout."
                raise ServiceError(reason, http_status=429, api_errors=[])
            try:
                answer = self._send(method, url, headers, query, body, deadline)
            except _Failed as failure:
                if not failure.repeatable or not attempts.pause(deadline):
                    raise failure.error from None
                continue
            if answer.status not in (RETRIED_STATUSES if replay else (429,)):
                return answer._replace(repeated=repeated)
            seconds = _read_retry_after(answer.headers.get("Retry-After"))
            if answer.status == 429:
                self._gate.close(compute_backoff(1) if seconds is None else seconds)
            if not attempts.pause(deadline, seconds):
                return answer._replace(repeated=repeated)
            repeated = True

    def _send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        query: Mapping[str, str] | None,
        body: bytes | None,
        deadline: Deadline,
    ) -> Answer:
        seconds = max(SHORTEST_TRY, deadline.bound(self._timeout))
        try:
            response = self._session.request(
                method,
                url,
                params=query,
                data=body,
                headers=headers,
                timeout=(seconds, seconds),
                allow_redirects=False,
                stream=True,
            )
            received, error = _read_body(response.raw, method)
        # A header that cannot be parsed ends in a ValueError of the libraries below.
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as caught:
            raise self._translate(method, url, caught) from None
        if error is not None and method in _HARMLESS_METHODS and response.status_code == 200:
            raise self._translate(method, url, error)
        if response.status_code == 407:
            proxy = self._find_proxy(url) or "in between"
            raise _Failed(ConnectionFailed(f"the proxy {proxy} wants other credentials: {_CHECK_PROXY}."), False)
        return Answer(response.status_code, received, response.headers)

    def _translate(self, method: str, url: str, error: BaseException) -> _Failed:
        """Return the collection's own exception for one of the libraries below."""
        causes = list(_walk_causes(error))

        def is_caused_by(*kinds: type[BaseException]) -> bool:
            return any(isinstance(cause, kinds) for cause in causes)

        host, check = urlsplit(url).netloc, f"check {self.url_option}"
        proxy = self._find_proxy(url)
        # The library for SOCKS tells of its proxy's failures as of a connection's.
        if proxy and is_caused_by(*_PROXY_ERRORS, *(_CONNECT_TIMEOUTS if self._is_socks(url) else ())):
            host, check = f"the proxy {proxy}", _CHECK_PROXY
        if is_caused_by(*_UNUSABLE) or (isinstance(error, ValueError) and self._is_socks(url)):
            reason = f"no request to {host} can be made: {check} and the proxy variables of the environment."
            return _Failed(ConnectionFailed(reason), False)
        refused = f"{host} refused to pass on the request: {check}."
        reasons: tuple[tuple[tuple[type[BaseException], ...], str], ...] = (
            ((_http_limits.AnswerTooLarge,), f"the answer of {host} is larger than 1 MiB: {check}."),
            (_CERTIFICATE_ERRORS, f"the certificate of {host} does not verify: {check} and ca_path."),
            ((socket.gaierror,), f"the name of {host} cannot be resolved: {check} and the network."),
            ((ConnectionRefusedError,), f"{host} refused the connection: {check} and the network."),
            ((socket.timeout,), f"{host} did not answer in time: check the network or raise timeout."),
            (_CONNECT_TIMEOUTS, f"{host} cannot be reached: {check} and the network."),
            ((ssl.SSLError,), f"no TLS connection with {host} was possible: {check}."),
            (_PROXY_ERRORS, refused),
            (_BROKEN_CONNECTION, f"the connection with {host} broke before a complete answer came: check the network."),
            ((BaseException,), f"{host} gave an answer that is not valid HTTP: {check}."),
        )
        reason = next(text for kinds, text in reasons if is_caused_by(*kinds))
        final = reason == refused or is_caused_by(_http_limits.AnswerTooLarge, *_CERTIFICATE_ERRORS)
        never_sent = is_caused_by(*_CERTIFICATE_ERRORS, *_CONNECT_TIMEOUTS, *_PROXY_ERRORS)
        harmless = never_sent or method in _HARMLESS_METHODS
        return _Failed(ConnectionFailed(reason) if harmless else AnswerLost(reason), harmless and not final)

    def _follow_redirect(self, method: str, url: str, status: int, location: str) -> str:
        """Return where a redirect leads, if the credential may go there and the request stays what it is."""
        try:
            target = urljoin(url, location)
            here, there = urlsplit(url), urlsplit(target)
            same_place = (here.hostname, here.port or _default_port(here.scheme)) == (
                there.hostname,
                there.port or _default_port(there.scheme),
            )
        except ValueError:
            same_place = False
        if not same_place or "@" in there.netloc or (here.scheme == "https" and there.scheme != "https"):
            raise ServiceError(
                f"the service redirects to another address ({status}), where tokens are never sent: "
                f"check {self.url_option}.",
                http_status=status,
            )
        if status not in (307, 308) and (method not in _HARMLESS_METHODS or status not in (301, 302, 303)):
            raise ServiceError(
                f"the service answered {status}, a redirect that would change the request: check {self.url_option}.",
                http_status=status,
            )
        return target

    def _find_proxy(self, url: str) -> str | None:
        """Return host and port of the proxy that a request goes through, without its credentials."""
        proxy = self._select_proxy(url)
        return proxy.rpartition("://")[2].rpartition("@")[2].rstrip("/") if proxy else None

    def _is_socks(self, url: str) -> bool:
        return self._select_proxy(url).lower().startswith("socks")

    def _select_proxy(self, url: str) -> str:
        return requests.utils.select_proxy(url, self._session.proxies) or ""


class _Failed(Exception):
    """A try brought no answer. ``repeatable`` says that another one does no harm and may do good."""

    def __init__(self, error: AstraError, repeatable: bool) -> None:
        super().__init__(error.message)
        self.error = error
        self.repeatable = repeatable


class _Adapter(HTTPAdapter):
    """Takes its certificates from a TLS context that is built once, and bounds every answer."""

    def __init__(self, tls_context: ssl.SSLContext, connections: int) -> None:
        self._tls_context = tls_context
        super().__init__(pool_connections=1, pool_maxsize=connections)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Make what holds the direct connections."""
        super().init_poolmanager(*args, ssl_context=self._tls_context, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _http_limits.POOL_CLASSES

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        """Return what holds the connections through a proxy."""
        manager = super().proxy_manager_for(proxy, ssl_context=self._tls_context, **kwargs)
        if not proxy.lower().startswith("socks"):  # for which the connections are of another kind
            manager.pool_classes_by_scheme = _http_limits.POOL_CLASSES
        return manager

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Leave the certificates to the context: requests would load them again for every connection."""
        conn.cert_reqs = "CERT_REQUIRED" if verify else "CERT_NONE"


def compute_backoff(failures: int) -> float:
    """Return the seconds to wait after so many failures: exponential, with jitter so that a fleet spreads out."""
    return min(BACKOFF_LIMIT, BACKOFF_START * 2.0 ** min(failures - 1, 16)) * random.uniform(0.5, 1)


def _read_retry_after(value: str | None) -> float | None:
    """Return the seconds that the service asks for, up to the limit, or None when it names none."""
    try:
        seconds = float(urllib3.Retry().parse_retry_after(value)) if value else None
    except (urllib3.exceptions.InvalidHeader, ValueError, OverflowError):
        return None
    return None if seconds is None else min(seconds, RETRY_AFTER_LIMIT)


def _read_body(response: Any, method: str) -> tuple[bytes, BaseException | None]:
    """Return the body and None, or what could be read of it and the error that ended it."""
    content = bytearray()
    try:
        for chunk in response.stream(65536, decode_content=False):
            content += chunk
        expected = response.headers.get("Content-Length", "")
        # urllib3 before 2.0 takes a body that ends early for complete.
        if method != "HEAD" and _CONTENT_LENGTH.fullmatch(expected) and len(content) < int(expected):
            return bytes(content), urllib3.exceptions.ProtocolError(http.client.IncompleteRead(b""))
    except (urllib3.exceptions.HTTPError, OSError) as error:
        response.close()
        return bytes(content), error
    return bytes(content), None


def _default_port(scheme: str) -> int | None:
    return {"http": 80, "https": 443}.get(scheme)


def _walk_causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and everything that it wraps or follows from."""
    pending: list[Any] = [error]
    seen: set[int] = set()
    while pending:
        current = pending.pop(0)
        if not isinstance(current, BaseException) or id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        pending += [getattr(current, "reason", None), getattr(current, "original_error", None), *current.args]
        pending += [current.__cause__, current.__context__]


@functools.cache
def _build_tls_context(validate_certs: bool, ca_path: str) -> ssl.SSLContext:
    context = urllib3.util.ssl_.create_urllib3_context(cert_reqs=ssl.CERT_REQUIRED if validate_certs else ssl.CERT_NONE)
    if validate_certs:
        is_directory = os.path.isdir(ca_path)
        context.load_verify_locations(**{"capath" if is_directory else "cafile": ca_path})
    return context


def find_ca_path(ca_path: str | None = None) -> str:
    """Return the file or directory of CA certificates: the given one, or what requests would use."""
    environment = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE")
    return ca_path or environment or str(requests.utils.DEFAULT_CA_BUNDLE_PATH)


def load_tls_context(validate_certs: bool = True, ca_path: str | None = None) -> ssl.SSLContext:
    """Return the TLS context for these settings, built once per process and inherited by forks.

    Building one takes 12 to 20 ms. The controller does it before it forks, by calling this without arguments.

    :arg ca_path: file or directory of CA certificates in PEM format; None for what requests would use.
    :raises InputError: the certificates cannot be loaded.
    """
    if not validate_certs:
        return _build_tls_context(False, "")
    try:
        return _build_tls_context(True, find_ca_path(ca_path))
    except OSError:  # ssl.SSLError is one
        source = "ca_path" if ca_path else "The CA bundle that REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE names"
        raise InputError(f"{source} cannot be read as CA certificates in PEM format.") from None
