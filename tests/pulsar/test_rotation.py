# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A destination's token is rotated under a steady flow of numbered events, none of which gets lost.

The emulated service exports to a real broker, which alone decides whose events it takes.
"""

from __future__ import annotations

import collections
import contextlib
import json
import threading

import pulsar
import pytest
import requests
from ansible_collections.datastax.astra.plugins.module_utils._pulsar.jwt import read_facts, read_jwt
from ansible_collections.datastax.astra.plugins.plugin_utils.client_conf_file import parse

from emulator.client import DEFAULT_CLUSTER, Emulator
from tests.playbooks.conftest import ADMINISTRATORS, APPLY, IDS, Fleet
from tests.playbooks.destinations import NAME, STREAMERS, TOPIC
from tests.playbooks.destinations import Place as Destination
from tests.pulsar.broker import make_token
from tests.pulsar.support import access, can_produce, native_client, wait_until

OWNER = "acme-6"  # of the tenant
TOKENS = f"/v3/streaming/tenants/{NAME}/tokens"
APPLY_LAG = 0.5  # seconds until the service uses what a stream was given
REVOKE_AFTER = "4s"


@pytest.fixture
def service(broker):
    """An emulated Astra whose exporter works with the broker."""
    organizations = [{"id": organization_id, "name": name} for name, organization_id in IDS.items()]
    tokens = [{"token": token, "organization_id": IDS[name]} for name, token in ADMINISTRATORS.items()]
    with Emulator(organizations, tokens, pulsar=access(broker), apply_lag=APPLY_LAG) as emulator:
        yield emulator
        emulator.reset()


@pytest.fixture
def destination(service, broker, tmp_path, ansible_environment):
    """A destination to which two organizations stream."""
    directory = tmp_path / "work"
    directory.mkdir()
    made = Destination(Fleet(service, directory, {**ansible_environment, "REQUESTS_CA_BUNDLE": broker.ca_path}))
    made.describe(verify_destination=None, revoke_after=REVOKE_AFTER)
    made.describe_streams(verify_destination=None)
    made.play(APPLY)
    wait_until(lambda: all(stream["connected"] for stream in service.exporter().values()))
    return made


class Flow:
    """Audited acts of each organization, numbered, as long as the context lasts.

    :ivar count: how many there have been.
    """

    def __init__(self, service: Emulator) -> None:
        self.count = 0
        self._service = service
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._act)

    def __enter__(self) -> Flow:
        self._thread.start()
        self.go_on()
        return self

    def __exit__(self, *exception: object) -> None:
        self._done.set()
        self._thread.join()

    def _act(self) -> None:
        while not self._done.wait(0.05):
            for name in STREAMERS:
                self._service.act(IDS[name], event={"whose": name, "number": self.count})
            self.count += 1

    def go_on(self) -> None:
        """Wait until a good number of further events have arrived."""
        enough = self.count + 20
        wait_until(lambda: self.count >= enough)
        wait_until(lambda: not any(event["state"] == "pending" for event in self._service.events()[: 2 * enough]))

    def assert_complete(self, broker, was_interrupted: bool = False) -> None:
        """Assert that the subscription holds every event, when the flow has ended.

        Each is there once. Only where a connection was interrupted, Pulsar's client sends again what the broker had not
        acknowledged yet, and may have stored all the same.
        """
        wait_until(lambda: not any(event["state"] == "pending" for event in self._service.events()))
        assert [event for event in self._service.events() if event["state"] != "delivered"] == []
        received = collections.defaultdict(list)
        with native_client(broker.broker_tls_url, broker.superuser_token, broker.ca_path) as client:
            consumer = client.subscribe(TOPIC, "audit-log", initial_position=pulsar.InitialPosition.Earliest)
            with contextlib.suppress(pulsar.Timeout):
                while True:
                    event = json.loads(consumer.receive(2000).data())["event"]
                    if "whose" in event:
                        received[event["whose"]].append(event["number"])
        kept = {name: sorted(set(numbers) if was_interrupted else numbers) for name, numbers in received.items()}
        assert kept == {name: list(range(self.count)) for name in STREAMERS}


def the_token(destination) -> str:
    """Return the token that both streams have."""
    (token,) = destination.stream_tokens()
    return token


def id_of(token: str) -> str:
    """Return Astra's id of a Pulsar token."""
    return read_facts(read_jwt(token)).token_id


def may_produce(broker, token: str) -> bool:
    """Tell whether the broker takes events with a token."""
    return can_produce(broker.broker_tls_url, TOPIC, token, broker.ca_path)


def test_without_a_gap(destination, service, broker, admin):
    old = the_token(destination)
    assert may_produce(broker, old)
    with Flow(service) as flow:
        before = flow.count
        screen = destination.rotate().screen
        assert flow.count - before > 10, "the events did not flow while the token was replaced"
        flow.go_on()
        # All have to connect again, and whoever still has the old token is not let in.
        admin.put(f"/persistent/{TOPIC.partition('://')[2]}/unload")
        flow.go_on()
    assert f"Pulsar token {id_of(old)} revoked" in screen
    flow.assert_complete(broker, was_interrupted=True)

    new = the_token(destination)
    assert destination.token_ids() == [id_of(new)] != [id_of(old)]
    assert parse(destination.client_conf()).token_id == id_of(new)
    assert may_produce(broker, new)
    assert not may_produce(broker, old)


def make_token_without_rights(destination) -> str:
    """Have the tenant make a token that may do nothing, as for somebody who shall be granted rights later."""
    answer = requests.post(
        destination.service.api_url + TOKENS,
        json={"type": "non-admin", "exp": "90d"},
        headers={
            "Authorization": f"Bearer {ADMINISTRATORS[OWNER]}",
            "X-DataStax-Pulsar-Cluster": DEFAULT_CLUSTER,
            "X-DataStax-Current-Org": IDS[OWNER],
        },
        timeout=30,
    )
    assert answer.ok
    return id_of(answer.json()["token"])


def make_token_of_another_key(destination) -> str:
    """Let the service answer the next request for a token with one that no broker accepts."""
    genuine = the_token(destination)
    claims = {**read_jwt(genuine), "tokenid": "0a1b2c3d-dead-4000-8000-000000000000"}
    forged = make_token(b"a key of somebody else's" * 2, **claims)
    destination.service.fault(match={"method": "POST", "path": f"{TOKENS}$"}, status=200, body={"token": forged})
    destination.service.fault(match={"method": "GET", "path": f"tokens/{claims['tokenid']}$"}, status=200, body=forged)
    return claims["tokenid"]


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (make_token_without_rights, "The token has no right to produce to the topic"),
        (make_token_of_another_key, "The broker does not accept the token"),
    ],
)
def test_new_token_that_does_not_work(destination, service, broker, make, reason):
    old, kept = the_token(destination), destination.file.read_bytes()
    useless = make(destination)
    with Flow(service) as flow:
        failed = " ".join(destination.rotate(status=2).screen.split())
        flow.go_on()
    assert f"Pulsar token {useless} does not replace {id_of(old)}, which stays valid and in use" in failed
    assert reason in failed
    assert the_token(destination) == old
    assert id_of(old) in destination.token_ids()
    assert destination.file.read_bytes() == kept
    flow.assert_complete(broker)

    # What the message says to do helps.
    destination.remove_token(useless)
    assert f"Pulsar token {id_of(old)} revoked" in destination.rotate().screen
    assert not may_produce(broker, old)
    assert may_produce(broker, the_token(destination))


def test_new_token_that_only_the_streams_find_useless(destination, service, broker):
    """The plan for the streams asks the broker, too."""
    destination.describe(verify_destination=False, revoke_after=REVOKE_AFTER)
    old = the_token(destination)
    useless = make_token_without_rights(destination)
    with Flow(service) as flow:
        failed = " ".join(destination.rotate(status=2).screen.split())
        flow.go_on()
    assert "The events would not arrive, so nothing was sent: The token has no right to produce" in failed
    assert f"Pulsar token {id_of(old)} stays valid until every stream has {useless}" in failed
    assert the_token(destination) == old
    assert {id_of(old), useless} <= {*destination.token_ids()}
    flow.assert_complete(broker)
