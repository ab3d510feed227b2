# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Secrets: what is shown instead of them, what may be kept of them, and which of a command's options are secret."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from typing import Any

MASK = "********"  # what the service shows instead of a secret, and what diffs and messages show
SENT_AGAIN = f"{MASK} (sent again)"

UNKNOWN_FINGERPRINT = f"sha256:{'0' * 64}"  # equals no secret's fingerprint, so that the secret is sent again

_FINGERPRINT = re.compile(r"sha256:[0-9a-f]{64}")

# A connector's configuration is free-form: by these its secrets are told from the rest, rather too many than too few.
_SECRET_KEY = re.compile(
    r"passw|passphrase|pwd|secret|token|credential|private|jaas|bundle|connection.?string|plugin.?param"
    r"|(?:api|access|account|shared|encryption).?key",
    re.IGNORECASE,
)
_SECRET_VALUE = re.compile(
    r"AstraCS:|eyJ[\w-]+\.|-----BEGIN|base64:|base64,|://[^/@\s]*:[^/@\s]*@"
    r"|(?:passw|secret|token|private|jaas|access.?key|api.?key|pwd)[\w.\" -]*[=:]",
    re.IGNORECASE,
)
_HARMLESS_VALUE = re.compile(r"true|false|null|[0-9.]{0,3}", re.IGNORECASE)


def compute_fingerprint(organization_id: str, secret: str) -> str:
    """Return what may be kept of a secret in order to recognise it: a hash that is different in every organization."""
    return "sha256:" + hashlib.sha256(f"{organization_id}\0{secret}".encode("utf-8", "surrogatepass")).hexdigest()


def is_fingerprint(value: object) -> bool:
    """Tell whether a value has the form of what ``compute_fingerprint`` returns."""
    return isinstance(value, str) and bool(_FINGERPRINT.fullmatch(value))


def find_secrets(argument_spec: Mapping[str, Mapping[str, Any]], *options: Mapping[str, Any]) -> set[str]:
    """Return the values of a command's secret options, also without the white space around them.

    :arg argument_spec: as Ansible takes it; ``no_log`` marks the secret options, within a dictionary's options too. Of
        a dictionary that is marked as a whole, the values that look like secrets are taken.
    :arg options: dictionaries of options.
    """
    found: set[str] = set()
    for name, option in argument_spec.items():
        for values in options:
            value = values.get(name)
            if option.get("no_log") and value:
                found.update(_find_secret_texts(value) if isinstance(value, Mapping) else _find_texts(value))
            elif isinstance(value, Mapping) and option.get("options"):
                found |= find_secrets(option["options"], value)
    return found | {text.strip() for text in found if text.strip()}


def _find_texts(value: object) -> Iterable[str]:
    if isinstance(value, (Mapping, list, tuple)):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from _find_texts(item)
    elif value not in (None, ""):
        yield str(value)


def _find_secret_texts(value: object, key: object = "") -> Iterable[str]:
    if _is_secret(key, value):
        # Such a short value cannot be a secret, and hiding it would hide every number in a result.
        yield from (text for text in _find_texts(value) if not _HARMLESS_VALUE.fullmatch(text))
    elif isinstance(value, Mapping):
        for name, item in value.items():
            yield from _find_secret_texts(item, name)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _find_secret_texts(item)


def _is_secret(key: object, value: object) -> bool:
    """Tell whether a value looks like a secret, by its key or by itself. What holds others is looked into."""
    if isinstance(value, (Mapping, list, tuple)):
        return isinstance(value, (list, tuple)) and bool(_SECRET_KEY.search(str(key)))
    return bool(_SECRET_KEY.search(str(key)) or (isinstance(value, str) and _SECRET_VALUE.search(value)))


def hide_secrets(value: Any, key: object = "") -> Any:
    """Return free-form data with the mask for everything that looks like a secret."""
    if value not in (None, "") and _is_secret(key, value):
        return MASK
    if isinstance(value, Mapping):
        return {name: hide_secrets(item, name) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [hide_secrets(item) for item in value]
    return value


def mask(text: str, secrets: Iterable[str]) -> str:
    """Return a text with each of these secrets replaced by the mask, the longest first."""
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        text = text.replace(secret, MASK)
    return text
