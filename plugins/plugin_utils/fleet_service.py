# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading what the service has stored for many organizations, at once and each only once."""

from __future__ import annotations

import concurrent.futures
import contextlib
import threading
import time
from collections.abc import Iterable, Mapping
from typing import Any, Callable, NamedTuple, TypeVar

from ansible_collections.datastax.astra.plugins.module_utils._api import Api
from ansible_collections.datastax.astra.plugins.module_utils._connection import open_http
from ansible_collections.datastax.astra.plugins.module_utils._deadline import UNBOUNDED, Deadline
from ansible_collections.datastax.astra.plugins.module_utils._errors import AstraError, ConnectionFailed
from ansible_collections.datastax.astra.plugins.module_utils._http import Gate, Http

Result = TypeVar("Result")

# So many readings in a row that brought no answer, none with one among them, mean that the service is down.
ENOUGH_FAILURES = 5
FIRST_SPACING = 0.05  # seconds between two requests after the first 429
LONGEST_SPACING = 1.0  # seconds
SPACING_DECAY = 0.97  # for each request that is let through
_UNAVAILABLE = (502, 503, 504)
_REFUSALS = (401, 403, 404)  # which another try would only get again
_CONNECTION_OPTIONS = ("api_url", "validate_certs", "ca_path", "timeout", "retries")


class Question(NamedTuple):
    """What is to be read for one organization.

    :ivar params: the validated options of the module.
    :ivar secrets: strings that the service's own messages must not repeat.
    """

    name: str
    params: Mapping[str, Any]
    secrets: Iterable[str]


def ask_all(
    questions: Iterable[Question],
    ask: Callable[[str, Api], Result],
    concurrency: int,
    rate: float | None,
    progress: Callable[[int], None],
) -> dict[str, Result | AstraError]:
    """Ask the service about many organizations, over shared connections.

    Time is bounded by what the options allow for one organization, when the service is down: what nobody could be told
    is not asked a thousand times.

    :arg ask: called with a name and what reads for it, in a thread; raises an AstraError.
    :arg concurrency: how many are asked about at once.
    :arg rate: requests per second to one service, or None for as many as it bears.
    :arg progress: called every now and then with the number of those that are done.
    :returns: for each name what ``ask`` returned, or the error that it raised.
    """
    answers: dict[str, Result | AstraError] = {}
    with contextlib.ExitStack() as stack:
        services = _Services(stack, concurrency, rate)
        reached = {}
        for question in questions:
            try:
                reached[question.name] = services.reach(question)
            except AstraError as error:
                answers[question.name] = error
        pool = concurrent.futures.ThreadPoolExecutor(concurrency)
        stack.callback(pool.shutdown, cancel_futures=True)
        pending = {pool.submit(service.ask, ask, name, api): name for name, (service, api) in reached.items()}
        while pending:
            # Each wait costs something for all that are pending, so there is not one for each that is done.
            done, _pending = concurrent.futures.wait(pending, timeout=1)
            for future in done:
                answers[pending.pop(future)] = future.result()
            progress(len(answers))
    return answers


class SlowingGate(Gate):
    """Spaces out all requests after a 429, more with each, and lets the spaces shrink again with what gets through.

    All would come at once when the pause is over, and most would be refused again, until none had a try left.
    """

    def __init__(self, rate: float | None = None) -> None:
        super().__init__(rate)
        self._least = self._interval
        self._slowed_at = 0.0

    def close(self, seconds: float) -> None:
        """Let nobody through for so many seconds, and fewer at a time afterwards."""
        with self._lock:
            now = time.monotonic()
            # Those that were on their way are refused for the same reason.
            if now > self._slowed_at + self._interval:
                self._interval = min(max(2 * self._interval, FIRST_SPACING), max(LONGEST_SPACING, self._least))
                self._slowed_at = now + seconds
        super().close(seconds)

    def wait(self, deadline: Deadline) -> bool:
        """Wait for one's turn; return False when it would come after the deadline."""
        passed = super().wait(deadline)
        with self._lock:
            self._interval = max(self._least, self._interval * SPACING_DECAY)
        return passed


class _Services:
    """The connections with each service, and what each application token sees of it."""

    def __init__(self, stack: contextlib.ExitStack, concurrency: int, rate: float | None) -> None:
        self._stack = stack
        self._concurrency = concurrency
        self._rate = rate
        self._services: dict[str, _Service] = {}
        self._connections: dict[tuple[Any, ...], Http] = {}
        self._apis: dict[tuple[Any, ...], _SharedApi] = {}

    def reach(self, question: Question) -> tuple[_Service, Api]:
        """Return the service that a question goes to, and what asks it.

        :raises AstraError: the connection's options cannot be used.
        """
        params = question.params
        service = self._services.setdefault(params["api_url"], _Service(self._rate))
        options = tuple(params[name] for name in _CONNECTION_OPTIONS)
        if options not in self._connections:
            http = open_http(params, connections=self._concurrency, gate=service.gate)
            self._connections[options] = self._stack.enter_context(http)
        key = (*options, params["application_token"])
        if key not in self._apis:
            self._apis[key] = _SharedApi(self._connections[options], params["application_token"])
        self._apis[key].hide(question.secrets)
        return service, self._apis[key]


class _Service:
    """A service: how fast it may be asked, and whether it is down."""

    def __init__(self, rate: float | None) -> None:
        self.gate = SlowingGate(rate)
        self._failures = 0
        self._down: AstraError | None = None

    def ask(self, ask: Callable[[str, Api], Result], name: str, api: Api) -> Result | AstraError:
        """Return what the service says, or the error."""
        if self._down:
            return ConnectionFailed(f"The service was not asked any more, because it was down. {self._down.message}")
        try:
            answer: Result | AstraError = ask(name, api)
        except AstraError as error:
            answer = error
        if isinstance(answer, ConnectionFailed) or (
            isinstance(answer, AstraError) and answer.result.get("http_status") in _UNAVAILABLE
        ):
            self._failures += 1
            if self._failures >= ENOUGH_FAILURES:
                self._down = answer
        else:
            self._failures = 0
        return answer


class _SharedApi(Api):
    """A service as one application token sees it, for several threads."""

    def __init__(self, http: Http, token: str) -> None:
        super().__init__(http, token)
        self._lock = threading.Lock()
        self._refusal: AstraError | None = None

    def hide(self, secrets: Iterable[str]) -> None:
        """Hide these in messages of the service, too."""
        self._secrets.update(secrets)

    def find_organization(self, deadline: Deadline = UNBOUNDED, *more: str, **advice: str) -> str:
        """Return the id of the organization that the token belongs to. It is asked for once, also in vain.

        :raises AstraError: it cannot be found out. An enterprise's token gets 403 or 404.
        """
        with self._lock:
            if self._refusal:
                raise self._refusal
            try:
                return super().find_organization(deadline, *more, **advice)
            except AstraError as error:
                if error.result.get("http_status") in _REFUSALS:
                    self._refusal = error
                raise
