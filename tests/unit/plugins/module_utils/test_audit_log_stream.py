# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is stored, what to do about it, and that check mode is the same computation."""

from __future__ import annotations

import itertools
import json

import pytest
from ansible_collections.datastax.astra.plugins.module_utils.audit_log_stream import (
    Settings,
    Stored,
    converge,
    fingerprint,
    make_plan,
    read_stored,
    show,
)
from ansible_collections.datastax.astra.plugins.module_utils.destination import Request
from ansible_collections.datastax.astra.plugins.module_utils.errors import InputError, ServiceError, WaitTimeout

MASK = "********"
SENT_AGAIN = "******** (sent again)"

ORGANIZATION = "0a1b2c3d-0000-4000-8000-000000000001"
OTHER_ORGANIZATION = "0a1b2c3d-0000-4000-8000-000000000002"
SECRET = "the-secret"
OTHER_SECRET = "another-secret"
EXPIRES_AT = "2027-01-15T08:00:00Z"

ENDPOINT = "pulsar+ssl://broker:6651"
TOPIC = "persistent://acme/security/audit"
OTHER_TOPIC = "persistent://acme/security/other"

TOKEN_STREAM = {"endpoint": ENDPOINT, "topic": TOPIC, "auth_strategy": "token", "auth_name": "token"}
OAUTH2_STREAM = {
    "endpoint": ENDPOINT,
    "topic": TOPIC,
    "auth_strategy": "oauth2",
    "oauth2_issuer_url": "https://login.example.com/",
    "oauth2_audience": "urn:pulsar",
    "oauth2_scope": "produce",
}
STREAMS = {"token": TOKEN_STREAM, "oauth2": OAUTH2_STREAM}
SECRET_OPTIONS = {"token": "pulsar_token", "oauth2": "oauth2_credentials_url"}
SECRET_FIELDS = {"token": "token", "oauth2": "oauth2_credentials_url"}


def test_fingerprint_is_the_documented_hash():
    """printf 'ORGANIZATION\\0secret' | sha256sum"""
    expected = "sha256:5004b1607ca4b2440200b789c32ce2c21f76a5ad98ed60e96690d68f093d73bb"
    assert fingerprint(ORGANIZATION, "secret") == expected


def test_fingerprints_of_two_organizations_differ():
    assert fingerprint(ORGANIZATION, SECRET) != fingerprint(OTHER_ORGANIZATION, SECRET)


def pulsar(**changed):
    """What GET shows of the token strategy, with changes; a field that is set to ... is left out."""
    fields = {**TOKEN_STREAM, "token": MASK, **changed}
    return {"pulsar": {name: value for name, value in fields.items() if value is not ...}}


TOKEN_STORED = Stored(TOKEN_STREAM, {"pulsar_token": MASK})


class TestReadStored:
    @pytest.mark.parametrize(
        "document",
        [
            None,
            {},
            {"pulsar": None},
            {"pulsar": {}},
            {"kafka": None},
            {"kafka": {}},
            {"kafka": []},
            {"kafka": "", "pulsar": None},
            {"status": "none", "enabled": False},
        ],
        ids=json.dumps,
    )
    def test_nothing_is_configured(self, document):
        assert read_stored(document) is None

    @pytest.mark.parametrize(
        ("document", "stored"),
        [
            pytest.param(pulsar(), TOKEN_STORED, id="token"),
            pytest.param(pulsar(token=...), Stored(TOKEN_STREAM, {}), id="secret not shown at all"),
            pytest.param(pulsar(token=None), Stored(TOKEN_STREAM, {}), id="secret shown as null"),
            pytest.param(pulsar(token=""), Stored(TOKEN_STREAM, {}), id="secret shown as empty"),
            pytest.param(pulsar(token=SECRET), Stored(TOKEN_STREAM, {"pulsar_token": SECRET}), id="secret unmasked"),
            pytest.param(
                pulsar(auth_name=None),
                Stored({name: TOKEN_STREAM[name] for name in ("endpoint", "topic", "auth_strategy")}, TOKEN_STORED[1]),
                id="auth_name is null",
            ),
            pytest.param(
                pulsar(oauth2_credentials_url="", oauth2_issuer_url=None, oauth2_audience="", oauth2_scope=None),
                TOKEN_STORED,
                id="the other strategy's fields are empty",
            ),
            pytest.param(pulsar(status="active", version=3, extra={"a": "b"}), TOKEN_STORED, id="unknown fields"),
            pytest.param({**pulsar(), "kafka": {"topic": "t"}}, TOKEN_STORED, id="Pulsar beside another destination"),
            pytest.param(
                pulsar(auth_strategy="basic"),
                Stored({**TOKEN_STREAM, "auth_strategy": "basic"}, {"pulsar_token": MASK}),
                id="unknown strategy",
            ),
            pytest.param(
                {"pulsar": {**OAUTH2_STREAM, "oauth2_credentials_url": MASK}},
                Stored(OAUTH2_STREAM, {"oauth2_credentials_url": MASK}),
                id="oauth2",
            ),
            pytest.param(
                {"pulsar": {**OAUTH2_STREAM, "oauth2_credentials_url": MASK, "oauth2_issuer_url": MASK}},
                Stored({**OAUTH2_STREAM, "oauth2_issuer_url": MASK}, {"oauth2_credentials_url": MASK}),
                id="a masked field is known to be there",
            ),
        ],
    )
    def test_pulsar(self, document, stored):
        assert read_stored(document) == stored

    @pytest.mark.parametrize(
        ("document", "field"),
        [
            *(({"pulsar": value}, "pulsar") for value in (False, True, 0, 7, "", "text", [], [pulsar()])),
            *(
                (pulsar(endpoint=value), "endpoint")
                for value in (..., None, "", 7, True, [ENDPOINT], {"url": ENDPOINT})
            ),
            *((pulsar(topic=value), "topic") for value in (..., None, "", 7, False, [TOPIC])),
            *((pulsar(auth_strategy=value), "auth_strategy") for value in (..., None, "", 1, ["token"])),
            *((pulsar(auth_name=value), "auth_name") for value in (1, True, ["token"], {})),
            *((pulsar(token=value), "token") for value in (1, False, [SECRET], {"value": SECRET})),
            *((pulsar(oauth2_credentials_url=value), "oauth2_credentials_url") for value in (1, [SECRET])),
            (pulsar(oauth2_issuer_url=1), "oauth2_issuer_url"),
            (pulsar(oauth2_audience=["a"]), "oauth2_audience"),
            (pulsar(oauth2_scope={"a": "b"}), "oauth2_scope"),
        ],
    )
    def test_what_the_contract_does_not_allow(self, document, field):
        with pytest.raises(ServiceError) as caught:
            read_stored(document)
        message = caught.value.message
        assert f"whose field {field} is missing or has a wrong type" in message
        assert "check api_url" in message
        assert caught.value.result == {"http_status": 200, "api_errors": []}
        assert SECRET not in message

    def test_the_sentence_fits_a_read_after_an_accepted_change_too(self):
        with pytest.raises(ServiceError) as caught:
            read_stored({"pulsar": "text"})
        assert "nothing was changed" not in caught.value.message

    @pytest.mark.parametrize(
        ("document", "kind", "shown"),
        [
            ({"kafka": {"bootstrap_servers": "k1:9092,k2:9092", "topic": "t", "password": SECRET}}, "kafka", 2),
            ({"http": {"uri": f"https://host/{SECRET}", "compression": "gzip"}}, "http", 1),
            ({"http": {"endpoint": f"https://user:{SECRET}@host"}}, "http", 0),
            ({"http": {"endpoint": f"https://host?key={SECRET}"}}, "http", 0),
            ({"http": {"endpoint": f"https://hooks.example.com/services/{SECRET}"}}, "http", 0),
            ({"http": {"endpoint": "https://host:8080/"}}, "http", 1),
            ({"azure": {"host": f"AccountKey={SECRET};Host=h"}}, "azure", 0),
            ({"aws_s3": {"bucket": "b", "region": "us-east-2", "auth": {"secret_access_key": SECRET}}}, "aws_s3", 2),
            (
                {"splunk_hec": {"endpoint": "https://splunk:8088", "default_token": SECRET, "index": "i"}},
                "splunk_hec",
                2,
            ),
            ({"unknown": {"a": SECRET, "topic": [SECRET], "type": {"token": SECRET}, "host": None}}, "unknown", 0),
            ({"numbers": {"port": 9092, "acks": True, "key": 1234567890}}, "numbers", 2),
            ({"pulsar": None, "kafka": {"topic": "t"}}, "kafka", 1),
            ({"pulsar": {}, "kafka": {"topic": "t"}}, "kafka", 1),
            ({"zzz": {"topic": "z"}, "kafka": {"topic": "t"}, "aaa": "text"}, "kafka", 1),
        ],
        ids=lambda value: json.dumps(value) if isinstance(value, dict) else None,
    )
    def test_other_destinations_show_only_what_cannot_be_a_secret(self, document, kind, shown):
        stored = read_stored(document)
        assert (stored.foreign, stored.secrets) == (True, {})
        assert stored.stream["kind"] == kind
        assert len(stored.stream["fields"]) == shown
        assert stored.stream["fields"].items() <= document[kind].items()
        assert SECRET not in json.dumps(stored.stream)


def request(strategy="token", secret=SECRET, state="present", **changed):
    """A validated request; an option that is set to None is left out."""
    if state == "absent":
        return Request("absent", ORGANIZATION)
    stream = {name: value for name, value in {**STREAMS[strategy], **changed}.items() if value is not None}
    return Request("present", ORGANIZATION, stream, secret, EXPIRES_AT)


def stored_as(strategy="token", masked=(), **changed):
    """What is read when the stream of this strategy is stored, with changes, and these fields are masked as well."""
    fields = {**STREAMS[strategy], SECRET_FIELDS[strategy]: MASK, **changed, **dict.fromkeys(masked, MASK)}
    return read_stored({"pulsar": fields})


def plan_for(asked, stored, **settings):
    return make_plan(asked, ORGANIZATION, stored, Settings(**settings))


KNOWN = {
    "none known": None,
    "same known": fingerprint(ORGANIZATION, SECRET),
    "other known": fingerprint(ORGANIZATION, OTHER_SECRET),
}
UPDATE_TOKEN = ("on_change", "always", "on_create")
FOREIGN = read_stored({"kafka": {"topic": "t", "password": OTHER_SECRET}})
OTHER_STRATEGY = {"token": "oauth2", "oauth2": "token"}


# How the secret alone decides. (update_token, known, secret given): (action, token_compared, fingerprint returned)
SECRET_RULES = {
    ("on_change", "none known", True): ("none", False, False),
    ("on_change", "none known", False): ("none", False, False),
    ("on_change", "same known", True): ("none", True, True),
    ("on_change", "same known", False): ("none", False, False),
    ("on_change", "other known", True): ("updated", True, True),
    ("on_change", "other known", False): ("none", False, False),
    ("always", "none known", True): ("updated", False, True),
    ("always", "none known", False): ("updated", False, False),
    ("always", "same known", True): ("updated", False, True),
    ("always", "same known", False): ("updated", False, False),
    ("always", "other known", True): ("updated", False, True),
    ("always", "other known", False): ("updated", False, False),
    ("on_create", "none known", True): ("none", False, False),
    ("on_create", "none known", False): ("none", False, False),
    ("on_create", "same known", True): ("none", False, False),
    ("on_create", "same known", False): ("none", False, False),
    ("on_create", "other known", True): ("none", False, False),
    ("on_create", "other known", False): ("none", False, False),
}


class TestSecretAlone:
    """Everything else is stored as asked."""

    @pytest.mark.parametrize("strategy", STREAMS)
    @pytest.mark.parametrize(
        ("case", "expected"), SECRET_RULES.items(), ids=["-".join(map(str, case)) for case in SECRET_RULES]
    )
    def test_rules(self, strategy, case, expected):
        update_token, known, given = case
        asked = request(strategy, secret=SECRET if given else None)
        plan = plan_for(asked, stored_as(strategy), update_token=update_token, known_fingerprint=KNOWN[known])
        fingerprint_returned = plan.token_fingerprint is not None
        assert (plan.action, plan.token_compared, fingerprint_returned) == expected
        assert plan.token_fingerprint in (None, KNOWN["same known"])
        assert plan.missing_secret == (SECRET_OPTIONS[strategy] if plan.changed and not given else None)

    def test_a_fingerprint_of_another_organization_is_another(self):
        known = fingerprint(OTHER_ORGANIZATION, SECRET)
        assert plan_for(request(), stored_as(), known_fingerprint=known).action == "updated"

    @pytest.mark.parametrize("strategy", STREAMS)
    @pytest.mark.parametrize("known", KNOWN)
    @pytest.mark.parametrize(
        ("shown", "update_token", "action"),
        [
            (OTHER_SECRET, "on_change", "updated"),
            (OTHER_SECRET, "on_create", "none"),
            (OTHER_SECRET, "always", "updated"),
            (SECRET, "on_create", "none"),
            (SECRET, "always", "updated"),
        ],
    )
    def test_a_secret_that_get_shows_is_compared(self, strategy, known, shown, update_token, action):
        stored = stored_as(strategy, **{SECRET_FIELDS[strategy]: shown})
        plan = plan_for(request(strategy), stored, update_token=update_token, known_fingerprint=KNOWN[known])
        assert plan.action == action

    def test_a_secret_that_get_shows_as_given_is_right(self):
        assert plan_for(request(), stored_as(token=SECRET)).action == "none"

    def test_a_secret_that_get_shows_needs_none_to_compare_with(self):
        plan = plan_for(request(secret=None), stored_as(token=OTHER_SECRET))
        assert (plan.action, plan.missing_secret) == ("none", None)


def with_a_field_too_many(strategy):
    return stored_as(strategy, **{"auth_name" if strategy == "oauth2" else "oauth2_scope": "x"})


# Whatever the secret's rules say, these have to be written: what is stored, and the action.
TO_WRITE = {
    "nothing": (lambda strategy: None, "created"),
    "not Pulsar": (lambda strategy: FOREIGN, "updated"),
    "other strategy": (lambda strategy: stored_as(OTHER_STRATEGY[strategy]), "updated"),
    "other topic": (lambda strategy: stored_as(strategy, topic=OTHER_TOPIC), "updated"),
    "other endpoint": (lambda strategy: stored_as(strategy, endpoint="pulsar+ssl://other:6651"), "updated"),
    "unknown strategy": (lambda strategy: stored_as(strategy, auth_strategy="basic"), "updated"),
    "a field too many": (with_a_field_too_many, "updated"),
    "a masked field too many": (
        lambda strategy: stored_as(strategy, masked=["auth_name" if strategy == "oauth2" else "oauth2_scope"]),
        "updated",
    ),
}
NEVER_COMPARED = ("nothing", "not Pulsar", "other strategy", "unknown strategy")


@pytest.mark.parametrize("strategy", STREAMS)
@pytest.mark.parametrize("before", TO_WRITE)
@pytest.mark.parametrize("update_token", UPDATE_TOKEN)
@pytest.mark.parametrize("known", KNOWN)
class TestWrites:
    def plan(self, strategy, before, update_token, known, secret=SECRET):
        stored = TO_WRITE[before][0](strategy)
        asked = request(strategy, secret=secret)
        return plan_for(asked, stored, update_token=update_token, known_fingerprint=KNOWN[known])

    def test_the_whole_configuration_is_sent_with_the_secret(self, strategy, before, update_token, known):
        plan = self.plan(strategy, before, update_token, known)
        assert plan.changed
        assert plan.action == TO_WRITE[before][1]
        assert plan.configuration == {"pulsar": {**STREAMS[strategy], SECRET_FIELDS[strategy]: SECRET}}
        assert plan.missing_secret is None
        assert plan.after == STREAMS[strategy]
        assert plan.token_fingerprint == KNOWN["same known"]
        expected = update_token == "on_change" and known != "none known" and before not in NEVER_COMPARED
        assert plan.token_compared is expected

    def test_without_the_secret_nothing_can_be_sent(self, strategy, before, update_token, known):
        plan = self.plan(strategy, before, update_token, known, secret=None)
        assert plan.action == TO_WRITE[before][1]
        assert (plan.configuration, plan.missing_secret) == (None, SECRET_OPTIONS[strategy])
        assert (plan.token_fingerprint, plan.token_compared) == (None, False)


OAUTH2_FIELDS = ("oauth2_issuer_url", "oauth2_audience", "oauth2_scope")
MASKED_FIELDS = [masked for length in range(4) for masked in itertools.combinations(OAUTH2_FIELDS, length)]


@pytest.mark.parametrize("masked", MASKED_FIELDS, ids=lambda masked: "+".join(masked) or "none")
class TestMaskedOauth2Fields:
    """Which fields GET masks is not documented: what it shows is compared, what it masks is taken as right."""

    def test_stored_as_asked(self, masked):
        plan = plan_for(request("oauth2"), stored_as("oauth2", masked))
        assert plan.action == "none"
        assert plan.before == plan.after == OAUTH2_STREAM

    @pytest.mark.parametrize("field", OAUTH2_FIELDS)
    def test_another_value_is_stored(self, masked, field):
        plan = plan_for(request("oauth2"), stored_as("oauth2", masked, **({} if field in masked else {field: "x"})))
        assert plan.action == ("none" if field in masked else "updated")

    @pytest.mark.parametrize("field", OAUTH2_FIELDS[1:])
    def test_a_field_that_is_left_out_is_meant_to_be_absent(self, masked, field):
        plan = plan_for(request("oauth2", **{field: None}), stored_as("oauth2", masked))
        assert plan.action == "updated"
        assert field not in plan.configuration["pulsar"]
        assert field in plan.before

    @pytest.mark.parametrize("field", OAUTH2_FIELDS[1:])
    def test_a_field_that_is_not_stored_is_added(self, masked, field):
        plan = plan_for(request("oauth2"), stored_as("oauth2", set(masked) - {field}, **{field: ""}))
        assert plan.action == "updated"
        assert plan.configuration["pulsar"][field] == OAUTH2_STREAM[field]

    def test_the_mask_is_never_sent(self, masked):
        plan = plan_for(request("oauth2"), stored_as("oauth2", masked, topic=OTHER_TOPIC))
        assert plan.configuration == {"pulsar": {**OAUTH2_STREAM, "oauth2_credentials_url": SECRET}}


@pytest.mark.parametrize("field", ["endpoint", "topic", "auth_strategy", "auth_name"])
def test_any_masked_field_is_taken_as_right(field):
    assert plan_for(request(), stored_as(masked=[field])).action == "none"


class TestAbsent:
    @pytest.mark.parametrize("update_token", UPDATE_TOKEN)
    @pytest.mark.parametrize("known", KNOWN)
    @pytest.mark.parametrize(
        ("stored", "before"),
        [
            (stored_as(), {**TOKEN_STREAM, "pulsar_token": MASK}),
            (stored_as(token=OTHER_SECRET), {**TOKEN_STREAM, "pulsar_token": MASK}),
            (stored_as("oauth2"), {**OAUTH2_STREAM, "oauth2_credentials_url": MASK}),
            (FOREIGN, {"kind": "kafka", "fields": {"topic": "t"}}),
        ],
        ids=["token", "unmasked token", "oauth2", "not Pulsar"],
    )
    def test_deletes_whatever_is_there(self, update_token, known, stored, before):
        settings = {"update_token": update_token, "known_fingerprint": KNOWN[known]}
        assert plan_for(request(state="absent"), stored, **settings)._asdict() == {
            "action": "deleted",
            "before": stored.stream,
            "after": None,
            "diff": {"before": before, "after": {}},
            "configuration": None,
            "missing_secret": None,
            "token_compared": False,
            "token_fingerprint": None,
        }

    def test_nothing_is_there(self):
        plan = plan_for(request(state="absent"), None, update_token="always")
        assert (plan.action, plan.changed, plan.before, plan.after) == ("none", False, None, None)
        assert plan.diff == {"before": {}, "after": {}}


class TestDiff:
    @pytest.mark.parametrize(
        ("asked", "stored", "settings", "before", "after"),
        [
            pytest.param(request(), None, {}, {}, {**TOKEN_STREAM, "pulsar_token": MASK}, id="created"),
            pytest.param(
                request(),
                stored_as(topic=OTHER_TOPIC),
                {},
                {**TOKEN_STREAM, "topic": OTHER_TOPIC, "pulsar_token": MASK},
                {**TOKEN_STREAM, "pulsar_token": SENT_AGAIN},
                id="other topic",
            ),
            pytest.param(
                request(),
                stored_as(),
                {"update_token": "always"},
                {**TOKEN_STREAM, "pulsar_token": MASK},
                {**TOKEN_STREAM, "pulsar_token": SENT_AGAIN},
                id="always",
            ),
            pytest.param(
                request(),
                stored_as(token=""),
                {"update_token": "always"},
                TOKEN_STREAM,
                {**TOKEN_STREAM, "pulsar_token": SENT_AGAIN},
                id="always, and GET does not show the token",
            ),
            pytest.param(
                request(),
                stored_as(token=OTHER_SECRET),
                {},
                {**TOKEN_STREAM, "pulsar_token": MASK},
                {**TOKEN_STREAM, "pulsar_token": SENT_AGAIN},
                id="unmasked",
            ),
            pytest.param(
                request(),
                stored_as("oauth2"),
                {},
                {**OAUTH2_STREAM, "oauth2_credentials_url": MASK},
                {**TOKEN_STREAM, "pulsar_token": MASK},
                id="other strategy",
            ),
            pytest.param(
                request("oauth2"),
                stored_as("oauth2", oauth2_scope="other"),
                {},
                {**OAUTH2_STREAM, "oauth2_scope": "other", "oauth2_credentials_url": MASK},
                {**OAUTH2_STREAM, "oauth2_credentials_url": SENT_AGAIN},
                id="other scope",
            ),
            pytest.param(
                request(),
                FOREIGN,
                {},
                {"kind": "kafka", "fields": {"topic": "t"}},
                {**TOKEN_STREAM, "pulsar_token": MASK},
                id="not Pulsar",
            ),
            pytest.param(
                request(),
                stored_as(),
                {},
                {**TOKEN_STREAM, "pulsar_token": MASK},
                {**TOKEN_STREAM, "pulsar_token": MASK},
                id="unchanged",
            ),
        ],
    )
    def test_secrets(self, asked, stored, settings, before, after):
        plan = plan_for(asked, stored, **settings)
        assert plan.diff == {"before": before, "after": after}

    @pytest.mark.parametrize("shown", [MASK, "", SECRET, OTHER_SECRET])
    @pytest.mark.parametrize("update_token", UPDATE_TOKEN)
    @pytest.mark.parametrize("known", KNOWN)
    @pytest.mark.parametrize("secret", [SECRET, None], ids=["given", "not given"])
    @pytest.mark.parametrize("strategy", STREAMS)
    @pytest.mark.parametrize("change", [{}, {"topic": OTHER_TOPIC}], ids=["as asked", "other topic"])
    def test_a_change_never_shows_an_empty_diff(self, shown, update_token, known, secret, strategy, change):
        stored = stored_as(strategy, **{SECRET_FIELDS[strategy]: shown}, **change)
        settings = {"update_token": update_token, "known_fingerprint": KNOWN[known]}
        plan = plan_for(request(strategy, secret), stored, **settings)
        assert (plan.diff["before"] != plan.diff["after"]) == plan.changed
        shown_to_users = json.dumps([plan.before, plan.after, plan.diff])
        assert SECRET not in shown_to_users
        assert OTHER_SECRET not in shown_to_users


class Service:
    """The API in memory: it applies changes at once and masks the secrets."""

    def __init__(self, document=None):
        self.document = document
        self.calls = []

    def current_organization(self):
        self.calls.append("currentOrg")
        return ORGANIZATION

    def read_audit_logs(self, organization_id):
        self.calls.append("GET")
        if not self.document or "pulsar" not in self.document:
            return self.document
        secrets = [field for field in SECRET_FIELDS.values() if field in self.document["pulsar"]]
        return {"pulsar": {**self.document["pulsar"], **dict.fromkeys(secrets, MASK)}}

    def write_audit_logs(self, organization_id, configuration):
        self.calls.append("POST")
        self.document = configuration

    def delete_audit_logs(self, organization_id):
        self.calls.append("DELETE")
        self.document = None


TOKEN_BODY = {"pulsar": {**TOKEN_STREAM, "token": OTHER_SECRET}}
OAUTH2_BODY = {"pulsar": {**OAUTH2_STREAM, "oauth2_credentials_url": OTHER_SECRET}}
OTHER_TOPIC_BODY = {"pulsar": {**TOKEN_BODY["pulsar"], "topic": OTHER_TOPIC}}
DOCUMENTS = {
    "nothing": None,
    "empty": {},
    "token": TOKEN_BODY,
    "other topic": OTHER_TOPIC_BODY,
    "oauth2": OAUTH2_BODY,
    "not Pulsar": {"kafka": {"topic": "t", "password": OTHER_SECRET}},
}


@pytest.mark.parametrize("document", DOCUMENTS)
@pytest.mark.parametrize(
    "asked", [request(), request("oauth2"), request(state="absent")], ids=["token", "oauth2", "absent"]
)
@pytest.mark.parametrize("update_token", UPDATE_TOKEN)
@pytest.mark.parametrize("known", KNOWN)
class TestCheckMode:
    def test_gives_the_results_of_the_real_run_with_gets_alone(self, document, asked, update_token, known):
        settings = Settings(update_token, KNOWN[known])
        untouched, service = Service(DOCUMENTS[document]), Service(DOCUMENTS[document])
        checked = converge(untouched, asked, settings, check_mode=True)
        assert untouched.calls == ["GET"]
        assert checked == converge(service, asked, settings)
        write = "DELETE" if asked.state == "absent" else "POST"
        assert service.calls == (["GET", write, "GET"] if checked["changed"] else ["GET"])

    def test_a_second_run_changes_nothing(self, document, asked, update_token, known):
        service = Service(DOCUMENTS[document])
        first = converge(service, asked, Settings(update_token, KNOWN[known]))
        again = Settings("on_change", first["token_fingerprint"])
        second = converge(service, asked, again)
        assert (second["changed"], second["action"]) == (False, "none")
        assert second["previous"] == second["stream"] == first["stream"]
        assert second["token_fingerprint"] == first["token_fingerprint"]


class TestResult:
    def test_every_key(self):
        assert converge(Service(OTHER_TOPIC_BODY), request(), Settings()) == {
            "changed": True,
            "action": "updated",
            "organization_id": ORGANIZATION,
            "stream": TOKEN_STREAM,
            "previous": {**TOKEN_STREAM, "topic": OTHER_TOPIC},
            "token_compared": False,
            "token_fingerprint": KNOWN["same known"],
            "token_expires_at": EXPIRES_AT,
            "diff": {
                "before": {**TOKEN_STREAM, "topic": OTHER_TOPIC, "pulsar_token": MASK},
                "after": {**TOKEN_STREAM, "pulsar_token": SENT_AGAIN},
            },
            "warnings": [],
        }

    @pytest.mark.parametrize("check_mode", [True, False])
    def test_the_tokens_own_organization(self, check_mode):
        service = Service()
        asked = request()._replace(organization_id=None)
        result = converge(service, asked, Settings(), check_mode)
        assert result["organization_id"] == ORGANIZATION
        assert result["token_fingerprint"] == KNOWN["same known"]
        assert service.calls == (["currentOrg", "GET"] if check_mode else ["currentOrg", "GET", "POST", "GET"])

    @pytest.mark.parametrize("strategy", STREAMS)
    @pytest.mark.parametrize("update_token", UPDATE_TOKEN)
    def test_a_write_without_the_secret_is_refused_with_nothing_sent(self, strategy, update_token):
        service = Service()
        with pytest.raises(InputError) as caught:
            converge(service, request(strategy, secret=None), Settings(update_token))
        assert caught.value.message == (
            f"{SECRET_OPTIONS[strategy]} is needed, because the configuration of organization {ORGANIZATION} "
            "has to be written (created); nothing was sent."
        )
        assert caught.value.result == {"changed": False, "organization_id": ORGANIZATION}
        assert service.calls == ["GET"]


class Idle(Service):
    """Accepts everything and does nothing."""

    def write_audit_logs(self, organization_id, configuration):
        self.calls.append("POST")

    def delete_audit_logs(self, organization_id):
        self.calls.append("DELETE")


@pytest.mark.parametrize(
    ("document", "asked", "missing"),
    [
        (None, request(), "nothing is configured yet"),
        (OTHER_TOPIC_BODY, request(), "topic"),
        (OAUTH2_BODY, request(), "auth_name, auth_strategy, oauth2_audience, oauth2_issuer_url, oauth2_scope"),
        (TOKEN_BODY, request(state="absent"), "the configuration is still there"),
    ],
)
def test_a_change_that_is_not_shown_in_time(document, asked, missing):
    with pytest.raises(WaitTimeout) as caught:
        converge(Idle(document), asked, Settings(wait_timeout=0))
    assert caught.value.message == (
        f"The service accepted the change for organization {ORGANIZATION}, but after 0 seconds GET does not show it "
        f"({missing}): run again later, or raise wait_timeout."
    )
    assert caught.value.result == {"changed": True, "organization_id": ORGANIZATION}
    assert converge(Idle(document), asked, Settings(wait=False, wait_timeout=0))["changed"] is True


class TestDriftAudit:
    """Check mode without the secret compares the rest and says what it could not."""

    @pytest.mark.parametrize("strategy", STREAMS)
    def test_no_drift(self, strategy):
        result = converge(Service(DOCUMENTS[strategy]), request(strategy, secret=None), Settings(), check_mode=True)
        assert result["changed"] is False
        option = SECRET_OPTIONS[strategy]
        assert result["warnings"] == [f"{option} was not given, so it could not be compared; everything else was."]

    @pytest.mark.parametrize("document", ["nothing", "other topic", "oauth2", "not Pulsar"])
    def test_drift(self, document):
        service = Service(DOCUMENTS[document])
        result = converge(service, request(secret=None), Settings(), check_mode=True)
        assert result["changed"] is True
        assert result["diff"]["before"] != result["diff"]["after"]
        assert result["token_fingerprint"] is None
        assert result["warnings"] == [
            "pulsar_token was not given: it could not be compared, and without it a real run would refuse to write."
        ]
        assert service.calls == ["GET"]

    @pytest.mark.parametrize(
        ("asked", "check_mode"),
        [(request(secret=None), False), (request(), True), (request(state="absent"), True)],
        ids=["real run", "with the secret", "absent"],
    )
    def test_no_warning(self, asked, check_mode):
        assert converge(Service(TOKEN_BODY), asked, Settings(), check_mode)["warnings"] == []


class TestShow:
    @pytest.mark.parametrize(
        ("document", "stream"),
        [
            (None, None),
            ({}, None),
            (TOKEN_BODY, TOKEN_STREAM),
            (OAUTH2_BODY, OAUTH2_STREAM),
            (DOCUMENTS["not Pulsar"], {"kind": "kafka", "fields": {"topic": "t"}}),
        ],
        ids=["nothing", "empty", "token", "oauth2", "not Pulsar"],
    )
    def test_what_is_configured(self, document, stream):
        service = Service(document)
        expected = {"changed": False, "exists": stream is not None, "organization_id": ORGANIZATION, "stream": stream}
        assert show(service, ORGANIZATION) == expected
        assert service.calls == ["GET"]

    def test_the_tokens_own_organization(self):
        service = Service(TOKEN_BODY)
        assert show(service, None)["organization_id"] == ORGANIZATION
        assert service.calls == ["currentOrg", "GET"]
