# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sinks in memory, in either form of their API."""

from __future__ import annotations

import json

import pytest

from tests.emulator.support import ORGANIZATION, STREAMING_HEADERS, TOPIC, call_admin, wait_until

SINK = "acme/audit/siem"
CONFIGS = {"elasticSearchUrl": "https://es:9200", "indexName": "audit", "username": "u", "password": "secret"}
CONFIG = {"archive": "builtin://elastic_search", "inputs": [TOPIC], "configs": CONFIGS}


@pytest.fixture
def acme(emulator):
    """An emulator with a tenant that has a topic."""
    emulator.set_tenant(ORGANIZATION, "acme", namespaces=[{"name": "audit", "topics": [{"name": "log"}]}])
    return emulator


def astra(emulator, method, path=SINK, body=None, **headers):
    """Send a request in Astra's form."""
    return call_admin(
        emulator, method, f"/admin/v3/astrasinks/{path}", body=body, headers={**STREAMING_HEADERS, **headers}
    )


def pulsar(emulator, method, path=SINK, config=None, part="sinkConfig"):
    """Send a request in Pulsar's form."""
    if config is None:
        return call_admin(emulator, method, f"/admin/v3/sinks/{path}")
    content = (
        f'--b\r\nContent-Disposition: form-data; name="{part}"\r\nContent-Type: application/json\r\n\r\n'
        f"{json.dumps(config)}\r\n--b--\r\n"
    )
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    return call_admin(emulator, method, f"/admin/v3/sinks/{path}", body=content.encode(), headers=headers)


@pytest.mark.parametrize("form", ["astra", "pulsar"])
def test_a_sink_comes_changes_and_goes(acme, form):
    send, deleted = (astra, 200) if form == "astra" else (pulsar, 204)
    body = "body" if form == "astra" else "config"
    assert send(acme, "POST", **{body: CONFIG}).status == 204
    assert send(acme, "POST", **{body: CONFIG}).reason == "Sink siem already exists"
    shown = send(acme, "GET").json
    assert shown["configs"] == {**CONFIGS, "password": "********"}
    assert (shown["inputs"], shown["parallelism"], shown["sourceSubscriptionPosition"]) == ([TOPIC], 1, "Latest")
    assert pulsar(acme, "GET", "acme/audit").json == ["siem"]
    status = pulsar(acme, "GET", f"{SINK}/status").json
    assert (status["numInstances"], status["numRunning"], status["instances"][0]["status"]["running"]) == (1, 1, True)
    assert pulsar(acme, "GET", f"{SINK}/0/status").json["running"] is True

    assert send(acme, "PUT", **{body: CONFIG}).reason == "Update contains no change"
    assert send(acme, "PUT", **{body: {"parallelism": 2}}).status == 204
    assert pulsar(acme, "GET", f"{SINK}/status").json["numInstances"] == 2
    assert acme.sink(*SINK.split("/"))["config"]["configs"] == CONFIGS
    assert send(acme, "DELETE").status == deleted
    assert send(acme, "DELETE").reason == "Sink siem doesn't exist"
    assert send(acme, "GET").status == 404
    assert send(acme, "PUT", **{body: CONFIG}).status == 404
    assert call_admin(acme, "GET", "persistent/acme/audit/log/subscriptions").json == []


def test_what_is_published_arrives(acme):
    acme.publish(TOPIC, "before")
    astra(acme, "POST", body={**CONFIG, "sourceSubscriptionName": "siem"})
    acme.publish(TOPIC, {"event": 1})
    acme.publish(TOPIC, "text")
    assert acme.sink(*SINK.split("/"))["written"] == [{"event": 1}, "text"]
    assert call_admin(acme, "GET", "persistent/acme/audit/log/stats").json["subscriptions"]["siem"]["msgBacklog"] == 0
    status = pulsar(acme, "GET", f"{SINK}/0/status").json
    assert (status["numReadFromPulsar"], status["numWrittenToSink"]) == (2, 2)


def test_earliest_finds_what_was_kept(acme):
    call_admin(acme, "PUT", "persistent/acme/audit/log/subscription/keeper", body="earliest")
    acme.publish(TOPIC, "before")
    astra(acme, "POST", body={**CONFIG, "sourceSubscriptionPosition": "Earliest"})
    assert acme.sink(*SINK.split("/"))["written"] == ["before"]


def test_it_runs_before_it_consumes(acme):
    acme.settings(sink_consumer_lag=0.3)
    astra(acme, "POST", body={**CONFIG, "sourceSubscriptionName": "siem"})
    assert pulsar(acme, "GET", f"{SINK}/status").json["numRunning"] == 1
    stats = call_admin(acme, "GET", "persistent/acme/audit/log/stats").json
    assert stats["subscriptions"]["siem"]["consumers"] == []

    def has_consumer():
        shown = call_admin(acme, "GET", "persistent/acme/audit/log/stats").json
        return shown["subscriptions"]["siem"]["consumers"]

    wait_until(has_consumer)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"inputs": ["persistent://acme/audit/nosuch"]}, "TopicDoesNotExistException"),
        ({"inputs": ["persistent://other/audit/log"]}, "TopicDoesNotExistException"),
        ({"configs": {**CONFIGS, "pasword": "x"}}, 'Unrecognized field "pasword"'),
        ({"configs": {"indexName": "audit"}}, "Required elasticSearchUrl not set"),
    ],
)
def test_it_accepts_and_then_fails(acme, changes, words):
    assert astra(acme, "POST", body={**CONFIG, **changes}).status == 204
    status = pulsar(acme, "GET", f"{SINK}/status").json
    assert status["numRunning"] == 0
    assert status["instances"][0]["status"]["running"] is False
    assert words in status["instances"][0]["status"]["error"]


def test_a_target_that_refuses_shows_in_the_backlog_only(acme):
    astra(acme, "POST", body={**CONFIG, "sourceSubscriptionName": "siem"})
    acme.refuse_sink(*SINK.split("/"))
    acme.publish(TOPIC, "x")
    instance = pulsar(acme, "GET", f"{SINK}/0/status").json
    assert (instance["running"], instance["error"], instance["numRestarts"], instance["numSinkExceptions"]) == (
        False,
        "",
        0,
        0,
    )
    assert call_admin(acme, "GET", "persistent/acme/audit/log/stats").json["subscriptions"]["siem"]["msgBacklog"] == 1
    acme.refuse_sink(*SINK.split("/"), refuses=False)
    assert acme.sink(*SINK.split("/"))["written"] == ["x"]


def test_a_sink_is_stopped_and_started(acme):
    astra(acme, "POST", body=CONFIG)
    assert pulsar(acme, "POST", f"{SINK}/stop").status == 204
    acme.publish(TOPIC, "x")
    assert pulsar(acme, "GET", f"{SINK}/status").json["numRunning"] == 0
    assert acme.sink(*SINK.split("/"))["written"] == []
    assert pulsar(acme, "POST", f"{SINK}/start").status == 204
    assert acme.sink(*SINK.split("/"))["written"] == ["x"]
    assert pulsar(acme, "POST", f"{SINK}/restart").status == 204
    assert pulsar(acme, "POST", f"{SINK}/dance").status == 404


@pytest.mark.parametrize(
    ("changes", "status", "reason"),
    [
        ({"archive": "builtin://http"}, 400, "Built-in sink is not available"),
        ({"archive": "file:///x"}, 400, "Built-in sink is not available"),
        ({"inputs": []}, 400, "inputs must be a list of strings that is not empty."),
        ({"parallelism": 0}, 400, "Sink parallelism must be a positive number"),
        ({"parallelism": "1"}, 400, "parallelism must be a whole number."),
        ({"processingGuarantees": "ONCE"}, 400, "processingGuarantees must be ATLEAST_ONCE or"),
        ({"sourceSubscriptionPosition": "earliest"}, 400, "sourceSubscriptionPosition must be Earliest or Latest."),
        ({"retries": 1}, 400, "Unknown field retries."),
        ({"name": "other"}, 400, "name differs from the one in the path."),
        ({"tenant": "other"}, 400, "tenant differs from the one in the path."),
    ],
)
def test_a_bad_sink_is_refused(acme, changes, status, reason):
    refused = astra(acme, "POST", body={**CONFIG, **changes})
    assert refused.status == status
    assert refused.reason.startswith(reason)


def test_each_form_has_its_own_content_type(acme):
    assert call_admin(acme, "POST", f"/admin/v3/sinks/{SINK}", body=CONFIG).status == 415
    assert pulsar(acme, "POST", config=CONFIG, part="other").status == 400
    assert astra(acme, "POST", body=json.dumps(CONFIG).encode(), **{"Content-Type": "text/plain"}).status == 415
    assert astra(acme, "POST", "acme/nosuch/siem", body=CONFIG).status == 404


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
def test_astra_s_form_needs_its_headers(acme, method):
    for name in STREAMING_HEADERS:
        kept = {key: value for key, value in STREAMING_HEADERS.items() if key != name}
        answer = call_admin(acme, method, f"/admin/v3/astrasinks/{SINK}", body=CONFIG, headers=kept)
        expected = 404 if method == "GET" and name == "X-DataStax-Current-Org" else 400
        assert answer.status == expected


def test_inputs_cannot_be_altered(acme):
    astra(acme, "POST", body=CONFIG)
    assert (
        astra(acme, "PUT", body={"inputs": ["persistent://acme/audit/other"]}).reason
        == "Input Topics cannot be altered"
    )


def test_which_connectors_there_are(acme):
    names = {each["name"] for each in call_admin(acme, "GET", "/admin/v3/sinks/builtinsinks").json}
    assert {"elastic_search", "kafka", "cloud-storage", "snowflake"} <= names
    assert "http" not in names


def test_secrets_and_strings(acme):
    configs = {
        "bootstrapServers": "k:9092",
        "topic": "t",
        "batchSize": 5,
        "producerConfigProperties": {"sasl.jaas.config": "s"},
    }
    astra(acme, "POST", body={**CONFIG, "archive": "builtin://kafka", "configs": configs})
    masked = {**configs, "producerConfigProperties": {"sasl.jaas.config": "********"}}
    assert astra(acme, "GET").json["configs"] == masked
    acme.settings(sink_secrets="shown", numbers_as_strings=True)
    assert astra(acme, "GET").json["configs"] == {**configs, "batchSize": "5"}
