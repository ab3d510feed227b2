# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A tenant of Astra Streaming for the tests of its resources, and what was on the wire."""

from __future__ import annotations

from emulator.client import Emulator
from tests.wire.support import ORGANIZATION, run

TENANT = "acme"
NAMESPACE = "audit"
TOPIC = "persistent://acme/audit/log"
CLUSTER = "pulsar-aws-useast2"


def make_tenant(service: Emulator, **holds: object) -> None:
    """Have a tenant with a topic before the test begins."""
    namespaces = [{"name": NAMESPACE, "topics": [{"name": "log"}]}]
    service.set_tenant(ORGANIZATION, TENANT, **{"namespaces": namespaces, **holds})


def perform(service: Emulator, command, **options):
    """Run a module of Astra Streaming on the tenant."""
    return run(service, command=command, **{"tenant": TENANT, **options})


def wire(service: Emulator) -> list[str]:
    """Each request since the journal was cleared, as method and path; the journal is cleared."""
    sent = [f"{entry['method']} {entry['path']}" for entry in service.journal()]
    service.clear_journal()
    return sent
