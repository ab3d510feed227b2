# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One call of Astra's APIs: what is asked, which answers are expected, and a sentence for every other one.

Each call says itself what 403, 404 and 409 mean for it. Both forms in which the services report errors are read: the
DevOps API's ``{"errors": [{"ID": 123, "message": "..."}]}`` and ``{"reason": "..."}`` of Astra Streaming and Pulsar.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from ansible_collections.datastax.astra.plugins.module_utils._deadline import UNBOUNDED, Deadline
from ansible_collections.datastax.astra.plugins.module_utils._errors import (
    AlreadyExists,
    AnswerLost,
    AstraError,
    Busy,
    InputError,
    NotFound,
    ServiceError,
)
from ansible_collections.datastax.astra.plugins.module_utils._http import Answer, Attempts, Http
from ansible_collections.datastax.astra.plugins.module_utils._organizations import normalize_organization_id
from ansible_collections.datastax.astra.plugins.module_utils._secrets import mask

MESSAGE_LIMIT = 300  # characters of a message of the service that are repeated

# Answers after which a change may have been made all the same: the service failed, or a gateway lost sight of it.
MAYBE_APPLIED_STATUSES = (500, 502, 504)

ORGANIZATION_ADMINISTRATOR = "the application token needs the role Organization Administrator or the permission"

_ADVICE = {
    **dict.fromkeys((400, 406, 409, 412, 422), "check the options against the service's message"),
    401: "check the application token: it may be wrong, expired or revoked",
    403: "the application token lacks a permission",
    429: "the service limits the rate of requests, so raise retries or lower throttle or forks",
}


class Call(NamedTuple):
    """A request, and what its answers mean.

    :ivar purpose: what it is for, as the beginning of a sentence that goes on with "failed".
    :ivar expected: the statuses that say that it was done.
    :ivar absent: the statuses that say that what is asked about does not exist.
    :ivar advice: what to do about a status, where this call knows better than the usual.
    :ivar conflict: what 409 says: ``busy`` (an earlier change is being applied) or ``exists``; None for a plain error.
    :ivar phrases: words of an error, in lower case, by which a service that has no status of its own for it says that
        what should be made is there (``exists``), or that it is so already (``done``).
    :ivar replay: False where a second arrival would do harm, as of what makes a credential. Then every failure of the
        service counts as a lost answer.
    :ivar form: of the document that ``read`` returns: ``dict`` or ``list``.
    """

    purpose: str
    method: str
    path: str
    expected: tuple[int, ...] = (200,)
    absent: tuple[int, ...] = ()
    advice: Mapping[int, str] = {}
    conflict: str | None = None
    phrases: Mapping[str, str] = {}
    headers: Mapping[str, str] = {}
    query: Mapping[str, str] | None = None
    body: Any = None
    replay: bool = True
    form: type = object


class Api:
    """A service as one credential sees it.

    :arg http: the connections.
    :arg token: sent as bearer token.
    :arg secrets: strings that the service's own messages must not repeat, besides the token.
    """

    def __init__(self, http: Http, token: str, secrets: Iterable[str] = ()) -> None:
        self._http = http
        self._token = token.strip()
        self._secrets = {self._token, *map(str.strip, secrets)}
        self._organization_id: str | None = None

    def move_to(self, http: Http) -> Api:
        """Return another service as the same credential sees it."""
        return Api(http, self._token, self._secrets)

    def make_attempts(self) -> Attempts:
        """Return the further tries of a request, to be shared by all that repeat it."""
        return self._http.make_attempts()

    def find_organization(
        self,
        deadline: Deadline = UNBOUNDED,
        enterprise: str = "give organization_id, which the token of an enterprise needs",
    ) -> str:
        """Return the id of the organization that the token belongs to. It is asked for once.

        :arg enterprise: what to do about the token of an enterprise, which gets 403 or 404.
        :raises AstraError: it cannot be found out.
        """
        if self._organization_id is None:
            call = Call(
                "Finding the application token's organization",
                "GET",
                "/v2/currentOrg",
                advice={403: enterprise, 404: enterprise},
                conflict="busy",
            )
            answer = self._send(call, deadline, None)
            document = self._parse(call, answer)
            try:
                self._organization_id = normalize_organization_id(document["id"])
            except (TypeError, KeyError, AttributeError, InputError):
                raise self._reject(call, answer, "without an organization's UUID") from None
        return self._organization_id

    def read(self, call: Call, deadline: Deadline = UNBOUNDED) -> Any:
        """Return the JSON document that a call answers, or None where its status says that there is nothing.

        A 404 is believed when the service itself says so: that of a web server or a proxy is a failure.

        :raises AstraError: the service gave no such answer.
        """
        answer = self._find(call, deadline)
        return None if answer is None or answer.status == 204 else self._parse(call, answer)

    def read_text(self, call: Call, deadline: Deadline = UNBOUNDED) -> str | None:
        """Return the plain text that a call answers, or None where its status says that there is nothing."""
        answer = self._find(call, deadline)
        return answer and answer.body.decode("utf-8", "replace").strip()

    def _find(self, call: Call, deadline: Deadline) -> Answer | None:
        answer = self._send(call, deadline, None)
        if answer.status not in call.absent:
            return answer
        if answer.status != 204 and call.method != "HEAD" and _read_errors(answer.body) is None:
            raise self._reject(call, answer, "that is not the API's own")
        return None

    def write(self, call: Call, deadline: Deadline = UNBOUNDED, attempts: Attempts | None = None) -> Any:
        """Have a change accepted. Return the JSON document of the answer, or None when it has none that can be read.

        :arg attempts: the further tries, shared with what else repeats this change.
        :raises Busy: an earlier change is still being applied.
        :raises AlreadyExists: what should be made is there.
        :raises NotFound: what should be changed is not there.
        :raises AnswerLost: whether the change was made is not known.
        """
        answer = self._send(call, deadline, attempts)
        try:
            return json.loads(answer.body)
        except (ValueError, RecursionError):
            return None

    def _send(self, call: Call, deadline: Deadline, attempts: Attempts | None) -> Answer:
        headers = {"Authorization": f"Bearer {self._token}", **call.headers}
        body = None
        if call.body is not None:
            body = json.dumps(call.body).encode("utf-8")
            headers["Content-Type"] = "application/json"
        try:
            answer = self._http.request(
                call.method,
                call.path,
                headers=headers,
                query=call.query,
                body=body,
                replay=call.replay,
                deadline=deadline,
                attempts=attempts,
            )
        except AstraError as error:
            raise type(error)(
                f"{call.purpose} failed: {error.message}", maybe_applied=error.maybe_applied, **error.result
            ) from None
        if answer.status in (*call.expected, *call.absent) or _find_meaning(call, answer) == "done":
            return answer
        raise self._refuse(call, answer)

    def _refuse(self, call: Call, answer: Answer) -> ServiceError | AnswerLost:
        api_errors = self._clean_errors(answer.body)
        said = "; ".join(filter(None, map(_word_error, api_errors)))
        advice = {**_ADVICE, **call.advice}.get(answer.status)
        if advice is None:
            advice = "try again later" if answer.status >= 500 else f"check {self._http.url_option}"
        kinds: dict[int, type[AstraError]] = {404: NotFound}
        if call.conflict:
            kinds[409] = Busy if call.conflict == "busy" else AlreadyExists
        if _find_meaning(call, answer) == "exists":
            kinds[answer.status] = AlreadyExists
        maybe_applied = answer.repeated or answer.status < 300 or answer.status in MAYBE_APPLIED_STATUSES
        if not call.replay and answer.status >= 500:
            kinds[answer.status] = AnswerLost
        return kinds.get(answer.status, ServiceError)(  # type: ignore[return-value]
            f"{call.purpose} failed: the service answered {answer.status}{f', {said}' if said else ''}: {advice}.",
            maybe_applied=maybe_applied,
            http_status=answer.status,
            api_errors=api_errors,
        )

    def _clean_errors(self, body: bytes) -> list[dict[str, Any]]:
        errors = []
        for entry in _read_errors(body) or []:
            identifier, message = entry.get("ID", entry.get("id")), entry.get("message")
            usable = isinstance(identifier, int) and not isinstance(identifier, bool) and abs(identifier) < 2**63
            text = self.clean(message) if isinstance(message, str) else ""
            errors.append({"id": identifier if usable else None, "message": text})
        return errors[:10]

    def clean(self, message: str) -> str:
        """Return words of the service as a message can repeat them: on one line, bounded, without secrets."""
        message = mask(message, self._secrets)
        message = " ".join("".join(c if c.isprintable() else " " for c in message).split())
        return message if len(message) <= MESSAGE_LIMIT else message[:MESSAGE_LIMIT] + "..."

    def _parse(self, call: Call, answer: Answer) -> Any:
        try:
            document = json.loads(answer.body)
        except (ValueError, RecursionError):
            raise self._reject(call, answer, "that is not JSON") from None
        if isinstance(document, dict) and "errors" in document:
            raise self._refuse(call, answer)
        if not isinstance(document, call.form):
            raise self._reject(call, answer, "of another form than the API's")
        return document

    def _reject(self, call: Call, answer: Answer, reason: str) -> ServiceError:
        return ServiceError(
            f"{call.purpose} failed: the service answered {answer.status} with a body {reason}: "
            f"check {self._http.url_option} and any proxy in between.",
            http_status=answer.status,
            api_errors=[],
        )


def _word_error(error: Mapping[str, Any]) -> str:
    identifier = "" if error["id"] is None else f" (ID {error['id']})"
    return f"{error['message'].rstrip('.')}{identifier}".strip()


def _find_meaning(call: Call, answer: Answer) -> str | None:
    """Return what the words of an error mean to a call."""
    if not call.phrases or answer.status < 400:
        return None
    said = " ".join(str(entry.get("message")) for entry in _read_errors(answer.body) or []).lower()
    return next((meaning for phrase, meaning in call.phrases.items() if phrase in said), None)


def _read_errors(body: bytes) -> list[dict[str, Any]] | None:
    """Return the errors of an answer that is the API's own, or None when it is not."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, dict):
        return None
    if isinstance(document.get("reason"), str):
        return [{"message": document["reason"]}]
    errors = document.get("errors")
    return [entry for entry in errors if isinstance(entry, dict)] if isinstance(errors, list) else None
