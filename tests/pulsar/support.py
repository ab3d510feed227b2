# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the tests with a real broker share: its admin API, places to test in, native clients, and relays in between."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pulsar
import requests

from tests.pulsar.broker import CLUSTER, HOST, Broker

_SILENT = logging.getLogger("pulsar.native")
_SILENT.addHandler(logging.NullHandler())
_SILENT.propagate = False


def access(broker: Broker, **changes: str) -> dict[str, str]:
    """Return how an emulator reaches the broker."""
    found = {"admin_url": broker.admin_url, "broker_url": broker.broker_tls_url, "ca_path": broker.ca_path}
    found.update(superuser_token=broker.superuser_token, secret_key_path=broker.secret_key_path)
    return {**found, **changes}


class Admin:
    """Pulsar's admin API, as the owner of a token sees it."""

    def __init__(self, url: str, token: str) -> None:
        self.url = url
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers["Authorization"] = f"Bearer {token}"

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        """Send a request to a path below /admin/v2 and return whatever is answered."""
        return self._session.request(method, f"{self.url}/admin/v2{path}", timeout=60, **options)

    def get(self, path: str) -> Any:
        """Return a document."""
        return self._succeed("GET", path).json()

    def put(self, path: str, document: Any = None) -> None:
        """Make something."""
        self._succeed("PUT", path, json=document)

    def post(self, path: str, document: Any = None) -> None:
        """Change something."""
        self._succeed("POST", path, json=document)

    def delete(self, path: str) -> None:
        """Remove something."""
        self._succeed("DELETE", path)

    def _succeed(self, method: str, path: str, **options: Any) -> requests.Response:
        answer = self.call(method, path, **options)
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer


@dataclass
class Place:
    """A tenant with the namespace ``audit`` and the topic ``events``, both with Astra's defaults.

    The role ``TENANT-administrator`` administers the tenant, ``TENANT-producer`` may produce, ``TENANT-consumer``
    may consume, and ``TENANT-stranger`` may do nothing.
    """

    broker: Broker
    admin: Admin
    tenant: str

    @classmethod
    def create(cls, broker: Broker, admin: Admin, tenant: str) -> Place:
        """Make it."""
        place = cls(broker, admin, tenant)
        admin.put(f"/tenants/{tenant}", {"allowedClusters": [CLUSTER], "adminRoles": [f"{tenant}-administrator"]})
        admin.put(f"/namespaces/{place.namespace}")
        for role, action in (("producer", "produce"), ("consumer", "consume")):
            admin.post(f"/namespaces/{place.namespace}/permissions/{tenant}-{role}", [action])
        place.add_topic("events")
        return place

    @property
    def namespace(self) -> str:
        """Its name with the tenant's."""
        return f"{self.tenant}/audit"

    @property
    def topic(self) -> str:
        """The full name of the topic."""
        return self.topic_named("events")

    @property
    def path(self) -> str:
        """The topic in the admin API."""
        return self.path_of("events")

    def topic_named(self, name: str) -> str:
        """Return the full name of a topic."""
        return f"persistent://{self.namespace}/{name}"

    def path_of(self, name: str) -> str:
        """Return the path of a topic in the admin API."""
        return f"/persistent/{self.namespace}/{name}"

    def add_topic(self, name: str, partitions: int = 0) -> str:
        """Make a topic and return its full name."""
        path = self.path_of(name)
        self.admin.put(f"{path}/partitions" if partitions else path, partitions or None)
        return self.topic_named(name)

    def set_policy(self, policy: str, document: Any) -> None:
        """Set a policy of the namespace."""
        self.admin.post(f"/namespaces/{self.namespace}/{policy}", document)

    def subscribe(self, name: str, topic: str = "events") -> None:
        """Make a durable subscription at the earliest position."""
        self.admin.put(f"{self.path_of(topic)}/subscription/{name}", "earliest")

    def token(self, role: str = "producer", **claims: Any) -> str:
        """Return a token for one of the roles."""
        return self.broker.make_token(f"{self.tenant}-{role}", **claims)

    def as_role(self, role: str) -> Admin:
        """Return the admin API as one of the roles sees it."""
        return Admin(self.admin.url, self.token(role))

    def stats(self) -> dict[str, Any]:
        """Return the statistics of the topic."""
        return self.admin.get(f"{self.path}/stats")

    @contextlib.contextmanager
    def producer(self, topic: str | None = None, **options: Any) -> Iterator[pulsar.Producer]:
        """Connect a native producer, as the exporter of audit logs is one."""
        with native_client(self.broker.broker_tls_url, self.token(), self.broker.ca_path) as client:
            options.setdefault("send_timeout_millis", 5000)
            yield client.create_producer(topic or self.topic, **options)

    @contextlib.contextmanager
    def consumer(self, subscription: str, topic: str | None = None) -> Iterator[pulsar.Consumer]:
        """Connect a native consumer from the earliest position."""
        with native_client(self.broker.broker_tls_url, self.token("consumer"), self.broker.ca_path) as client:
            yield client.subscribe(topic or self.topic, subscription, initial_position=pulsar.InitialPosition.Earliest)

    def traces(self, topic: str = "events") -> dict[str, Any]:
        """Return all that whoever used the topic would have changed."""
        path = self.path_of(topic)
        partitions = self.admin.get(f"{path}/partitions")["partitions"]
        traces: dict[str, Any] = {"topics": sorted(self.admin.get(f"/persistent/{self.namespace}"))}
        schema = self.admin.call("GET", f"/schemas/{self.namespace}/{topic}/schema")
        traces["schema"] = schema.json() if schema.ok else schema.status_code
        for each in [f"{path}-partition-{number}" for number in range(partitions)] or [path]:
            internal, stats = self.admin.get(f"{each}/internalStats"), self.admin.get(f"{each}/stats")
            traces[each] = {
                **{
                    name: internal[name]
                    for name in ("lastConfirmedEntry", "entriesAddedCounter", "totalSize", "cursors")
                },
                **{name: stats[name] for name in ("msgInCounter", "bytesInCounter", "publishers", "subscriptions")},
            }
        return traces


@contextlib.contextmanager
def native_client(endpoint: str, token: str | None, ca_path: str, timeout: int = 10) -> Iterator[pulsar.Client]:
    """Connect the client of the package pulsar-client, which shares no code with the collection."""
    client = pulsar.Client(
        endpoint,
        authentication=pulsar.AuthenticationToken(token) if token else None,
        operation_timeout_seconds=timeout,
        connection_timeout_ms=timeout * 1000,
        tls_trust_certs_file_path=ca_path,
        tls_validate_hostname=True,
        logger=_SILENT,
    )
    try:
        yield client
    finally:
        client.close()


def can_produce(endpoint: str, topic: str, token: str | None, ca_path: str, timeout: int = 2) -> bool:
    """Tell whether a native client gets a producer. It often fails without a reason, so there is none to return."""
    try:
        with native_client(endpoint, token, ca_path, timeout) as client:
            client.create_producer(topic).close()
    except Exception:
        return False
    return True


def wait_until(is_so: Callable[[], Any], seconds: float = 20) -> Any:
    """Ask until the answer is true, and return it."""
    deadline = time.monotonic() + seconds
    while not (answer := is_so()):
        assert time.monotonic() < deadline, "what was waited for did not happen"
        time.sleep(0.1)
    return answer


class Relay:
    """Passes connections on to a port of this host, from another address of it, late, and counting.

    :arg port: where to.
    :arg host: where it listens.
    :arg delay: seconds that everything takes in each direction.
    :ivar bursts: for each connection how often its client sent something after something had come back.
    """

    def __init__(self, port: int, host: str = HOST, delay: float = 0.0) -> None:
        self.bursts: list[int] = []
        self._port = port
        self._host = host
        self._delay = delay
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Relay:
        self._thread.start()
        start = asyncio.start_server(self._serve, self._host, 0, backlog=1024)
        server = asyncio.run_coroutine_threadsafe(start, self._loop).result(10)
        self.port = server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *exception: object) -> None:
        asyncio.run_coroutine_threadsafe(self._cancel(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _cancel(self) -> None:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, client_reader: asyncio.StreamReader, client_writer: asyncio.StreamWriter) -> None:
        index = len(self.bursts)
        self.bursts.append(0)
        last_from_client = False
        reader, writer = await asyncio.open_connection(HOST, self._port)

        async def pump(source: asyncio.StreamReader, target: asyncio.StreamWriter, from_client: bool) -> None:
            nonlocal last_from_client
            while data := await source.read(65536):
                if from_client and not last_from_client:
                    self.bursts[index] += 1
                last_from_client = from_client
                self._loop.call_later(self._delay, target.write, data)
            self._loop.call_later(self._delay, target.close)

        with contextlib.suppress(OSError):
            await asyncio.gather(pump(client_reader, writer, True), pump(reader, client_writer, False))


def port_of(url: str) -> int:
    """Return the port of a URL."""
    port = urlsplit(url).port
    assert port
    return port
