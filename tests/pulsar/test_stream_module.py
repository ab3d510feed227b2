# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the module of the stream asks the broker: to verify the destination, and to remember fingerprints."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from ansible_collections.datastax.astra.plugins.module_utils._secrets import compute_fingerprint

from tests.wire.support import ORGANIZATION, OTHER_ORGANIZATION, STRANGER, methods, run, seeded


@pytest.fixture(scope="module")
def _emulator():
    with seeded() as emulator:
        yield emulator


@pytest.fixture
def service(_emulator):
    _emulator.reset()
    return _emulator


@pytest.fixture
def apply(service, broker, place):
    """Run the module for the topic of this test."""

    def run_module(role="administrator", **options):
        given = {
            "endpoint": broker.broker_tls_url,
            "topic": place.topic,
            "pulsar_token": place.token(role),
            "web_service_url": broker.admin_url,
            "ca_path": broker.ca_path,
            **options,
        }
        return run(service, **given)

    return run_module


class TestVerification:
    @pytest.mark.parametrize("check", [True, False])
    def test_what_the_broker_takes_is_configured(self, apply, service, check):
        result = apply("producer", verify_destination=True, check=check)
        assert (result["action"], result.get("warnings")) == ("created", None)
        assert methods(service) == (["GET", "ORG"] if check else ["GET", "ORG", "POST", "GET"])

    @pytest.mark.parametrize("check", [True, False])
    @pytest.mark.parametrize(
        ("changed", "reason"),
        [
            ({"role": "consumer"}, "no right to produce"),
            ({"role": "stranger"}, "no right"),
            ({"topic": "nowhere"}, "does not exist"),
            ({"pulsar_token": "expires"}, "does not accept the token"),
        ],
        ids=["consumer", "stranger", "no topic", "wrong key"],
    )
    def test_what_the_broker_refuses_is_not(self, apply, service, place, changed, reason, check):
        if "topic" in changed:
            changed = {"topic": place.topic_named("nowhere")}
        if "pulsar_token" in changed:
            head, claims, _signature = place.token("producer").split(".")
            changed = {"pulsar_token": f"{head}.{claims}.bm90LXNpZ25lZA"}
        result = apply(**{"role": "producer", **changed}, verify_destination=True, check=check)
        assert (result["failed"], result["changed"]) == (True, False)
        assert "The events would not arrive, so nothing was sent" in result["msg"]
        assert reason in result["msg"]
        assert "POST" not in methods(service)

    def test_a_broker_out_of_reach_is_a_warning(self, apply):
        result = apply(verify_destination=True, endpoint="pulsar+ssl://127.0.0.1:1")
        assert result["action"] == "created"
        assert any("could not be tried from here" in warning for warning in result["warnings"])

    def test_nobody_asks_when_nothing_is_written(self, apply):
        apply("consumer")
        assert apply("consumer", verify_destination=True)["action"] == "none"


class TestTopicStore:
    def test_a_rotated_token_is_sent_exactly_once(self, apply, place):
        store = {"fingerprint_store": "topic"}
        assert apply(pulsar_token=place.token("administrator"), **store)["action"] == "created"
        token = place.token("administrator", jti=uuid.uuid4().hex)
        assert apply(pulsar_token=token, **store)["action"] == "updated"
        unchanged = apply(pulsar_token=token, **store)
        assert (unchanged["action"], unchanged["token_compared"]) == ("none", True)
        assert unchanged["token_fingerprint"] == compute_fingerprint(ORGANIZATION, token)
        assert apply(pulsar_token=token, check=True, **store)["action"] == "none"

    def test_a_stream_older_than_the_store_is_sent_once(self, apply, place):
        token = place.token("administrator")
        assert apply(pulsar_token=token)["action"] == "created"
        assert apply(pulsar_token=token, fingerprint_store="topic")["action"] == "updated"
        assert apply(pulsar_token=token, fingerprint_store="topic")["action"] == "none"

    def test_a_token_that_may_not_write_is_sent_each_time_and_that_is_said(self, apply, place):
        token = place.token("producer")
        for action in ("created", "updated", "updated"):
            result = apply(pulsar_token=token, fingerprint_store="topic")
            assert result["action"] == action
            assert any("cannot be written" in warning for warning in result["warnings"])
            assert token not in str(result)

    def test_two_organizations_at_one_topic_do_not_lose_each_others_entry(self, apply, place):
        token = place.token("administrator")
        options = [{}, {"organization_id": OTHER_ORGANIZATION, "application_token": STRANGER}]
        with ThreadPoolExecutor(2) as pool:
            runs = [pool.submit(apply, pulsar_token=token, fingerprint_store="topic", **each) for each in options]
            assert [each.result()["action"] for each in runs] == ["created", "created"]
        for each in options:
            assert apply(pulsar_token=token, fingerprint_store="topic", **each)["action"] == "none"
        assert len(place.admin.get(f"{place.path}/properties")) == 2

    def test_absent_forgets_where_it_can(self, apply, place):
        token = place.token("administrator")
        apply(pulsar_token=token, fingerprint_store="topic")
        assert apply(pulsar_token=token, fingerprint_store="topic", state="absent")["action"] == "deleted"
        assert place.admin.get(f"{place.path}/properties") == {}
        result = apply(pulsar_token=None, topic=None, fingerprint_store="topic", state="absent")
        assert any("properties were left alone" in warning for warning in result["warnings"])

    def test_it_needs_the_admin_api(self, apply, service):
        result = apply(fingerprint_store="topic", web_service_url=None)
        assert "web_service_url is needed with fingerprint_store topic" in result["msg"]
        assert methods(service) == []
