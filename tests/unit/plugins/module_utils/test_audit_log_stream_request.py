# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What can be known about the request for a stream offline."""

from __future__ import annotations

import base64

import pytest
from ansible_collections.datastax.astra.plugins.module_utils._resources._audit_log_stream_request import examine

from tests.unit.plugins.module_utils.support import (
    APPLICATION_TOKEN,
    DAY,
    JWT_EXPIRY,
    JWT_OBJECTS,
    JWT_PARTS,
    JWT_UNREADABLE,
    MASK,
    NO_UUID,
    NOW,
    ORGANIZATION,
    TOPIC_FORM,
    WEB,
    jwt,
    segment,
)

ENDPOINT = "pulsar+ssl://pulsar-aws-useast2.streaming.datastax.com:6651"
TOPIC = "persistent://acme/security/audit"
ISSUER = "https://login.example.com/"
CREDENTIALS = "data:application/json;base64,c2VjcmV0"

WRONG_REGION = (
    "endpoint is an Astra Streaming broker outside AWS us-east-2, where audit logs would never arrive: "
    "use a tenant in that region, or set validate_region to false."
)


def options(**changed):
    """The module's options as Ansible's validation leaves them: a token strategy without mistakes, and the changes."""
    return {
        "state": "present",
        "organization_id": ORGANIZATION,
        "endpoint": ENDPOINT,
        "topic": TOPIC,
        "auth_strategy": "token",
        "auth_name": None,
        "pulsar_token": jwt(),
        "oauth2_credentials_url": None,
        "oauth2_issuer_url": None,
        "oauth2_audience": None,
        "oauth2_scope": None,
        "update_token": "on_change",
        "known_token_fingerprint": None,
        "fingerprint_store": None,
        "validate_region": True,
        "wait": True,
        "wait_timeout": 60,
        "application_token": APPLICATION_TOKEN,
        "api_url": "https://api.astra.datastax.com",
        "validate_certs": True,
        "ca_path": None,
        "timeout": 30,
        "retries": 5,
        **changed,
    }


OAUTH2 = {
    "auth_strategy": "oauth2",
    "pulsar_token": None,
    "oauth2_credentials_url": CREDENTIALS,
    "oauth2_issuer_url": ISSUER,
}


def named(changed):
    """Name a case of a table by the options that it changes."""
    cases = [f"{name}={value!r:.24}" for name, value in changed.items() if OAUTH2.get(name, ...) != value]
    return ", ".join(cases) or "nothing"


def problems_of(**changed):
    findings = examine(options(**changed), NOW)
    assert (findings.request is None) == bool(findings.problems)
    return findings.problems


def warnings_of(**changed):
    findings = examine(options(**changed), NOW)
    assert findings.problems == []
    return findings.warnings


def request_of(**changed):
    findings = examine(options(**changed), NOW)
    assert findings.problems == []
    return findings.request


class TestRequest:
    def test_token(self):
        token = jwt(exp=NOW + 365 * DAY)
        request = request_of(endpoint="ssl://Broker:6651/", topic="a/b/c", pulsar_token=f" {token}\n")
        assert request._asdict() == {
            "state": "present",
            "organization_id": ORGANIZATION,
            "stream": {
                "endpoint": "pulsar+ssl://broker:6651",
                "topic": "persistent://a/b/c",
                "auth_strategy": "token",
                "auth_name": "token",
            },
            "secret": token,
            "expires_at": "2028-01-15T08:00:00Z",
        }

    def test_oauth2(self):
        request = request_of(**OAUTH2, oauth2_audience="urn:pulsar", oauth2_scope="produce")
        assert request._asdict() == {
            "state": "present",
            "organization_id": ORGANIZATION,
            "stream": {
                "endpoint": ENDPOINT,
                "topic": TOPIC,
                "auth_strategy": "oauth2",
                "oauth2_issuer_url": ISSUER,
                "oauth2_audience": "urn:pulsar",
                "oauth2_scope": "produce",
            },
            "secret": CREDENTIALS,
            "expires_at": None,
        }

    def test_white_space_around_values_is_not_sent(self):
        request = request_of(
            auth_strategy="oauth2",
            pulsar_token=None,
            oauth2_credentials_url=f" {CREDENTIALS}\n",
            oauth2_issuer_url=f" {ISSUER}\n",
            oauth2_audience=" urn:pulsar\n",
            oauth2_scope="\tproduce ",
        )
        assert request.secret == CREDENTIALS
        assert request.stream["oauth2_issuer_url"] == ISSUER
        assert (request.stream["oauth2_audience"], request.stream["oauth2_scope"]) == ("urn:pulsar", "produce")

    @pytest.mark.parametrize("left_out", [None, "", " "])
    def test_optional_oauth2_fields_that_are_left_out_are_absent(self, left_out):
        stream = request_of(**OAUTH2, oauth2_audience=left_out, oauth2_scope=left_out).stream
        assert {"oauth2_audience", "oauth2_scope"}.isdisjoint(stream)

    def test_the_auth_name_may_be_given(self):
        assert request_of(auth_name="token").stream["auth_name"] == "token"

    def test_the_secret_may_be_left_out(self):
        assert (request_of(pulsar_token=None).secret, warnings_of(pulsar_token=None)) == (None, [])

    def test_the_organization_may_be_left_out(self):
        assert request_of(organization_id=None).organization_id is None

    def test_the_organization_is_normalised(self):
        assert request_of(organization_id=ORGANIZATION.upper()).organization_id == ORGANIZATION

    def test_no_expiry(self):
        assert request_of().expires_at is None

    def test_an_expiry_that_no_calendar_can_hold(self):
        assert request_of(pulsar_token=jwt(exp=10**20)).expires_at is None


TOKEN_STRATEGY = "cannot be used with the token strategy."
OAUTH2_STRATEGY = "cannot be used with the oauth2 strategy."
CREDENTIALS_FORM = "oauth2_credentials_url must be a data: or http(s) URL."
CREDENTIALS_FILE = (
    "oauth2_credentials_url is a file: URL, which would point into the service's own machine: "
    "give the credentials as a data: URL."
)
ISSUER_FORM = "oauth2_issuer_url must be an http(s) URL without a user name."
ISSUER_NEEDED = "oauth2_issuer_url is needed for the oauth2 strategy."
FINGERPRINT_FORM = "known_token_fingerprint must be sha256: and 64 hexadecimal digits, as an earlier run gave it."
PREFIXED_TOKEN = "pulsar_token must be the JWT alone, without token: or file: before it."
PASTED_APPLICATION_TOKEN = "pulsar_token is an Astra application token: give the Pulsar JWT of the streaming tenant."


EACH_PROBLEM = [
    ({"application_token": None}, ["application_token is needed: give the option or set ASTRA_DB_APPLICATION_TOKEN."]),
    (
        {"organization_id": None, "fingerprint_store": "fingerprints"},
        ["organization_id is needed with fingerprint_store."],
    ),
    ({"organization_id": ""}, [f"organization_id {NO_UUID}"]),
    ({"organization_id": "acme"}, [f"organization_id {NO_UUID}"]),
    ({"known_token_fingerprint": ""}, [FINGERPRINT_FORM]),
    ({"known_token_fingerprint": "0" * 64}, [FINGERPRINT_FORM]),
    ({"known_token_fingerprint": f"sha256:{'A' * 64}"}, [FINGERPRINT_FORM]),
    ({"known_token_fingerprint": f"sha256:{'a' * 63}"}, [FINGERPRINT_FORM]),
    ({"known_token_fingerprint": f"sha256:{'a' * 64}\n"}, [FINGERPRINT_FORM]),
    ({"known_token_fingerprint": jwt()}, [FINGERPRINT_FORM]),
    ({"endpoint": "https://broker"}, [f"endpoint {WEB}"]),
    ({"topic": "audit"}, [f"topic {TOPIC_FORM}"]),
    ({"auth_name": "Token"}, ["auth_name must be 'token' for the token strategy."]),
    ({"auth_name": ""}, ["auth_name must be 'token' for the token strategy."]),
    ({"oauth2_credentials_url": CREDENTIALS}, [f"oauth2_credentials_url {TOKEN_STRATEGY}"]),
    ({"oauth2_issuer_url": ISSUER}, [f"oauth2_issuer_url {TOKEN_STRATEGY}"]),
    ({"oauth2_audience": "a"}, [f"oauth2_audience {TOKEN_STRATEGY}"]),
    ({"oauth2_scope": "s"}, [f"oauth2_scope {TOKEN_STRATEGY}"]),
    ({"pulsar_token": ""}, ["pulsar_token is empty."]),
    ({"pulsar_token": " \n"}, ["pulsar_token is empty."]),
    ({"pulsar_token": APPLICATION_TOKEN}, [PASTED_APPLICATION_TOKEN]),
    ({"pulsar_token": f"token:{jwt()}"}, [PREFIXED_TOKEN]),
    ({"pulsar_token": "file:///etc/pulsar/token"}, [PREFIXED_TOKEN]),
    ({"pulsar_token": "secret"}, [f"pulsar_token {JWT_PARTS}"]),
    ({"pulsar_token": "a.b.c"}, [f"pulsar_token {JWT_UNREADABLE}"]),
    ({"pulsar_token": jwt(header=[])}, [f"pulsar_token {JWT_OBJECTS}"]),
    ({"pulsar_token": jwt(exp="soon")}, [f"pulsar_token {JWT_EXPIRY}"]),
    ({"pulsar_token": jwt(exp=NOW)}, ["pulsar_token expired on 2027-01-15T08:00:00Z: create a new one."]),
    ({"pulsar_token": jwt(exp=NOW - 0.5)}, ["pulsar_token expired on 2027-01-15T07:59:59Z: create a new one."]),
    ({"pulsar_token": jwt(exp=0)}, ["pulsar_token expired on 1970-01-01T00:00:00Z: create a new one."]),
    ({"pulsar_token": jwt(exp=-(10**20))}, ["pulsar_token expired: create a new one."]),
    ({**OAUTH2, "pulsar_token": jwt()}, [f"pulsar_token {OAUTH2_STRATEGY}"]),
    ({**OAUTH2, "auth_name": "token"}, [f"auth_name {OAUTH2_STRATEGY}"]),
    ({**OAUTH2, "oauth2_issuer_url": None}, [ISSUER_NEEDED]),
    ({**OAUTH2, "oauth2_issuer_url": " "}, [ISSUER_NEEDED]),
    ({**OAUTH2, "oauth2_issuer_url": "login.example.com"}, [ISSUER_FORM]),
    ({**OAUTH2, "oauth2_issuer_url": "https://user:password@login.example.com"}, [ISSUER_FORM]),
    ({**OAUTH2, "oauth2_issuer_url": "https://login.example.com/a b"}, [ISSUER_FORM]),
    ({**OAUTH2, "oauth2_issuer_url": "https://login.example.com/\x00"}, [ISSUER_FORM]),
    ({**OAUTH2, "oauth2_issuer_url": MASK}, [ISSUER_FORM]),
    ({**OAUTH2, "oauth2_credentials_url": ""}, ["oauth2_credentials_url is empty."]),
    ({**OAUTH2, "oauth2_credentials_url": "file:///etc/key.json"}, [CREDENTIALS_FILE]),
    ({**OAUTH2, "oauth2_credentials_url": " FILE:/etc/key.json"}, [CREDENTIALS_FILE]),
    ({**OAUTH2, "oauth2_credentials_url": '{"client_secret": "s"}'}, [CREDENTIALS_FORM]),
    ({**OAUTH2, "oauth2_credentials_url": "/etc/key.json"}, [CREDENTIALS_FORM]),
    ({**OAUTH2, "oauth2_credentials_url": "data:a\nb"}, [CREDENTIALS_FORM]),
    ({**OAUTH2, "oauth2_credentials_url": "data:\udcff"}, [CREDENTIALS_FORM]),
]


@pytest.mark.parametrize(("changed", "problems"), EACH_PROBLEM, ids=[named(case[0]) for case in EACH_PROBLEM])
def test_each_problem(changed, problems):
    assert problems_of(**changed) == problems


@pytest.mark.parametrize(
    "changed",
    [
        {"known_token_fingerprint": f"sha256:{'0' * 64}"},
        {"update_token": "always", "wait": False},
        {**OAUTH2, "oauth2_issuer_url": "HTTPS://Login.Example.com:8443/realm?a=b"},
        {**OAUTH2, "oauth2_credentials_url": "DATA:application/json,{}"},
        {**OAUTH2, "oauth2_credentials_url": "https://keys.example.com/key.json"},
    ],
    ids=named,
)
def test_no_problem(changed):
    assert problems_of(**changed) == []


@pytest.mark.parametrize("missing", [None, ""])
@pytest.mark.parametrize("option", ["endpoint", "topic"])
def test_a_destination_that_is_null(option, missing):
    """Ansible's own check takes an option that is there for given, also when a template made it null."""
    problems = problems_of(**{option: missing})
    assert [problem.split()[0] for problem in problems] == [option]


@pytest.mark.parametrize("option", ["oauth2_audience", "oauth2_scope"])
def test_the_mask_is_refused_where_it_would_be_sent(option):
    """What GET masks comes back from the info module as the mask; it is nobody's audience."""
    problems = problems_of(**OAUTH2, **{option: MASK})
    assert [problem.split()[0] for problem in problems] == [option]


@pytest.mark.parametrize(
    ("endpoint", "refused"),
    [
        (ENDPOINT, False),
        ("pulsar+ssl://pulsar-aws-useast2.streaming.datastax.com", False),
        ("pulsar+ssl://pulsar-aws-useast2.streaming.datastax.com.:6651", False),
        ("ssl://PULSAR-AWS-USEAST2.streaming.datastax.com:6651/", False),
        ("pulsar+ssl://pulsar-aws-useast1.streaming.datastax.com:6651", True),
        ("pulsar+ssl://pulsar-aws-useast1.streaming.datastax.com", True),
        ("pulsar+ssl://pulsar-gcp-uscentral1.streaming.datastax.com.:6651", True),
        ("pulsar+ssl://pulsar-azure-eastus2.streaming.datastax.com:6651", True),
        ("pulsar+ssl://aws-useast2.pulsar-gcp.streaming.datastax.com:6651", True),
        ("pulsar+ssl://pulsar.example.com:6651", False),
        ("pulsar+ssl://streaming.datastax.com.example.com:6651", False),
        ("[::1]:6651", False),
    ],
)
def test_region(endpoint, refused):
    assert problems_of(endpoint=endpoint) == ([WRONG_REGION] if refused else [])
    assert problems_of(endpoint=endpoint, validate_region=False) == []


def expiring(seconds):
    return {"pulsar_token": jwt(exp=NOW + seconds)}


def of_subject(subject):
    return {"pulsar_token": jwt(sub=subject)}


def tenant(name):
    return f"client;{ORGANIZATION};{base64.b64encode(name.encode()).decode()};abc"


CLEAR_TEXT = "api_url is not https: the tokens travel unencrypted."
OTHER_TENANT = "pulsar_token belongs to another tenant than the topic's."
MASKED = "is the mask that the API shows for a secret; it counts as not given."


EACH_WARNING = [
    ({}, []),
    ({"api_url": "http://api.example.com"}, [CLEAR_TEXT]),
    ({"pulsar_token": MASK}, [f"pulsar_token {MASKED}"]),
    ({"pulsar_token": f" {MASK}\n"}, [f"pulsar_token {MASKED}"]),
    ({**OAUTH2, "oauth2_credentials_url": MASK}, [f"oauth2_credentials_url {MASKED}"]),
    (expiring(1), ["pulsar_token expires on 2027-01-15T08:00:01Z, within 14 days."]),
    (expiring(14 * DAY - 1), ["pulsar_token expires on 2027-01-29T07:59:59Z, within 14 days."]),
    (expiring(14 * DAY), ["pulsar_token expires on 2027-01-29T08:00:00Z, within 14 days."]),
    (expiring(14 * DAY + 1), []),
    ({"pulsar_token": jwt(exp=float("inf"))}, []),
    (of_subject(tenant("acme")), []),
    (of_subject(tenant("acme").replace("=", "")), []),
    (of_subject(tenant("acme-")), [OTHER_TENANT]),
    (of_subject(tenant("Acme")), [OTHER_TENANT]),
    (of_subject(f"client;o;{base64.urlsafe_b64encode(b'ab?>').decode()};i"), [OTHER_TENANT]),
    (of_subject("other"), []),
    (
        {"pulsar_token": jwt(exp=NOW + DAY, sub=tenant("other")), "api_url": "http://api.example.com"},
        [CLEAR_TEXT, "pulsar_token expires on 2027-01-16T08:00:00Z, within 14 days.", OTHER_TENANT],
    ),
]


@pytest.mark.parametrize(("changed", "warnings"), EACH_WARNING, ids=[named(case[0]) for case in EACH_WARNING])
def test_each_warning(changed, warnings):
    assert warnings_of(**changed) == warnings


@pytest.mark.parametrize("option", ["pulsar_token", "oauth2_credentials_url"])
def test_the_mask_counts_as_not_given(option):
    changed = OAUTH2 if option == "oauth2_credentials_url" else {}
    assert request_of(**{**changed, option: MASK}).secret is None


WRONG_EVERYWHERE = {
    "application_token": "secret",
    "api_url": "api",
    "timeout": 0,
    "retries": -1,
    "organization_id": "acme",
    "wait_timeout": -1,
    "known_token_fingerprint": "md5:0",
    "endpoint": "https://broker",
    "topic": "audit",
}
CONNECTION_PROBLEMS = [
    "application_token must be an Astra application token, which starts with AstraCS:.",
    "api_url must be a URL, such as https://api.astra.datastax.com.",
    "timeout must be between 1 and 3600 seconds.",
    "retries must not be negative.",
]
WRONG_WAIT_TIMEOUT = "wait_timeout must not be negative."


def test_every_problem_of_the_token_strategy_at_once():
    changed = {
        **WRONG_EVERYWHERE,
        "auth_name": "name",
        "pulsar_token": jwt(exp=0),
        "oauth2_credentials_url": CREDENTIALS,
        "oauth2_issuer_url": ISSUER,
        "oauth2_audience": "a",
        "oauth2_scope": "s",
    }
    assert problems_of(**changed) == [
        *CONNECTION_PROBLEMS,
        WRONG_WAIT_TIMEOUT,
        f"organization_id {NO_UUID}",
        FINGERPRINT_FORM,
        f"endpoint {WEB}",
        f"topic {TOPIC_FORM}",
        f"oauth2_credentials_url {TOKEN_STRATEGY}",
        f"oauth2_issuer_url {TOKEN_STRATEGY}",
        f"oauth2_audience {TOKEN_STRATEGY}",
        f"oauth2_scope {TOKEN_STRATEGY}",
        "auth_name must be 'token' for the token strategy.",
        "pulsar_token expired on 1970-01-01T00:00:00Z: create a new one.",
    ]


def test_every_problem_of_the_oauth2_strategy_at_once():
    changed = {
        **WRONG_EVERYWHERE,
        "auth_strategy": "oauth2",
        "auth_name": "token",
        "oauth2_credentials_url": "file:/key",
    }
    assert problems_of(**changed) == [
        *CONNECTION_PROBLEMS,
        WRONG_WAIT_TIMEOUT,
        f"organization_id {NO_UUID}",
        FINGERPRINT_FORM,
        f"endpoint {WEB}",
        f"topic {TOPIC_FORM}",
        f"auth_name {OAUTH2_STRATEGY}",
        f"pulsar_token {OAUTH2_STRATEGY}",
        ISSUER_NEEDED,
        CREDENTIALS_FILE,
    ]


def test_warnings_come_with_the_problems():
    findings = examine(options(topic="audit", pulsar_token=jwt(exp=NOW + DAY)), NOW)
    assert findings.problems == [f"topic {TOPIC_FORM}"]
    assert findings.warnings == ["pulsar_token expires on 2027-01-16T08:00:00Z, within 14 days."]


# What a state other than present must not look at: each of these is a mistake in a stream.
IGNORED = {
    "endpoint": "https://broker",
    "topic": None,
    "auth_strategy": "oauth2",
    "auth_name": "name",
    "pulsar_token": jwt(exp=0),
    "oauth2_credentials_url": "file:/key",
    "oauth2_issuer_url": "issuer",
    "oauth2_audience": MASK,
    "oauth2_scope": MASK,
    "known_token_fingerprint": "md5:0",
}


class TestAbsent:
    def test_ignores_everything_but_the_organization_and_the_connection(self):
        findings = examine(options(state="absent", **IGNORED), NOW)
        assert (findings.problems, findings.warnings) == ([], [])
        assert findings.request._asdict() == {
            "state": "absent",
            "organization_id": ORGANIZATION,
            "stream": {},
            "secret": None,
            "expires_at": None,
        }

    def test_its_own_problems(self):
        changed = {**IGNORED, **WRONG_EVERYWHERE, "state": "absent"}
        assert problems_of(**changed) == [*CONNECTION_PROBLEMS, WRONG_WAIT_TIMEOUT, f"organization_id {NO_UUID}"]

    def test_its_own_warnings(self):
        assert warnings_of(state="absent", api_url="http://api.example.com") == [CLEAR_TEXT]


INFO_OPTIONS = ("organization_id", "application_token", "api_url", "validate_certs", "ca_path", "timeout", "retries")


class TestInfo:
    """The info module has no state and none of the stream's options."""

    def test_request(self):
        findings = examine({name: options()[name] for name in INFO_OPTIONS}, NOW)
        assert (findings.problems, findings.warnings) == ([], [])
        assert findings.request.organization_id == ORGANIZATION

    def test_problems(self):
        wrong = {name: options(**WRONG_EVERYWHERE)[name] for name in INFO_OPTIONS}
        assert examine(wrong, NOW).problems == [*CONNECTION_PROBLEMS, f"organization_id {NO_UUID}"]


SENTINEL = "S3ntinel"
SUBJECT = {"sub": f"client;o;{base64.b64encode(SENTINEL.encode()).decode()};i"}


@pytest.mark.parametrize(
    "changed",
    [
        {"organization_id": SENTINEL},
        {"known_token_fingerprint": SENTINEL},
        {"endpoint": f"pulsar+ssl://user:{SENTINEL}@host"},
        {"endpoint": f"{SENTINEL}://host"},
        {"endpoint": f"pulsar+ssl://host/{SENTINEL}"},
        {"endpoint": f"https://{SENTINEL}"},
        {"endpoint": f"pulsar+ssl://{SENTINEL}.streaming.datastax.com:6651"},
        {"topic": SENTINEL},
        {"topic": f"non-persistent://{SENTINEL}/b/c"},
        {"topic": f"a {SENTINEL}/b/c"},
        {"topic": f"a/b/{SENTINEL} x"},
        {"auth_name": SENTINEL},
        {"oauth2_scope": SENTINEL},
        {"pulsar_token": SENTINEL},
        {"pulsar_token": f"token:{SENTINEL}"},
        {"pulsar_token": f"AstraCS:{SENTINEL}"},
        {"pulsar_token": f"{SENTINEL}.{SENTINEL}.{SENTINEL}"},
        {"pulsar_token": f"{segment({})}.{segment(SENTINEL.encode())}.{SENTINEL}"},
        {"pulsar_token": jwt(signature=SENTINEL, exp=SENTINEL)},
        {"pulsar_token": jwt(signature=SENTINEL, exp=1)},
        {"pulsar_token": jwt(signature=SENTINEL, exp=NOW + 1, **SUBJECT)},
        {**OAUTH2, "oauth2_issuer_url": f"https://{SENTINEL}:{SENTINEL}@host"},
        {**OAUTH2, "oauth2_credentials_url": SENTINEL},
        {**OAUTH2, "oauth2_credentials_url": f"file:///{SENTINEL}"},
    ],
    ids=named,
)
def test_no_sentence_repeats_a_value(changed):
    findings = examine(options(**changed), NOW)
    sentences = findings.problems + findings.warnings
    assert sentences
    assert SENTINEL.lower() not in " ".join(sentences).lower()
