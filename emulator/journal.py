# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The journal of the requests that the APIs received."""

from __future__ import annotations

import json
import time
from typing import Any

from starlette.types import Scope


class Journal:
    """Every request in the order of arrival."""

    def __init__(self) -> None:
        self.entries: list[dict] = []

    def add(self, server: str, scope: Scope, body: bytes, organization_id: str | None) -> dict:
        """Record a request and return its entry, whose status is set when an answer is sent."""
        headers: dict[str, str] = {}
        for raw_name, raw_value in scope["headers"]:
            name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        entry = {
            "server": server,
            "method": scope["method"],
            "path": request_target(scope),
            "headers": headers,
            "body": _readable(body),
            "status": None,
            "time": time.time(),
            "organization_id": organization_id,
        }
        self.entries.append(entry)
        return entry


def request_target(scope: Scope) -> str:
    """Return path and query as they were on the wire."""
    query = scope["query_string"]
    return (scope["raw_path"] + (b"?" + query if query else b"")).decode("latin-1")


def _readable(body: bytes) -> Any:
    if not body:
        return None
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return body.decode("utf-8", "replace")
