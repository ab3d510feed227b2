# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Remembering which secret each organization's stream was given, so that a rotated one is sent exactly once.

A fingerprint is a hash, so a store holds no secret. It never fails open: what it does not know for certain counts as
another secret, which is then sent once and recorded.
"""

from __future__ import annotations

import contextlib
import json
import os
import uuid
from collections.abc import Mapping
from typing import Any, Callable, NamedTuple, Protocol

from ansible_collections.datastax.astra.plugins.module_utils import _atomic_file
from ansible_collections.datastax.astra.plugins.module_utils._errors import AstraError
from ansible_collections.datastax.astra.plugins.module_utils._pulsar.client_conf import SECRET_OPTIONS
from ansible_collections.datastax.astra.plugins.module_utils._secrets import (
    UNKNOWN_FINGERPRINT,
    compute_fingerprint,
    is_fingerprint,
)

KIND = "audit_log_stream"
VERSION = 1

_SIZE_LIMIT = 4096  # bytes of an entry


class Entry(NamedTuple):
    """What a store knows about an organization.

    :ivar token_fingerprint: ``UNKNOWN_FINGERPRINT`` while nobody can know.
    :ivar writer: who is about to send another secret, or an empty string.
    """

    token_fingerprint: str
    writer: str = ""


class StoreError(AstraError):
    """An entry cannot be read or written. The message goes on after "The entry of organization ID in the store"."""


class Store(Protocol):
    """Where entries are kept."""

    def read(self, organization_id: str) -> Entry | None:
        """Return an organization's entry, or None where there is none.

        :raises StoreError: it cannot be read, or it is damaged.
        """

    def write(self, organization_id: str, entry: Entry | None) -> None:
        """Replace an organization's entry, or remove it.

        :raises StoreError: it cannot be written.
        """


class DirectoryStore:
    """A directory with one small file for each organization. It can be kept in version control.

    :arg directory: path on the controller.
    """

    def __init__(self, directory: str) -> None:
        self._directory = os.path.join(directory, KIND)

    def read(self, organization_id: str) -> Entry | None:
        """Return an organization's entry, or None where there is none.

        :raises StoreError: it cannot be read, or it is damaged.
        """
        try:
            with open(self._path(organization_id), encoding="utf-8") as stream:
                text = stream.read(_SIZE_LIMIT)
        except FileNotFoundError:
            return None
        except (OSError, ValueError):
            raise StoreError("cannot be read") from None
        return parse_entry(text, organization_id)

    def write(self, organization_id: str, entry: Entry | None) -> None:
        """Replace an organization's file, whole or not at all and with mode 0600, or remove it.

        :raises StoreError: it cannot be written.
        """
        path = self._path(organization_id)
        try:
            if entry is None:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(path)
            else:
                os.makedirs(self._directory, exist_ok=True)
                _atomic_file.replace(path, format_entry(entry, organization_id) + "\n")
        except (OSError, ValueError) as error:
            raise StoreError(f"cannot be written: {getattr(error, 'strerror', None) or error}") from None

    def _path(self, organization_id: str) -> str:
        return os.path.join(self._directory, f"{organization_id}.json")


def format_entry(entry: Entry, organization_id: str) -> str:
    """Return an entry as JSON text."""
    document = {
        "kind": KIND,
        "version": VERSION,
        "organization_id": organization_id,
        "token_fingerprint": entry.token_fingerprint,
    }
    if entry.writer:
        document["writer"] = entry.writer
    return json.dumps(document, indent=2, sort_keys=True)


def parse_entry(text: str, organization_id: str) -> Entry:
    """Return what ``format_entry`` wrote.

    :raises StoreError: the text is no such entry, or is about something else.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise StoreError("cannot be read") from None
    about = (KIND, VERSION, organization_id)
    if not isinstance(document, dict) or tuple(map(document.get, ("kind", "version", "organization_id"))) != about:
        raise StoreError("is about something else")
    if not is_fingerprint(document.get("token_fingerprint")):
        raise StoreError("has no fingerprint in it")
    return Entry(document["token_fingerprint"], str(document.get("writer", "")))


def recall(store: Store, organization_id: str) -> tuple[str, list[str]]:
    """Return the fingerprint of the secret that an organization's stream was given, and warnings.

    It is ``UNKNOWN_FINGERPRINT`` where the store does not know.
    """
    entry, warnings = _read(store, organization_id)
    return entry.token_fingerprint if entry else UNKNOWN_FINGERPRINT, warnings


def _read(store: Store, organization_id: str) -> tuple[Entry | None, list[str]]:
    try:
        return store.read(organization_id), []
    except StoreError as error:
        return None, [f"The entry of organization {organization_id} in the fingerprint store {error.message}."]


def run_with_store(
    store: Store,
    organization_id: str,
    options: Mapping[str, Any],
    check_mode: bool,
    run: Callable[[Mapping[str, Any]], dict[str, Any]],
) -> dict[str, Any]:
    """Converge an organization's stream with what the store knows, and record what was sent.

    :arg options: the module's options.
    :arg run: takes the options, ``known_token_fingerprint`` among them, and returns the result.
    :returns: the result, with the store's warnings.
    """
    seen, warnings = _read(store, organization_id)
    if options.get("known_token_fingerprint") is None:
        known = seen.token_fingerprint if seen else UNKNOWN_FINGERPRINT
        options = {**options, "known_token_fingerprint": known}
    if check_mode:
        result = run(options)
    else:
        record = _Record(store, organization_id, seen)
        if options.get("state") != "absent" and _gives_other_secret(options, organization_id, seen):
            record.announce()
        result = run(options)
        record.settle(options.get("state") == "absent", result)
        warnings += record.warnings
    if warnings:
        result["warnings"] = [*result.get("warnings", []), *warnings]
    return result


def _gives_other_secret(options: Mapping[str, Any], organization_id: str, seen: Entry | None) -> bool:
    secret = options.get(SECRET_OPTIONS.get(str(options.get("auth_strategy") or "token"), ""))
    if not isinstance(secret, str):
        return False
    return seen is None or seen.token_fingerprint != compute_fingerprint(organization_id, secret.strip())


class _Record:
    """One run's part in an organization's entry.

    Whoever is about to send another secret says so first. If somebody else did that in the meantime, nobody can know
    whose secret arrived last, and the entry says that. So does what a killed run leaves behind.
    """

    def __init__(self, store: Store, organization_id: str, seen: Entry | None) -> None:
        self._store = store
        self._organization_id = organization_id
        self._seen = seen
        self._announced: Entry | None = None
        self.warnings: list[str] = []

    def announce(self) -> None:
        """Say that another secret is about to be sent."""
        self._announced = Entry(UNKNOWN_FINGERPRINT, uuid.uuid4().hex)
        self._write(self._announced)

    def settle(self, absent: bool, result: Mapping[str, Any]) -> None:
        """Record what a run has come to."""
        fingerprint = result.get("token_fingerprint")
        expected = self._announced or self._seen
        current = _read(self._store, self._organization_id)[0]
        if result.get("failed") and result.get("changed"):
            self._write(Entry(UNKNOWN_FINGERPRINT))
        elif absent and not result.get("failed"):
            self._write(None)
        elif fingerprint and current not in (expected, Entry(fingerprint)):
            self._write(Entry(UNKNOWN_FINGERPRINT))
        elif fingerprint and (result.get("changed") or current != Entry(fingerprint)):
            self._write(Entry(fingerprint))
        elif self._announced and current == self._announced:
            self._write(self._seen)

    def _write(self, entry: Entry | None) -> None:
        try:
            self._store.write(self._organization_id, entry)
        except StoreError as error:
            self.warnings = [
                f"The entry of organization {self._organization_id} in the fingerprint store {error.message}. "
                "Until it can be, the secret is sent again in every run."
            ]
