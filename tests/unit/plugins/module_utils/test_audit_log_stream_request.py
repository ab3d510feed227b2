# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What can be known about a request offline."""

from __future__ import annotations

import base64
import json

import pytest
from ansible_collections.datastax.astra.plugins.module_utils.destination import (
    MASK,
    examine,
    normalize_endpoint,
    normalize_organization_id,
    normalize_topic,
    read_jwt,
    rfc3339,
)
from ansible_collections.datastax.astra.plugins.module_utils.errors import InputError

NOW = 1_800_000_000  # 2027-01-15T08:00:00Z
DAY = 86400

ORGANIZATION = "0a1b2c3d-0000-4000-8000-000000000001"
APPLICATION_TOKEN = f"AstraCS:{'a' * 24}:{'0123456789abcdef' * 4}"
ENDPOINT = "pulsar+ssl://pulsar-aws-useast2.streaming.datastax.com:6651"
TOPIC = "persistent://acme/security/audit"
ISSUER = "https://login.example.com/"
CREDENTIALS = "data:application/json;base64,c2VjcmV0"

EMPTY = "is empty, give the broker URL, such as pulsar+ssl://host:6651."
NO_BROKER = "must be a broker URL without a path, such as pulsar+ssl://host:6651."
SCHEME = "must start with pulsar+ssl:// or pulsar://."
WEB = "is a web URL, give the broker URL, which starts with pulsar+ssl://."
SEVERAL = "names several brokers, give the URL of one."
CREDENTIALS_IN_URL = "must not contain a user name or password."

TOPIC_FORM = "must be written as persistent://tenant/namespace/topic."
TOPIC_NAMES = "has a tenant or namespace that is empty or has characters that Pulsar does not allow."
TOPIC_NAME = "has a topic name that is empty or contains white space."
NON_PERSISTENT = "is non-persistent, an audit log needs a persistent topic."

NO_UUID = "must be the organization's UUID, as the Astra portal shows it."

JWT_PARTS = "is not a JWT: it must have three parts separated by dots."
JWT_UNREADABLE = "is not a readable JWT: it may be cut off or changed by copying."
JWT_OBJECTS = "is not a readable JWT: its header and claims must be JSON objects."
JWT_EXPIRY = "has an expiry (exp) that is not a number."

WRONG_REGION = (
    "endpoint is an Astra Streaming broker outside AWS us-east-2, where audit logs would never arrive: "
    "use a tenant in that region, or set validate_region to false."
)


def segment(content):
    """Encode bytes, or anything else as JSON, as a segment of a JWT."""
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def jwt(header=None, signature="bm90LXNpZ25lZA", **claims):
    return ".".join([segment({"alg": "none"} if header is None else header), segment(claims), signature])


def jwt_of(claims):
    return ".".join([segment({"alg": "none"}), segment(claims), "bm90LXNpZ25lZA"])


def message_of(function, value):
    with pytest.raises(InputError) as caught:
        function(value)
    return caught.value.message


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("pulsar+ssl://broker:6651", "pulsar+ssl://broker:6651"),
        ("pulsar://broker:6650", "pulsar://broker:6650"),
        ("ssl://broker:6651", "pulsar+ssl://broker:6651"),
        ("broker:6651", "pulsar+ssl://broker:6651"),
        ("broker", "pulsar+ssl://broker"),
        ("pulsar+ssl://broker", "pulsar+ssl://broker"),
        ("pulsar+pulsar+ssl://broker:6651", "pulsar+ssl://broker:6651"),
        ("pulsar+ssl://pulsar+ssl://broker:6651", "pulsar+ssl://broker:6651"),
        ("pulsar+ssl://ssl://broker:6651", "pulsar+ssl://broker:6651"),
        ("pulsar://pulsar+ssl://broker:6651", "pulsar+ssl://broker:6651"),
        ("pulsar+ssl://pulsar://broker:6651", "pulsar+ssl://broker:6651"),
        ("pulsar+pulsar://broker:6650", "pulsar://broker:6650"),
        ("pulsar://pulsar://broker:6650", "pulsar://broker:6650"),
        ("pulsar+ssl://broker:6651/", "pulsar+ssl://broker:6651"),
        ("broker/", "pulsar+ssl://broker"),
        (" \tpulsar+ssl://broker:6651\r\n", "pulsar+ssl://broker:6651"),
        ("PULSAR+SSL://Broker.Example.COM:6651", "pulsar+ssl://broker.example.com:6651"),
        ("SSL://Broker", "pulsar+ssl://broker"),
        ("ssl:6651", "pulsar+ssl://ssl:6651"),
        ("10.0.0.1:1", "pulsar+ssl://10.0.0.1:1"),
        ("[2001:DB8::1]:65535", "pulsar+ssl://[2001:db8::1]:65535"),
        ("[::1]", "pulsar+ssl://[::1]"),
        ("broker_1.example-host.com.:6651", "pulsar+ssl://broker_1.example-host.com.:6651"),
    ],
)
def test_endpoints(value, expected):
    assert normalize_endpoint(value) == expected
    assert normalize_endpoint(expected) == expected


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("", EMPTY),
        (" \n", EMPTY),
        ("/", EMPTY),
        ("pulsar+ssl://", EMPTY),
        ("pulsar+ssl:///", EMPTY),
        ("ssl://pulsar://", EMPTY),
        ("http://broker:8080", WEB),
        ("HTTPS://broker", WEB),
        ("pulsar+ssl://https://broker", WEB),
        ("kafka://broker:9092", SCHEME),
        ("pulsar+http://broker", SCHEME),
        ("pulsar+://broker", SCHEME),
        ("+ssl://broker", SCHEME),
        ("://broker", SCHEME),
        ("persistent://acme/security/audit", SCHEME),
        ("pulsar://one:6650,two:6650", SEVERAL),
        ("one:6650,two:6650", SEVERAL),
        ("pulsar+ssl://user:password@broker:6651", CREDENTIALS_IN_URL),
        ("user@broker", CREDENTIALS_IN_URL),
        ("pulsar+ssl://broker:6651/path", NO_BROKER),
        ("broker?query", NO_BROKER),
        ("broker#fragment", NO_BROKER),
        ("two words", NO_BROKER),
        ("broker:", NO_BROKER),
        ("broker:0", NO_BROKER),
        ("broker:65536", NO_BROKER),
        ("broker:123456", NO_BROKER),
        ("broker:port", NO_BROKER),
        ("broker:-1", NO_BROKER),
        ("broker:٦٦", NO_BROKER),
        (":6651", NO_BROKER),
        ("-broker", NO_BROKER),
        (".broker", NO_BROKER),
        ("brökər:6651", NO_BROKER),
        ("broker\x00:6651", NO_BROKER),
        ("::1", NO_BROKER),
        ("[::1", NO_BROKER),
        ("[broker]:6651", NO_BROKER),
        ("\ufeffbroker", NO_BROKER),
        (MASK, NO_BROKER),
        (APPLICATION_TOKEN, NO_BROKER),
        pytest.param(f"{'a' * 64}.example.com", NO_BROKER, id="a label longer than DNS allows"),
        pytest.param(".".join(["a" * 63] * 4) + ":6651", NO_BROKER, id="a name longer than DNS allows"),
        pytest.param(jwt(signature="s" * 86), NO_BROKER, id="a JWT"),
    ],
)
def test_refused_endpoints(value, message):
    assert message_of(normalize_endpoint, value) == message


@pytest.mark.parametrize("value", ["\u017fsl://broker:6651", "pulsar+s\u017fl://broker:6651", "bro\u212aer:6651"])
def test_letters_that_only_look_like_ascii_when_case_is_ignored(value):
    """A scheme that is nearly ssl must never end as a connection without TLS."""
    assert message_of(normalize_endpoint, value) in (SCHEME, NO_BROKER)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("persistent://acme/security/audit", "persistent://acme/security/audit"),
        ("acme/security/audit", "persistent://acme/security/audit"),
        (" acme/security/audit\n", "persistent://acme/security/audit"),
        ("acme-1_x=y:z.0/name-space/Audit+Log", "persistent://acme-1_x=y:z.0/name-space/Audit+Log"),
        ("acme/security/журнал", "persistent://acme/security/журнал"),
        ("acme/security/audit-partition-0", "persistent://acme/security/audit-partition-0"),
        ("ACME/Security/Audit", "persistent://ACME/Security/Audit"),
        ("acme/security/?&%:@", "persistent://acme/security/?&%:@"),
    ],
)
def test_topics(value, expected):
    assert normalize_topic(value) == expected
    assert normalize_topic(expected) == expected


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("", TOPIC_FORM),
        ("audit", TOPIC_FORM),
        ("security/audit", TOPIC_FORM),
        ("acme/cluster/security/audit", TOPIC_FORM),
        ("persistent://audit", TOPIC_FORM),
        ("persistent://", TOPIC_FORM),
        ("persistent:///acme/security/audit", TOPIC_FORM),
        ("persistent://persistent://acme/security/audit", TOPIC_FORM),
        ("acme/security/audit/", TOPIC_FORM),
        ("pulsar+ssl://broker", TOPIC_FORM),
        ("PERSISTENT://acme/security/audit", TOPIC_FORM),
        ("non-persistent://acme/security/audit", NON_PERSISTENT),
        ("non-persistent://", NON_PERSISTENT),
        ("/security/audit", TOPIC_NAMES),
        ("acme//audit", TOPIC_NAMES),
        ("ac me/security/audit", TOPIC_NAMES),
        ("acme/sécurité/audit", TOPIC_NAMES),
        ("acme/secu*rity/audit", TOPIC_NAMES),
        ("acme\n/security/audit", TOPIC_NAMES),
        ("acme/security/", TOPIC_NAME),
        ("acme/security/audit log", TOPIC_NAME),
        ("acme/security/audit\tlog", TOPIC_NAME),
        ("acme/security/audit\u00a0log", TOPIC_NAME),
        ("acme/security/audit\x00", TOPIC_NAME),
        ("acme/security/audit\ud800", TOPIC_NAME),
    ],
)
def test_refused_topics(value, message):
    assert message_of(normalize_topic, value) == message


@pytest.mark.parametrize("value", [ORGANIZATION, ORGANIZATION.upper(), f" {ORGANIZATION}\n"])
def test_organization_ids(value):
    assert normalize_organization_id(value) == ORGANIZATION


@pytest.mark.parametrize(
    "value",
    [
        "",
        "acme",
        ORGANIZATION[:-1],
        ORGANIZATION + "0",
        ORGANIZATION.replace("-", ""),
        f"{{{ORGANIZATION}}}",
        f"urn:uuid:{ORGANIZATION}",
        ORGANIZATION.replace("a", "g"),
        ORGANIZATION.replace("0", "\u0660"),
        f"{ORGANIZATION}/../currentOrg",
        APPLICATION_TOKEN,
    ],
)
def test_refused_organization_ids(value):
    assert message_of(normalize_organization_id, value) == NO_UUID


class TestJwt:
    @pytest.mark.parametrize(
        "claims",
        [
            {},
            {"sub": "client;acme;YWNtZQ;1", "exp": NOW},
            {"exp": NOW + 0.5},
            {"exp": None},
            {"exp": 10**40},
            {"exp": 10**400},
            {"exp": -(10**400)},
            {"exp": float("inf")},
            {"exp": -1},
            {"name": "Zoë ☃"},
            {"nested": {"a": [1, 2]}},
        ],
    )
    def test_claims(self, claims):
        assert read_jwt(jwt_of(claims)) == claims

    def test_both_alphabets_and_padding(self):
        claims = {"sub": "\u00bf\u00ff?>~"}
        data = json.dumps(claims, ensure_ascii=False).encode()
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            padded = encode(data).decode()
            for text in (padded, padded.rstrip("=")):
                assert read_jwt(f"{segment({})}.{text}.c2ln") == claims

    def test_a_signature_is_not_needed(self):
        assert read_jwt(jwt(signature="", sub="a")) == {"sub": "a"}

    @pytest.mark.parametrize(
        ("token", "message"),
        [
            ("", JWT_PARTS),
            ("secret", JWT_PARTS),
            ("a.b", JWT_PARTS),
            ("a.b.c.d", JWT_PARTS),
            (APPLICATION_TOKEN, JWT_PARTS),
            pytest.param(jwt(sub="a")[:-20], JWT_PARTS, id="cut before the signature"),
            pytest.param(f"{segment({})}.{segment({})[:-1]}.c2ln", JWT_UNREADABLE, id="cut within the claims"),
            pytest.param(f"{segment({})}..c2ln", JWT_UNREADABLE, id="no claims"),
            pytest.param(f".{segment({})}.c2ln", JWT_UNREADABLE, id="no header"),
            pytest.param(f"{segment({})}.{segment(b'no json')}.c2ln", JWT_UNREADABLE, id="claims are not JSON"),
            pytest.param(f"{segment(b'no json')}.{segment({})}.c2ln", JWT_UNREADABLE, id="header is not JSON"),
            pytest.param(f"{segment({})}.{segment(bytes([255, 254]))}.c2ln", JWT_UNREADABLE, id="claims are not UTF-8"),
            pytest.param(f"{segment({})}.{segment(b'[' * 100_000)}.c2ln", JWT_UNREADABLE, id="deeply nested"),
            pytest.param(f"{segment({})}.{segment(b'9' * 10_000)}.c2ln", JWT_UNREADABLE, id="huge number"),
            pytest.param("***.***.***", JWT_UNREADABLE, id="not base64"),
            pytest.param(f"Bearer {jwt()}", JWT_UNREADABLE, id="with Bearer"),
            pytest.param(f'"{jwt()}"', JWT_UNREADABLE, id="quoted"),
            pytest.param(jwt().replace(".", "\n.", 1), JWT_UNREADABLE, id="line break in the header"),
            pytest.param(jwt(signature="bm90\nLXNpZ25lZA"), JWT_UNREADABLE, id="line break in the signature"),
            pytest.param(jwt(signature="bm90 LXNpZ25lZA"), JWT_UNREADABLE, id="blank in the signature"),
            pytest.param(jwt(signature="bm90…"), JWT_UNREADABLE, id="ellipsis in the signature"),
            pytest.param(jwt(signature="bm90\udcff"), JWT_UNREADABLE, id="undecodable byte in the signature"),
            pytest.param(f"{segment([])}.{segment({})}.c2ln", JWT_OBJECTS, id="header is a list"),
            pytest.param(f"{segment({})}.{segment('claims')}.c2ln", JWT_OBJECTS, id="claims are a string"),
            pytest.param(f"{segment({})}.{segment(None)}.c2ln", JWT_OBJECTS, id="claims are null"),
            pytest.param(jwt(exp="1800000000"), JWT_EXPIRY, id="exp is a string"),
            pytest.param(jwt(exp=True), JWT_EXPIRY, id="exp is a boolean"),
            pytest.param(jwt(exp=[NOW]), JWT_EXPIRY, id="exp is a list"),
            pytest.param(jwt(exp=float("nan")), JWT_EXPIRY, id="exp is no number"),
        ],
    )
    def test_refused(self, token, message):
        assert message_of(read_jwt, token) == message


@pytest.mark.parametrize(
    ("timestamp", "expected"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (NOW, "2027-01-15T08:00:00Z"),
        (NOW + 0.999, "2027-01-15T08:00:00Z"),
        (-1, "1969-12-31T23:59:59Z"),
        (-50_000_000_000, "0385-07-25T07:06:40Z"),
        (253_402_300_799, "9999-12-31T23:59:59Z"),
        (253_402_300_800, None),
        (10**400, None),
        (float("inf"), None),
        (float("-inf"), None),
    ],
)
def test_rfc3339(timestamp, expected):
    assert rfc3339(timestamp) == expected


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

    @pytest.mark.parametrize("left_out", [None, ""])
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
APPLICATION_TOKEN_NEEDED = "application_token is needed: give the option or set ASTRA_DB_APPLICATION_TOKEN."
APPLICATION_TOKEN_FORM = "application_token must be an Astra application token, which starts with AstraCS:."
APPLICATION_TOKEN_CHARACTERS = "application_token contains white space or characters that no Astra token has."
URL_FORM = "api_url must be a URL, such as https://api.astra.datastax.com."
URL_PARTS = "api_url must not contain a user name, a query or a fragment."
URL_VERSION = "api_url must be given without /v2."
FINGERPRINT_FORM = "known_token_fingerprint must be sha256: and 64 hexadecimal digits, as an earlier run gave it."
PREFIXED_TOKEN = "pulsar_token must be the JWT alone, without token: or file: before it."
PASTED_APPLICATION_TOKEN = "pulsar_token is an Astra application token: give the Pulsar JWT of the streaming tenant."


EACH_PROBLEM = [
    ({"application_token": None}, [APPLICATION_TOKEN_NEEDED]),
    ({"application_token": " \n"}, [APPLICATION_TOKEN_NEEDED]),
    ({"application_token": "secret"}, [APPLICATION_TOKEN_FORM]),
    ({"application_token": "astracs:a:b"}, [APPLICATION_TOKEN_FORM]),
    ({"application_token": f"Bearer {APPLICATION_TOKEN}"}, [APPLICATION_TOKEN_FORM]),
    ({"application_token": jwt()}, [APPLICATION_TOKEN_FORM]),
    ({"application_token": "AstraCS:a\nb"}, [APPLICATION_TOKEN_CHARACTERS]),
    ({"application_token": "AstraCS:a b"}, [APPLICATION_TOKEN_CHARACTERS]),
    ({"application_token": "AstraCS:ä"}, [APPLICATION_TOKEN_CHARACTERS]),
    ({"application_token": "AstraCS:\udcff"}, [APPLICATION_TOKEN_CHARACTERS]),
    ({"api_url": ""}, [URL_FORM]),
    ({"api_url": "api.astra.datastax.com"}, [URL_FORM]),
    ({"api_url": "https:api.astra.datastax.com"}, [URL_FORM]),
    ({"api_url": "ftp://api.astra.datastax.com"}, [URL_FORM]),
    ({"api_url": "https://"}, [URL_FORM]),
    ({"api_url": "https:///v2"}, [URL_FORM]),
    ({"api_url": "https://:8080"}, [URL_FORM]),
    ({"api_url": "https://.example.com"}, [URL_FORM]),
    ({"api_url": "https://*.example.com"}, [URL_FORM]),
    ({"api_url": "https://[::1"}, [URL_FORM]),
    ({"api_url": "https://[::1]x"}, [URL_FORM]),
    ({"api_url": "https://host:port"}, [URL_FORM]),
    ({"api_url": "https://host:8080:8080"}, [URL_FORM]),
    ({"api_url": "https://host name"}, [URL_FORM]),
    ({"api_url": "https://höst"}, [URL_FORM]),
    ({"api_url": "https://user:password@host"}, [URL_PARTS]),
    ({"api_url": "https://host?query"}, [URL_PARTS]),
    ({"api_url": "https://host/#fragment"}, [URL_PARTS]),
    ({"api_url": "https://api.astra.datastax.com/v2"}, [URL_VERSION]),
    ({"api_url": "https://api.astra.datastax.com/v2/"}, [URL_VERSION]),
    ({"timeout": 0}, ["timeout must be between 1 and 3600 seconds."]),
    ({"timeout": 3601}, ["timeout must be between 1 and 3600 seconds."]),
    ({"timeout": -5}, ["timeout must be between 1 and 3600 seconds."]),
    ({"retries": -1}, ["retries must not be negative."]),
    ({"wait_timeout": -1}, ["wait_timeout must not be negative."]),
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
        {"timeout": 1, "retries": 0, "wait_timeout": 0},
        {"timeout": 3600, "retries": 10**9, "wait_timeout": 10**9},
        {"application_token": f" {APPLICATION_TOKEN}\n"},
        {"api_url": " https://api.astra.datastax.com/\n"},
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
    ({"api_url": "HTTP://127.0.0.1.example.com:80"}, [CLEAR_TEXT]),
    ({"api_url": "http://localhost.example.com"}, [CLEAR_TEXT]),
    ({"api_url": "http://localhost"}, []),
    ({"api_url": "http://127.0.0.1:8080/"}, []),
    ({"api_url": "http://[::1]:8080"}, []),
    ({"api_url": "HTTPS://api.example.com/astra/"}, []),
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
    # Subjects of another form say nothing about a tenant.
    (of_subject("other"), []),
    (of_subject(""), []),
    (of_subject(7), []),
    (of_subject(["client", "o", "b3RoZXI=", "i"]), []),
    (of_subject(f"admin;o;{base64.b64encode(b'other').decode()};i"), []),
    (of_subject(tenant("other") + ";more"), []),
    (of_subject("client;o;;i"), []),
    (of_subject("client;o;%%%;i"), []),
    (of_subject("client;o;é;i"), []),
    (of_subject("client;o;\ud800;i"), []),
    (of_subject("client;o;/w==;i"), []),
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
    APPLICATION_TOKEN_FORM,
    URL_FORM,
    "timeout must be between 1 and 3600 seconds.",
    "retries must not be negative.",
    f"organization_id {NO_UUID}",
]


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
        "wait_timeout must not be negative.",
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
        "wait_timeout must not be negative.",
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
            "stream": None,
            "secret": None,
            "expires_at": None,
        }

    def test_its_own_problems(self):
        changed = {**IGNORED, **WRONG_EVERYWHERE, "state": "absent"}
        assert problems_of(**changed) == [*CONNECTION_PROBLEMS, "wait_timeout must not be negative."]

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
        assert examine(wrong, NOW).problems == CONNECTION_PROBLEMS


SENTINEL = "S3ntinel"
SUBJECT = {"sub": f"client;o;{base64.b64encode(SENTINEL.encode()).decode()};i"}


@pytest.mark.parametrize(
    "changed",
    [
        {"application_token": SENTINEL},
        {"application_token": f"AstraCS:{SENTINEL} x"},
        {"api_url": f"https://user:{SENTINEL}@host"},
        {"api_url": f"ftp://{SENTINEL}"},
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
