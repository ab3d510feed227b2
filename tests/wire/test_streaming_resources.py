# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What tenants, namespaces, topics and roles have of their own, besides the ladder and the faults of all resources."""

from __future__ import annotations

import time

import pytest
from ansible_collections.datastax.astra.plugins.module_utils._command import (
    ROLE,
    ROLE_INFO,
    STREAMING_NAMESPACE,
    STREAMING_NAMESPACE_INFO,
    STREAMING_TENANT,
    STREAMING_TENANT_INFO,
    STREAMING_TOPIC,
    STREAMING_TOPIC_INFO,
)

from tests.wire.resources import (
    CLUSTER,
    NAMESPACE,
    READ_TENANT,
    ROWS,
    TENANT,
    TOPIC,
    TOPICS,
    find_namespace,
    find_tenant,
    find_topic,
    make_tenant,
    requests,
)
from tests.wire.support import ENTERPRISE, ORGANIZATION, OTHER_ORGANIZATION, READER, run, seeded

OTHER_CLUSTER = "pulsar-gcp-uscentral1"
FULL_NAME = f"persistent://{TENANT}/audit/events"
STREAMING_ROWS = ("tenant", "namespace", "topic")


def tenant(service, **options):
    """Run the module of tenants."""
    return run(service, command=STREAMING_TENANT, **{**ROWS["tenant"].options, **options})


def namespace(service, **options):
    """Run the module of namespaces."""
    return run(service, command=STREAMING_NAMESPACE, **{"tenant": TENANT, "name": "audit", **options})


def topic(service, **options):
    """Run the module of topics."""
    place = {"tenant": TENANT, "namespace": "audit", "name": "events"}
    return run(service, command=STREAMING_TOPIC, **{**place, **options})


def role(service, **options):
    """Run the module of roles."""
    return run(service, command=ROLE, **{**ROWS["role"].options, **options})


def writes(service) -> list[str]:
    """The requests that change something, without their bodies."""
    return [" ".join(each.split(" ")[:2]) for each in requests(service) if not each.startswith("GET ")]


def headers(service) -> list[tuple[str, str | None]]:
    """The path of each request, and the cluster that its header names."""
    return [(each["path"], each["headers"].get("x-datastax-pulsar-cluster")) for each in service.journal()]


@pytest.fixture
def stocked(service):
    """The service with a tenant, an empty namespace and a topic that has a subscription."""
    make_tenant(service, {"name": "audit", "topics": [{"name": "events", "subscriptions": {"siem": "earliest"}}]})
    return service


class TestTenant:
    def test_the_same_name_on_two_clusters_is_two_tenants(self, service):
        service.set_tenant(ORGANIZATION, TENANT, OTHER_CLUSTER, namespaces=[{"name": "theirs"}])
        service.clear_journal()
        assert tenant(service)["action"] == "created"
        assert tenant(service, state="absent", force=True)["action"] == "deleted"
        assert find_tenant(service) is None
        assert service.tenant(TENANT, OTHER_CLUSTER)["namespaces"]

    def test_a_record_of_another_cluster_is_not_believed(self, service):
        make_tenant(service)
        record = {"tenantName": TENANT, "clusterName": OTHER_CLUSTER, "status": "active"}
        service.fault(match={"path": f"/tenants/{TENANT}$"}, times=None, status=200, body=record)
        for options in ({}, {"state": "absent", "force": True}):
            result = tenant(service, **options)
            assert result["failed"]
            assert f"shows tenant {TENANT} of cluster {OTHER_CLUSTER} instead: check cluster." in result["msg"]
        assert writes(service) == []

    def test_the_name_of_the_cluster_and_its_urls_are_never_computed(self):
        cluster = "dedicated-7-staging"
        state = {"clusters": [{"name": cluster, "provider": "aws", "region": "us-east-2"}]}
        with seeded(state=state) as service:
            result = tenant(service, cluster=cluster)
            assert result["tenant"]["cluster"] == cluster
            assert result["tenant"]["web_service_url"] == service.admin_url
            assert namespace(service, cluster=cluster)["action"] == "created"
            assert {shown for path, shown in headers(service) if path != "/v2/currentOrg"} == {cluster}
            assert {entry["server"] for entry in service.journal() if "/admin/" in entry["path"]} == {"admin"}
            assert tenant(service, cluster=cluster, state="absent", force=True)["action"] == "deleted"
            assert writes(service)[-1] == f"DELETE /v2/streaming/tenants/{TENANT}/clusters/{cluster}"

    @pytest.mark.parametrize("shown", ["useast2", "us-east-2"])
    @pytest.mark.parametrize("accepted", ["either", "useast2", "us-east-2"])
    def test_the_spelling_of_the_region_does_not_matter(self, service, shown, accepted):
        service.settings(region_shown=shown, region_accepted=accepted)
        assert tenant(service)["action"] == "created"
        assert tenant(service)["changed"] is False

    @pytest.mark.parametrize("setting", [{"creation_status": "200"}, {"creation_status": "201"}])
    def test_either_status_of_a_creation(self, service, setting):
        service.settings(**setting)
        assert tenant(service)["action"] == "created"

    def test_it_waits_until_the_tenant_is_active(self, service):
        service.settings(tenant_create_lag=0.7)
        result = tenant(service)
        assert (result["action"], result["tenant"]["status"]) == ("created", "active")

    def test_without_waiting_it_says_what_was_asked(self, service):
        service.settings(tenant_create_lag=0.7)
        assert tenant(service, wait=False)["tenant"] == {"name": TENANT}
        # What an earlier run has started is waited for all the same.
        result = tenant(service)
        assert (result["changed"], result["tenant"]["status"]) == (False, "active")

    def test_the_wait_is_bounded(self, service):
        service.settings(tenant_create_lag=60)
        started = time.monotonic()
        result = tenant(service, wait_timeout=1)
        assert time.monotonic() - started < 5
        assert (result["failed"], result["changed"]) == (True, True)
        assert "after 1 seconds GET does not show it (its status is creating)" in result["msg"]
        result = tenant(service, wait_timeout=1)
        assert (result["failed"], result["changed"]) == (True, False)
        assert f"tenant {TENANT} is not ready (its status is creating)" in result["msg"]
        result = tenant(service, check=True)
        assert (result["changed"], result["tenant"]["status"]) == (False, "creating")

    def test_it_waits_until_the_tenant_is_gone(self, service):
        service.settings(tenant_delete_lag=0.7)
        make_tenant(service)
        assert tenant(service, state="absent")["action"] == "deleted"
        assert find_tenant(service) is None

    def test_a_tenant_that_is_going_is_made_again(self, service):
        service.settings(tenant_delete_lag=0.7)
        make_tenant(service)
        assert tenant(service, state="absent", wait=False)["action"] == "deleted"
        assert tenant(service)["action"] == "created"

    def test_the_wait_for_its_end_is_bounded(self, service):
        service.settings(tenant_delete_lag=60)
        make_tenant(service)
        result = tenant(service, state="absent", wait_timeout=1)
        assert (result["failed"], result["changed"]) == (True, True)
        assert "it is still there" in result["msg"]

    def test_the_email_address_is_needed_to_create_and_never_compared(self, service):
        for check in (True, False):
            result = tenant(service, user_email=None, check=check)
            assert result["msg"] == f"user_email must be given to create tenant {TENANT}."
        assert writes(service) == []
        tenant(service)
        assert tenant(service, user_email="somebody.else@example.com")["changed"] is False
        assert tenant(service, user_email=None)["changed"] is False

    def test_a_name_that_another_organization_has(self, service):
        service.set_tenant(OTHER_ORGANIZATION, TENANT)
        result = tenant(service)
        assert (result["failed"], result["changed"], result["http_status"]) == (True, False, 409)
        assert "Tenant already exists: the name may be taken on this cluster" in result["msg"]

    def test_one_tenant_too_many(self, service):
        service.settings(tenant_limit=0)
        result = tenant(service)
        assert (result["failed"], result["changed"]) == (True, False)
        assert "Exceeded the tenant limit for this organization" in result["msg"]

    @pytest.mark.parametrize("check", [True, False])
    def test_what_holds_data_is_kept(self, service, check):
        make_tenant(service, {"name": "audit"}, {"name": "other"})
        result = tenant(service, state="absent", check=check)
        assert (result["failed"], result["changed"]) == (True, False)
        assert result["msg"] == (
            f"tenant {TENANT} is not removed, because it has the namespaces audit, other with all topics. "
            "Set force to true to lose that."
        )
        assert writes(service) == []
        assert tenant(service, state="absent", force=True, check=check)["action"] == "deleted"

    def test_the_default_namespace_counts_when_it_has_a_topic(self, service):
        make_tenant(service, {"name": "default", "topics": [{"name": "events"}]})
        assert "the namespace default" in tenant(service, state="absent")["msg"]

    def test_a_refused_removal_fails(self, service):
        make_tenant(service)
        service.fault(match={"method": "DELETE"}, times=None, status=409, body={"reason": "It has a CDC configuration"})
        result = tenant(service, state="absent")
        assert (result["failed"], result["changed"], result["http_status"]) == (True, False, 409)
        assert "It has a CDC configuration" in result["msg"]

    @pytest.mark.parametrize("status", ["401", "403"])
    def test_a_token_without_the_permission(self, service, status):
        service.settings(missing_permission=status)
        result = tenant(service, application_token=READER)
        assert (result["failed"], result["http_status"]) == (True, int(status))
        assert ("org-stream-manage" if status == "403" else "application token") in result["msg"]

    def test_the_token_of_an_enterprise(self, service):
        assert tenant(service, application_token=ENTERPRISE)["failed"]

    def test_info(self, service):
        make_tenant(service)
        service.set_tenant(ORGANIZATION, "other", OTHER_CLUSTER)
        shown = run(service, command=STREAMING_TENANT_INFO, name=TENANT)
        assert (shown["changed"], shown["exists"]) == (False, True)
        assert shown["tenant"]["limits"] == {"namespaces": 20, "topics_per_namespace": 100}
        assert run(service, command=STREAMING_TENANT_INFO, name="other")["exists"] is False
        listed = run(service, command=STREAMING_TENANT_INFO)["tenants"]
        assert {(each["name"], each["cluster"]) for each in listed} == {(TENANT, CLUSTER), ("other", OTHER_CLUSTER)}
        assert "pulsarToken" not in str([shown, listed])


class TestNamespace:
    def test_a_refused_policy_fails_and_is_named(self, service):
        make_tenant(service)
        result = namespace(service, retention={"time": "7d", "size": "unlimited"}, message_ttl="1d")
        assert (result["failed"], result["changed"], result["http_status"]) == (True, True, 412)
        assert result["msg"].startswith(
            f"Setting message_ttl of namespace {TENANT}/audit failed: the service answered 412"
        )
        assert "at least 2 days" in result["msg"]
        # What was not refused is there, and the next run goes on from it.
        assert namespace(service, message_ttl="2d")["action"] == "updated"

    @pytest.mark.parametrize("check", [True, False])
    def test_what_pulsar_would_refuse_is_known_before(self, service, check):
        make_tenant(service, {"name": "audit"})
        result = namespace(service, retention={"size": "1GB"}, check=check)
        assert (result["failed"], result["changed"]) == (True, False)
        assert "raise size and time of retention above those of backlog_quota" in result["msg"]
        assert writes(service) == []

    @pytest.mark.parametrize(
        ("retention", "quota", "order"),
        [
            ({"size": "40GiB"}, {"size": "20GiB"}, ["retention", "backlogQuota"]),
            ({"size": "1GiB"}, {"size": "500MB"}, ["backlogQuota", "retention"]),
            (
                {"size": "1GiB", "time": "9d"},
                {"size": "500MB", "time": "8d"},
                ["retention", "backlogQuota", "backlogQuota", "retention"],
            ),
        ],
    )
    def test_the_interlocks_of_retention_and_quota(self, service, retention, quota, order):
        stored = {"retention": {"retentionSizeInMB": 10240, "retentionTimeInMinutes": 10080}}
        make_tenant(service, {"name": "audit", **stored})
        result = namespace(service, retention=retention, backlog_quota=quota)
        assert result["action"] == "updated", result
        assert [each.rpartition("/")[2].partition("?")[0] for each in writes(service)] == order
        assert namespace(service, retention=retention, backlog_quota=quota)["changed"] is False

    def test_only_what_is_given_is_managed(self, service):
        make_tenant(service, {"name": "audit", "messageTTL": 604800, "subscriptionExpirationTime": 5})
        result = namespace(service, inactive_topics={"delete": False})
        assert [each.rpartition("/")[2] for each in writes(service)] == ["inactiveTopicPolicies"]
        assert (result["namespace"]["message_ttl"], result["namespace"]["subscription_expiration"]) == ("7d", "5m")
        assert namespace(service)["changed"] is False

    def test_what_the_service_has_by_default_is_not_written(self, service):
        make_tenant(service)
        result = namespace(
            service,
            backlog_quota={"size": "5GB", "policy": "producer_exception"},
            message_ttl="unlimited",
            inactive_topics={"delete": True, "after": "48h"},
            subscription_expiration="unlimited",
        )
        assert result["action"] == "created"
        assert writes(service) == [f"PUT {NAMESPACE}"]

    @pytest.mark.parametrize("setting", [{"numbers_as_strings": True}, {"policies_unset": "empty"}])
    def test_however_the_service_shows_policies(self, service, setting):
        service.settings(**setting)
        make_tenant(service)
        options = {
            "retention": {"time": "7d", "size": "10GB"},
            "backlog_quota": {"size": "1GB", "time": "2d", "policy": "consumer_backlog_eviction"},
            "message_ttl": "2w",
            "inactive_topics": {"delete": False, "after": "3d", "mode": "delete_when_subscriptions_caught_up"},
            "subscription_expiration": "30d",
        }
        assert namespace(service, **options)["action"] == "created"
        assert namespace(service, **options)["changed"] is False
        result = namespace(service, **options, check=True)
        assert result["namespace"]["retention"] == {"time": "7d", "size": "9537MiB"}
        assert result["namespace"]["backlog_quota"] == {
            "size": "1GB",
            "time": "2d",
            "policy": "consumer_backlog_eviction",
        }

    def test_a_part_of_what_is_not_shown_cannot_be_managed(self, service):
        service.settings(policies_unset="empty")
        make_tenant(service, {"name": "audit"})
        result = namespace(service, inactive_topics={"delete": True})
        assert result["msg"].startswith("inactive_topics.after and inactive_topics.mode must be given")
        assert writes(service) == []
        assert namespace(service, inactive_topics={"delete": False})["action"] == "updated"

    def test_retention_of_which_one_part_is_given(self, service):
        make_tenant(service)
        assert namespace(service, retention={"time": "7d"})["namespace"]["retention"] == {
            "time": "7d",
            "size": "unlimited",
        }

    @pytest.mark.parametrize("with_url", [True, False])
    def test_a_tenant_that_does_not_exist(self, service, with_url):
        options = {"admin_url": service.admin_url} if with_url else {}
        result = namespace(service, **options)
        assert (result["failed"], result["changed"]) == (True, False)
        assert result["msg"] == (
            f"There is no tenant {TENANT} on cluster {CLUSTER}: make it first, "
            "with datastax.astra.astra_streaming_tenant."
        )
        assert writes(service) == []
        # The same play may be going to make it.
        checked = namespace(service, **options, check=True)
        assert (checked["action"], checked["warnings"]) == ("created", [result["msg"]])
        assert namespace(service, **options, state="absent")["action"] == "none"
        shown = run(service, command=STREAMING_NAMESPACE_INFO, tenant=TENANT, name="audit", **options)
        assert shown["exists"] is False
        assert "There is no tenant" in run(service, command=STREAMING_NAMESPACE_INFO, tenant=TENANT, **options)["msg"]

    def test_a_wrong_token_is_told_apart_from_a_tenant_that_does_not_exist(self, service):
        make_tenant(service, {"name": "audit"})
        service.fault(match={"server": "admin"}, times=None, status=401, body="<html>Authentication required</html>")
        for state in ("present", "absent"):
            result = namespace(service, state=state, admin_url=service.admin_url)
            assert (result["failed"], result["http_status"]) == (True, 401)
            assert "check the application token" in result["msg"]

    def test_a_tenant_that_is_being_made_is_waited_for(self, service):
        service.settings(tenant_create_lag=1)
        tenant(service, wait=False)
        assert namespace(service)["action"] == "created"

    def test_a_url_that_is_given_saves_a_request(self, service):
        make_tenant(service)
        namespace(service, admin_url=service.admin_url)
        assert READ_TENANT not in requests(service)

    def test_a_record_without_a_url(self, service):
        record = {"tenantName": TENANT, "clusterName": CLUSTER}
        service.fault(match={"path": f"/tenants/{TENANT}$"}, times=None, status=200, body=record)
        assert namespace(service)["msg"] == f"Astra shows no webServiceUrl for tenant {TENANT}: give admin_url."

    @pytest.mark.parametrize("check", [True, False])
    def test_what_holds_data_is_kept(self, stocked, check):
        result = namespace(stocked, state="absent", check=check)
        assert result["msg"] == (
            f"namespace {TENANT}/audit is not removed, because it has the topic events with all events. "
            "Set force to true to lose that."
        )
        assert writes(stocked) == []

    def test_force_removes_the_topics_first(self, service):
        topics = [{"name": "events"}, {"name": "parts", "partitions": 2, "subscriptions": {"siem": "latest"}}]
        make_tenant(service, {"name": "audit", "topics": topics})
        assert namespace(service, state="absent", force=True)["action"] == "deleted"
        assert writes(service) == [
            f"DELETE {TOPIC}?force=true",
            f"DELETE {TOPICS}/parts/partitions?force=true",
            f"DELETE {NAMESPACE}",
        ]
        assert find_namespace(service) is None

    def test_a_refused_removal_fails(self, service):
        make_tenant(service, {"name": "audit"})
        service.fault(match={"method": "DELETE"}, times=None, status=409, body={"reason": "Cannot delete non empty"})
        result = namespace(service, state="absent")
        assert (result["failed"], result["changed"], result["http_status"]) == (True, False, 409)

    def test_one_that_somebody_else_makes_at_the_same_time(self, service):
        make_tenant(service)
        service.fault(match={"method": "PUT"}, status=409, body={"reason": "Namespace already exists"}, apply=True)
        result = namespace(service, retention={"time": "7d", "size": "unlimited"})
        assert (result["changed"], result["action"]) == (True, "updated")
        assert find_namespace(service)["retention"] == {"retentionTimeInMinutes": 10080, "retentionSizeInMB": -1}

    def test_info(self, service):
        make_tenant(service, {"name": "audit"})
        listed = run(service, command=STREAMING_NAMESPACE_INFO, tenant=TENANT)["namespaces"]
        assert [each["name"] for each in listed] == ["audit", "default"]
        shown = run(service, command=STREAMING_NAMESPACE_INFO, tenant=TENANT, name="audit")
        assert shown["namespace"]["retention"] == {"time": "0", "size": "0"}


class TestTopic:
    def test_one_that_somebody_deleted_is_made_again(self, stocked):
        assert topic(stocked, subscriptions=["siem"])["changed"] is False
        stocked.set_tenant(ORGANIZATION, TENANT, namespaces=[{"name": "audit"}])
        result = topic(stocked, subscriptions=["siem"])
        assert (result["changed"], result["action"]) == (True, "created")
        assert find_topic(stocked) == {"topics": ["events"], "subscriptions": ["siem"]}

    def test_one_that_was_deleted_for_inactivity_is_made_again(self, service):
        make_tenant(service, {"name": "audit"})
        assert topic(service)["action"] == "created"
        service.advance(3 * 86400)
        assert topic(service, subscriptions=["siem"])["action"] == "created"
        service.advance(3 * 86400)
        assert topic(service, subscriptions=["siem"])["changed"] is False

    def test_subscriptions_begin_at_the_earliest_event(self, service):
        kept = {"retentionTimeInMinutes": 10080, "retentionSizeInMB": -1}
        make_tenant(service, {"name": "audit", "retention": kept, "topics": [{"name": "events"}]})
        service.publish(FULL_NAME, "an event")
        topic(service, subscriptions=["siem"])
        assert service.consume(FULL_NAME, "siem") == ["an event"]

    def test_other_subscriptions_are_left_alone(self, stocked):
        result = topic(stocked, subscriptions=["archive"])
        assert result["topic"]["subscriptions"] == ["archive", "siem"]
        assert writes(stocked) == [f"PUT {TOPIC}/subscription/archive"]

    @pytest.mark.parametrize("setting", [{"subscription_exists": "204"}, {"numbers_as_strings": True}])
    def test_however_the_service_answers(self, service, setting):
        service.settings(**setting)
        make_tenant(service, {"name": "audit"})
        for partitions in (2, 3):
            assert topic(service, partitions=partitions, subscriptions=["siem"])["changed"]
            assert topic(service, partitions=partitions, subscriptions=["siem"])["changed"] is False

    @pytest.mark.parametrize(
        ("stored", "asked", "names"),
        [(0, 0, ["events"]), (0, None, ["events"]), (2, None, ["events-partition-0", "events-partition-1"])],
    )
    def test_partitions_that_are_not_asked_stay(self, service, stored, asked, names):
        make_tenant(service, {"name": "audit", "topics": [{"name": "events", "partitions": stored}]})
        result = topic(service, partitions=asked)
        assert (result["changed"], result["topic"]["partitions"]) == (False, stored)
        assert find_topic(service)["topics"] == names

    @pytest.mark.parametrize(("stored", "asked"), [(3, 2), (3, 0), (0, 3)])
    @pytest.mark.parametrize("check", [True, False])
    def test_partitions_never_shrink(self, service, stored, asked, check):
        make_tenant(service, {"name": "audit", "topics": [{"name": "events", "partitions": stored}]})
        result = topic(service, partitions=asked, check=check)
        assert (result["failed"], result["changed"]) == (True, False)
        assert f"has {stored} partitions, not {asked}: a partitioned topic can only grow" in result["msg"]
        assert writes(service) == []

    def test_more_partitions_than_there_may_be(self, service):
        make_tenant(service, {"name": "audit"})
        result = topic(service, partitions=129)
        assert (result["failed"], result["changed"], result["http_status"]) == (True, False, 406)

    def test_a_namespace_that_does_not_exist(self, service):
        make_tenant(service)
        result = topic(service)
        assert result["msg"] == (
            f"There is no namespace audit in tenant {TENANT}: make it first, with "
            "datastax.astra.astra_streaming_namespace."
        )
        assert writes(service) == []
        checked = topic(service, check=True)
        assert (checked["action"], checked["warnings"]) == ("created", [result["msg"]])
        assert topic(service, state="absent")["action"] == "none"

    @pytest.mark.parametrize("check", [True, False])
    def test_what_holds_data_is_kept(self, stocked, check):
        stocked.publish(FULL_NAME, "an event", producer="exporter")
        result = topic(stocked, state="absent", check=check)
        assert (result["failed"], result["changed"]) == (True, False)
        assert (
            f"topic {TENANT}/audit/events is not removed, because it has the subscription siem with 1 event left, "
            in result["msg"]
        )
        assert "1 connected producer" in result["msg"]
        assert writes(stocked) == []
        assert topic(stocked, state="absent", force=True, check=check)["action"] == "deleted"

    def test_one_without_anything_needs_no_force(self, service):
        make_tenant(service, {"name": "audit", "topics": [{"name": "events"}]})
        assert topic(service, state="absent")["action"] == "deleted"
        assert writes(service) == [f"DELETE {TOPIC}"]

    def test_a_refused_removal_fails(self, service):
        make_tenant(service, {"name": "audit", "topics": [{"name": "events"}]})
        service.fault(match={"method": "DELETE"}, times=None, status=412, body={"reason": "Topic has active producers"})
        result = topic(service, state="absent")
        assert (result["failed"], result["changed"], result["http_status"]) == (True, False, 412)
        assert "Topic has active producers" in result["msg"]

    def test_one_subscription_too_many(self, stocked):
        stocked.settings(subscription_limit=1)
        result = topic(stocked, subscriptions=["archive"])
        assert (result["failed"], result["changed"], result["http_status"]) == (True, False, 412)
        assert "Creating the subscription archive of topic" in result["msg"]

    def test_info(self, service):
        topics = [{"name": "events", "subscriptions": {"siem": "latest"}}, {"name": "parts", "partitions": 2}]
        make_tenant(service, {"name": "audit", "topics": topics})
        place = {"tenant": TENANT, "namespace": "audit"}
        listed = run(service, command=STREAMING_TOPIC_INFO, **place)["topics"]
        assert [(each["full_name"], each["partitions"]) for each in listed] == [
            (FULL_NAME, 0),
            (f"persistent://{TENANT}/audit/parts", 2),
        ]
        shown = run(service, command=STREAMING_TOPIC_INFO, name="parts", **place)
        assert (shown["exists"], shown["topic"]["partitions"]) == (True, 2)
        assert run(service, command=STREAMING_TOPIC_INFO, name="none", **place)["exists"] is False
        missing = run(service, command=STREAMING_TOPIC_INFO, tenant=TENANT, namespace="none")
        assert "There is no namespace none" in missing["msg"]


class TestRole:
    def test_keys_in_either_case(self, service):
        role(service)
        service.settings(key_case="upper")
        assert role(service)["changed"] is False
        assert role(service, permissions=["org-audits-read"])["action"] == "updated"
        assert role(service, state="absent")["action"] == "deleted"

    def test_the_order_of_permissions_does_not_matter(self, service):
        role(service)
        assert role(service, permissions=ROWS["role"].options["permissions"][::-1])["changed"] is False

    def test_what_is_not_given_stays(self, service):
        role(service)
        result = role(service, permissions=["org-audits-read"], resources=None, description=None)
        assert result["role"]["resources"] == ROWS["role"].options["resources"]
        assert result["role"]["description"] == ROWS["role"].options["description"]

    def test_what_a_new_role_needs(self, service):
        result = role(service, permissions=None, resources=None)
        assert result["msg"] == "permissions and resources must be given to create role streaming."
        assert writes(service) == []

    def test_a_built_in_role_cannot_be_removed(self, service):
        result = role(service, name="Organization Administrator", state="absent")
        assert (result["failed"], result["changed"]) == (True, False)
        assert "A built-in role cannot be changed (ID 2400): check the options" in result["msg"]

    def test_a_token_without_the_permission(self, service):
        result = role(service, application_token=READER)
        assert (result["failed"], result["http_status"]) == (True, 403)
        assert "org-role-read" in result["msg"]

    def test_info(self, service):
        role(service)
        listed = run(service, command=ROLE_INFO)["roles"]
        assert {"Organization Administrator", "streaming"} <= {each["name"] for each in listed}
        assert run(service, command=ROLE_INFO, name="streaming")["role"]["permissions"] == [
            "org-audits-read",
            "org-stream-manage",
        ]
        assert run(service, command=ROLE_INFO, name="none") == {"changed": False, "exists": False, "role": None}


@pytest.mark.parametrize(
    ("name", "options", "problem"),
    [
        ("tenant", {"name": "Acme"}, "name is not a tenant's name, with lower case letters"),
        ("tenant", {"name": "a"}, "name is not a tenant's name"),
        ("tenant", {"name": "acme-"}, "name is not a tenant's name"),
        ("tenant", {"name": "../other"}, "name is not a tenant's name"),
        ("tenant", {"cluster": "https://pulsar"}, "cluster is not a cluster's name"),
        ("tenant", {"user_email": "nobody"}, "user_email is not an email address, such as"),
        ("tenant", {"admin_url": "pulsar"}, "admin_url must be a URL"),
        ("namespace", {"tenant": "acme/audit"}, "tenant is not a tenant's name"),
        ("namespace", {"name": "acme/audit"}, "name is not a namespace's name"),
        ("namespace", {"name": "audit\n"}, "name is not a namespace's name"),
        ("namespace", {"retention": {"time": "7"}}, "retention has a time that is not a duration, such as 30m"),
        ("namespace", {"retention": {"size": "10"}}, "retention has a size that is not a size, such as 500MB"),
        ("namespace", {"message_ttl": "10GB"}, "message_ttl is not a duration"),
        ("namespace", {"subscription_expiration": "-1"}, "subscription_expiration is not a duration"),
        ("topic", {"name": FULL_NAME}, "name is not a topic's name"),
        (
            "topic",
            {"name": "events-partition-0"},
            "name is not a topic's name",
        ),
        ("topic", {"namespace": ""}, "namespace is not a namespace's name"),
        ("topic", {"subscriptions": ["siem", "a/b"]}, "subscriptions is not a subscription's name"),
        ("topic", {"partitions": -1}, "partitions must not be negative"),
    ],
)
@pytest.mark.parametrize("check", [True, False])
def test_mistakes_are_found_before_anything_is_sent(service, name, options, problem, check):
    row = ROWS[name]
    result = run(service, command=row.command, check=check, **{**row.options, **options})
    assert (result["failed"], result["changed"]) == (True, False)
    assert problem in result["msg"]
    assert service.journal() == []


@pytest.mark.parametrize("name", STREAMING_ROWS)
def test_every_request_names_the_cluster(service, name):
    row = ROWS[name]
    row.prepare(service)
    run(service, command=row.command, **row.options)
    assert {cluster for path, cluster in headers(service) if path != "/v2/currentOrg"} == {CLUSTER}


def test_a_destination_takes_few_requests(service):
    """The bar for the whole destination is 18 from nothing and 8 again; its token needs a few of them."""
    kept = {"retention": {"time": "7d", "size": "unlimited"}, "inactive_topics": {"delete": False}}

    def make() -> int:
        service.clear_journal()
        url = tenant(service)["tenant"]["web_service_url"]
        namespace(service, admin_url=url, **kept)
        topic(service, admin_url=url, subscriptions=["siem"])
        return len(service.journal())

    assert make() == 16
    assert make() == 4
