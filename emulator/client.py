# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Starts the emulator and talks to its control API. Needs nothing but Python's standard library."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

_ROOT = Path(__file__).resolve().parent.parent
_START_TIMEOUT = 30  # seconds
_STOP_TIMEOUT = 5  # seconds
_REQUEST_TIMEOUT = 30  # seconds


class EmulatorError(Exception):
    """The emulator did not start, or its control API refused a request; the message is the emulator's own."""


class Control:
    """The control API of an emulator that runs.

    :arg control_url: as the emulator announced it.
    """

    def __init__(self, control_url: str) -> None:
        self.control_url = control_url

    def journal(self, organization_id: str | None = None) -> list[dict]:
        """Return the requests that the API received, oldest first: all, or those of one organization."""
        query = f"?{urlencode({'organization_id': organization_id})}" if organization_id else ""
        return self._request("GET", f"/journal{query}")

    def clear_journal(self) -> None:
        """Forget the requests so far."""
        self._request("DELETE", "/journal")

    def fault(self, **fault: Any) -> dict:
        """Add a fault; its keys are described in README.md.

        :raises EmulatorError: the fault is not a valid one.
        """
        return self._request("POST", "/faults", fault)

    def faults(self) -> list[dict]:
        """Return the faults, each with the number of requests that it matched and that it struck."""
        return self._request("GET", "/faults")

    def clear_faults(self) -> None:
        """Remove all faults."""
        self._request("DELETE", "/faults")

    def settings(self, **changes: Any) -> dict:
        """Change these settings and return all of them.

        :raises EmulatorError: a value is not a valid one.
        """
        return self._request("PATCH", "/settings", changes)

    def organizations(self) -> list[dict]:
        """Return every organization as organization() does."""
        return self._request("GET", "/organizations")

    def organization(self, organization_id: str) -> dict:
        """Return id, name, audit_logs (what is effective now, unmasked) and pending of an organization.

        :raises EmulatorError: there is no such organization.
        """
        return self._request("GET", f"/organizations/{organization_id}")

    def set_organization(self, organization_id: str, audit_logs: dict | None) -> dict:
        """Store a configuration (None for none) at once, for an organization that may be new."""
        return self._request("PUT", f"/organizations/{organization_id}", {"audit_logs": audit_logs})

    def delete_organization(self, organization_id: str) -> None:
        """Remove an organization.

        :raises EmulatorError: there is no such organization.
        """
        self._request("DELETE", f"/organizations/{organization_id}")

    def reset(self) -> None:
        """Return to the state and the settings at the start, without journal and faults."""
        self._request("POST", "/reset")

    def _request(self, method: str, path: str, document: Any = None) -> Any:
        connection = http.client.HTTPConnection(urlsplit(self.control_url).netloc, timeout=_REQUEST_TIMEOUT)
        try:
            connection.request(method, path, None if document is None else json.dumps(document))
            response = connection.getresponse()
            content = response.read()
        finally:
            connection.close()
        answer = json.loads(content) if content else None
        if response.status >= 400:
            raise EmulatorError(f"{method} {path}: {answer['error']}")
        return answer


class Emulator(Control):
    """An emulator in a process of its own, as a context manager.

    :arg organizations: entries of the state file, each with id and, if wanted, name and audit_logs.
    :arg tokens: entries of the state file, each with token and organization_id, or with enterprise.
    :arg apply_lag: see emulator.settings.Settings, as for the next four.
    :arg masked: fields that GET masks; None for the usual ones.
    :arg tls: whether the API is served over TLS.
    :arg port: the API's port, 0 for a free one.
    :arg python: the interpreter that has the emulator's requirements.
    :ivar api_url: base URL of the emulated API.
    :ivar control_url: base URL of the control API.
    :ivar ca_path: file with the CA certificate to trust, or None without TLS.
    :ivar pid: the process.
    """

    def __init__(
        self,
        organizations: Iterable[dict] = (),
        tokens: Iterable[dict] = (),
        *,
        apply_lag: float = 0.0,
        latency: float = 0.0,
        get_when_absent: str = "404",
        post_while_applying: str = "replace",
        masked: Iterable[str] | None = None,
        tls: bool = False,
        port: int = 0,
        python: str = sys.executable,
    ) -> None:
        super().__init__("")
        self.api_url = ""
        self.ca_path: str | None = None
        self.pid = 0
        self._state = {"organizations": list(organizations), "tokens": list(tokens)}
        self._command = [python, "-m", "emulator", "--until-stdin-closes", f"--port={port}"]
        self._command += [f"--apply-lag={apply_lag}", f"--latency={latency}"]
        self._command += [f"--get-when-absent={get_when_absent}", f"--post-while-applying={post_while_applying}"]
        self._command += [] if masked is None else [f"--masked={','.join(masked)}"]
        self._command += ["--tls"] if tls else []

    def __enter__(self) -> Emulator:
        """Start the emulator.

        :raises EmulatorError: it did not start.
        """
        self._directory = tempfile.TemporaryDirectory(prefix="astra-emulator-")
        directory = Path(self._directory.name)
        state, ready = directory / "state.json", directory / "ready.json"
        self._errors = directory / "stderr"
        state.write_text(json.dumps(self._state), "utf-8")
        command = [*self._command, "--state", str(state), "--ready-file", str(ready)]
        with self._errors.open("wb") as stderr:
            # In a session of its own, so that Ctrl-C leaves it to __exit__; without a parent it stops anyway.
            self._process = subprocess.Popen(
                command,
                cwd=_ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=stderr,
                start_new_session=True,
            )
        deadline = time.monotonic() + _START_TIMEOUT
        while not ready.exists():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise EmulatorError(f"The emulator did not start: {self._stop() or 'it did not get ready in time.'}")
            time.sleep(0.01)
        announced = json.loads(ready.read_text("utf-8"))
        self.api_url, self.control_url = announced["api_url"], announced["control_url"]
        self.ca_path, self.pid = announced["ca_path"], announced["pid"]
        return self

    def __exit__(self, *_exception: object) -> None:
        """Stop the emulator, and show what it wrote to standard error."""
        sys.stderr.write(self._stop())

    def _stop(self) -> str:
        """Stop the process and remove its files; returns what it wrote to standard error."""
        self._process.terminate()
        try:
            self._process.wait(_STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdin.close()
        errors = self._errors.read_text("utf-8", "replace")
        self._directory.cleanup()
        return errors
