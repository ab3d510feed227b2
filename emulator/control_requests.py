# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the routes of the control API share."""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import Request

from emulator.api import Emulation
from emulator.service import Service


def get_emulation(request: Request) -> Emulation:
    """Return what is emulated."""
    return request.app.state.emulation


def get_service(request: Request) -> Service:
    """Return the emulated service."""
    return request.app.state.emulation.service


async def read_json(request: Request) -> Any:
    """Return the parsed body of a request.

    :raises ValueError: it is not JSON.
    """
    try:
        return json.loads(await request.body())
    except ValueError:
        raise ValueError("The body is not valid JSON.") from None


async def read_object(request: Request, known: list[str]) -> dict:
    """Return the parsed body of a request, which must be an object.

    :arg known: the keys that it may have.
    :raises ValueError: it is something else; one sentence says what.
    """
    document = await read_json(request)
    if not isinstance(document, dict):
        raise ValueError("The body must be an object.")
    refuse_unknown(document, known)
    return document


def refuse_unknown(document: dict, known: list[str]) -> None:
    """Check the keys of an object.

    :raises ValueError: it has one that is not known.
    """
    for name in document:
        if name not in known:
            raise ValueError(f"Unknown key {name}; known are {', '.join(known)}.")
