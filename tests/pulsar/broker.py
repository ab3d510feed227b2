# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs a real Apache Pulsar on loopback, set up as Astra Streaming is: TLS, tokens, authorization and Astra's defaults.

``with run_broker() as broker`` is for programs. As a program (``python -m tests.pulsar.broker``) it prints the same as
one line of JSON when the broker is ready, and stops it on SIGTERM or SIGINT, or when its standard input ends.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import dataclasses
import hashlib
import hmac
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

import trustme
import yaml
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from tests.pulsar.distribution import (
    CACHE,
    DEFAULT_VERSION,
    DownloadFailed,
    Missing,
    find_java,
    get_connector,
    get_distribution,
)

CLUSTER = "pulsar-aws-useast2"
SUPERUSER = "admin"
PROXY_ROLE = "proxy"
HOST = "127.0.0.1"

_START_TIMEOUT = 180  # seconds; a cold start beside a busy machine took 30
_STOP_TIMEOUT = 30  # seconds
_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_ROOT = Path(__file__).resolve().parents[2]

# The limits and policies that Astra documents. What Astra does now and then happens here each second, so that tests
# that wait for it stay short.
_ASTRA_DEFAULTS = {
    "allowAutoTopicCreation": "false",
    "allowAutoSubscriptionCreation": "true",
    "brokerDeleteInactiveTopicsEnabled": "true",
    "brokerDeleteInactiveTopicsMode": "delete_when_no_subscriptions",
    "brokerDeleteInactiveTopicsMaxInactiveDurationSeconds": "172800",
    "brokerDeleteInactiveTopicsFrequencySeconds": "1",
    "backlogQuotaDefaultLimitGB": "-1",  # which would go before the next one
    "backlogQuotaDefaultLimitBytes": "5000000000",
    "backlogQuotaDefaultRetentionPolicy": "producer_exception",
    "backlogQuotaCheckIntervalInSeconds": "1",
    "maxProducersPerTopic": "50",
    "maxConsumersPerTopic": "50",
    "maxSubscriptionsPerTopic": "50",
    "retentionCheckIntervalInSeconds": "1",
    # A ledger is deleted as a whole: small ones show within seconds what retention deletes.
    "managedLedgerMaxEntriesPerLedger": "10",
    "managedLedgerMinLedgerRolloverTimeMinutes": "0",
}

# For a small machine: the caches are sized for a server otherwise.
_SMALL = {
    "numIOThreads": "2",
    "numHttpServerThreads": "8",
    "numOrderedExecutorThreads": "2",
    "topicOrderedExecutorThreadNum": "2",
    "managedLedgerCacheSizeMB": "16",
    "dbStorage_writeCacheMaxSizeMb": "16",
    "dbStorage_readAheadCacheMaxSizeMb": "8",
    "dbStorage_rocksDB_blockCacheSize": "8388608",
    "journalMaxSizeMB": "64",
    "journalPreAllocSizeMB": "4",
}


class StartFailed(Exception):
    """The broker did not start; the message holds the end of its log."""


@dataclasses.dataclass(frozen=True)
class Broker:
    """Where a broker that runs is reached. What begins with ``proxy_`` is empty without the proxy.

    :ivar secret_key_path: the key that signs tokens, see ``make_token``.
    :ivar superuser_token: may do everything.
    :ivar pid: the process of the broker.
    """

    version: str
    pid: int
    admin_url: str
    admin_tls_url: str
    broker_url: str
    broker_tls_url: str
    proxy_admin_url: str
    proxy_url: str
    proxy_tls_url: str
    ca_path: str
    secret_key_path: str
    superuser_token: str
    log_path: str

    def make_token(self, role: str, **claims: object) -> str:
        """Return a token for a role, as Astra's tokens signed with HS256 here; ``exp`` is seconds since the epoch."""
        return make_token(Path(self.secret_key_path).read_bytes(), sub=role, **claims)


def make_token(key: bytes, **claims: object) -> str:
    """Return a JWT with these claims."""
    parts = [json.dumps(part, separators=(",", ":")).encode() for part in ({"alg": "HS256"}, claims)]
    signed = b".".join(map(_base64url, parts))
    return b".".join([signed, _base64url(hmac.digest(key, signed, hashlib.sha256))]).decode()


def _base64url(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


@contextlib.contextmanager
def run_broker(*arguments: str) -> Iterator[Broker]:
    """Run this program in a process of its own, which ends with the caller's however that ends.

    :arg arguments: of the command line, such as ``--proxy``.
    :raises Missing: Java or Maven has to be installed.
    :raises StartFailed: it did not start.
    """
    find_java()
    command = [sys.executable, "-m", "tests.pulsar.broker", "--until-stdin-closes", *arguments]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=_ROOT, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stdin
        assert process.stdout
        assert process.stderr
        try:
            line = process.stdout.readline()
            if not line:
                raise StartFailed(process.stderr.read())
            yield Broker(**json.loads(line))
        finally:
            process.stdin.close()
            process.wait()


class _Server:
    """A Java program of the distribution."""

    def __init__(self, home: Path, directory: Path, name: str) -> None:
        self.log_path = directory / f"{name}.log"
        self.process: subprocess.Popen[bytes] | None = None
        self._home = home
        self._directory = directory
        java, java_version = find_java()
        self._java = java
        # The classes that the first run loads, in the form in which the next ones find them ready: starts in half
        # the time. The JVM leaves an archive of another one alone.
        self._archive = CACHE / f"{home.name}-{name}-java-{java_version}.jsa"
        self._dumped = directory / self._archive.name
        self._was_ready = False

    def start(self, main_class: str, arguments: list[str], heap: str) -> None:
        # An archive wants a classpath of files in an order that stays.
        classpath = os.pathsep.join(str(path) for path in sorted((self._home / "lib").glob("*.jar")))
        use = f"-XX:SharedArchiveFile={self._archive}"
        options = [
            use if self._archive.exists() else f"-XX:ArchiveClassesAtExit={self._dumped}",
            "-Xshare:auto",
            "-Xlog:disable",
            "-Xlog:all=error:stderr",
            f"-Xmx{heap}",
            "-XX:MaxDirectMemorySize=256m",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-Dio.netty.tryReflectionSetAccessible=true",
            "-Djava.net.preferIPv4Stack=true",
            "-Dlog4j2.is.webapp=false",
            "-Dlog4j.shutdownHookEnabled=false",
            f"-Dlog4j.configurationFile={self._home / 'conf' / 'log4j2.yaml'}",
            "-Dpulsar.log.appender=Console",
            "-Dpulsar.log.root.level=warn",
            "-Dpulsar.log.level=warn",
            f"-Dpulsar.log.dir={self._directory}",
            f"-Dpulsar.functions.java.instance.jar={self._home / 'instances' / 'java-instance.jar'}",
            f"-Dpulsar.functions.extra.dependencies.dir={self._home / 'instances' / 'deps'}",
            f"-Dpulsar.functions.instance.classpath={classpath}",
            "-Dbookkeeper.metadata.bookie.drivers=org.apache.pulsar.metadata.bookkeeper.PulsarMetadataBookieDriver",
            "-Dbookkeeper.metadata.client.drivers=org.apache.pulsar.metadata.bookkeeper.PulsarMetadataClientDriver",
        ]
        for package in (
            "java.base/java.io",
            "java.base/java.util.zip",
            "java.base/java.nio",
            "java.base/jdk.internal.misc",
            "java.base/jdk.internal.platform",
            "java.management/sun.management",
            "jdk.management/com.sun.management.internal",
        ):
            options += ["--add-opens", f"{package}=ALL-UNNAMED"]
        environment = {
            name: value for name, value in os.environ.items() if name not in ("JAVA_TOOL_OPTIONS", "CLASSPATH")
        }
        with self.log_path.open("wb") as log:
            self.process = subprocess.Popen(
                [self._java, *options, "-cp", classpath, main_class, *arguments],
                cwd=self._directory,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # so that Control-C reaches it from here, once
            )

    def wait_until(self, is_ready: Callable[[], bool], deadline: float) -> None:
        assert self.process
        while not is_ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                state = "ended" if self.process.poll() is not None else "is not ready yet"
                raise StartFailed(f"{self.log_path.stem} {state}:\n{self.log_path.read_text(errors='replace')[-5000:]}")
            time.sleep(0.1)
        self._was_ready = True

    def stop(self) -> None:
        if not self.process:
            return
        # What it holds is thrown away, so it ends in order for the archive's sake alone.
        if self._was_ready and not self._archive.exists():
            self.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(_STOP_TIMEOUT)
                # By a rename, so that another broker that starts now finds all of it.
                self._dumped.rename(self._archive)
        self.process.kill()
        self.process.wait()


def _write_secrets(directory: Path) -> tuple[bytes, dict[str, Path]]:
    """Make the key for tokens, a CA, and a certificate for this host; returns the key and where all of it is."""
    paths = {name: directory / name for name in ("token.key", "ca.pem", "server.pem", "server.key")}
    key = secrets.token_bytes(32)
    authority = trustme.CA()
    server = authority.issue_cert("localhost", HOST, "::1")
    # Netty reads no other form of a private key.
    private_key = load_pem_private_key(server.private_key_pem.bytes(), None)
    paths["token.key"].write_bytes(key)
    paths["server.key"].write_bytes(private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    paths["server.pem"].write_bytes(b"".join(blob.bytes() for blob in server.cert_chain_pems))
    authority.cert_pem.write_to_path(paths["ca.pem"])
    return key, paths


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server((HOST, 0))) for _time in range(count)]
        return [each.getsockname()[1] for each in sockets]


def _write_settings(path: Path, shipped: Path, settings: dict[str, object]) -> None:
    # The last of two settings with the same name holds, and the shipped file does not end with a newline.
    lines = [f"{name}={value}" for name, value in settings.items()]
    path.write_text("\n".join([shipped.read_text(), *lines, ""]))


def _answers(url: str, token: str) -> bool:
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=5) as response:
            return bool(response.status == 200)
    except OSError:
        return False


def _common_settings(paths: dict[str, Path], token: str) -> dict[str, object]:
    """What broker and proxy have in common."""
    return {
        "clusterName": CLUSTER,
        "bindAddress": HOST,
        "advertisedAddress": HOST,
        "tlsCertificateFilePath": paths["server.pem"],
        "tlsKeyFilePath": paths["server.key"],
        "tlsTrustCertsFilePath": paths["ca.pem"],
        "webServiceTlsProvider": "",
        "authenticationEnabled": "true",
        "authenticationProviders": "org.apache.pulsar.broker.authentication.AuthenticationProviderToken",
        "tokenSecretKey": f"file://{paths['token.key']}",
        "superUserRoles": f"{SUPERUSER},{PROXY_ROLE}",
        "brokerClientAuthenticationPlugin": "org.apache.pulsar.client.impl.auth.AuthenticationToken",
        "brokerClientAuthenticationParameters": f"token:{token}",
        "brokerClientTrustCertsFilePath": paths["ca.pem"],
    }


def _serve(options: argparse.Namespace, directory: Path, stack: contextlib.ExitStack) -> Broker:
    home = get_distribution(options.version)
    key, paths = _write_secrets(directory)
    token = make_token(key, sub=SUPERUSER)
    binary, binary_tls, web, web_tls, bookie, proxy, proxy_tls, proxy_web = _free_ports(8)
    deadline = time.monotonic() + _START_TIMEOUT
    settings = {
        **_common_settings(paths, token),
        **_SMALL,
        **_ASTRA_DEFAULTS,
        "brokerServicePort": binary,
        "brokerServicePortTls": binary_tls,
        "webServicePort": web,
        "webServicePortTls": web_tls,
        "authorizationEnabled": "true",
        "proxyRoles": PROXY_ROLE,
        "listeningInterface": "lo",
        "allowLoopback": "true",
        "webSocketServiceEnabled": "false",
        **dict(setting.split("=", 1) for setting in options.set),
    }
    _write_settings(directory / "standalone.conf", home / "conf" / "standalone.conf", settings)
    arguments = ["--config", directory / "standalone.conf", "--advertised-address", HOST, "--no-stream-storage"]
    arguments += ["--bookkeeper-port", bookie, "--bookkeeper-dir", directory / "bookkeeper"]
    arguments += ["--metadata-dir", directory / "metadata"]
    if options.connector:
        arguments += [
            "--functions-worker-conf",
            _write_functions_settings(options, home, directory, token, web, binary),
        ]
    else:
        arguments += ["--no-functions-worker"]
    broker = _Server(home, directory, "functions" if options.connector else "broker")
    stack.callback(broker.stop)
    broker.start("org.apache.pulsar.PulsarStandaloneStarter", [str(each) for each in arguments], options.heap)
    admin_url = f"http://{HOST}:{web}"
    ready = [f"{admin_url}/admin/v2/brokers/ready", f"{admin_url}/admin/v2/namespaces/public/default"]
    if options.connector:
        ready.append(f"{admin_url}/admin/v2/worker/cluster/leader/ready")
    broker.wait_until(lambda: all(_answers(url, token) for url in ready), deadline)
    if options.proxy:
        _start_proxy(home, directory, stack, paths, key, (binary, web), (proxy, proxy_tls, proxy_web))
    assert broker.process
    return Broker(
        version=options.version,
        pid=broker.process.pid,
        admin_url=admin_url,
        admin_tls_url=f"https://{HOST}:{web_tls}",
        broker_url=f"pulsar://{HOST}:{binary}",
        broker_tls_url=f"pulsar+ssl://{HOST}:{binary_tls}",
        proxy_admin_url=f"http://{HOST}:{proxy_web}" if options.proxy else "",
        proxy_url=f"pulsar://{HOST}:{proxy}" if options.proxy else "",
        proxy_tls_url=f"pulsar+ssl://{HOST}:{proxy_tls}" if options.proxy else "",
        ca_path=str(paths["ca.pem"]),
        secret_key_path=str(paths["token.key"]),
        superuser_token=token,
        log_path=str(broker.log_path),
    )


def _start_proxy(
    home: Path,
    directory: Path,
    stack: contextlib.ExitStack,
    paths: dict[str, Path],
    key: bytes,
    broker_ports: tuple[int, int],
    ports: tuple[int, int, int],
) -> None:
    binary, web = broker_ports
    settings = {
        **_common_settings(paths, make_token(key, sub=PROXY_ROLE)),
        "servicePort": ports[0],
        "servicePortTls": ports[1],
        "webServicePort": ports[2],
        "brokerServiceURL": f"pulsar://{HOST}:{binary}",
        "brokerWebServiceURL": f"http://{HOST}:{web}",
        "brokerProxyAllowedTargetPorts": binary,
        "forwardAuthorizationCredentials": "true",
    }
    _write_settings(directory / "proxy.conf", home / "conf" / "proxy.conf", settings)
    proxy = _Server(home, directory, "proxy")
    stack.callback(proxy.stop)
    proxy.start(
        "org.apache.pulsar.proxy.server.ProxyServiceStarter", ["--config", str(directory / "proxy.conf")], "128m"
    )
    url, token = f"http://{HOST}:{ports[2]}/admin/v2/clusters", make_token(key, sub=SUPERUSER)
    proxy.wait_until(lambda: _answers(url, token), time.monotonic() + _START_TIMEOUT)


def _write_functions_settings(
    options: argparse.Namespace, home: Path, directory: Path, token: str, web: int, binary: int
) -> Path:
    connectors = directory / "connectors"
    connectors.mkdir()
    for name in options.connector:
        (connectors / f"pulsar-io-{name}-{options.version}.nar").symlink_to(get_connector(name, options.version))
    plugin = "org.apache.pulsar.client.impl.auth.AuthenticationToken"
    settings = {
        **yaml.safe_load((home / "conf" / "functions_worker.yml").read_text()),
        "workerHostname": HOST,
        "connectorsDirectory": str(connectors),
        "narExtractionDirectory": str(directory),
        "functionRuntimeFactoryClassName": "org.apache.pulsar.functions.runtime.thread.ThreadRuntimeFactory",
        "functionRuntimeFactoryConfigs": {"threadGroupName": "functions"},
        "pulsarFunctionsCluster": CLUSTER,
        "pulsarServiceUrl": f"pulsar://{HOST}:{binary}",
        "pulsarWebServiceUrl": f"http://{HOST}:{web}",
        "clientAuthenticationPlugin": plugin,
        "clientAuthenticationParameters": f"token:{token}",
        "brokerClientAuthenticationPlugin": plugin,
        "brokerClientAuthenticationParameters": f"token:{token}",
        "authenticationEnabled": True,
        "authorizationEnabled": True,
        "authenticationProviders": ["org.apache.pulsar.broker.authentication.AuthenticationProviderToken"],
        "properties": {"tokenSecretKey": f"file://{directory / 'token.key'}"},
        "superUserRoles": [SUPERUSER, PROXY_ROLE],
        "downloadDirectory": str(directory / "functions"),
    }
    path = directory / "functions_worker.yml"
    path.write_text(yaml.safe_dump(settings))
    return path


def _stop_on_signal(number: int, frame: FrameType | None) -> None:
    for each in _STOP_SIGNALS:  # whoever is impatient and sends a second must not interrupt the stopping
        signal.signal(each, signal.SIG_IGN)
    raise SystemExit(0)


def main(arguments: list[str] | None = None) -> int:
    """Run a broker until it is told to stop; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.pulsar.broker", description=__doc__)
    add = parser.add_argument
    add("--version", default=DEFAULT_VERSION, help="version of Apache Pulsar (default: %(default)s)")
    add("--proxy", action="store_true", help="run Pulsar's own proxy in front of it too")
    add("--connector", action="append", default=[], help="run the functions worker, with this connector (such as http)")
    add("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting of the broker's own")
    add("--heap", default="256m", help="memory for the broker's objects (default: %(default)s)")
    add("--until-stdin-closes", action="store_true", help="stop when the standard input ends")
    options = parser.parse_args(arguments)
    for number in _STOP_SIGNALS:
        signal.signal(number, _stop_on_signal)
    runs = CACHE / "runs"
    runs.mkdir(parents=True, exist_ok=True)
    directory = Path(tempfile.mkdtemp(dir=runs))
    try:
        with contextlib.ExitStack() as stack:
            stack.callback(shutil.rmtree, directory, ignore_errors=True)
            broker = _serve(options, directory, stack)
            print(json.dumps(dataclasses.asdict(broker)), flush=True)
            if options.until_stdin_closes:
                sys.stdin.read()
            else:
                threading.Event().wait()
    except (Missing, DownloadFailed, StartFailed) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
