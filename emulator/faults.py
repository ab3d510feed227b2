# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults: what they look like, which request they meet, and whose turn it is."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from emulator.settings import is_count, is_seconds

# The names of the emulated servers: the API's host, and the host of Pulsar's admin API.
SERVERS = ("api", "admin")


def _is_latin1(value: object) -> bool:
    return isinstance(value, str) and all(ord(character) < 256 for character in value)


def _is_drip(value: object) -> bool:
    return (
        isinstance(value, dict)
        and value.keys() == {"what", "interval"}
        and value["what"] in ("headers", "body")
        and is_seconds(value["interval"])
    )


_SECONDS = (is_seconds, "a number of seconds, 0 or more")
_MOMENT = (lambda value: value in ("before", "after"), "before or after")

# What can go wrong on the connection: a check of the value, and what to say about a wrong one.
MANNERS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "delay": _SECONDS,
    "drop": _MOMENT,
    "close": _MOMENT,
    "raw": (_is_latin1, "text of characters up to U+00FF, one for each byte"),
    "drip": (_is_drip, "an object with what (headers or body) and interval (seconds)"),
    "endless": (lambda value: value is True, "true"),
    "truncate": (is_count, "the number of bytes of the body that are sent"),
    "refuse_after": _SECONDS,
}
_MANNERS_WITHOUT_ANSWER = ("drop", "close", "raw")
_CONDITIONS = ("match", "times", "skip", "probability")
_ANSWER = ("status", "headers", "body", "apply")
_MATCH = ("method", "path", "organization_id", "server")
# uvicorn sets these itself; truncate and raw make wrong ones.
_FRAMING = ("content-length", "transfer-encoding")


@dataclass
class Fault:
    """A fault, checked, with its counters.

    :ivar spec: the fault as it was given.
    :ivar response: the answer that replaces the service's own, or None.
    :ivar apply: whether the request is carried out although its answer is replaced.
    :ivar manner: a key of MANNERS, or None for an answer that is sent as it should be.
    :ivar value: what belongs to the manner.
    :ivar matched: how many requests matched until the fault was used up.
    :ivar fired: how many of them it struck.
    """

    spec: dict
    method: str | None
    path: re.Pattern[str] | None
    organization_id: str | None
    server: str | None
    times: int | None
    skip: int
    probability: float
    response: Response | None
    apply: bool
    manner: str | None
    value: Any
    matched: int = 0
    fired: int = 0

    def matches(self, entry: dict) -> bool:
        """Tell whether a request, given by its entry in the journal, is of the kind that the fault is meant for."""
        return (
            self.method in (None, entry["method"])
            and (self.path is None or self.path.search(entry["path"]) is not None)
            and self.organization_id in (None, entry["organization_id"])
            and self.server in (None, entry["server"])
        )

    def strikes(self) -> bool:
        """Count a matching request and tell whether the fault happens to it."""
        if self.fired == self.times:
            return False
        self.matched += 1
        if self.matched <= self.skip or random.random() >= self.probability:
            return False
        self.fired += 1
        return True

    @property
    def carries_out(self) -> bool:
        """Whether the service does what the request asks for."""
        if self.manner in ("drop", "close"):
            return self.value == "after"
        return self.apply or (self.response is None and self.manner != "raw")

    def describe(self) -> dict:
        """Return the fault as it was given, with its counters."""
        return {**self.spec, "matched": self.matched, "fired": self.fired}


class FaultQueue:
    """The faults in the order in which they were added."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []

    def take(self, entry: dict) -> Fault | None:
        """Return the first fault that strikes the request with this entry in the journal."""
        for fault in self.faults:
            if fault.matches(entry) and fault.strikes():
                return fault
        return None


def parse_fault(spec: object) -> Fault:
    """Return the fault that a JSON object describes.

    :raises ValueError: one sentence that says what is wrong.
    """
    if not isinstance(spec, dict):
        raise ValueError("A fault must be an object.")
    _refuse_unknown(spec, (*_CONDITIONS, *_ANSWER, *MANNERS), "A fault")
    manners = [name for name in MANNERS if name in spec]
    if len(manners) > 1:
        raise ValueError(f"A fault cannot have {' and '.join(manners)} together.")
    manner = manners[0] if manners else None
    if manner:
        check, expected = MANNERS[manner]
        if not check(spec[manner]):
            raise ValueError(f"{manner} must be {expected}.")
    elif "status" not in spec:
        raise ValueError(f"A fault needs status or one of {', '.join(MANNERS)}.")
    if manner in _MANNERS_WITHOUT_ANSWER and "status" in spec:
        raise ValueError(f"{manner} sends no answer, so status cannot be given.")
    if "apply" in spec and not ("status" in spec or manner == "raw"):
        raise ValueError("apply belongs to status or raw.")
    method, path, organization_id, server = _parse_match(spec.get("match", {}))
    return Fault(
        spec=spec,
        method=method,
        path=path,
        organization_id=organization_id,
        server=server,
        times=_parse(spec, "times", 1, lambda v: v is None or (is_count(v) and v > 0), "a number above 0, or null"),
        skip=_parse(spec, "skip", 0, is_count, "a number, 0 or more"),
        probability=_parse(spec, "probability", 1, lambda v: is_seconds(v) and v <= 1, "a number from 0 to 1"),
        response=_parse_response(spec),
        apply=_parse(spec, "apply", False, lambda v: isinstance(v, bool), "true or false"),
        manner=manner,
        value=spec.get(manner),
    )


def _parse(spec: dict, name: str, default: Any, check: Callable[[Any], bool], expected: str) -> Any:
    value = spec.get(name, default)
    if not check(value):
        raise ValueError(f"{name} must be {expected}.")
    return value


def _parse_match(match: object) -> tuple[str | None, re.Pattern[str] | None, str | None, str | None]:
    if not isinstance(match, dict):
        raise ValueError("match must be an object.")
    _refuse_unknown(match, _MATCH, "match")
    for name, value in match.items():
        if not isinstance(value, str):
            raise ValueError(f"match.{name} must be a string.")
    method, path, organization_id, server = (match.get(name) for name in _MATCH)
    if server not in (None, *SERVERS):
        raise ValueError(f"match.server must be {' or '.join(SERVERS)}.")
    try:
        pattern = None if path is None else re.compile(path)
    except re.error as error:
        raise ValueError(f"match.path is not a regular expression: {error}.") from None
    return method and method.upper(), pattern, organization_id and organization_id.lower(), server


def _parse_response(spec: dict) -> Response | None:
    if "status" not in spec:
        for name in ("headers", "body"):
            if name in spec:
                raise ValueError(f"{name} needs status.")
        return None
    status = _parse(spec, "status", None, lambda v: is_count(v) and 200 <= v < 600, "a number from 200 to 599")
    headers = _parse(spec, "headers", {}, _is_headers, "an object of strings (Latin-1, no line breaks)")
    for name in headers:
        if name.lower() in _FRAMING:
            raise ValueError(f"headers cannot hold {name}: use truncate or raw for a wrong one.")
    if "body" in spec and status in (204, 304):
        raise ValueError(f"An answer with status {status} cannot have a body.")
    body = spec.get("body", "")
    is_text = isinstance(body, str)
    return Response(
        content=body if is_text else json.dumps(body),
        status_code=status,
        headers=headers,
        media_type=None if "body" not in spec else "text/plain" if is_text else "application/json",
    )


def _is_headers(value: object) -> bool:
    return isinstance(value, dict) and all(
        re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name) and _is_latin1(text) and text.isprintable()
        for name, text in value.items()
    )


def _refuse_unknown(spec: dict, known: tuple[str, ...], where: str) -> None:
    for name in spec:
        if name not in known:
            raise ValueError(f"{where} has the unknown key {name}; known are {', '.join(known)}.")
