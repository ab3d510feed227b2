# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is asked, what is sent, what is returned: the exact requests of every step."""

from __future__ import annotations

import json

import pytest
from ansible_collections.datastax.astra.plugins.module_utils._secrets import compute_fingerprint as fingerprint

from tests.wire.support import (
    ADMINISTRATOR,
    CREDENTIALS_URL,
    ENTERPRISE,
    OAUTH2_BODY,
    OAUTH2_OPTIONS,
    OAUTH2_STREAM,
    ORGANIZATION,
    OTHER_ORGANIZATION,
    OTHER_PULSAR_TOKEN,
    PULSAR_TOKEN,
    TOKEN_BODY,
    TOKEN_OPTIONS,
    TOKEN_STREAM,
    absent,
    configure,
    methods,
    present,
    run,
    stored,
)

PATH = f"/v2/organizations/{ORGANIZATION}/telemetry/auditLogs"
FINGERPRINT = fingerprint(ORGANIZATION, PULSAR_TOKEN)
OLD_FINGERPRINT = fingerprint(ORGANIZATION, OTHER_PULSAR_TOKEN)
OTHER_TOPIC = "persistent://acme/security/other"
UPDATED_TOPIC_BODY = {"pulsar": {**TOKEN_BODY["pulsar"], "topic": OTHER_TOPIC}}
SENT_AGAIN = "******** (sent again)"


def test_creates(service):
    result = present(service)
    assert result == {
        "changed": True,
        "action": "created",
        "organization_id": ORGANIZATION,
        "stream": TOKEN_STREAM,
        "previous": None,
        "token_compared": False,
        "token_fingerprint": FINGERPRINT,
        "token_expires_at": None,
        "diff": {"before": {}, "after": {**TOKEN_STREAM, "pulsar_token": "********"}},
    }
    journal = service.journal()
    assert [(entry["method"], entry["path"]) for entry in journal] == [
        ("GET", PATH),
        ("GET", "/v2/currentOrg"),  # nothing is configured, or the organization is not the token's
        ("POST", PATH),
        ("GET", PATH),
    ]
    assert {entry["headers"]["authorization"] for entry in journal} == {f"Bearer {ADMINISTRATOR}"}
    assert journal[2]["body"] == TOKEN_BODY
    assert journal[2]["headers"]["content-type"] == "application/json"


def test_again_costs_one_get(service):
    configure(service)
    result = present(service)
    assert (result["changed"], result["action"]) == (False, "none")
    assert result["stream"] == result["previous"] == TOKEN_STREAM
    assert result["diff"]["before"] == result["diff"]["after"]
    assert (result["token_compared"], result["token_fingerprint"]) == (False, None)
    assert methods(service) == ["GET"]


def test_without_wait_nothing_is_read_again(service):
    assert present(service, wait=False)["changed"]
    assert methods(service) == ["GET", "ORG", "POST"]


def test_no_diff_unless_asked(service):
    assert "diff" not in present(service, diff=False)


# Each kind of change: what is stored before, the options, what is sent, and what the diff shows of the secrets.
CHANGES = {
    "topic": (TOKEN_BODY, {**TOKEN_OPTIONS, "topic": OTHER_TOPIC}, UPDATED_TOPIC_BODY),
    "endpoint": (
        TOKEN_BODY,
        {**TOKEN_OPTIONS, "endpoint": "pulsar+ssl://pulsar.example.com:6651"},
        {"pulsar": {**TOKEN_BODY["pulsar"], "endpoint": "pulsar+ssl://pulsar.example.com:6651"}},
    ),
    "to oauth2": (TOKEN_BODY, OAUTH2_OPTIONS, OAUTH2_BODY),
    "to token": (OAUTH2_BODY, TOKEN_OPTIONS, TOKEN_BODY),
    "oauth2 audience": (
        OAUTH2_BODY,
        {**OAUTH2_OPTIONS, "oauth2_audience": "urn:other"},
        {"pulsar": {**OAUTH2_BODY["pulsar"], "oauth2_audience": "urn:other"}},
    ),
    "oauth2 audience left out": (
        OAUTH2_BODY,
        {name: value for name, value in OAUTH2_OPTIONS.items() if name != "oauth2_audience"},
        {"pulsar": {name: value for name, value in OAUTH2_BODY["pulsar"].items() if name != "oauth2_audience"}},
    ),
    "oauth2 scope": (
        OAUTH2_BODY,
        {**OAUTH2_OPTIONS, "oauth2_scope": "produce"},
        {"pulsar": {**OAUTH2_BODY["pulsar"], "oauth2_scope": "produce"}},
    ),
    "always": (TOKEN_BODY, {**TOKEN_OPTIONS, "update_token": "always"}, TOKEN_BODY),
    "rotated": (TOKEN_BODY, {**TOKEN_OPTIONS, "known_token_fingerprint": OLD_FINGERPRINT}, TOKEN_BODY),
    "not pulsar": ({"kafka": {"bootstrap_servers": "k:9092", "password": "kafka-secret"}}, TOKEN_OPTIONS, TOKEN_BODY),
}


@pytest.mark.parametrize(("before", "options", "body"), CHANGES.values(), ids=CHANGES)
def test_each_kind_of_change(service, before, options, body):
    configure(service, before)
    checked = run(service, check=True, **options)
    assert methods(service) == ["GET"]
    assert stored(service) == before
    service.clear_journal()
    result = run(service, **options)
    assert checked == result
    assert (result["changed"], result["action"]) == (True, "updated")
    assert methods(service) == ["GET", "POST", "GET"]
    assert service.journal()[1]["body"] == body
    assert stored(service) == body
    assert result["diff"]["before"] != result["diff"]["after"]
    assert run(service, **{**options, "update_token": "on_change", "known_token_fingerprint": None})["changed"] is False


@pytest.mark.parametrize("change", ["topic", "always", "rotated", "oauth2 audience"])
def test_a_secret_sent_again_shows_in_the_diff(service, change):
    before, options, _body = CHANGES[change]
    configure(service, before)
    after = run(service, **options)["diff"]["after"]
    assert after["pulsar_token" if "pulsar_token" in options else "oauth2_credentials_url"] == SENT_AGAIN


def test_a_destination_that_is_not_pulsar_is_shown_without_secrets(service):
    before, options, _body = CHANGES["not pulsar"]
    configure(service, before)
    result = run(service, check=True, **options)
    assert result["previous"] == {"kind": "kafka", "fields": {"bootstrap_servers": "k:9092"}}
    assert "kafka-secret" not in json.dumps(result)


def test_known_fingerprint_that_fits_changes_nothing(service):
    configure(service)
    result = present(service, known_token_fingerprint=FINGERPRINT)
    assert result["changed"] is False
    assert (result["token_compared"], result["token_fingerprint"]) == (True, FINGERPRINT)
    assert methods(service) == ["GET"]


@pytest.mark.parametrize("update_token", ["on_change", "on_create"])
def test_an_unknown_stored_secret_is_taken_as_right(service, update_token):
    configure(service)
    result = present(service, pulsar_token=OTHER_PULSAR_TOKEN, update_token=update_token)
    assert (result["changed"], result["token_compared"], result["token_fingerprint"]) == (False, False, None)


def test_on_create_ignores_a_known_fingerprint(service):
    configure(service)
    result = present(service, update_token="on_create", known_token_fingerprint=OLD_FINGERPRINT)
    assert (result["changed"], result["token_compared"]) == (False, False)


def test_a_token_shown_unmasked_is_compared(service):
    service.settings(masked=[])
    configure(service)
    assert present(service)["changed"] is False
    assert present(service, pulsar_token=OTHER_PULSAR_TOKEN)["action"] == "updated"
    assert stored(service)["pulsar"]["token"] == OTHER_PULSAR_TOKEN


@pytest.mark.parametrize("check", [True, False])
@pytest.mark.parametrize("before", [TOKEN_BODY, {"kafka": {"topic": "t"}}], ids=["pulsar", "not pulsar"])
def test_deletes(service, before, check):
    configure(service, before)
    result = absent(service, check=check)
    assert (result["changed"], result["action"], result["stream"]) == (True, "deleted", None)
    assert result["diff"]["after"] == {}
    assert result["diff"]["before"]
    assert methods(service) == (["GET"] if check else ["GET", "DELETE", "GET"])
    assert stored(service) == (before if check else None)


@pytest.mark.parametrize("check", [True, False])
def test_absent_again_makes_sure_of_the_organization(service, check):
    result = absent(service, check=check)
    assert (result["changed"], result["action"]) == (False, "none")
    assert (result["stream"], result["previous"]) == (None, None)
    assert result["diff"] == {"before": {}, "after": {}}
    assert methods(service) == ["GET", "ORG"]


def test_create_in_check_mode_equals_the_real_run(service):
    checked = present(service, check=True)
    assert methods(service) == ["GET", "ORG"]
    assert stored(service) is None
    assert checked == present(service)


def test_absent_ignores_everything_but_the_organization_and_the_connection(service):
    configure(service)
    result = absent(
        service,
        endpoint="http://nonsense",
        topic="nonsense",
        pulsar_token="expired and nonsense",
        known_token_fingerprint="nonsense",
        auth_name="nonsense",
    )
    assert result["action"] == "deleted"


@pytest.mark.parametrize("check", [True, False])
def test_the_tokens_own_organization_is_looked_up(service, check):
    result = present(service, organization_id=None, check=check)
    assert (result["action"], result["organization_id"]) == ("created", ORGANIZATION)
    assert methods(service) == (["ORG", "GET"] if check else ["ORG", "GET", "POST", "GET"])


def test_an_enterprise_token_works_for_each_of_its_organizations(service):
    assert present(service, application_token=ENTERPRISE)["action"] == "created"
    assert present(service, application_token=ENTERPRISE, organization_id=OTHER_ORGANIZATION)["action"] == "created"
    result = present(service, application_token=ENTERPRISE, organization_id=None)
    assert (result["failed"], result["http_status"]) == (True, 403)


def test_oauth2_is_created_as_asked(service):
    result = run(service, **OAUTH2_OPTIONS)
    assert (result["action"], result["stream"]) == ("created", OAUTH2_STREAM)
    assert result["token_fingerprint"] == fingerprint(ORGANIZATION, CREDENTIALS_URL)
    assert service.journal()[2]["body"] == OAUTH2_BODY


def test_endpoint_and_topic_are_sent_normalised(service):
    present(service, endpoint="ssl://Pulsar.Example.com:6651/", topic="acme/security/audit")
    sent = service.journal()[2]["body"]["pulsar"]
    assert (sent["endpoint"], sent["topic"]) == ("pulsar+ssl://pulsar.example.com:6651", TOKEN_OPTIONS["topic"])


@pytest.mark.parametrize(
    "changed",
    [
        {"endpoint": "PULSAR+SSL://Pulsar-AWS-UsEast2.streaming.datastax.com:6651"},
        {"endpoint": f"{TOKEN_OPTIONS['endpoint']}/"},
        {"topic": TOKEN_OPTIONS["topic"].partition("://")[2]},
    ],
    ids=str,
)
def test_another_spelling_of_what_is_stored_is_no_difference(service, changed):
    configure(service, {"pulsar": {**TOKEN_BODY["pulsar"], **changed}})
    result = present(service)
    assert (result["changed"], result["previous"]) == (False, TOKEN_STREAM)
    assert methods(service) == ["GET"]


def test_oauth2_values_are_sent_without_white_space_around_them(service):
    options = {**OAUTH2_OPTIONS, "oauth2_audience": " urn:pulsar\n", "oauth2_scope": " produce "}
    assert run(service, **options)["stream"] == {**OAUTH2_STREAM, "oauth2_scope": "produce"}
    assert stored(service) == {"pulsar": {**OAUTH2_BODY["pulsar"], "oauth2_scope": "produce"}}
    assert run(service, **options)["changed"] is False


def test_a_secret_alone_is_sent_without_claiming_to_see_it_arrive(service):
    configure(service)
    result = present(service, known_token_fingerprint=OLD_FINGERPRINT)
    assert result["warnings"] == ["pulsar_token was sent again. The service does not show when it takes effect."]


def test_a_secret_that_cannot_be_compared_is_said(service):
    configure(service)
    [warning] = present(service)["warnings"]
    assert warning.startswith("pulsar_token could not be compared")
    assert "warnings" not in present(service, known_token_fingerprint=FINGERPRINT)
    assert "warnings" not in present(service, update_token="on_create")


class TestWithoutTheSecret:
    """A secret is needed for writing alone."""

    def test_nothing_to_write(self, service):
        configure(service)
        result = present(service, pulsar_token=None)
        assert result["changed"] is False
        assert result["warnings"] == ["pulsar_token was not given, so it could not be compared; everything else was."]

    @pytest.mark.parametrize("secret", [None, "********"], ids=["left out", "mask"])
    def test_a_write_is_refused_with_nothing_sent(self, service, secret):
        result = present(service, pulsar_token=secret)
        assert (result["failed"], result["changed"]) == (True, False)
        assert "pulsar_token is needed" in result["msg"]
        assert methods(service) == ["GET", "ORG"]

    def test_always_is_refused_too(self, service):
        configure(service)
        assert present(service, pulsar_token=None, update_token="always")["failed"]
        assert methods(service) == ["GET"]

    def test_drift_audit_compares_the_rest_and_says_what_it_could_not(self, service):
        configure(service)
        result = present(service, pulsar_token=None, check=True)
        assert result["changed"] is False
        assert result["warnings"] == ["pulsar_token was not given, so it could not be compared; everything else was."]

    def test_drift_audit_finds_drift(self, service):
        configure(service, UPDATED_TOPIC_BODY)
        result = present(service, pulsar_token=None, check=True)
        assert (result["changed"], result["action"]) == (True, "updated")
        assert result["diff"]["before"]["topic"] != result["diff"]["after"]["topic"]
        assert "without it a real run would refuse to write" in result["warnings"][0]
        assert methods(service) == ["GET"]


@pytest.mark.parametrize("check", [True, False])
def test_mistakes_are_all_reported_before_anything_is_sent(service, check):
    result = present(
        service,
        check=check,
        endpoint="https://pulsar-aws-useast2.api.streaming.datastax.com",
        topic="non-persistent://acme/security/audit",
        pulsar_token=ADMINISTRATOR,
        organization_id="acme",
        oauth2_scope="produce",
    )
    assert (result["failed"], result["changed"]) == (True, False)
    for problem in (
        "organization_id must be the organization's UUID",
        "endpoint is a web URL",
        "topic is non-persistent",
        "pulsar_token is an Astra application token",
        "oauth2_scope cannot be used with the token strategy",
    ):
        assert problem in result["msg"]
    assert ADMINISTRATOR not in result["msg"]
    assert service.journal() == []
