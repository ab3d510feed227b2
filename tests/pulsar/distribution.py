# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Gets Apache Pulsar from Maven Central, once, into the repository's cache. Needs the standard library alone.

As a program it gets what is named and prints where it is, or says what to install and exits with the status 3.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CACHE = Path(__file__).resolve().parents[2] / ".cache" / "pulsar"
DEFAULT_VERSION = "4.0.8"
MISSING = 3  # the program's exit status when Java or Maven is missing
OLDEST_JAVA = 17

_DEPENDENCY_PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1"


class Missing(Exception):
    """Something has to be installed first; the message says what."""


class DownloadFailed(Exception):
    """Maven did not get what was asked for; the message is Maven's own."""


def find_java() -> tuple[str, str]:
    """Return the path of the Java to use and its version.

    :raises Missing: there is none, or it is too old.
    """
    home = os.environ.get("JAVA_HOME")
    java = str(Path(home) / "bin" / "java") if home else shutil.which("java")
    advice = f"install Java {OLDEST_JAVA} or newer (Debian and Ubuntu: apt install openjdk-17-jre-headless)"
    try:
        shown = subprocess.run([java or "java", "-version"], capture_output=True, text=True, check=True).stderr
        version = re.search(r'version "((\d+)[^"]*)"', shown)
    except (OSError, subprocess.CalledProcessError):
        version = None
    if not java or not version:
        raise Missing(f"Apache Pulsar needs Java: {advice}")
    if int(version.group(2)) < OLDEST_JAVA:
        raise Missing(f"Apache Pulsar does not run on Java {version.group(1)}: {advice}")
    return java, version.group(1)


def get_distribution(version: str = DEFAULT_VERSION) -> Path:
    """Return the directory of an unpacked Apache Pulsar, downloaded (about 250 MB) if it is not in the cache.

    :raises Missing: it has to be downloaded and Maven is not there.
    :raises DownloadFailed: there is no such version, or Maven Central cannot be reached.
    """
    directory = CACHE / f"apache-pulsar-{version}"
    artifact = f"org.apache.pulsar:pulsar-server-distribution:{version}:tar.gz:bin"
    return _get(directory, "unpack", artifact, directory.name)


def get_connector(name: str, version: str = DEFAULT_VERSION) -> Path:
    """Return the NAR file of a built-in connector, such as ``http``; raises as ``get_distribution`` does."""
    jar = f"pulsar-io-{name}-{version}.jar"
    # What Maven Central has as a jar file is the NAR that the functions worker wants.
    return _get(CACHE / f"pulsar-io-{name}-{version}.nar", "copy", f"org.apache.pulsar:pulsar-io-{name}:{version}", jar)


def _get(target: Path, goal: str, artifact: str, delivered: str) -> Path:
    with _locked():
        if target.exists():
            return target
        maven = shutil.which("mvn")
        if not maven:
            raise Missing("Apache Pulsar is downloaded by Maven: install it (Debian and Ubuntu: apt install maven)")
        work = CACHE / "download"
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir()
        command = [maven, "--batch-mode", "--quiet", f"-Dmaven.repo.local={work / 'repository'}"]
        command += [f"{_DEPENDENCY_PLUGIN}:{goal}", f"-Dartifact={artifact}", f"-DoutputDirectory={work}"]
        done = subprocess.run(command, cwd=work, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if done.returncode:
            raise DownloadFailed(f"Maven did not get {artifact}:\n{done.stdout}{done.stderr}")
        (work / delivered).rename(target)
        shutil.rmtree(work)
        return target


@contextmanager
def _locked() -> Iterator[None]:
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def main(arguments: list[str] | None = None) -> int:
    """Get what the command line names; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.pulsar.distribution", description=__doc__)
    parser.add_argument("--version", default=DEFAULT_VERSION, help="version of Apache Pulsar (default: %(default)s)")
    parser.add_argument("--connector", action="append", default=[], help="a connector to get as well, such as http")
    options = parser.parse_args(arguments)
    try:
        find_java()
        print(get_distribution(options.version))
        for connector in options.connector:
            print(get_connector(connector, options.version))
    except Missing as error:
        print(error)
        return MISSING
    except DownloadFailed as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
