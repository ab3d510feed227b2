# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is stored, what to do about it, and that check mode is the same computation."""

from __future__ import annotations

import itertools
import json

import pytest
from ansible_collections.datastax.astra.plugins.module_utils._api import Api
from ansible_collections.datastax.astra.plugins.module_utils._convergence import Settings, converge
from ansible_collections.datastax.astra.plugins.module_utils._deadline import UNBOUNDED
from ansible_collections.datastax.astra.plugins.module_utils._errors import ConnectionFailed, InputError, ServiceError
from ansible_collections.datastax.astra.plugins.module_utils._resources._audit_log_stream_request import Request
from ansible_collections.datastax.astra.plugins.module_utils._resources.audit_log_stream import (
    AuditLogStream,
    Policy,
    Stored,
    confirm_absence,
    interpret_document,
    make_plan,
)
from ansible_collections.datastax.astra.plugins.module_utils._secrets import UNKNOWN_FINGERPRINT, compute_fingerprint

from tests.unit.plugins.module_utils.support import (
    APPLICATION_TOKEN,
    MASK,
    ORGANIZATION,
    OTHER_ORGANIZATION,
    Service,
)

SENT_AGAIN = "******** (sent again)"

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


def pulsar(**changed):
    """What GET shows of the token strategy, with changes; a field that is set to ... is left out."""
    fields = {**TOKEN_STREAM, "token": MASK, **changed}
    return {"pulsar": {name: value for name, value in fields.items() if value is not ...}}


TOKEN_STORED = Stored(TOKEN_STREAM, {"pulsar_token": MASK})


class TestInterpretDocument:
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
        assert interpret_document(document) is None

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
        assert interpret_document(document) == stored

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
            interpret_document(document)
        message = caught.value.message
        assert f"whose field {field} is missing or has a wrong type" in message
        assert "check api_url" in message
        assert caught.value.result == {"http_status": 200, "api_errors": []}
        assert SECRET not in message

    def test_the_sentence_fits_a_read_after_an_accepted_change_too(self):
        with pytest.raises(ServiceError) as caught:
            interpret_document({"pulsar": "text"})
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
        stored = interpret_document(document)
        assert (stored.foreign, stored.secrets) == (True, {})
        assert stored.stream["kind"] == kind
        assert len(stored.stream["fields"]) == shown
        assert stored.stream["fields"].items() <= document[kind].items()
        assert SECRET not in json.dumps(stored.stream)


def request(strategy="token", secret=SECRET, state="present", **changed):
    """A validated request; an option that is set to None is left out."""
    if state == "absent":
        return Request("absent", ORGANIZATION, {})
    stream = {name: value for name, value in {**STREAMS[strategy], **changed}.items() if value is not None}
    return Request("present", ORGANIZATION, stream, secret, EXPIRES_AT)


def stored_as(strategy="token", masked=(), **changed):
    """What is read when the stream of this strategy is stored, with changes, and these fields are masked as well."""
    fields = {**STREAMS[strategy], SECRET_FIELDS[strategy]: MASK, **changed, **dict.fromkeys(masked, MASK)}
    return interpret_document({"pulsar": fields})


def plan_for(asked, stored, **policy):
    return make_plan(asked, ORGANIZATION, stored, Policy(**policy))


def body_of(plan):
    """The body of the one write of a plan."""
    [call] = plan.writes
    return call.body


KNOWN = {
    "none known": None,
    "same known": compute_fingerprint(ORGANIZATION, SECRET),
    "other known": compute_fingerprint(ORGANIZATION, OTHER_SECRET),
    # What a store says that should know, and does not.
    "known no more": UNKNOWN_FINGERPRINT,
}
UPDATE_TOKEN = ("on_change", "always", "on_create")
FOREIGN = interpret_document({"kafka": {"topic": "t", "password": OTHER_SECRET}})
OTHER_STRATEGY = {"token": "oauth2", "oauth2": "token"}


# How the secret alone decides. (update_token, known, secret given): (action, token_compared, fingerprint returned)
SECRET_RULES = {
    ("on_change", "none known", True): ("none", False, False),
    ("on_change", "none known", False): ("none", False, False),
    ("on_change", "same known", True): ("none", True, True),
    ("on_change", "same known", False): ("none", False, False),
    ("on_change", "other known", True): ("updated", True, True),
    ("on_change", "other known", False): ("none", False, False),
    ("on_change", "known no more", True): ("updated", False, True),
    ("on_change", "known no more", False): ("none", False, False),
    ("always", "none known", True): ("updated", False, True),
    ("always", "none known", False): ("updated", False, False),
    ("always", "same known", True): ("updated", False, True),
    ("always", "same known", False): ("updated", False, False),
    ("always", "other known", True): ("updated", False, True),
    ("always", "other known", False): ("updated", False, False),
    ("always", "known no more", True): ("updated", False, True),
    ("always", "known no more", False): ("updated", False, False),
    ("on_create", "none known", True): ("none", False, False),
    ("on_create", "none known", False): ("none", False, False),
    ("on_create", "same known", True): ("none", False, False),
    ("on_create", "same known", False): ("none", False, False),
    ("on_create", "other known", True): ("none", False, False),
    ("on_create", "other known", False): ("none", False, False),
    ("on_create", "known no more", True): ("none", False, False),
    ("on_create", "known no more", False): ("none", False, False),
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
        returned = plan.values["token_fingerprint"]
        assert (plan.action, plan.values["token_compared"], returned is not None) == expected
        assert returned in (None, KNOWN["same known"])
        assert plan.missing == (SECRET_OPTIONS[strategy] if plan.changed and not given else None)

    def test_a_fingerprint_of_another_organization_is_another(self):
        known = compute_fingerprint(OTHER_ORGANIZATION, SECRET)
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
        assert (plan.action, plan.missing) == ("none", None)


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
        assert body_of(plan) == {"pulsar": {**STREAMS[strategy], SECRET_FIELDS[strategy]: SECRET}}
        assert plan.missing is None
        assert plan.after == STREAMS[strategy]
        assert plan.values["token_fingerprint"] == KNOWN["same known"]
        is_known = known in ("same known", "other known")
        expected = update_token == "on_change" and is_known and before not in NEVER_COMPARED
        assert plan.values["token_compared"] is expected

    def test_without_the_secret_nothing_can_be_sent(self, strategy, before, update_token, known):
        plan = self.plan(strategy, before, update_token, known, secret=None)
        assert plan.action == TO_WRITE[before][1]
        assert (plan.writes, plan.missing) == ((), SECRET_OPTIONS[strategy])
        assert (plan.values["token_fingerprint"], plan.values["token_compared"]) == (None, False)


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
        assert field not in body_of(plan)["pulsar"]
        assert field in plan.before

    @pytest.mark.parametrize("field", OAUTH2_FIELDS[1:])
    def test_a_field_that_is_not_stored_is_added(self, masked, field):
        plan = plan_for(request("oauth2"), stored_as("oauth2", set(masked) - {field}, **{field: ""}))
        assert plan.action == "updated"
        assert body_of(plan)["pulsar"][field] == OAUTH2_STREAM[field]

    def test_the_mask_is_never_sent(self, masked):
        plan = plan_for(request("oauth2"), stored_as("oauth2", masked, topic=OTHER_TOPIC))
        assert body_of(plan) == {"pulsar": {**OAUTH2_STREAM, "oauth2_credentials_url": SECRET}}


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
        plan = plan_for(request(state="absent"), stored, **settings)
        assert (plan.action, plan.before, plan.after) == ("deleted", stored.stream, None)
        assert plan.diff == {"before": before, "after": {}}
        assert [(call.method, call.body) for call in plan.writes] == [("DELETE", None)]
        assert (plan.missing, plan.warnings) == (None, ())
        assert plan.values == {"token_compared": False, "token_fingerprint": None, "token_expires_at": None}

    def test_nothing_is_there(self):
        plan = plan_for(request(state="absent"), None, update_token="always")
        assert (plan.action, plan.changed, plan.before, plan.after) == ("none", False, None, None)
        assert plan.diff == {"before": {}, "after": {}}
        assert (plan.writes, plan.pending) == ((), ())


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


# What neither this run nor the service can tell.
SENT = "{} was sent again. The service does not show when it takes effect."
NOT_GIVEN = "{} was not given, so it could not be compared; everything else was."
NOT_COMPARED = (
    "{} could not be compared, because the service never shows the stored one: a rotated one would not be noticed. "
    "Set fingerprint_store, or update_token to always for one run."
)


class TestWarnings:
    @pytest.mark.parametrize("strategy", STREAMS)
    @pytest.mark.parametrize(
        ("known", "update_token", "secret", "warning"),
        [
            ("none known", "on_change", SECRET, NOT_COMPARED),
            ("none known", "on_change", None, NOT_GIVEN),
            ("same known", "on_change", SECRET, None),
            ("same known", "on_change", None, NOT_GIVEN),
            ("other known", "on_change", SECRET, SENT),
            ("known no more", "on_change", SECRET, SENT),
            ("none known", "always", SECRET, SENT),
            ("none known", "always", None, None),
            ("none known", "on_create", SECRET, None),
            ("other known", "on_create", SECRET, None),
            ("none known", "on_create", None, None),
        ],
    )
    def test_everything_but_the_secret_is_as_asked(self, strategy, known, update_token, secret, warning):
        settings = {"update_token": update_token, "known_fingerprint": KNOWN[known]}
        plan = plan_for(request(strategy, secret), stored_as(strategy), **settings)
        assert plan.warnings == ((warning.format(SECRET_OPTIONS[strategy]),) if warning else ())

    @pytest.mark.parametrize("before", [before for before in TO_WRITE if before != "a masked field too many"])
    @pytest.mark.parametrize("secret", [SECRET, None])
    def test_what_get_will_show_needs_no_warning(self, before, secret):
        assert plan_for(request(secret=secret), TO_WRITE[before][0]("token")).warnings == ()

    @pytest.mark.parametrize("secret", [SECRET, None])
    def test_a_secret_that_get_shows_needs_no_warning(self, secret):
        assert plan_for(request(secret=secret), stored_as(token=SECRET)).warnings == ()


@pytest.mark.parametrize(
    "spelling",
    [
        {"endpoint": "PULSAR+SSL://Broker:6651"},
        {"endpoint": f"{ENDPOINT}/"},
        {"endpoint": "ssl://broker:6651"},
        {"endpoint": "broker:6651"},
        {"topic": "acme/security/audit"},
        {"topic": f" {TOPIC}\n"},
        {"auth_name": "token "},
    ],
    ids=str,
)
def test_another_spelling_of_what_is_stored_is_no_difference(spelling):
    plan = plan_for(request(), stored_as(**spelling))
    assert plan.action == "none"
    assert plan.before == TOKEN_STREAM


@pytest.mark.parametrize("stored", [{"endpoint": "https://elsewhere"}, {"topic": "non-persistent://a/b/c"}], ids=str)
def test_what_would_be_refused_as_an_option_can_be_stored_all_the_same(stored):
    plan = plan_for(request(), stored_as(**stored))
    assert plan.action == "updated"
    assert plan.before == {**TOKEN_STREAM, **stored}


class TestPending:
    """The names of what GET does not show as asked."""

    @pytest.mark.parametrize(
        ("asked", "stored", "pending"),
        [
            (request(), None, ("nothing is configured yet",)),
            (request(), stored_as(), ()),
            (request(), stored_as(topic=OTHER_TOPIC), ("topic",)),
            (request(), stored_as(token=OTHER_SECRET), ("pulsar_token",)),
            (request(secret=None), stored_as(token=OTHER_SECRET), ()),
            (request("oauth2", oauth2_scope=None), stored_as("oauth2"), ("oauth2_scope",)),
            (
                request(),
                stored_as("oauth2"),
                ("auth_name", "auth_strategy", "oauth2_audience", "oauth2_issuer_url", "oauth2_scope"),
            ),
            (request(), FOREIGN, ("auth_name", "auth_strategy", "endpoint", "fields", "kind", "topic")),
            (request(state="absent"), stored_as(), ("the configuration is still there",)),
            (request(state="absent"), None, ()),
        ],
    )
    def test_names(self, asked, stored, pending):
        assert plan_for(asked, stored, update_token="always").pending == pending


def test_what_the_writes_are():
    [post] = plan_for(request(), None).writes
    [delete] = plan_for(request(state="absent"), stored_as()).writes
    for call, method, purpose in (
        (post, "POST", "Configuring audit log streaming of"),
        (delete, "DELETE", "Deleting the audit log configuration of"),
    ):
        assert (call.method, call.path) == (method, f"/v2/organizations/{ORGANIZATION}/telemetry/auditLogs")
        assert call.purpose == f"{purpose} organization {ORGANIZATION}"
        assert (call.expected, call.absent, call.conflict, call.replay) == ((202,), (), "busy", True)


def stream_of(service, asked, verify=None, **policy):
    return AuditLogStream(Api(service, APPLICATION_TOKEN), asked, Policy(**policy), verify)


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
        policy = {"update_token": update_token, "known_fingerprint": KNOWN[known]}
        untouched, service = Service(DOCUMENTS[document]), Service(DOCUMENTS[document])
        checked = converge(stream_of(untouched, asked, **policy), Settings(), check_mode=True)
        reads = ["GET"] if DOCUMENTS[document] else ["GET", "ORG"]
        assert untouched.requests == reads
        assert checked == converge(stream_of(service, asked, **policy), Settings())
        write = "DELETE" if asked.state == "absent" else "POST"
        assert service.requests == ([*reads, write, "GET"] if checked["changed"] else reads)

    def test_a_second_run_changes_nothing(self, document, asked, update_token, known):
        service = Service(DOCUMENTS[document])
        policy = {"update_token": update_token, "known_fingerprint": KNOWN[known]}
        first = converge(stream_of(service, asked, **policy), Settings())
        second = converge(stream_of(service, asked, known_fingerprint=first["token_fingerprint"]), Settings())
        assert (second["changed"], second["action"]) == (False, "none")
        assert second["previous"] == second["stream"] == first["stream"]
        assert second["token_fingerprint"] == first["token_fingerprint"]


class TestResult:
    def test_every_key(self):
        assert converge(stream_of(Service(OTHER_TOPIC_BODY), request()), Settings()) == {
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
        result = converge(stream_of(service, request()._replace(organization_id=None)), Settings(), check_mode)
        assert result["organization_id"] == ORGANIZATION
        assert result["token_fingerprint"] == KNOWN["same known"]
        assert service.requests == (["ORG", "GET"] if check_mode else ["ORG", "GET", "POST", "GET"])

    @pytest.mark.parametrize("strategy", STREAMS)
    @pytest.mark.parametrize("update_token", UPDATE_TOKEN)
    def test_a_write_without_the_secret_is_refused_with_nothing_sent(self, strategy, update_token):
        service = Service()
        with pytest.raises(InputError) as caught:
            converge(stream_of(service, request(strategy, secret=None), update_token=update_token), Settings())
        assert caught.value.message == (
            f"{SECRET_OPTIONS[strategy]} is needed, because the audit log configuration of organization "
            f"{ORGANIZATION} has to be written (created); nothing was sent."
        )
        assert caught.value.result == {"changed": False, "organization_id": ORGANIZATION}
        assert service.requests == ["GET", "ORG"]


class TestDriftAudit:
    """Check mode without the secret compares the rest and says what it could not."""

    @pytest.mark.parametrize("strategy", STREAMS)
    def test_no_drift(self, strategy):
        stream = stream_of(Service(DOCUMENTS[strategy]), request(strategy, secret=None))
        result = converge(stream, Settings(), check_mode=True)
        assert result["changed"] is False
        assert result["warnings"] == [NOT_GIVEN.format(SECRET_OPTIONS[strategy])]

    @pytest.mark.parametrize("document", ["nothing", "other topic", "oauth2", "not Pulsar"])
    def test_drift(self, document):
        service = Service(DOCUMENTS[document])
        result = converge(stream_of(service, request(secret=None)), Settings(), check_mode=True)
        assert result["changed"] is True
        assert result["diff"]["before"] != result["diff"]["after"]
        assert result["token_fingerprint"] is None
        assert result["warnings"] == ["pulsar_token was not given, and without it a real run would refuse to write."]
        assert {"POST", "DELETE"}.isdisjoint(service.requests)


class TestNothingConfigured:
    """The API says the same of an organization that is somebody else's, so the token's own is asked for."""

    @pytest.mark.parametrize("asked", [request(), request(state="absent")], ids=["present", "absent"])
    @pytest.mark.parametrize("check_mode", [True, False])
    def test_a_token_of_another_organization_is_a_failure(self, asked, check_mode):
        service = Service(organization_id=OTHER_ORGANIZATION)
        with pytest.raises(InputError) as caught:
            converge(stream_of(service, asked), Settings(), check_mode)
        assert caught.value.message == (
            f"The application token belongs to organization {OTHER_ORGANIZATION}, not to {ORGANIZATION}: "
            "check organization_id and application_token."
        )
        assert caught.value.result["changed"] is False
        assert service.requests == ["GET", "ORG"]

    def test_it_is_asked_for_once(self):
        """Waiting for a deletion sees nothing as well, and so may somebody else's POST."""
        service = Service()
        stream = stream_of(service, request())
        assert [stream.read(UNBOUNDED) for _time in range(3)] == [None] * 3
        assert service.requests == ["GET", "ORG", "GET", "GET"]

    def test_it_is_not_asked_for_after_the_token_has_shown_that_it_may_read(self):
        service = Service(TOKEN_BODY)
        converge(stream_of(service, request(state="absent")), Settings())
        assert service.requests == ["GET", "DELETE", "GET"]

    @pytest.mark.parametrize("status", [403, 404])
    def test_an_enterprises_token_gets_a_warning(self, status):
        [warning] = confirm_absence(ApiOf(ServiceError("x", http_status=status)), ORGANIZATION)
        assert warning.startswith(f"Nothing is configured for organization {ORGANIZATION}, as far as the service tells")

    @pytest.mark.parametrize(
        "error",
        [ServiceError("x", http_status=401), ServiceError("x", http_status=500), ConnectionFailed("x")],
        ids=lambda error: f"{error.__class__.__name__} {error.result}",
    )
    def test_no_answer_is_a_failure(self, error):
        with pytest.raises(type(error)):
            confirm_absence(ApiOf(error), ORGANIZATION)


class ApiOf:
    """Cannot tell the token's organization."""

    def __init__(self, error):
        self.error = error

    def find_organization(self, deadline):
        raise self.error


class TestVerification:
    """What the broker refuses is not configured; nobody is asked when nothing is written."""

    def converge(self, document, asked, check_mode, refusal=None):
        asked_for = []

        def verify(asked):
            asked_for.append(asked)
            if refusal:
                raise refusal
            return ["Not all could be verified."]

        service = Service(document)
        stream = stream_of(service, asked, verify)
        try:
            return converge(stream, Settings(), check_mode), asked_for, service.requests
        except InputError as error:
            return error.message, asked_for, service.requests

    @pytest.mark.parametrize("check_mode", [True, False])
    def test_before_a_write(self, check_mode):
        result, asked_for, _requests = self.converge(None, request(), check_mode)
        assert result["action"] == "created"
        assert result["warnings"] == ["Not all could be verified."]
        assert asked_for == [request()]

    @pytest.mark.parametrize("check_mode", [True, False])
    def test_a_refusal_stops_the_write(self, check_mode):
        result, _asked_for, requests = self.converge(None, request(), check_mode, InputError("The broker refuses."))
        assert result == "The broker refuses."
        assert requests == ["GET", "ORG"]

    @pytest.mark.parametrize(
        ("document", "asked"), [(TOKEN_BODY, request()), (TOKEN_BODY, request(state="absent"))], ids=["none", "absent"]
    )
    def test_nobody_is_asked(self, document, asked):
        _result, asked_for, _requests = self.converge(document, asked, False, InputError("The broker refuses."))
        assert asked_for == []
