# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sinks: what they are compared by, when their secrets are sent, and whether they work."""

from __future__ import annotations

import json

import pytest
from ansible_collections.datastax.astra.plugins.module_utils._command import STREAMING_SINK, STREAMING_SINK_INFO

from tests.wire.streaming import CLUSTER, NAMESPACE, TENANT, TOPIC, make_tenant, perform, wire
from tests.wire.support import ADMINISTRATOR, ORGANIZATION

PATH = f"/admin/v3/astrasinks/{TENANT}/{NAMESPACE}/siem"
STATUS = f"GET /admin/v3/sinks/{TENANT}/{NAMESPACE}/siem/status"
BUILT_IN = "GET /admin/v3/sinks/builtinsinks"
STATS = f"GET /admin/v2/persistent/{TENANT}/{NAMESPACE}/log/stats"
RECORD = f"GET /v2/streaming/tenants/{TENANT}"
PASSWORD = "very-secret-password"
ROTATED = "another-secret-password"
CONFIGS = {
    "elasticSearchUrl": "https://es:9200",
    "indexName": "audit",
    "bulkActions": 10,
    "ssl": {"enabled": True, "truststorePassword": "truststore-secret"},
    "password": PASSWORD,
}
SHOWN = {
    "elasticSearchUrl": "https://es:9200",
    "indexName": "audit",
    "bulkActions": "10",
    "ssl": {"enabled": "true", "truststorePassword": "********"},
    "password": "********",
}
SINK = {"connector": "elastic_search", "topic": "log", "configs": CONFIGS}
BODY = {
    "tenant": TENANT,
    "namespace": NAMESPACE,
    "name": "siem",
    "archive": "builtin://elastic_search",
    "inputs": [TOPIC],
    "configs": CONFIGS,
    "sourceSubscriptionPosition": "Earliest",
}


@pytest.fixture
def acme(service):
    """The service with a tenant that has a topic."""
    make_tenant(service)
    return service


def sink(service, **options):
    result = perform(service, STREAMING_SINK, **{"namespace": NAMESPACE, "name": "siem", **SINK, **options})
    text = json.dumps(result)
    assert not any(secret in text for secret in (ADMINISTRATOR, PASSWORD, ROTATED, "truststore-secret"))
    return result


def configs(**changes):
    return {**CONFIGS, **changes}


def stored(service) -> dict:
    return service.sink(TENANT, NAMESPACE, "siem")["config"]


def bodies(service) -> list[dict]:
    return [entry["body"] for entry in service.journal() if entry["method"] in ("POST", "PUT")]


def test_creates(acme):
    result = sink(acme)
    assert bodies(acme) == [BODY]
    [made] = [entry for entry in acme.journal() if entry["method"] == "POST"]
    assert made["headers"]["x-datastax-current-org"] == ORGANIZATION
    assert made["headers"]["x-datastax-pulsar-cluster"] == CLUSTER
    assert wire(acme) == [RECORD, f"GET {PATH}", BUILT_IN, f"POST {PATH}", f"GET {PATH}", STATUS, STATS]
    assert (result["changed"], result["action"], result["previous"]) == (True, "created", None)
    assert result["sink"] == {
        "tenant": TENANT,
        "namespace": NAMESPACE,
        "name": "siem",
        "connector": "elastic_search",
        "topic": TOPIC,
        "configs": SHOWN,
        "parallelism": 1,
        "processing_guarantees": "ATLEAST_ONCE",
        "subscription_name": f"{TENANT}/{NAMESPACE}/siem",
        "subscription_position": "Earliest",
    }


def test_again_costs_three_requests(acme):
    sink(acme)
    wire(acme)
    again = sink(acme)
    assert wire(acme) == [RECORD, f"GET {PATH}", STATUS]
    assert (again["changed"], again["action"]) == (False, "none")
    assert again["diff"]["before"] == again["diff"]["after"]
    sink(acme, admin_url=acme.admin_url)
    assert wire(acme) == [f"GET {PATH}", STATUS]


@pytest.mark.parametrize("admin_url", [True, False])
def test_with_the_admin_url_given_the_organization_is_looked_up(acme, admin_url):
    sink(acme, admin_url=acme.admin_url if admin_url else None)
    assert ("GET /v2/currentOrg" in wire(acme)) == admin_url


def test_check_mode_of_a_creation(acme):
    checked = sink(acme, check=True)
    assert wire(acme) == [RECORD, f"GET {PATH}", BUILT_IN]
    real = sink(acme)
    assert checked["sink"].items() <= real["sink"].items()
    assert checked == {**real, "sink": checked["sink"]}


CHANGES = {
    "a number": ({"configs": configs(bulkActions=20)}, {"configs": configs(bulkActions=20)}),
    "below": ({"configs": configs(ssl={"enabled": False})}, None),
    "a new key": ({"configs": configs(maxRetries=3)}, {"configs": configs(maxRetries=3)}),
    "parallelism": ({"parallelism": 2}, {"parallelism": 2}),
}


@pytest.mark.parametrize("strings", [False, True])
@pytest.mark.parametrize(("options", "sent"), CHANGES.values(), ids=CHANGES)
def test_changes_in_place(acme, options, sent, strings):
    acme.settings(numbers_as_strings=strings)
    if sent is None:
        acme.settings(sink_secrets="shown")
    sink(acme)
    wire(acme)
    checked = sink(acme, check=True, **options)
    assert wire(acme) == [RECORD, f"GET {PATH}"]
    result = sink(acme, **options)
    assert checked == result
    assert (result["changed"], result["action"]) == (True, "updated")
    assert result["diff"]["before"] != result["diff"]["after"]
    if sent is not None:
        unchanged = {"parallelism": 1, "processingGuarantees": "ATLEAST_ONCE"}
        assert bodies(acme)[-1] == {**BODY, **unchanged, **sent}
    assert wire(acme) == [RECORD, f"GET {PATH}", f"PUT {PATH}", f"GET {PATH}", STATUS, STATS]
    assert sink(acme, **options)["changed"] is False


def test_keys_that_are_not_given_stay_and_null_removes_one(acme):
    sink(acme)
    given = {"indexName": "audit", "password": PASSWORD, "ssl": {"truststorePassword": "truststore-secret"}}
    assert sink(acme, configs=given)["changed"] is False
    changed = sink(acme, configs={**given, "indexName": "other", "bulkActions": None})
    assert changed["action"] == "updated"
    left = {key: value for key, value in CONFIGS.items() if key != "bulkActions"}
    assert stored(acme)["configs"] == {**left, "indexName": "other"}
    assert sink(acme, configs={**given, "indexName": "other", "bulkActions": None})["changed"] is False


@pytest.mark.parametrize(
    "change",
    [
        {"connector": "kafka"},
        {"topic": "other"},
        {"processing_guarantees": "EFFECTIVELY_ONCE"},
        {"subscription_name": "other"},
    ],
    ids=lambda change: next(iter(change)),
)
@pytest.mark.parametrize("check", [True, False])
def test_what_cannot_be_changed_is_refused(acme, change, check):
    sink(acme)
    wire(acme)
    result = sink(acme, check=check, **change)
    assert result["msg"] == f"{next(iter(change))} of sink acme/audit/siem cannot be changed."
    assert wire(acme) == [RECORD, f"GET {PATH}"]


def test_the_position_matters_only_at_first(acme):
    sink(acme, subscription_position="Latest")
    assert sink(acme)["changed"] is False


class TestSecrets:
    """4.2 of the design, for a sink: what Astra masks cannot be compared, and is never taken for a change."""

    def test_a_masked_secret_is_no_change(self, acme):
        """The vendor's Terraform provider plans to replace the sink."""
        sink(acme)
        result = sink(acme, configs=configs(password=ROTATED))
        assert result["changed"] is False
        assert stored(acme)["configs"]["password"] == PASSWORD
        [warning] = result["warnings"]
        assert warning.startswith("configs.password, configs.ssl.truststorePassword of sink acme/audit/siem could not")

    def test_it_is_sent_with_every_other_change(self, acme):
        sink(acme)
        result = sink(acme, configs=configs(password=ROTATED, indexName="other"))
        assert stored(acme)["configs"]["password"] == ROTATED
        assert result["diff"]["after"]["configs"]["password"] == "******** (sent again)"
        assert "warnings" not in result

    def test_always_sends_it_and_says_changed(self, acme):
        sink(acme)
        checked = sink(acme, check=True, configs=configs(password=ROTATED), update_secrets="always")
        result = sink(acme, configs=configs(password=ROTATED), update_secrets="always")
        assert checked == result
        assert (result["changed"], result["action"]) == (True, "updated")
        assert stored(acme)["configs"]["password"] == ROTATED
        assert result["diff"]["before"] != result["diff"]["after"]
        assert "was sent again" in result["warnings"][0]

    def test_always_without_a_secret_sends_nothing(self, acme):
        plain = {"elasticSearchUrl": "https://es:9200", "indexName": "audit"}
        sink(acme, configs=plain)
        assert sink(acme, configs=plain, update_secrets="always")["changed"] is False

    def test_an_update_without_a_difference_is_survived(self, acme):
        sink(acme)
        acme.fault(match={"method": "PUT"}, status=400, body={"reason": "Update contains no change"})
        result = sink(acme, update_secrets="always")
        assert (result["changed"], "failed" in result) == (True, False)

    def test_on_create_never_sends_it_for_its_own_sake(self, acme):
        sink(acme)
        result = sink(acme, configs=configs(password=ROTATED), update_secrets="on_create")
        assert (result["changed"], "warnings" in result) == (False, False)

    def test_one_that_is_shown_is_compared(self, acme):
        acme.settings(sink_secrets="shown")
        sink(acme)
        assert sink(acme)["changed"] is False
        result = sink(acme, configs=configs(password=ROTATED))
        assert result["action"] == "updated"
        assert result["previous"]["configs"]["password"] == result["sink"]["configs"]["password"] == "********"
        assert result["diff"]["before"] != result["diff"]["after"]
        assert stored(acme)["configs"]["password"] == ROTATED

    def test_nobody_needs_it_when_nothing_is_written(self, acme):
        sink(acme)
        result = sink(acme, configs={"indexName": "audit"})
        assert (result["changed"], "warnings" in result) == (False, False)

    @pytest.mark.parametrize("password", [None, "********"])
    def test_a_write_that_would_lose_it_is_refused(self, acme, password):
        sink(acme)
        wire(acme)
        given = {key: value for key, value in CONFIGS.items() if key != "password"}
        given.update({"indexName": "other"}, **({"password": password} if password else {}))
        result = sink(acme, configs=given)
        assert "configs.password is needed" in result["msg"]
        assert "nothing was sent" in result["msg"]
        assert wire(acme) == [RECORD, f"GET {PATH}"]
        checked = sink(acme, check=True, configs=given)
        assert (checked["action"], "configs.password was not given" in checked["warnings"][-1]) == ("updated", True)

    def test_the_mask_is_never_stored(self, acme):
        assert "configs.password is needed" in sink(acme, configs=configs(password="********"))["msg"]
        assert "POST" not in " ".join(wire(acme))

    @pytest.mark.parametrize(
        "value",
        [
            {"authParams": "token:eyJhbGciOiJub25lIn0.e30.c2ln"},
            {"url": "https://user:hidden-password@es:9200"},
            {"headers": {"Authorization": "Bearer x", "X-Api-Key": "hidden-password"}},
            {"awsCredentialPluginParam": '{"accessKey": "a", "secretKey": "hidden-password"}'},
            {"producerConfigProperties": {"sasl.jaas.config": "x required password=hidden-password;"}},
            {"jdbcUrl": "jdbc:postgresql://db/audit?user=u&password=hidden-password"},
            {"cloud.secureConnectBundle": "base64:aGlkZGVu"},
        ],
        ids=lambda value: next(iter(value)),
    )
    def test_what_looks_like_a_secret_is_shown_nowhere(self, acme, value):
        result = sink(acme, check=True, connector="jdbc-postgres", configs=value)
        text = json.dumps(result)
        assert not any(secret in text for secret in ("eyJ", "hidden-password", "aGlkZGVu"))
        assert "********" in text


class TestWorking:
    """Astra accepts what then fails, and says that it runs before it consumes."""

    def test_waits_for_the_consumer(self, acme):
        acme.settings(sink_consumer_lag=0.6)
        sink(acme)
        assert wire(acme).count(STATS) > 1

    def test_without_wait_nothing_is_looked_at(self, acme):
        sink(acme, wait=False)
        assert wire(acme)[-1] == f"POST {PATH}"

    @pytest.mark.parametrize(
        ("options", "words"),
        [
            ({"configs": configs(nonsense="x")}, 'Unrecognized field "nonsense"'),
            ({"configs": {"indexName": "audit"}}, "Required elasticSearchUrl not set"),
            ({"topic": "nowhere"}, "TopicDoesNotExistException"),
        ],
    )
    def test_a_failure_is_told_in_the_connectors_words_each_time(self, acme, options, words):
        result = sink(acme, **options)
        assert (result["failed"], result["changed"]) == (True, True)
        assert result["msg"].startswith(
            "The service accepted the change, but then: The connector of sink acme/audit/siem"
        )
        assert words in result["msg"]
        for check in (True, False):
            again = sink(acme, check=check, **options)
            assert (again["failed"], again["changed"], words in again["msg"]) == (True, False, True)

    def test_it_is_mended_in_place(self, acme):
        sink(acme, configs=configs(nonsense="x"))
        assert sink(acme, configs=configs(nonsense=None))["action"] == "updated"
        assert sink(acme)["changed"] is False

    def test_words_from_before_the_change_are_not_believed_at_once(self, acme):
        old = {"instances": [{"status": {"running": False, "error": "of the time before"}}]}
        acme.fault(match={"path": "/status$"}, times=2, status=200, body=old)
        assert sink(acme)["action"] == "created"

    def test_a_secret_in_the_connectors_words_is_masked(self, acme):
        said = {"instances": [{"status": {"running": False, "error": f"cannot log in with {PASSWORD}"}}]}
        acme.fault(match={"path": "/status$"}, times=None, status=200, body=said)
        assert "cannot log in with ********." in sink(acme)["msg"]

    def test_one_that_stands_still_is_named(self, acme):
        sink(acme)
        acme.refuse_sink(TENANT, NAMESPACE, "siem")
        result = sink(acme)
        assert (result["changed"], result["warnings"][-1]) == (
            False,
            "sink acme/audit/siem is as asked, but it does not run.",
        )
        timed_out = sink(acme, parallelism=2, wait_timeout=1)
        assert "(it does not run)" in timed_out["msg"]

    def test_exceptions_of_one_that_runs_are_a_warning_later(self, acme):
        sink(acme)
        exceptions = [{"exceptionString": "index is read-only", "timestampMs": 1}]
        state = {"running": True, "error": "", "latestSystemExceptions": None, "latestSinkExceptions": exceptions}
        acme.fault(match={"path": "/status$"}, times=None, status=200, body={"instances": [{"status": state}]})
        assert "its connector said: index is read-only" in sink(acme)["warnings"][-1]
        assert "failed: index is read-only." in sink(acme, parallelism=2)["msg"]

    def test_a_partitioned_topic(self, service):
        make_tenant(service, namespaces=[{"name": NAMESPACE, "topics": [{"name": "log", "partitions": 2}]}])
        assert sink(service)["action"] == "created"
        assert wire(service)[-1].endswith("/partitioned-stats")


def test_a_connector_that_the_cluster_does_not_have(acme):
    for check in (True, False):
        result = sink(acme, check=check, connector="splunk")
        assert result["msg"].startswith("The cluster has no connector splunk. It has bigquery, cassandra-enhanced, ")
    assert "POST" not in " ".join(wire(acme))


@pytest.mark.parametrize("check", [True, False])
def test_absent(acme, check):
    sink(acme)
    wire(acme)
    result = sink(acme, state="absent", check=check)
    assert (result["changed"], result["action"], result["sink"]) == (True, "deleted", None)
    assert result["previous"]["configs"] == SHOWN
    assert wire(acme) == [RECORD, f"GET {PATH}", *([] if check else [f"DELETE {PATH}", f"GET {PATH}"])]
    again = sink(acme, state="absent", check=check)
    assert again["changed"] is check


def test_absent_needs_its_name_alone(acme):
    sink(acme)
    result = perform(acme, STREAMING_SINK, namespace=NAMESPACE, name="siem", state="absent")
    assert result["action"] == "deleted"


def test_a_refused_removal_fails(acme):
    sink(acme)
    acme.fault(match={"method": "DELETE"}, times=None, status=403, body={"reason": "no"})
    result = sink(acme, state="absent")
    assert (result["failed"], result["changed"], result["http_status"]) == (True, False, 403)


@pytest.mark.parametrize("state", ["present", "absent"])
def test_without_the_tenant(service, state):
    result = sink(service, state=state)
    if state == "absent":
        assert result["action"] == "none"
    else:
        assert result["msg"].startswith("There is no tenant acme on cluster pulsar-aws-useast2: make it first")
        checked = sink(service, check=True)
        assert (checked["action"], checked["warnings"]) == ("created", [result["msg"]])


def test_info(acme):
    made = sink(acme)["sink"]
    listed = perform(acme, STREAMING_SINK_INFO, namespace=NAMESPACE)
    assert listed == {"changed": False, "sinks": [made]}
    shown = perform(acme, STREAMING_SINK_INFO, namespace=NAMESPACE, name="siem")
    assert shown == {"changed": False, "exists": True, "sink": made}
    assert perform(acme, STREAMING_SINK_INFO, namespace=NAMESPACE, name="other")["exists"] is False
    acme.settings(sink_secrets="shown")
    assert PASSWORD not in json.dumps(perform(acme, STREAMING_SINK_INFO, namespace=NAMESPACE))


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"connector": None, "topic": None}, "connector and topic must be given to create sink acme/audit/siem."),
        ({"topic": "non-persistent://acme/audit/log"}, "topic is non-persistent"),
        ({"name": "../other"}, "name is not a sink's name"),
    ],
)
def test_mistakes(acme, options, problem):
    assert problem in sink(acme, **options)["msg"]


@pytest.mark.parametrize("fault", [{"drop": "after"}, {"status": 504, "apply": True}, {"status": 500, "apply": True}])
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_a_lost_answer_is_decided_by_a_look(acme, method, fault):
    if method != "POST":
        sink(acme)
    acme.fault(match={"method": method}, **fault)
    options = {"state": "absent"} if method == "DELETE" else {"parallelism": 2}
    result = sink(acme, **options)
    if fault.get("status") == 500:
        assert (result["failed"], result["changed"]) == (True, True)
        assert sink(acme, **options)["changed"] is False
    else:
        assert result["changed"]
        assert "failed" not in result


def test_somebody_else_made_it_meanwhile(acme):
    acme.fault(match={"method": "POST"}, status=400, body={"reason": "Sink siem already exists"}, apply=True)
    result = sink(acme)
    assert (result["action"], "failed" in result) == ("none", False)
