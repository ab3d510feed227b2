# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Properties of a topic as a place to remember something, with many writers at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from ansible_collections.datastax.astra.plugins.module_utils._api import Api
from ansible_collections.datastax.astra.plugins.module_utils._errors import AstraError
from ansible_collections.datastax.astra.plugins.module_utils._http import Http
from ansible_collections.datastax.astra.plugins.module_utils._topic_properties import merge_properties, read_properties


@pytest.fixture
def open_api(place):
    """Pulsar's admin API as a role sees it."""
    opened = []

    def open_as(role):
        http = Http(place.admin.url, retries=0)
        opened.append(http)
        return Api(http, place.token(role))

    yield open_as
    for http in opened:
        http.__exit__()


@pytest.mark.parametrize("partitions", [0, 3])
def test_many_writers_at_once_lose_nothing(place, open_api, partitions):
    topic = place.add_topic("other", partitions)
    assert read_properties(open_api("administrator"), topic) == {}
    merge_properties(open_api("administrator"), topic, {"owner": "security", "organization-0": "old"})

    def write(number):
        merge_properties(open_api("administrator"), topic, {f"organization-{number}": f"fingerprint-{number}"})

    with ThreadPoolExecutor(40) as pool:
        list(pool.map(write, range(40)))
    written = {f"organization-{number}": f"fingerprint-{number}" for number in range(40)}
    assert read_properties(open_api("producer"), topic) == {"owner": "security", **written}


@pytest.mark.parametrize("role", ["producer", "consumer", "stranger"])
def test_who_may_not_write_is_told(place, open_api, role):
    with pytest.raises(AstraError, match="may not administer the tenant") as caught:
        merge_properties(open_api(role), place.topic, {"organization": "fingerprint"})
    assert caught.value.result["http_status"] == 401
    assert read_properties(open_api("administrator"), place.topic) == {}


def test_who_may_not_read_is_told(place, open_api):
    with pytest.raises(AstraError, match="401"):
        read_properties(open_api("stranger"), place.topic)


def test_a_topic_that_is_not_there(place, open_api):
    for act in (read_properties, lambda api, topic: merge_properties(api, topic, {"key": "value"})):
        with pytest.raises(AstraError, match="make the topic first"):
            act(open_api("administrator"), place.topic_named("missing"))


def test_they_go_with_the_topic(place, open_api):
    api = open_api("administrator")
    merge_properties(api, place.topic, {"organization": "fingerprint"})
    place.admin.delete(place.path)
    place.add_topic("events")
    assert read_properties(api, place.topic) == {}
