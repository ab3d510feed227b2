# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the routes of all APIs share: reading requests strictly, and statuses that are a setting."""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from emulator.access import Token
from emulator.refused import Refused
from emulator.service import Service
from emulator.settings import Settings
from emulator.sinks import write_as_strings
from emulator.wire import make_json_response


def get_service(request: Request) -> Service:
    """Return the emulated service that a request is for."""
    return request.app.state.service


def get_authorization(request: Request) -> str | None:
    """Return the Authorization header."""
    return request.headers.get("authorization")


def get_settings(request: Request) -> Settings:
    """Return the settings of the moment."""
    return get_service(request).conditions.settings


def is_forced(request: Request) -> bool:
    """Tell whether the query says that Pulsar shall not mind what is in use."""
    return request.query_params.get("force") == "true"


def content_type(request: Request) -> str:
    """Return the media type of a request's body, without parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def read_json(request: Request) -> Any:
    """Return the parsed body of a request.

    :raises Refused: it is not JSON, or does not say that it is, for which Pulsar has a status of its own.
    """
    if content_type(request) != "application/json":
        status = 415 if request.scope["path"].startswith("/admin/") else 400
        raise Refused(status, "The Content-Type must be application/json.")
    try:
        return json.loads(await request.body())
    except (ValueError, RecursionError):
        raise Refused(400, "The body is not valid JSON.") from None


async def read_optional_json(request: Request, otherwise: Any) -> Any:
    """Return the parsed body of a request that may have none."""
    return await read_json(request) if await request.body() else otherwise


def answer_json(request: Request, document: Any, status: int = 200) -> Response:
    """Return an answer of Astra Streaming, with numbers written as the settings say."""
    if get_settings(request).numbers_as_strings:
        document = write_as_strings(document)
    return make_json_response(document, status)


def created(request: Request, documented: int) -> int:
    """Return the status of an answer about what has been created."""
    status = get_settings(request).creation_status
    return documented if status == "documented" else int(status)


def authorize_streaming(request: Request, token: Token, organization_id: str, tenant: str | None) -> None:
    """Check that an application token may manage a tenant of Astra Streaming.

    :raises Refused: it may not.
    """
    service = get_service(request)
    if not service.access.allows_streaming(token, organization_id, tenant):
        status = int(get_settings(request).missing_permission)
        raise Refused(status, "The permission org-stream-manage is needed")
