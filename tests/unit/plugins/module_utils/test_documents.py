# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.datastax.astra.plugins.module_utils._documents import (
    read_flag,
    read_keys,
    read_number,
    read_texts,
)
from ansible_collections.datastax.astra.plugins.module_utils._errors import ServiceError
from ansible_collections.datastax.astra.plugins.module_utils._pulsar.statistics import interpret_statistics


def test_keys_are_read_in_either_case():
    assert read_keys({"ID": 1, "name": "x"}, "id", "Name", "policy") == [1, "x", None]
    assert read_keys(["not an object"], "id") == [None]


@pytest.mark.parametrize(("value", "number"), [(5, 5), ("5", 5), ("-1", -1), (5.0, 5), (None, None)])
def test_numbers(value, number):
    assert read_number({"Limit": value}, "limit") == number


@pytest.mark.parametrize("value", ["five", [], {}, float("inf")])
def test_what_is_no_number(value):
    with pytest.raises(ServiceError, match="limit that is not a number"):
        read_number({"limit": value}, "limit")


@pytest.mark.parametrize(("value", "flag"), [(True, True), ("false", False), ("True", True), (None, None)])
def test_flags(value, flag):
    assert read_flag({"delete": value}, "delete") is flag


@pytest.mark.parametrize("value", [1, "yes", []])
def test_what_is_no_flag(value):
    with pytest.raises(ServiceError, match="neither true nor false"):
        read_flag({"delete": value}, "delete")


def test_texts():
    assert read_texts({"Actions": ["b", "a"]}, "actions") == ["a", "b"]
    assert read_texts({}, "actions") == []
    for value in ("a", [1], {}):
        with pytest.raises(ServiceError, match="not a list of texts"):
            read_texts({"actions": value}, "actions")


STATISTICS = {
    "publishers": [{"producerName": "exporter"}],
    "subscriptions": {"siem": {"msgBacklog": "7"}, "archive": {}},
    "storageSize": 1024,
}


def test_statistics():
    use = interpret_statistics({**STATISTICS, "metadata": {"partitions": 3}}, is_partitioned=True)
    assert (use.partitions, use.backlogs, use.producers, use.size) == (3, {"archive": 0, "siem": 7}, 1, 1024)
    assert use.describe() == (
        "the subscription archive with 0 events left, the subscription siem with 7 events left, "
        "1 connected producer, 1024 bytes of events"
    )
    assert interpret_statistics(STATISTICS, is_partitioned=False).partitions == 0
    assert interpret_statistics({"subscriptions": {}}, is_partitioned=False).describe() == ""


@pytest.mark.parametrize(
    ("document", "is_partitioned"), [({}, False), (STATISTICS, True), ({"subscriptions": []}, False)]
)
def test_statistics_that_say_nothing_are_an_error(document, is_partitioned):
    with pytest.raises(ServiceError, match="do not show its subscriptions"):
        interpret_statistics(document, is_partitioned)
