# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The directory that an audit's files go to."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from typing import Callable

from ansible_collections.datastax.astra.plugins.module_utils import _atomic_file
from ansible_collections.datastax.astra.plugins.module_utils._errors import InputError
from ansible_collections.datastax.astra.plugins.plugin_utils.evidence import (
    as_csv,
    as_html,
    as_json,
    as_junit,
    as_prometheus,
    history,
)
from ansible_collections.datastax.astra.plugins.plugin_utils.evidence.findings import Audit

FORMATS = (as_html, as_json, as_csv, as_junit, as_prometheus)
LOCK = ".history.lock"
PATIENCE = 60  # seconds, for slices that end at the same time


def write_evidence(directory: str, judge: Callable[[history.History], tuple[Audit, str]]) -> Audit:
    """Judge with the history of this directory, add to it, and write every file, each whole or not at all.

    A history that is damaged is left as it is: it is evidence itself.

    :arg directory: is made where it does not exist.
    :arg judge: takes the history, returns the audit and the line that the history gets.
    :raises InputError: a file cannot be read or written.
    """
    try:
        os.makedirs(directory, exist_ok=True)
        with _locked(directory):
            past = _read(os.path.join(directory, history.FILE)) or ""
            audit, line = judge(history.read_history(past, _head(directory)))
            if line:
                _atomic_file.replace(os.path.join(directory, history.FILE), past + line)
            for form in FORMATS:
                _atomic_file.replace(os.path.join(directory, form.FILE), form.render(audit))
    except OSError as error:
        name = os.path.basename(error.filename or directory)
        raise InputError(f"audit_log_stream_audit_dir: {name} cannot be used: {error.strerror}.") from None
    return audit


def _head(directory: str) -> tuple[int, str] | None:
    text = _read(os.path.join(directory, as_json.FILE))
    try:
        return None if text is None else as_json.read_head(text)
    except ValueError:
        raise InputError(
            f"audit_log_stream_audit_dir: {as_json.FILE} is not one of an audit, so that nobody can tell whether "
            f"{history.FILE} is complete: move it away."
        ) from None


def _read(path: str) -> str | None:
    try:
        # Without translation of line ends, which would hide a change from the chain of hashes.
        with open(path, encoding="utf-8", errors="surrogateescape", newline="") as file:
            return file.read()
    except FileNotFoundError:
        return None


@contextlib.contextmanager
def _locked(directory: str) -> Iterator[None]:
    """Keep other runs out of the directory."""
    due = time.monotonic() + PATIENCE
    with open(os.path.join(directory, LOCK), "w", encoding="utf-8") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > due:
                    raise InputError(
                        f"audit_log_stream_audit_dir: another run has kept it locked for {PATIENCE} seconds."
                    ) from None
                time.sleep(0.1)
        yield
