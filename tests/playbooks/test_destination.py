# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role and the playbook audit_log_destination: from nothing to a destination, and back."""

from __future__ import annotations

import re
import stat
from collections.abc import Callable, Iterable

import pytest
import yaml
from ansible_collections.datastax.astra.plugins.module_utils._pulsar.frames import Kind, encode_frame
from ansible_collections.datastax.astra.plugins.module_utils._pulsar.jwt import read_facts, read_jwt
from ansible_collections.datastax.astra.plugins.plugin_utils.client_conf_file import parse

from tests.conftest import ROOT
from tests.playbooks.conftest import ADMINISTRATORS, APPLY, GROUP, IDS, READERS, VAULT_PASSWORD
from tests.playbooks.destinations import NAME, SINK_SECRET, STREAMERS, TOPIC, Place
from tests.playbooks.test_leaks import RECORDER
from tests.playbooks.traces import leaks
from tests.pulsar.fake_broker import FakeBroker, answer

ROTATION = ("-e", "audit_log_destination_rotate=true")
FROM_NOTHING = 18  # requests, at most
UNCHANGED = 8
SEVERAL_BROKERS = "pulsar+ssl://one.example.com:6651,two.example.com:6651"


@pytest.fixture
def place(fleet):
    """A destination that does not exist yet."""
    return Place(fleet)


def refuse_producers(kind: int, fields: dict) -> Iterable[bytes]:
    """Be a broker that authenticates a token and does not let it produce."""
    refusal = encode_frame(Kind.ERROR, {1: fields.get(3) or 1, 2: 20, 3: "Client is not authorized to Produce"})
    return [refusal] if kind == Kind.PRODUCER else answer(kind, fields)


def make_script_that_takes_one() -> Callable[[int, dict], Iterable[bytes]]:
    """Return the script of a broker that lets one producer in, and no other."""
    asked = []

    def answer_first(kind: int, fields: dict) -> Iterable[bytes]:
        asked.extend([kind] if kind == Kind.PRODUCER else [])
        return answer(kind, fields) if len(asked) == 1 else refuse_producers(kind, fields)

    return answer_first


def keep_no_file(place, **variables) -> None:
    """Describe the destination without a file, with its streams reading the result."""
    place.describe(client_conf_path=None, **variables)
    text = "{{ hostvars['acme-audit'].audit_log_destination_result.client_conf }}"
    topic = "{{ hostvars['acme-audit'].audit_log_destination_result.topic }}"
    place.describe_streams(client_conf=None, client_conf_content=text, topic=topic, fingerprint_store=None)


def show_broker_url(place, url: str) -> None:
    """Let the service show this broker URL of the tenant."""
    record = {"tenantName": NAME, "clusterName": "pulsar-aws-useast2", "status": "active"}
    record.update(webServiceUrl=place.service.admin_url, brokerServiceUrl=url, astraOrgGUID=IDS["acme-6"])
    place.service.fault(match={"method": "GET", "path": f"tenants/{NAME}$"}, status=200, body=record, times=None)


def namespace(place) -> dict:
    """The destination's namespace, as the service has it."""
    return next(each for each in place.tenant()["namespaces"] if each["name"] == "security")


def the_token(place) -> str:
    """The id of the one token that there is."""
    (token_id,) = place.token_ids()
    return token_id


def writes(requests: list[str]) -> list[str]:
    """Those requests that change something."""
    return [request for request in requests if not request.startswith("GET ")]


def parts(screen: str) -> dict[str, str]:
    """What the screen says of each part, by its first word."""
    found = re.findall(r"^  ((?:would be )?(?:created|updated|deleted))  (Pulsar token|\S+)", screen, re.MULTILINE)
    return {part.rstrip(","): action for action, part in found}


def test_from_nothing_and_again(place):
    screen = place.play().screen
    assert parts(screen) == dict.fromkeys(["tenant", "namespace", "topic", "Pulsar token", "client.conf"], "created")
    journal = place.service.journal()
    assert [entry["body"] for entry in journal if "/subscription/" in entry["path"]] == ["earliest"]
    assert len(place.requests()) <= FROM_NOTHING

    policies = namespace(place)
    assert policies["retention"] == {"retentionSizeInMB": -1, "retentionTimeInMinutes": 7 * 24 * 60}
    assert policies["inactiveTopicPolicies"]["deleteWhileInactive"] is False
    (topic,) = policies["topics"]
    assert (topic["name"], list(topic["subscriptions"])) == ("astra-audit-log", ["audit-log"])
    assert parse(place.client_conf()).token_id == the_token(place)
    assert stat.S_IMODE(place.file.stat().st_mode) == 0o600

    kept = place.file.read_bytes()
    assert "Destination acme-audit: as it should be; its Pulsar token ends 20" in place.play().screen
    requests = place.requests()
    assert len(requests) <= UNCHANGED
    assert writes(requests) == []
    assert place.file.read_bytes() == kept


def test_with_a_sink(place):
    place.describe(sink="{{ vault_sink }}")
    assert parts(place.play().screen)["sink"] == "created"
    assert len(place.requests()) <= FROM_NOTHING + 6
    assert "as it should be" in place.play().screen
    assert len(place.requests()) <= UNCHANGED
    sink = place.service.sink(NAME, "security", "siem")["config"]
    # The durable subscription is the one that the sink reads, so that no other fills up.
    assert (sink["sourceSubscriptionName"], sink["configs"]["password"]) == ("audit-log", SINK_SECRET)


def test_check_mode_from_nothing_predicts_everything(place):
    place.describe(sink="{{ vault_sink }}")
    predicted = place.play("--check", "--diff")
    assert "make it first" not in predicted.screen + predicted.errors
    assert writes(place.requests()) == []
    assert not place.file.exists()
    done = place.play().screen
    assert {part: f"would be {action}" for part, action in parts(done).items()} == parts(predicted.screen)


@pytest.mark.parametrize("exists", [("tenant",), ("tenant", "namespace")], ids="-".join)
def test_check_mode_predicts_what_is_missing(place, exists):
    namespaces = [{"name": "security"}] if "namespace" in exists else []
    place.service.set_tenant(IDS["acme-6"], NAME, namespaces=namespaces)
    found = parts(place.play("--check").screen)
    assert found["topic"] == found["Pulsar token"] == "would be created"
    assert found.get("namespace") == ("would be updated" if "namespace" in exists else "would be created")
    assert "tenant" not in found


def test_what_is_given_in_part_is_completed(place):
    place.describe(retention={"time": "30d"}, backlog_quota={"size": "20GB", "policy": "consumer_backlog_eviction"})
    place.play()
    policies = namespace(place)
    assert policies["retention"] == {"retentionSizeInMB": -1, "retentionTimeInMinutes": 30 * 24 * 60}
    assert policies["backlogQuota"]["destination_storage"]["policy"] == "consumer_backlog_eviction"


def test_drift_is_put_right(place):
    place.play()
    # Somebody has reset the policies and deleted the topic.
    tokens = [{"id": the_token(place), "exp": "90d"}]
    place.service.set_tenant(IDS["acme-6"], NAME, namespaces=[{"name": "security"}], tokens=tokens)
    kept = place.file.read_bytes()
    assert parts(place.play("--diff").screen) == {"namespace": "updated", "topic": "created"}
    assert namespace(place)["inactiveTopicPolicies"]["deleteWhileInactive"] is False
    assert place.file.read_bytes() == kept


class TestToken:
    def test_removed_by_somebody(self, place):
        place.play()
        place.service.set_tenant(IDS["acme-6"], NAME, namespaces=[{"name": "security"}])
        found = parts(place.play().screen)
        assert (found["Pulsar token"], found["client.conf"]) == ("created", "updated")
        assert parse(place.client_conf()).token_id == the_token(place)

    def test_that_ends_soon_is_followed_by_another(self, place):
        place.play("-e", "audit_log_destination_validity=40d")
        old = the_token(place)
        assert parts(place.play("-e", "audit_log_destination_min_validity=60d").screen) == {
            "Pulsar token": "created",
            "client.conf": "updated",
        }
        assert parse(place.client_conf()).token_id in {*place.token_ids()} - {old}

    def test_text_that_changes_is_no_change(self, place):
        place.play()
        place.service.settings(pulsar_token_text="changing")
        kept = place.file.read_bytes()
        assert "as it should be" in place.play().screen
        assert place.file.read_bytes() == kept

    def test_newer_than_the_one_in_use_is_named(self, place):
        place.play()
        first = the_token(place)
        place.service.advance(5)
        place.kill(*ROTATION, method="POST", path="/tokens$")
        (second,) = {*place.token_ids()} - {first}
        named = " ".join(place.play().errors.split())
        assert f"newer than the one in use ({first}): {second}." in named
        assert parse(place.client_conf()).token_id == first

    def test_plain_file_is_encrypted(self, place):
        place.play()
        text = place.client_conf()
        place.file.write_text(text)
        assert parts(place.play().screen) == {"client.conf": "updated"}
        assert place.client_conf() == text

    def test_without_a_file_the_text_is_handed_on(self, place):
        keep_no_file(place)
        place.play(APPLY)
        (token,) = place.stream_tokens()
        assert read_facts(read_jwt(token)).token_id == the_token(place)


class TestProblems:
    @pytest.mark.parametrize(
        ("variables", "message"),
        [
            ({"tenant": None}, "audit_log_destination_tenant is needed."),
            ({"tenant": "Not A Tenant"}, "audit_log_destination_tenant ("),
            ({"topic": "persistent://a/b/c"}, "is not a topic's name"),
            ({"retention": {"time": "soon"}}, "audit_log_destination_retention ("),
            ({"retention": {"tiem": "7d"}}, "audit_log_destination_retention.tiem ("),
            ({"validity": "10d"}, "audit_log_destination_min_validity must be shorter"),
            ({"subscription": ["siem"]}, "is not a known variable; did you mean audit_log_destination_subscriptions?"),
            ({"rotate": True}, "audit_log_destination_rotate ("),
            ({"sink": {"connector": "kafka"}}, "audit_log_destination_sink.name ("),
            ({"application_token": "{{ vault_nobody }}"}, "audit_log_destination_application_token ("),
            ({"client_conf_path": "/nowhere/at/all/client.conf"}, "in a directory that does not exist"),
            ({"revoke_after": "later"}, "audit_log_destination_revoke_after ("),
        ],
    )
    def test_in_the_variables(self, place, variables, message):
        place.describe(**variables)
        assert message in place.play(status=2).screen
        assert place.requests() == []

    def test_no_vault_secret(self, place):
        place.describe(application_token=ADMINISTRATORS["acme-6"])
        place.fleet.directory.joinpath("inventory/group_vars/astra_destinations/vault.yml").unlink()
        place.fleet.directory.joinpath("inventory/group_vars/astra_organizations/vault.yml").unlink()
        del place.fleet.environment["ANSIBLE_VAULT_PASSWORD_FILE"]
        assert "needs a vault secret" in place.play(status=2).screen
        assert place.requests() == []

    @pytest.mark.parametrize(
        "content", ["my notes", "authParams=token:e30.e30.\n", "$ANSIBLE_VAULT;1.1;AES256\n3434\n"]
    )
    def test_file_of_another_kind_is_not_overwritten(self, place, content):
        place.file.write_text(content)
        assert "audit_log_destination_client_conf_path" in place.play(status=2).screen
        assert place.requests() == []
        assert place.file.read_text() == content

    def test_part_that_fails(self, place):
        place.service.fault(match={"method": "PUT", "path": "astra-audit-log$"}, status=403, times=None)
        failed = place.play(status=2).screen
        assert "the service answered 403" in failed
        assert re.search(r"Done: tenant created, .*Not done: topic, client_conf\.", failed)
        place.service.clear_faults()
        assert parts(place.play().screen) == {"topic": "created", "client.conf": "created"}
        assert len(place.token_ids()) == 1

    def test_sink_that_fails_keeps_no_event_waiting(self, place):
        place.describe(sink={"name": "siem", "connector": "nonesuch"})
        failed = place.play(status=2).screen
        assert "The cluster has no connector nonesuch" in failed
        assert "Not done: sink." in failed
        assert parse(place.client_conf()).token_id == the_token(place)

    def test_url_that_no_client_conf_can_have(self, place):
        place.service.set_tenant(IDS["acme-6"], NAME)
        show_broker_url(place, SEVERAL_BROKERS)
        result = place.make()
        assert "brokerServiceUrl names several brokers" in result["msg"]
        assert result["actions"] == dict.fromkeys(["namespace", "topic", "token"], "created") | {"tenant": "none"}
        assert "Not done: client_conf." in result["msg"]
        assert (result["changed"], result["token_id"]) == (True, the_token(place))

    def test_missing_permission(self, place):
        place.describe(application_token=READERS["acme-6"])
        assert "org-stream-manage" in place.play(status=2).screen
        assert place.tenant() is None


def assert_healed(place) -> None:
    """Assert that a further run ends with one token, which is the one in use, and another changes nothing."""
    assert not place.make().get("failed")
    assert parse(place.client_conf()).token_id == the_token(place)
    assert place.make()["changed"] is False


@pytest.mark.parametrize("number", range(FROM_NOTHING))
def test_killed_at_any_request(place, number):
    place.kill_make(number)
    assert_healed(place)


@pytest.mark.parametrize("retries", [0, 5])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("number", range(FROM_NOTHING))
def test_lost_answer_at_any_request(place, number, when, retries):
    place.service.fault(skip=number, drop=when)
    result = place.make(retries=retries)
    assert not retries or not result.get("failed")
    assert place.service.faults()[0]["fired"] == 1
    place.service.clear_faults()
    assert_healed(place)


class TestAbsent:
    def test_is_refused_while_events_would_be_lost(self, place):
        place.play()
        failed = place.play("-e", "audit_log_destination_state=absent", status=2).screen
        assert "is not removed, because it has the subscription audit-log" in failed
        assert "Set audit_log_destination_force to true" in failed
        assert writes(place.requests()[FROM_NOTHING:]) == []
        assert place.file.exists()

    @pytest.mark.parametrize("has_sink", [False, True])
    def test_with_force(self, place, has_sink):
        place.describe(state="absent", force=True, **({"sink": "{{ vault_sink }}"} if has_sink else {}))
        place.play("-e", "audit_log_destination_state=present")
        expected = ["tenant", "namespace", "topic", *(["sink"] if has_sink else []), "Pulsar", "client.conf"]
        predicted = place.play("--check").screen
        assert place.tenant()
        deleted = place.play().screen
        assert [line.split()[1] for line in deleted.splitlines() if line.startswith("  deleted")] == expected
        assert parts(predicted) == {part: f"would be {action}" for part, action in parts(deleted).items()}
        assert place.tenant() is None
        assert not place.file.exists()
        assert "as it should be" in place.play().screen

    @pytest.mark.parametrize("has_sink", [False, True])
    def test_each_part_that_goes_is_named(self, place, has_sink):
        place.describe(state="absent", force=True, **({"sink": "{{ vault_sink }}"} if has_sink else {}))
        place.play("-e", "audit_log_destination_state=present")
        expected = [
            f"tenant {NAME}",
            f"namespace {NAME}/security",
            f"topic {TOPIC}",
            *(["sink siem"] if has_sink else []),
            f"Pulsar token {the_token(place)}",
            f"client.conf {place.file.name}",
        ]
        assert f"Destination {NAME}\n" + "".join(f"  would be deleted  {part}\n" for part in expected) in (
            place.play("--check").screen
        )
        assert f"Destination {NAME}\n" + "".join(f"  deleted  {part}\n" for part in expected) in place.play().screen

    def test_what_others_have_stays(self, place):
        place.play()
        ours = {"name": "security", "topics": [{"name": "astra-audit-log"}]}
        others = {"name": "billing", "topics": [{"name": "invoices"}]}
        tokens = [{"id": the_token(place)}]
        place.service.set_tenant(IDS["acme-6"], NAME, namespaces=[ours, others], tokens=tokens)
        absent = ("-e", "audit_log_destination_state=absent", "-e", "audit_log_destination_force=true")
        run = place.play(*absent)
        assert (
            "The tenant stays, because it has other namespaces: billing." in run.errors.replace("\n", " ") + run.screen
        )
        assert {each["name"] for each in place.tenant()["namespaces"]} >= {"billing"}
        assert "security" not in {each["name"] for each in place.tenant()["namespaces"]}
        assert place.token_ids() == []

    def test_ignores_what_it_does_not_need(self, place):
        place.describe(state="absent", sink="{{ vault_nobody }}", retention={"time": "soon"}, validity="{{ nothing }}")
        assert "as it should be" in place.play().screen


class TestRotation:
    @pytest.fixture
    def place(self, place):
        place.play(APPLY)
        place.service.clear_journal()
        return place

    def assert_rotated(self, place, old: str) -> None:
        assert the_token(place) != old
        assert parse(place.client_conf()) == (
            place.client_conf(),
            the_token(place),
            parse(place.client_conf()).urls,
            None,
        )
        (token,) = place.stream_tokens()
        assert read_facts(read_jwt(token)).token_id == the_token(place)

    def test_to_the_end(self, place):
        old = the_token(place)
        assert f"Pulsar token {old} revoked" in place.rotate().screen
        self.assert_rotated(place, old)
        assert f"DELETE /v2/streaming/tenants/{NAME}/tokens/{old}" in place.requests()
        assert "as it should be" in place.play().screen

    def test_check_mode(self, place):
        old, kept = the_token(place), place.file.read_bytes()
        screen = place.rotate("--check").screen
        assert parts(screen) == {"Pulsar token": "would be created", "client.conf": "would be updated"}
        assert f"{old} would be revoked once the new one is proven" in screen
        assert writes(place.requests()) == []
        assert (the_token(place), place.file.read_bytes()) == (old, kept)

    def test_stream_that_fails_keeps_the_old_token(self, place):
        old = the_token(place)
        path = f"{IDS['acme-2']}/telemetry"
        place.service.fault(match={"method": "POST", "path": path}, status=403, times=None)
        failed = place.rotate(status=2).screen
        assert f"Pulsar token {old} is not revoked and stays valid" in failed
        assert "not every stream has taken over the new one: acme-2." in failed
        assert len(place.token_ids()) == 2
        place.service.clear_faults()

        between = place.play()
        assert f"A rotation is unfinished: Pulsar token {old} is still valid." in " ".join(between.errors.split())
        assert len(place.token_ids()) == 2

        assert f"Pulsar token {old} revoked" in place.rotate().screen
        self.assert_rotated(place, old)

    def test_limit_keeps_the_old_token(self, place):
        old = the_token(place)
        failed = place.rotate("--limit", f"{NAME},acme-1", status=2).screen
        assert "the run was limited to some of the streams that use it." in failed
        assert old in place.token_ids()

    def test_variables_with_the_old_token(self, place):
        old = the_token(place)
        copy = place.fleet.write("copy.conf", place.client_conf())
        place.describe_streams(hosts={"acme-2": {"audit_log_stream_client_conf": str(copy)}})
        assert "the variables of acme-2 still have it." in place.rotate(status=2).screen
        assert old in place.token_ids()

    def test_without_a_store_the_token_is_sent_to_all(self, place):
        old = the_token(place)
        place.describe_streams(fingerprint_store=None)
        place.rotate()
        self.assert_rotated(place, old)

    def test_part_that_fails_without_a_file(self, place):
        """No later run takes the token of a rotation that failed for the one in use."""
        old = the_token(place)
        keep_no_file(place)
        place.service.advance(5)
        place.service.fault(match={"method": "GET", "path": "astra-audit-log"}, status=403, times=None)
        failed = " ".join(place.rotate(status=2).screen.split())
        assert f"is revoked again; {old} stays valid." in failed
        assert the_token(place) == old

    @pytest.mark.parametrize("keeps_file", [True, False])
    def test_revocation_that_fails(self, place, keeps_file):
        old = the_token(place)
        if not keeps_file:
            keep_no_file(place)
        place.service.advance(5)
        place.service.fault(match={"method": "DELETE", "path": "/tokens/"}, status=403, times=None)
        failed = " ".join(place.rotate(status=2).screen.split())
        (new,) = {*place.token_ids()} - {old}
        goes_on = f"run the rotation again; it then goes on from here, with Pulsar token {new}."
        by_hand = f"Then remove {old} with datastax.astra.astra_streaming_token."
        assert (goes_on in failed, by_hand in failed) == (keeps_file, not keeps_file)

    def test_without_organizations_the_old_token_stays(self, place):
        old = the_token(place)
        place.fleet.directory.joinpath("inventory/hosts.yml").unlink()
        failed = place.rotate(status=2).screen
        assert "no organization of the inventory uses it" in failed
        assert old in place.token_ids()

    @pytest.mark.parametrize(
        "match",
        [
            {"method": "POST", "path": "/tokens$"},
            {"method": "GET", "path": "auditLogs$"},
            {"method": "POST", "path": "auditLogs$"},
            {"method": "DELETE", "path": "/tokens/"},
        ],
        ids=["token", "before-takeover", "takeover", "revoke"],
    )
    def test_killed(self, place, match):
        """The next rotation goes on where the killed one was; it makes no third token."""
        old = the_token(place)
        place.kill(*ROTATION, **match)
        left = {*place.token_ids()} - {old}
        place.rotate() if match["method"] != "DELETE" else place.play()
        self.assert_rotated(place, old)
        assert {the_token(place)} == left


class TestProof:
    """The broker is asked whether it takes the new token before the old one is revoked."""

    @pytest.fixture
    def broker(self, place):
        place.play(APPLY)
        place.describe(verify_destination=True, timeout=5)
        with FakeBroker() as broker:
            show_broker_url(place, broker.url)
            yield broker

    def test_taken(self, place, broker):
        old = the_token(place)
        assert f"Pulsar token {old} revoked" in place.rotate().screen
        assert broker.connections
        assert old not in place.token_ids()

    def test_refused(self, place, broker):
        old, kept = the_token(place), place.file.read_bytes()
        broker.script = refuse_producers
        failed = " ".join(place.rotate(status=2).screen.split())
        (new,) = {*place.token_ids()} - {old}
        assert f"Pulsar token {new} does not replace {old}, which stays valid and in use" in failed
        assert place.file.read_bytes() == kept
        assert place.stream_token_ids() == [old]
        broker.script = answer
        assert f"Pulsar token {old} revoked" in place.rotate().screen
        assert len(place.token_ids()) == 1

    def test_refused_once_the_streams_have_it(self, place, broker):
        old = the_token(place)
        broker.script = make_script_that_takes_one()
        failed = " ".join(place.rotate(status=2).screen.split())
        assert f"Pulsar token {old} is not revoked and stays valid" in failed
        assert "the broker was not seen to take the new one" in failed
        assert "goes on from here, with Pulsar token" in failed
        assert old in place.token_ids()

    def test_refused_when_an_unfinished_rotation_goes_on(self, place, broker):
        """The old token never comes back: what the message says to do ends the rotation."""
        old = the_token(place)
        place.service.advance(5)
        broker.script = make_script_that_takes_one()
        place.rotate(status=2)
        (new,) = {*place.token_ids()} - {old}
        failed = " ".join(place.rotate(status=2).screen.split())
        assert f"does not replace {old}, which stays valid (streams may have {new} already)" in failed
        assert f"goes on with {new}" in failed

        place.remove_token(new)
        place.service.advance(5)
        broker.script = answer
        assert f"Pulsar token {old} revoked" in place.rotate().screen
        assert the_token(place) not in (old, new)
        assert parse(place.client_conf()).token_id == the_token(place)
        assert place.stream_token_ids() == [the_token(place)]

    def test_refused_without_a_file(self, place, broker):
        """No later run takes the token that did not work for the one in use."""
        old = the_token(place)
        keep_no_file(place, verify_destination=True, timeout=5)
        place.service.advance(5)
        broker.script = refuse_producers
        failed = " ".join(place.rotate(status=2).screen.split())
        new = re.search("Pulsar token ([0-9a-f]+) does not replace", failed)[1]
        assert f"does not replace {old}, which stays valid and in use" in failed
        assert "Put that right and run the rotation again. " in failed
        assert f"Pulsar token {new}, which this run made and nobody was given, is revoked again" in failed
        assert "Not done: token." in failed
        assert the_token(place) == old
        assert "as it should be" in place.play().screen
        assert place.stream_token_ids() == [old]

        place.service.advance(5)
        broker.script = answer
        assert f"Pulsar token {old} revoked" in place.rotate().screen
        assert place.stream_token_ids() == [the_token(place)]

    def test_refused_without_a_file_and_cannot_be_taken_back(self, place, broker):
        old = the_token(place)
        keep_no_file(place, verify_destination=True, timeout=5)
        place.service.advance(5)
        broker.script = refuse_producers
        place.service.fault(match={"method": "DELETE", "path": "/tokens/"}, status=403, times=None)
        failed = " ".join(place.rotate(status=2).screen.split())
        (new,) = {*place.token_ids()} - {old}
        assert f"Pulsar token {new}, which this run made and nobody was given, could not be revoked again" in failed
        assert "Remove it with datastax.astra.astra_streaming_token before the next run" in failed
        assert "Done: token created." in failed

    def test_refused_without_a_file_once_the_streams_have_it(self, place, broker):
        """What the message says to do ends the rotation."""
        old = the_token(place)
        keep_no_file(place, verify_destination=True, timeout=5)
        place.service.advance(5)
        broker.script = make_script_that_takes_one()
        failed = " ".join(place.rotate(status=2).screen.split())
        (new,) = {*place.token_ids()} - {old}
        assert f"give every stream Pulsar token {new}, which every run without a rotation returns" in failed
        assert f"Then remove {old} with datastax.astra.astra_streaming_token." in failed

        place.play(APPLY, "-e", "audit_log_stream_update_token=always")
        place.remove_token(old)
        assert place.stream_token_ids() == [new]
        assert "as it should be" in place.play().screen

    def test_unreachable(self, place, broker):
        old = the_token(place)
        broker.__exit__()
        failed = " ".join(place.rotate(status=2).screen.split())
        assert "set audit_log_destination_verify_destination to false" in failed
        assert old in place.token_ids()

    def test_cannot_be_asked(self, place):
        place.play()
        old, kept = the_token(place), place.file.read_bytes()
        place.service.advance(5)
        show_broker_url(place, SEVERAL_BROKERS)
        result = place.make(rotate=True)
        (new,) = {*place.token_ids()} - {old}
        assert f"Pulsar token {new} does not replace {old}" in result["msg"]
        assert "brokerServiceUrl names several brokers" in result["msg"]
        assert "Done: token created. Not done: client_conf." in result["msg"]
        assert (result["changed"], result["token_id"]) == (True, new)
        assert place.file.read_bytes() == kept


def test_no_secret_shows(place):
    place.fleet.write("callback_plugins/recorder.py", RECORDER)
    environment = {
        "ANSIBLE_CALLBACK_PLUGINS": str(place.fleet.directory / "callback_plugins"),
        "ANSIBLE_CALLBACKS_ENABLED": "recorder",
        "ANSIBLE_LOG_PATH": str(place.fleet.directory / "log"),
    }
    place.describe(sink="{{ vault_sink }}")
    seen, secrets = b"", {SINK_SECRET, ADMINISTRATORS["acme-6"]}
    runs = [("--check",), (APPLY,), ("-e", "audit_log_destination_update=1"), ROTATION]
    for arguments in runs:
        status = 2 if "audit_log_destination_update=1" in arguments else 0
        run = place.play(*arguments, "-vvvv", "--diff", status=status, **environment)
        seen += (run.screen + run.errors).encode()
        if place.file.exists():
            token = re.search("authParams=token:(.+)", place.client_conf()).group(1)
            secrets |= {token, token.rpartition(".")[2]}
    place.service.fault(match={"path": "astrasinks"}, status=400, body={"reason": f"bad {SINK_SECRET}"}, times=None)
    run = place.play("-vvvv", status=2, **environment)
    seen += (run.screen + run.errors).encode()
    assert len(secrets) >= 6
    files = [path for path in place.fleet.directory.rglob("*") if path.is_file()]
    seen += b"".join(path.read_bytes() for path in files)
    assert leaks(seen, secrets) == []


def test_example_of_least_privilege(fleet):
    """The tokens that it makes are enough for the destination and the streams."""
    place = Place(fleet)
    for name in ("least_privilege.yml", "demo-vault-password"):
        fleet.write(name, (ROOT / "examples" / name).read_text())
    place.describe(application_token="{{ hostvars['acme-1'].audit_log_stream_application_token }}")
    # The tests' own password, so that one run can read all.
    fleet.write("demo-vault-password", VAULT_PASSWORD)
    fleet.write(
        f"inventory/group_vars/{GROUP}/tokens.yml",
        yaml.safe_dump({"vault_application_tokens": {name: ADMINISTRATORS[name] for name in STREAMERS}}),
        vaulted=True,
    )
    environment = {"ASTRA_API_URL": place.service.api_url}
    fleet.play(playbook=str(fleet.directory / "least_privilege.yml"), **environment)
    fleet.play(playbook=str(fleet.directory / "least_privilege.yml"), **environment)
    (file,) = {*fleet.directory.glob("inventory/host_vars/acme-1/*")}
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.read_text().startswith("$ANSIBLE_VAULT;")
    made = [token for token in place.service.tokens() if token.get("description", "").startswith("Audit log streaming")]
    assert sorted(token["organization_id"] for token in made) == sorted(IDS[name] for name in STREAMERS)

    place.play(APPLY)
    used = {entry["headers"]["authorization"].partition(" ")[2] for entry in place.service.journal()[-4:]}
    assert used <= {token["token"] for token in made}
    assert place.stream_tokens()
