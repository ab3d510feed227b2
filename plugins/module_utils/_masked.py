# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Comparing free-form data, some of which the service never shows, such as a connector's configuration. Pure code.

Only the keys that are given count; one that is given as null shall not be there. Numbers and booleans come back as
strings in some answers, so everything is compared as the string that it would be.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from ansible_collections.datastax.astra.plugins.module_utils._secrets import MASK, SENT_AGAIN, hide_secrets


class Comparison(NamedTuple):
    """What is asked against what the service shows.

    :ivar before: what the service shows, as it can be shown to people.
    :ivar after: what it shows once it has what is asked.
    :ivar diff: the same for a diff, which says what is sent again.
    :ivar merged: what to send: all of it, with the secrets.
    :ivar differs: whether the service shows something else than is asked.
    :ivar secrets: the names of the given values that are secret.
    :ivar unseen: those of them that the service masks, so that they cannot be compared.
    :ivar missing: what the service masks and nobody gave, so that it cannot be sent.
    """

    before: Any
    after: Any
    diff: Any
    merged: dict[str, Any]
    differs: bool
    secrets: tuple[str, ...]
    unseen: tuple[str, ...]
    missing: tuple[str, ...]


def compare(stored: Mapping[str, Any], asked: Mapping[str, Any]) -> Comparison:
    """Compare what the service shows with what is asked.

    :arg stored: what it shows, where secrets may be masked.
    :arg asked: the keys that are given, with secrets as they are.
    """
    merged = _merge(stored, asked)
    shown = {path for path, _value in _walk(stored)}
    unseen = {path for path, value in _walk(asked) if value is not None and (path, MASK) in _walk(stored)}
    # What the service masks is a secret, whatever it looks like.
    secrets = unseen | {path for path, value in _walk(hide_secrets(asked)) if value == MASK}
    compared = _replace(merged, dict.fromkeys(unseen, MASK))
    before, after = (write_as_strings(hide_secrets(each)) for each in (stored, compared))
    return Comparison(
        before=before,
        after=after,
        diff=_replace(after, dict.fromkeys(secrets & shown, SENT_AGAIN)),
        merged=merged,
        differs=write_as_strings(stored) != write_as_strings(compared),
        secrets=_name(secrets),
        unseen=_name(unseen),
        missing=find_masks(merged),
    )


def find_masks(values: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names of the values that are what the service shows instead of a secret."""
    return _name({path for path, value in _walk(values) if value == MASK})


def write_as_strings(value: Any) -> Any:
    """Return free-form data with everything in it as the string that the service may make of it."""
    if isinstance(value, Mapping):
        return {key: write_as_strings(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [write_as_strings(item) for item in value]
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _merge(stored: Mapping[str, Any], asked: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(stored)
    for key, value in asked.items():
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, Mapping):
            below = merged.get(key)
            merged[key] = _merge(below if isinstance(below, Mapping) else {}, value)
        else:
            merged[key] = value
    return merged


def _walk(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _walk(item, (*path, str(key)))
    else:
        yield path, value


def _replace(value: Any, replacements: Mapping[tuple[str, ...], str], path: tuple[str, ...] = ()) -> Any:
    if isinstance(value, Mapping):
        return {key: _replace(item, replacements, (*path, str(key))) for key, item in value.items()}
    return replacements.get(path, value)


def _name(paths: set[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(sorted(".".join(path) for path in paths))
