# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One real broker, with Pulsar's proxy in front and sinks, for the whole session; a tenant of its own for each test."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import uuid

import pytest

from tests.pulsar.broker import Broker, run_broker
from tests.pulsar.distribution import DEFAULT_VERSION, Missing
from tests.pulsar.support import Admin, Place

_STARTED = pytest.StashKey[Broker]()
_STACK = pytest.StashKey[contextlib.ExitStack]()


def pytest_addoption(parser):
    parser.addoption("--pulsar-version", default=DEFAULT_VERSION, help="version of Apache Pulsar to test with")


def _start(config) -> Broker:
    """Start the broker, once, in the process that all workers have in common."""
    if _STARTED not in config.stash:
        stack = config.stash[_STACK] = contextlib.ExitStack()
        config.stash[_STARTED] = stack.enter_context(
            run_broker("--proxy", "--connector=http", f"--version={config.option.pulsar_version}")
        )
    return config.stash[_STARTED]


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node):
    """Tell a worker of xdist where the broker is."""
    with contextlib.suppress(Missing):
        node.workerinput["pulsar"] = json.dumps(dataclasses.asdict(_start(node.config)))


def pytest_unconfigure(config):
    if _STACK in config.stash:
        config.stash[_STACK].close()


@pytest.fixture(scope="session")
def broker(request) -> Broker:
    """The broker, as a whole organization of Astra Streaming."""
    given = getattr(request.config, "workerinput", {}).get("pulsar")
    if given:
        return Broker(**json.loads(given))
    try:
        return _start(request.config)
    except Missing as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def admin(broker) -> Admin:
    """The admin API as the superuser sees it."""
    return Admin(broker.admin_url, broker.superuser_token)


@pytest.fixture
def place(broker, admin) -> Place:
    """A tenant with a namespace and a topic, and with roles that have some rights there."""
    return Place.create(broker, admin, f"tenant-{uuid.uuid4().hex[:12]}")
