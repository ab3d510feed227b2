# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Remembering which secret each organization's stream was given, so that a rotated one is sent exactly once.

A fingerprint is a hash, so a store holds no secret. It never fails open: what it does not know for certain counts as
another secret, which is then sent once and recorded.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import uuid
from collections.abc import Iterator, Mapping
from typing import Any, Callable, NamedTuple, Protocol

from ansible_collections.datastax.astra.plugins.module_utils import _atomic_file
from ansible_collections.datastax.astra.plugins.module_utils._errors import AstraError
from ansible_collections.datastax.astra.plugins.module_utils._pulsar.client_conf import SECRET_OPTIONS
from ansible_collections.datastax.astra.plugins.module_utils._secrets import (
    UNKNOWN_FINGERPRINT,
    compute_fingerprint,
    is_fingerprint,
)

TOPIC_STORE = "topic"  # instead of a directory: the properties of the destination topic
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

    def exchange(self, organization_id: str, expected: Entry | None, entry: Entry | None) -> bool:
        """Do that only where the entry still is the expected one; return whether it was.

        :arg expected: None stands for a damaged entry too.
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
        self._put(organization_id, entry, lambda: True)

    def exchange(self, organization_id: str, expected: Entry | None, entry: Entry | None) -> bool:
        """Do that only where the entry still is the expected one; return whether it was.

        :raises StoreError: it cannot be written.
        """
        return self._put(organization_id, entry, lambda: _read(self, organization_id)[0] == expected)

    def _put(self, organization_id: str, entry: Entry | None, is_expected: Callable[[], bool]) -> bool:
        path = self._path(organization_id)

        def commit(new: str | None, path: str) -> bool:
            with self._lock():
                if not is_expected():
                    return False
                if new:
                    os.replace(new, path)
                else:
                    with contextlib.suppress(FileNotFoundError):
                        os.unlink(path)
            return True

        try:
            if entry is None:
                return commit(None, path)
            os.makedirs(self._directory, exist_ok=True)
            return _atomic_file.replace(path, format_entry(entry, organization_id) + "\n", commit)
        except (OSError, ValueError) as error:
            raise StoreError(f"cannot be written: {getattr(error, 'strerror', None) or error}") from None

    @contextlib.contextmanager
    def _lock(self) -> Iterator[None]:
        """Keep other runs out, as far as the file system can do that: a network's may not."""
        with contextlib.ExitStack() as stack:
            with contextlib.suppress(OSError):
                directory = os.open(self._directory, os.O_RDONLY)
                stack.callback(os.close, directory)
                fcntl.flock(directory, fcntl.LOCK_EX)
            yield

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
    :raises AstraError: what ``run`` raised; that is recorded as well.
    """
    record = _Record(store, organization_id)
    is_absent = options.get("state") == "absent"
    record.begin(None if check_mode or is_absent else _find_secret(options))
    if options.get("known_token_fingerprint") is None:
        options = {**options, "known_token_fingerprint": record.known_fingerprint}
    try:
        result = run(options)
    except AstraError as error:
        if not check_mode:
            record.settle(is_absent, {"failed": True, **error.result})
        raise
    if not check_mode:
        record.settle(is_absent, result)
    if record.warnings:
        result["warnings"] = [*result.get("warnings", []), *record.warnings]
    return result


def _find_secret(options: Mapping[str, Any]) -> str | None:
    secret = options.get(SECRET_OPTIONS.get(str(options.get("auth_strategy") or "token"), ""))
    return secret.strip() if isinstance(secret, str) else None


class _Record:
    """One run's part in an organization's entry.

    Whoever is about to send another secret says so first. If somebody else did that in the meantime, nobody can know
    whose secret arrived last, and the entry says that. So does what a killed run leaves behind. A claim is only ever
    put in place of what this run itself has seen there; that nothing is known may be said at any time.
    """

    def __init__(self, store: Store, organization_id: str) -> None:
        self._store = store
        self._organization_id = organization_id
        self._seen: Entry | None = None
        self._announced: Entry | None = None
        self.warnings: list[str] = []

    @property
    def known_fingerprint(self) -> str:
        """The fingerprint of the stored secret, as far as the store knows."""
        return self._seen.token_fingerprint if self._seen else UNKNOWN_FINGERPRINT

    def begin(self, secret: str | None) -> None:
        """Look what is known, and where this secret is another one, say that it is about to be sent.

        :arg secret: None to look only.
        """
        fingerprint = None if secret is None else compute_fingerprint(self._organization_id, secret)
        announced = Entry(UNKNOWN_FINGERPRINT, uuid.uuid4().hex)
        while True:
            self._seen, self.warnings = _read(self._store, self._organization_id)
            if fingerprint in (None, self.known_fingerprint):
                return
            if self._exchange(self._seen, announced):
                self._announced = announced
                return

    def settle(self, is_absent: bool, result: Mapping[str, Any]) -> None:
        """Record what a run has come to."""
        fingerprint = result.get("token_fingerprint")
        claim = Entry(fingerprint) if fingerprint else None
        expected = self._announced or self._seen
        if result.get("failed") and result.get("changed"):
            self._write(Entry(UNKNOWN_FINGERPRINT))
        elif is_absent and not result.get("failed"):
            self._write(None)
        elif claim and result.get("changed"):
            if _read(self._store, self._organization_id)[0] != claim and not self._exchange(expected, claim):
                self._write(Entry(UNKNOWN_FINGERPRINT))
        elif self._announced:  # and not sent in the end
            self._exchange(self._announced, claim or self._seen)

    def _exchange(self, expected: Entry | None, entry: Entry | None) -> bool:
        """Exchange the entry; return False where somebody else has changed it, and True where it cannot be written."""
        try:
            return self._store.exchange(self._organization_id, expected, entry)
        except StoreError as error:
            self._warn(error)
            return True

    def _write(self, entry: Entry | None) -> None:
        try:
            self._store.write(self._organization_id, entry)
        except StoreError as error:
            self._warn(error)

    def _warn(self, error: StoreError) -> None:
        warning = (
            f"The entry of organization {self._organization_id} in the fingerprint store {error.message}. "
            "Until it can be, the secret is sent again in every run."
        )
        if warning not in self.warnings:
            self.warnings.append(warning)
