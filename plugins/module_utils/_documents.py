# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading what the services answer: keys come in either case, and numbers and flags at times as strings. Pure code.

The DevOps API writes a role's keys as ``ID`` or ``id``; Astra Streaming shows the same field as a number in one place
and as a string in another.
"""

from __future__ import annotations

import datetime
import re
from typing import Any

from ansible_collections.datastax.astra.plugins.module_utils._errors import ServiceError

_FRACTION = re.compile(r"\.[0-9]+")


def read_keys(document: Any, *names: str) -> list[Any]:
    """Return the values of an object's keys, in whatever case they come; None for what is not there."""
    values = {key.lower(): value for key, value in document.items()} if isinstance(document, dict) else {}
    return [values.get(name.lower()) for name in names]


def read_number(document: Any, name: str) -> int | None:
    """Return a whole number of an object, or None where it is not there.

    :raises ServiceError: it is not a number.
    """
    value = read_keys(document, name)[0]
    try:
        return None if value is None else int(value)
    except (TypeError, ValueError, OverflowError):
        raise ServiceError(f"The service shows a {name} that is not a number.") from None


def read_flag(document: Any, name: str) -> bool | None:
    """Return a flag of an object, or None where it is not there.

    :raises ServiceError: it is neither true nor false.
    """
    value = read_keys(document, name)[0]
    if value is None:
        return None
    if str(value).lower() not in ("true", "false"):
        raise ServiceError(f"The service shows a {name} that is neither true nor false.")
    return str(value).lower() == "true"


def read_texts(document: Any, name: str) -> list[str]:
    """Return a list of texts of an object, sorted; an empty one where it is not there.

    :raises ServiceError: it is something else.
    """
    value = read_keys(document, name)[0]
    if not isinstance(value, (list, type(None))) or not all(isinstance(item, str) for item in value or ()):
        raise ServiceError(f"The service shows {name} that are not a list of texts.")
    return sorted(value or ())


def has_passed(moment: str | None) -> bool:
    """Tell whether a moment in RFC 3339 has passed. One that cannot be read has not."""
    try:
        parsed = datetime.datetime.fromisoformat(_FRACTION.sub("", moment or "").replace("Z", "+00:00"))
    except ValueError:
        return False
    return parsed.tzinfo is not None and parsed <= datetime.datetime.now(datetime.timezone.utc)
