# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The emulator as a process: its command line, its start, and above all its end."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest

from emulator.__main__ import main
from emulator.client import Control, Emulator, EmulatorError
from tests.emulator.support import ORGANIZATION, STATE, call, connect, wait_until

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def state(tmp_path):
    """A state file."""
    path = tmp_path / "state.json"
    path.write_text(json.dumps(STATE))
    return path


def start(*arguments: object, **options: object) -> subprocess.Popen:
    """Start the emulator as its users do."""
    command = [sys.executable, "-m", "emulator", *map(str, arguments)]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=ROOT, stdout=pipe, stderr=pipe, text=True, **options)


def refuse(*arguments: object) -> str:
    """Start the emulator in vain; returns what it says."""
    process = start(*arguments)
    output, errors = process.communicate(timeout=30)
    assert (process.returncode, output) == (2, "")
    return errors


def is_running(pid: int) -> bool:
    """Whether a process is there and not a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_by_itself(state, tmp_path, number):
    ready = tmp_path / "ready.json"
    process = start("--state", state, "--ready-file", ready, "--tls", "--verbose", stdin=subprocess.DEVNULL)
    announced = json.loads(process.stdout.readline())
    assert json.loads(ready.read_text()) == announced
    assert announced.keys() == {"api_url", "admin_url", "control_url", "pid", "ca_path"}
    assert announced["pid"] == process.pid
    assert announced["api_url"].startswith("https://127.0.0.1:")
    control = Control(announced["control_url"])
    assert control.organizations()[0]["id"] == ORGANIZATION
    api = SimpleNamespace(**announced)
    assert call(api, "GET", "/v2/currentOrg").json == {"id": ORGANIZATION}
    # An answer that takes for ever does not keep it from stopping.
    control.fault(drip={"what": "body", "interval": 1000})
    hanging = connect(api)
    hanging.request("GET", "/v2/currentOrg", headers={"Authorization": "Bearer admin"})
    hanging.getresponse()

    process.send_signal(number)
    output, errors = process.communicate(timeout=10)
    assert (process.returncode, output) == (0, "")
    assert errors == "GET /v2/currentOrg 200\nGET /v2/currentOrg 200\n"
    assert not ready.exists()
    assert not Path(announced["ca_path"]).exists()
    hanging.close()


def test_quiet_unless_verbose(state):
    process = start("--state", state, stdin=subprocess.DEVNULL)
    api = SimpleNamespace(**json.loads(process.stdout.readline()))
    assert call(api, "GET").status == 404
    process.terminate()
    assert process.communicate(timeout=10) == ("", "")


def test_on_a_port_of_choice(state):
    with Emulator() as one:
        port = urlsplit(one.api_url).port
        assert refuse("--state", state, "--port", port) == (
            f"emulator: port {port} is in use: choose another one, or 0 for a free one.\n"
        )
    # The port is free again at once, although connections of the first are not forgotten yet.
    with Emulator(port=port) as two:
        assert urlsplit(two.api_url).port == port
        assert call(two, "GET", token=None).status == 401


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"{", "is not valid JSON: "),
        (b"\xff", "is not UTF-8 text."),
        (b"[]", "cannot be used: The state must be an object."),
        (b'{"orgs": []}', "cannot be used: The state has the unknown key orgs; known are organizations, tokens, roles"),
        (b'{"organizations": {}}', "cannot be used: organizations must be a list."),
        (b'{"organizations": [1]}', "cannot be used: organizations[0] must be an object."),
        (b'{"organizations": [{}]}', "cannot be used: organizations[0].id must be a UUID."),
        (b'{"organizations": [{"id": "%b", "name": 1}]}', "cannot be used: organizations[0].name must be a string."),
        (
            b'{"organizations": [{"id": "%b", "audit_logs": {}}]}',
            "cannot be used: organizations[0].audit_logs must be null or an object",
        ),
        (
            b'{"organizations": [{"id": "%b"}, {"id": "%b"}]}',
            "cannot be used: The state has the same organization twice.",
        ),
        (b'{"tokens": [{"token": "a b"}]}', "cannot be used: tokens[0].token must be a string without spaces."),
        (
            b'{"tokens": [{"token": "a"}]}',
            "cannot be used: tokens[0] needs either organization_id or enterprise: true.",
        ),
        (
            b'{"tokens": [{"token": "a", "organization_id": "%b", "enterprise": true}]}',
            "cannot be used: tokens[0] needs either organization_id or enterprise: true.",
        ),
        (
            b'{"tokens": [{"token": "a", "organization_id": "%b", "organizations": []}]}',
            "cannot be used: tokens[0].organizations belongs to a token with enterprise: true.",
        ),
        (
            b'{"tokens": [{"token": "a", "enterprise": "yes"}]}',
            "cannot be used: tokens[0].enterprise must be true or false.",
        ),
        (
            b'{"tokens": [{"token": "a", "enterprise": true, "organizations": ["x"]}]}',
            "cannot be used: tokens[0].organizations must be a UUID.",
        ),
        (
            b'{"tokens": [{"token": "a", "organization_id": "%b", "roles": "x"}]}',
            "cannot be used: tokens[0].roles must be a list of strings.",
        ),
    ],
)
def test_a_bad_state_file(tmp_path, capsys, content, message):
    path = tmp_path / "state.json"
    path.write_bytes(content.replace(b"%b", ORGANIZATION.encode()))
    assert main(["--state", str(path)]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"emulator: {path} {message}")
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--state", "/nonexistent/state.json"], "emulator: /nonexistent/state.json cannot be read: "),
        (["--state", "{state}", "--latency", "-1"], "emulator: latency must be a number of seconds, 0 or more."),
        (["--state", "{state}", "--masked", "token,password"], "emulator: masked must be a list of fields out of "),
        (["--state", "{state}", "--host", "192.0.2.1"], "emulator: cannot listen on 192.0.2.1, port 0: "),
        (["--state", "{state}", "--ready-file", "/nonexistent/x"], "emulator: /nonexistent/x cannot be written: "),
        (["--state", "{state}", "--port", "70000"], "argument --port: must be a number from 0 to 65535"),
        (["--state", "{state}", "--get-when-absent", "maybe"], "argument --get-when-absent: invalid choice"),
        ([], "the following arguments are required: --state"),
    ],
)
def test_a_bad_argument(state, arguments, message):
    said = refuse(*(argument.format(state=state) for argument in arguments))
    assert message in said.splitlines()[-1]
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot be read: No such file or directory."),
        ("[", "cannot be used: "),
        ("[]", "cannot be used: The body must be a JSON object."),
        ('{"admin_url": "http://x"}', "cannot be used: broker_url is required."),
        ('{"url": "http://x"}', "cannot be used: Unknown field url."),
    ],
)
def test_a_bad_access_to_a_real_broker(state, tmp_path, capsys, content, message):
    path = tmp_path / "pulsar.json"
    if content:
        path.write_text(content)
    assert main(["--state", str(state), "--pulsar", str(path)]) == 2
    assert capsys.readouterr().err.startswith(f"emulator: {path} {message}")


def test_a_real_broker_needs_its_client(state, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "pulsar", None)
    monkeypatch.delitem(sys.modules, "emulator.client_transport", raising=False)
    path, key = tmp_path / "pulsar.json", tmp_path / "key"
    key.write_bytes(b"k" * 32)
    names = ("admin_url", "broker_url", "superuser_token")
    path.write_text(json.dumps({**dict.fromkeys(names, "x"), "secret_key_path": str(key)}))
    assert main(["--state", str(state), "--pulsar", str(path)]) == 2
    assert capsys.readouterr().err == "emulator: --pulsar needs the package pulsar-client.\n"


def test_the_client_says_why_the_emulator_did_not_start():
    with pytest.raises(EmulatorError, match=r"organizations\[0\]\.id must be a UUID\."), Emulator([{"id": "x"}]):
        pass


def test_the_client_works_from_anywhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with Emulator(**STATE) as running:
        assert call(running, "GET", "/v2/currentOrg").status == 200
        pid = running.pid
    assert not is_running(pid)


def test_the_client_stops_an_emulator_that_hangs(monkeypatch):
    monkeypatch.setattr("emulator.client._STOP_TIMEOUT", 0.2)
    with Emulator() as running:
        pid = running.pid
        os.kill(pid, signal.SIGSTOP)
    assert not is_running(pid)


def test_no_emulator_outlives_its_parent(tmp_path):
    program = "from emulator.client import Emulator\ne = Emulator().__enter__()\nprint(e.pid, flush=True)\ninput()"
    parent = subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path)},  # whose files nobody removes when it is killed
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    pid = int(parent.stdout.readline())
    assert is_running(pid)
    parent.kill()
    parent.communicate()
    wait_until(lambda: not is_running(pid))


def test_a_hundred_clients_at_once():
    with Emulator(**STATE) as running:
        address = urlsplit(running.api_url)
        # While it is stopped nobody is accepted: all of them have to fit into the queue.
        os.kill(running.pid, signal.SIGSTOP)
        try:
            clients = [socket.create_connection((address.hostname, address.port), timeout=5) for _number in range(200)]
        finally:
            os.kill(running.pid, signal.SIGCONT)
        for client in clients:
            client.sendall(b"GET /v2/currentOrg HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer admin\r\n\r\n")
        assert all(client.recv(100).startswith(b"HTTP/1.1 200 ") for client in clients)
        for client in clients:
            client.close()


def test_thousands_of_organizations():
    identifiers = [f"00000000-0000-4000-8000-{number:012d}" for number in range(2000)]
    organizations = [{"id": identifier} for identifier in identifiers]
    tokens = [{"token": f"t{number}", "organization_id": each} for number, each in enumerate(identifiers)]
    with Emulator(organizations, tokens) as running:
        assert call(running, "GET", "/v2/currentOrg", "t1999").json == {"id": identifiers[1999]}
        assert len(running.organizations()) == 2000
