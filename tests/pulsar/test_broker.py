# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The launcher of the broker as its users start it, and what it sets up."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.pulsar.support import Admin

ROOT = Path(__file__).resolve().parents[2]
VERSIONS = ["3.9", "3.10", "3.11", "3.12", "3.13"]

# The handshake as a program on nothing but the standard library.
PROGRAM = """
import sys
sys.path.insert(0, sys.argv[1])
from ansible_collections.datastax.astra.plugins.module_utils._deadline import Deadline
from ansible_collections.datastax.astra.plugins.module_utils._pulsar.wire import *
context = make_tls_context(True, sys.argv[2])
for token in sys.argv[5:]:
    failed = shake_hands(Destination(sys.argv[3], sys.argv[4], token), Deadline(20), context).failed_step
    print(failed and failed.code)
assert "requests" not in sys.modules
"""


def is_running(pid: int) -> bool:
    """Tell whether there is such a process."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("how", ["signal", "end of input"])
def test_the_program(broker, request, how):
    command = [sys.executable, "-m", "tests.pulsar.broker", f"--version={request.config.option.pulsar_version}"]
    command += ["--until-stdin-closes"] if how == "end of input" else []
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        started = json.loads(process.stdout.readline())
        directory = Path(started["ca_path"]).parent
        assert Admin(started["admin_url"], started["superuser_token"]).get("/tenants")
        assert started["proxy_url"] == ""
        if how == "signal":
            process.send_signal(signal.SIGTERM)
            process.send_signal(signal.SIGTERM)
        else:
            process.stdin.close()
        assert process.wait(30) == 0
    assert not is_running(started["pid"])
    assert not directory.exists()


def test_it_says_what_has_to_be_installed(tmp_path):
    (tmp_path / "python").symlink_to(sys.executable)
    environment = {"PATH": str(tmp_path)}
    command = [sys.executable, "-m", "tests.pulsar.distribution"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert "apt install openjdk" in done.stdout


def test_everything_listens_on_loopback_alone(broker):
    shown = Path(f"/proc/{broker.pid}/net/tcp").read_text().splitlines()[1:]
    sockets = {
        os.readlink(path) for path in Path(f"/proc/{broker.pid}/fd").iterdir() if path.exists() or path.is_symlink()
    }
    listening = [line.split() for line in shown if line.split()[3] == "0A"]
    own = [entry[1] for entry in listening if f"socket:[{entry[9]}]" in sockets]
    assert len(own) >= 5
    assert {address.partition(":")[0] for address in own} == {"0100007F"}


def test_defaults_of_astra(place):
    """What an operator of Astra Streaming finds, as Astra documents it."""
    topic = place.path
    assert not place.admin.call("PUT", f"{topic}-missing/subscription/siem", json="earliest").ok
    assert place.admin.get(f"/persistent/{place.namespace}") == [place.topic]
    inactive = place.admin.get(f"{topic}/inactiveTopicPolicies?applied=true")
    assert inactive == {
        "inactiveTopicDeleteMode": "delete_when_no_subscriptions",
        "maxInactiveDurationSeconds": 172800,
        "deleteWhileInactive": True,
    }
    quota = place.admin.get(f"{topic}/backlogQuotaMap?applied=true")["destination_storage"]
    assert (quota["limitSize"], quota["policy"]) == (5000000000, "producer_exception")
    retention = place.admin.get(f"{topic}/retention?applied=true")
    assert retention == {"retentionTimeInMinutes": 0, "retentionSizeInMB": 0}
    assert place.admin.get(f"{topic}/maxProducers?applied=true") == 50


@pytest.mark.parametrize("version", VERSIONS)
def test_the_handshake_on_each_python(place, broker, collections_path, version):
    """On the standard library alone, with neither ansible nor requests installed."""
    pyenv = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser()
    found = sorted(pyenv.glob(f"versions/{version}.*/bin/python"))
    if not found:
        pytest.skip(f"Python {version} was not found")
    tokens = [place.token(), place.token("consumer"), place.token("producer", exp=1)]
    command = [
        str(found[0]),
        "-c",
        PROGRAM,
        collections_path,
        broker.ca_path,
        broker.proxy_tls_url,
        place.topic,
        *tokens,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["None", "AuthorizationError", "AuthenticationError"], done.stderr
