# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the vendor leaves open: the code bears every variant."""

from __future__ import annotations

import pytest
from ansible_collections.datastax.astra.plugins.module_utils._command import AUDIT_LOG_STREAM_INFO

from tests.wire.support import (
    ADMINISTRATOR,
    ENTERPRISE,
    OAUTH2_BODY,
    OAUTH2_OPTIONS,
    OAUTH2_STREAM,
    ORGANIZATION,
    READER,
    STRANGER,
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

TOKEN_BODY_SHOWN = {"pulsar": {**TOKEN_STREAM, "token": "********"}}


@pytest.mark.parametrize("variant", ["404", "204", "empty", "null", "no-pulsar"])
class TestNothingConfigured:
    def test_ladder(self, service, variant):
        service.settings(get_when_absent=variant)
        assert absent(service)["action"] == "none"
        assert present(service)["action"] == "created"
        assert present(service)["action"] == "none"
        assert absent(service)["action"] == "deleted"
        assert absent(service)["action"] == "none"
        expected = ["GET", "ORG", *["GET", "ORG", "POST", "GET"], "GET", *["GET", "DELETE", "GET"], "GET", "ORG"]
        assert methods(service) == expected

    def test_info(self, service, variant):
        service.settings(get_when_absent=variant)
        assert run(service, command=AUDIT_LOG_STREAM_INFO) == {
            "changed": False,
            "exists": False,
            "organization_id": ORGANIZATION,
            "stream": None,
        }


@pytest.mark.parametrize("masked", [["oauth2_credentials_url"], ["oauth2_issuer_url"], list(OAUTH2_BODY["pulsar"])[2:]])
def test_whatever_oauth2_field_is_masked_the_rest_is_compared(service, masked):
    service.settings(masked=masked)
    assert run(service, **OAUTH2_OPTIONS)["action"] == "created"
    again = run(service, **OAUTH2_OPTIONS)
    assert (again["changed"], again["stream"], again["previous"]) == (False, OAUTH2_STREAM, OAUTH2_STREAM)
    assert run(service, **{**OAUTH2_OPTIONS, "topic": "a/b/c"})["action"] == "updated"


def test_a_masked_field_that_is_left_out_is_meant_to_be_absent(service):
    service.settings(masked=["oauth2_audience", "oauth2_credentials_url"])
    configure(service, OAUTH2_BODY)
    result = run(service, **{**OAUTH2_OPTIONS, "oauth2_audience": None})
    assert result["action"] == "updated"
    assert "oauth2_audience" not in stored(service)["pulsar"]


@pytest.mark.parametrize("while_applying", ["replace", "conflict"])
def test_a_change_that_takes_effect_later_is_waited_for(service, while_applying):
    service.settings(apply_lag=0.6, post_while_applying=while_applying)
    assert present(service)["action"] == "created"
    assert stored(service) == TOKEN_BODY
    assert present(service, topic="a/b/c", wait=False)["action"] == "updated"
    assert absent(service)["action"] == "deleted"
    assert stored(service) is None


def test_waiting_ends_and_says_what_differs(service):
    configure(service)
    service.settings(apply_lag=60)
    result = present(service, topic="a/b/c", wait_timeout=1)
    assert (result["failed"], result["changed"]) == (True, True)
    assert "The service accepted the change" in result["msg"]
    assert "does not show it (topic)" in result["msg"]
    service.settings(apply_lag=60)
    result = absent(service, wait_timeout=0)
    assert (result["failed"], result["changed"]) == (True, True)
    assert "the configuration is still there" in result["msg"]


def test_409_clears_within_the_deadline(service):
    service.fault(match={"method": "POST"}, times=2, status=409)
    assert present(service)["action"] == "created"
    assert methods(service) == ["GET", "ORG", "POST", "GET", "POST", "GET", "POST", "GET"]


@pytest.mark.parametrize("check_again", [True, False])
def test_after_409_the_plan_is_made_anew(service, check_again):
    """Another run asks for the same and is faster: this one has nothing left to do, and says so."""
    service.fault(match={"method": "POST"}, status=409, apply=check_again)
    if not check_again:
        service.fault(match={"method": "GET", "path": "auditLogs$"}, skip=1, status=200, body=TOKEN_BODY_SHOWN)
    result = present(service)
    assert (result["changed"], result["action"], result["previous"]) == (False, "none", TOKEN_STREAM)
    assert methods(service) == ["GET", "ORG", "POST", "GET"]


def test_somebody_else_deletes_first(service):
    configure(service)
    service.fault(match={"method": "DELETE"}, status=409)
    service.fault(match={"method": "DELETE"}, status=404)
    service.fault(match={"method": "GET"}, skip=2, status=404, body={"errors": []})
    result = absent(service)
    assert (result["changed"], result["action"]) == (False, "none")


def test_a_delete_that_a_gateway_lost_sight_of_counts_as_ours(service):
    configure(service)
    service.fault(match={"method": "DELETE"}, status=504, apply=True)
    result = absent(service)
    assert (result["changed"], result["action"]) == (True, "deleted")
    assert methods(service) == ["GET", "DELETE", "DELETE", "GET", "GET"]


@pytest.mark.parametrize("command_options", [{}, {"command": AUDIT_LOG_STREAM_INFO}], ids=["stream", "info"])
@pytest.mark.parametrize(
    ("token", "status"), [(READER, 403), ("AstraCS:unknown", 401)], ids=["without the role", "unknown"]
)
def test_refused_tokens(service, token, status, command_options):
    result = run(service, application_token=token, state="absent", **command_options)
    assert (result["failed"], result["changed"], result["http_status"]) == (True, False, status)
    assert token not in str(result)
    assert methods(service) == ["GET"]


@pytest.mark.parametrize("check", [True, False])
@pytest.mark.parametrize(
    "options",
    [{"state": "absent"}, TOKEN_OPTIONS, {"command": AUDIT_LOG_STREAM_INFO}],
    ids=["absent", "present", "info"],
)
class TestNothingConfiguredIsBelievedOnlyWhenItIsSure:
    def test_a_token_of_another_organization_is_a_failure(self, service, options, check):
        configure(service)
        result = run(service, application_token=STRANGER, check=check, **options)
        assert (result["failed"], result["changed"]) == (True, False)
        assert "belongs to organization" in result["msg"]
        assert "check organization_id and application_token" in result["msg"]
        assert methods(service) == ["GET", "ORG"]

    @pytest.mark.parametrize("body", ["<html>Not Found</html>", "", "{", "[]", '"not found"'])
    def test_a_404_of_somebody_else_is_a_failure(self, service, options, check, body):
        service.fault(match={"path": "auditLogs$"}, times=None, status=404, body=body)
        result = run(service, check=check, **options)
        assert (result["failed"], result["changed"], result["http_status"]) == (True, False, 404)
        assert "with a body that is not the API's own: check api_url and any proxy in between." in result["msg"]
        assert methods(service) == ["GET"]

    def test_a_wrong_path_in_api_url_is_a_failure(self, service, options, check):
        service.fault(match={"path": "^/wrong/"}, times=None, status=404, body="404 page not found")
        result = run(service, api_url=f"{service.api_url}/wrong", check=check, **options)
        assert result["failed"]
        assert "check api_url" in result["msg"]

    def test_an_enterprises_token_gets_a_warning(self, service, options, check):
        result = run(service, application_token=ENTERPRISE, check=check, **options)
        assert "failed" not in result
        [warning] = [warning for warning in result["warnings"] if "enterprise" in warning]
        assert ORGANIZATION in warning

    @pytest.mark.parametrize("status", [401, 500])
    def test_a_question_without_an_answer_is_a_failure(self, service, options, check, status):
        service.fault(match={"path": "currentOrg$"}, times=None, status=status)
        result = run(service, check=check, **options)
        assert (result["failed"], result["changed"], result["http_status"]) == (True, False, status)


class TestInfo:
    def test_shows_the_stream_without_secrets(self, service):
        configure(service)
        assert run(service, command=AUDIT_LOG_STREAM_INFO) == {
            "changed": False,
            "exists": True,
            "organization_id": ORGANIZATION,
            "stream": TOKEN_STREAM,
        }
        assert methods(service) == ["GET"]

    def test_finds_the_tokens_own_organization(self, service):
        result = run(service, command=AUDIT_LOG_STREAM_INFO, organization_id=None)
        assert result["organization_id"] == ORGANIZATION
        assert next(entry["path"] for entry in service.journal()) == "/v2/currentOrg"

    def test_an_enterprise_needs_the_id(self, service):
        result = run(service, command=AUDIT_LOG_STREAM_INFO, organization_id=None, application_token=ENTERPRISE)
        assert (result["failed"], result["http_status"]) == (True, 403)

    def test_other_destinations(self, service):
        configure(service, {"datadog": {"default_api_key": "secret", "region": "us"}})
        result = run(service, command=AUDIT_LOG_STREAM_INFO)
        assert (result["exists"], result["stream"]) == (True, {"kind": "datadog", "fields": {"region": "us"}})

    def test_a_wrong_id_is_refused_offline(self, service):
        result = run(service, command=AUDIT_LOG_STREAM_INFO, organization_id="acme")
        assert result["msg"] == "organization_id must be the organization's UUID, as the Astra portal shows it."
        assert methods(service) == []

    def test_an_unmasked_token_is_not_shown(self, service):
        service.settings(masked=[])
        configure(service)
        assert TOKEN_BODY["pulsar"]["token"] not in str(run(service, command=AUDIT_LOG_STREAM_INFO))


def test_the_mask_is_never_sent(service):
    configure(service)
    result = present(service, pulsar_token="********", topic="a/b/c")
    assert result["failed"]
    assert "pulsar_token is the mask that the API shows for a secret; it counts as not given." in result["warnings"]
    assert stored(service) == TOKEN_BODY
    assert all(entry["headers"]["authorization"] == f"Bearer {ADMINISTRATOR}" for entry in service.journal())
