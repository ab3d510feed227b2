# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What Pulsar's statistics say of a topic: who uses it, and what it holds. Pure code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from ansible_collections.datastax.astra.plugins.module_utils._documents import read_keys, read_number
from ansible_collections.datastax.astra.plugins.module_utils._errors import ServiceError


class TopicUse(NamedTuple):
    """A topic, as its statistics show it.

    :ivar partitions: 0 for a topic that is not partitioned.
    :ivar backlogs: how many messages each subscription has still to acknowledge.
    :ivar producers: how many are connected.
    :ivar size: bytes that are stored.
    :ivar consumed: the subscriptions that have a consumer.
    """

    partitions: int
    backlogs: Mapping[str, int]
    producers: int
    size: int
    consumed: frozenset[str]

    def describe(self) -> str:
        """Return what would be lost with it, as the end of a sentence that begins with "it has"."""
        parts = [f"the subscription {name} with {_count(left, 'event')} left" for name, left in self.backlogs.items()]
        parts += [_count(self.producers, "connected producer")] if self.producers else []
        parts += [f"{_count(self.size, 'byte')} of events"] if self.size else []
        return ", ".join(parts)


def interpret_statistics(document: Mapping[str, Any], is_partitioned: bool) -> TopicUse:
    """Return what the statistics of a topic, or of all of its partitions together, say.

    :raises ServiceError: they do not say it.
    """
    metadata, subscriptions, producers = read_keys(document, "metadata", "subscriptions", "publishers")
    partitions = read_number(metadata, "partitions") if is_partitioned else 0
    if not isinstance(subscriptions, dict) or partitions is None:
        raise ServiceError("Pulsar's statistics of a topic do not show its subscriptions and partitions.")
    backlogs = {name: read_number(subscriptions[name], "msgBacklog") or 0 for name in sorted(subscriptions)}
    consumed = frozenset(name for name, each in subscriptions.items() if read_keys(each, "consumers")[0])
    return TopicUse(partitions, backlogs, len(producers or ()), read_number(document, "storageSize") or 0, consumed)


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"
