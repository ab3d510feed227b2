# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Any input gives a result or the collection's own exception, in linear time, with no secret in the message."""

from __future__ import annotations

import base64
import json
import time

import pytest
from ansible_collections.datastax.astra.plugins.module_utils._api import Api
from ansible_collections.datastax.astra.plugins.module_utils._convergence import Settings, converge
from ansible_collections.datastax.astra.plugins.module_utils._errors import AstraError
from ansible_collections.datastax.astra.plugins.module_utils._fingerprint_store import DirectoryStore, recall
from ansible_collections.datastax.astra.plugins.module_utils._http import Answer, Attempts
from ansible_collections.datastax.astra.plugins.module_utils._http_limits import ANSWER_SIZE_LIMIT
from ansible_collections.datastax.astra.plugins.module_utils._organizations import normalize_organization_id
from ansible_collections.datastax.astra.plugins.module_utils._pulsar.jwt import find_tenant, read_jwt
from ansible_collections.datastax.astra.plugins.module_utils._pulsar.names import normalize_endpoint, normalize_topic
from ansible_collections.datastax.astra.plugins.module_utils._resources._audit_log_stream_request import examine
from ansible_collections.datastax.astra.plugins.module_utils._resources.audit_log_stream import (
    AuditLogStream,
    Policy,
    confirm_absence,
    interpret_document,
    make_plan,
    read_stream,
)
from ansible_collections.datastax.astra.plugins.module_utils._secrets import MASK, UNKNOWN_FINGERPRINT
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

# What Hypothesis itself thinks of its inputs depends on how busy the machine is.
fuzz = settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.large_base_example,
        HealthCheck.function_scoped_fixture,
    ],
)

NOW = 1_800_000_000
ORGANIZATION = "0a1b2c3d-0000-4000-8000-000000000001"
SECRET = "S3cr3tSentinel"

# Every code point, lone surrogates included: that is how Python hands over bytes that are no text.
ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()))


def texts(*pieces):
    """Texts in which these pieces and the secret occur, whole and cut, among anything."""
    piece = st.sampled_from([*pieces, SECRET]) | ANY_TEXT
    return st.lists(piece, max_size=6).map("".join)


def attempt(function, *arguments):
    """Call the function; return what it gives, or None and the message of the collection's own exception."""
    try:
        return function(*arguments), ""
    except AstraError as error:
        failure = error
    assert SECRET not in f"{failure} {failure.result}"
    assert failure.message
    return None, failure.message


ENDPOINTS = texts("pulsar", "+", "ssl", "://", "http", "broker", ":6651", "/", "@", ",", "[", "]", "::", ".", "-", " ")


@fuzz
@given(ENDPOINTS)
@example("ſsl://broker")
@example("pulsar+ſſl://broker")
def test_endpoints(value):
    endpoint, message = attempt(normalize_endpoint, value)
    assert SECRET.lower() not in message.lower()
    if endpoint is not None:
        assert endpoint.startswith(("pulsar://", "pulsar+ssl://"))
        assert endpoint.isascii()
        assert endpoint == endpoint.lower()
        assert normalize_endpoint(endpoint) == endpoint
        # Only one who wrote pulsar:// himself gets a connection without TLS.
        assert endpoint.startswith("pulsar+ssl://") or "pulsar://" in value.lower()


@fuzz
@given(texts("persistent", "non-persistent", "://", "/", "acme", "security", "audit", "-", "=", ".", " "))
def test_topics(value):
    topic, _message = attempt(normalize_topic, value)
    if topic is not None:
        assert topic.startswith("persistent://")
        assert topic.count("/") == 4
        assert topic.isprintable()
        assert normalize_topic(topic) == topic


@fuzz
@given(texts(ORGANIZATION, ORGANIZATION.upper(), "-", "0", "a", " ", "{", "}"))
def test_organization_ids(value):
    organization_id, _message = attempt(normalize_organization_id, value)
    if organization_id is not None:
        assert organization_id == value.strip().lower()
        assert set(organization_id) <= set("0123456789abcdef-")


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([10**400, -(10**400)])
    | st.floats()
    | ANY_TEXT
    | st.just(SECRET)
)


def json_values(keys=ANY_TEXT, leaves=SCALARS):
    """Any JSON value, with keys and leaves that are worth trying."""
    return st.recursive(
        leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=5), max_leaves=12
    )


def encoded(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


CLAIMS = st.dictionaries(
    st.sampled_from(["exp", "sub", "iss"]) | ANY_TEXT,
    json_values() | texts("client;", "org;", "YWNtZQ==", ";id", ";"),
    max_size=4,
)
SEGMENTS = (
    (json_values() | CLAIMS).map(lambda value: encoded(json.dumps(value).encode()))
    | st.binary().map(encoded)
    | texts("e30", "=", "-", "_", "+")
)
JWTS = st.lists(SEGMENTS, max_size=4).map(".".join) | st.tuples(
    st.just("e30"), CLAIMS.map(lambda claims: encoded(json.dumps(claims).encode())), SEGMENTS
).map(".".join)


@fuzz
@given(JWTS | texts("AstraCS:", "token:", "."))
@example("e30.e30.c2ln\udcff")
@example("e30.e30.c2\nln")
def test_jwts(token):
    claims, message = attempt(read_jwt, token)
    assert not any(len(segment) > 12 and segment in message for segment in token.split("."))
    if claims is not None:
        assert isinstance(claims, dict)
        assert token.isascii()
        assert token.isprintable()


TEXT_OPTIONS = {
    "endpoint": ENDPOINTS | st.just("pulsar+ssl://broker:6651"),
    "topic": texts("acme/security/audit") | st.just("acme/security/audit"),
    "auth_name": texts("token"),
    "pulsar_token": JWTS | texts("AstraCS:", "token:", MASK),
    "oauth2_credentials_url": texts("data:", "file:", "https://", "application/json;base64,", MASK),
    "oauth2_issuer_url": texts("https://", "http://", "login.example.com", "/", "@") | st.just("https://issuer"),
    "oauth2_audience": texts("urn:pulsar", MASK),
    "oauth2_scope": texts("produce"),
    "organization_id": texts(ORGANIZATION) | st.just(ORGANIZATION),
    "known_token_fingerprint": texts("sha256:", "0" * 64) | st.just(f"sha256:{'0' * 64}"),
    "fingerprint_store": ANY_TEXT,
    "application_token": texts("AstraCS:") | st.just(f"AstraCS:{SECRET}"),
    "ca_path": ANY_TEXT,
}
OPTIONS = st.fixed_dictionaries(
    {
        **{name: st.none() | value for name, value in TEXT_OPTIONS.items()},
        "api_url": texts("https://", "http://", "api.astra.datastax.com", "/v2", ":8080", "@", "[::1]", "*", "?", "#")
        | st.just("https://api.astra.datastax.com"),
        "state": st.sampled_from(["present", "absent"]),
        "auth_strategy": st.sampled_from(["token", "oauth2"]),
        "update_token": st.sampled_from(["on_change", "always", "on_create"]),
        "validate_region": st.booleans(),
        "wait": st.booleans(),
        "wait_timeout": st.integers(),
        "timeout": st.integers(),
        "retries": st.integers(),
        "validate_certs": st.booleans(),
    }
)
# Options of which a good part has no problem, so that what follows is reached too.
PLAUSIBLE = st.fixed_dictionaries(
    {
        "organization_id": st.just(ORGANIZATION),
        "endpoint": st.just("pulsar+ssl://broker:6651"),
        "topic": st.just("acme/security/audit"),
        "auth_name": st.none(),
        "known_token_fingerprint": st.none() | st.just(f"sha256:{'0' * 64}"),
        "application_token": st.just(f"AstraCS:{SECRET}"),
        "api_url": st.just("https://api.astra.datastax.com"),
        "wait_timeout": st.just(0),
        "timeout": st.just(1),
        "retries": st.just(0),
    }
)
TOKEN_SECRETS = st.fixed_dictionaries(
    {
        "auth_strategy": st.just("token"),
        "pulsar_token": st.none() | JWTS,
        **dict.fromkeys(["oauth2_credentials_url", "oauth2_issuer_url", "oauth2_audience", "oauth2_scope"], st.none()),
    }
)
OAUTH2_SECRETS = st.fixed_dictionaries(
    {
        "auth_strategy": st.just("oauth2"),
        "pulsar_token": st.none(),
        "oauth2_issuer_url": st.just("https://issuer"),
        "oauth2_credentials_url": st.none() | texts().map(lambda text: f"data:{text}"),
    }
)
ANY_OPTIONS = OPTIONS | st.builds(
    lambda *parts: {name: value for part in parts for name, value in part.items()},
    OPTIONS,
    PLAUSIBLE,
    TOKEN_SECRETS | OAUTH2_SECRETS,
)

PRESENT = {
    **dict.fromkeys(TEXT_OPTIONS),
    "application_token": f"AstraCS:{SECRET}",
    "api_url": "https://api.astra.datastax.com",
    "timeout": 1,
    "retries": 0,
    "wait_timeout": 0,
    "organization_id": ORGANIZATION,
    "state": "present",
    "endpoint": "pulsar+ssl://broker:6651",
    "topic": "acme/security/audit",
    "auth_strategy": "token",
    "pulsar_token": f"e30.e30.{SECRET}",
    "validate_region": True,
}

PULSAR_FIELDS = [
    "endpoint",
    "topic",
    "auth_strategy",
    "auth_name",
    "token",
    "oauth2_credentials_url",
    "oauth2_issuer_url",
    "oauth2_audience",
    "oauth2_scope",
]
PULSAR = st.dictionaries(
    st.sampled_from(PULSAR_FIELDS), st.just(MASK) | st.sampled_from(["token", "oauth2", "a/b/c"]) | json_values()
) | st.fixed_dictionaries(
    {
        "endpoint": st.just("pulsar+ssl://broker:6651") | st.just(MASK),
        "topic": st.just("persistent://acme/security/audit"),
        "auth_strategy": st.sampled_from(["token", "oauth2", "basic"]),
    },
    optional={
        "token": st.sampled_from([MASK, SECRET, "", None]),
        "oauth2_credentials_url": st.sampled_from([MASK, SECRET, "", None]),
        "oauth2_audience": st.just(MASK) | st.none(),
        "auth_name": st.just("token") | json_values(),
    },
)
# A destination of another kind, with the secret anywhere but as a plain word in a field that holds none.
FOREIGN = st.dictionaries(
    st.sampled_from(["password", "default_token", "uri", "auth", "api_key", "connection_string"]), json_values()
) | st.fixed_dictionaries(
    {},
    optional={
        "topic": st.text(max_size=5),
        "endpoint": st.just(f"https://user:{SECRET}@host") | st.just(f"https://host?key={SECRET}"),
        "bucket": st.lists(st.just(SECRET)),
        "auth": json_values(),
    },
)
DOCUMENTS = (
    st.none()
    | st.dictionaries(
        st.sampled_from(["pulsar", "kafka", "http", "status"]),
        PULSAR | FOREIGN | json_values(leaves=SCALARS),
        max_size=3,
    )
    | st.fixed_dictionaries({"pulsar": PULSAR})
)


@settings(fuzz, max_examples=80)
@given(ANY_OPTIONS, DOCUMENTS)
def test_options_and_plans(options, document):
    findings = examine(options, NOW)
    assert (findings.request is None) == bool(findings.problems)
    assert SECRET not in " ".join(findings.problems + findings.warnings)
    stored, _message = attempt(interpret_document, document)
    if findings.request:
        known = options["known_token_fingerprint"]
        plan = make_plan(findings.request, ORGANIZATION, stored, Policy(options["update_token"], known))
        secret = findings.request.secret or ""
        assert len(secret) < 12 or secret not in str([plan.before, plan.after, plan.diff])
        assert (plan.diff["before"] != plan.diff["after"]) == plan.changed
        for call in plan.writes:
            if call.body is not None:
                assert MASK not in call.body["pulsar"].values()
                assert json.loads(json.dumps(call.body)) == call.body


@fuzz
@given(DOCUMENTS)
def test_stored_documents(document):
    stored, _message = attempt(interpret_document, document)
    if stored is not None and not stored.foreign:
        assert {"endpoint", "topic", "auth_strategy"} <= stored.stream.keys() <= {*PULSAR_FIELDS} - {"token"}
        assert set(stored.secrets) <= {"pulsar_token", "oauth2_credentials_url"}
        assert all(isinstance(value, str) and value for value in [*stored.stream.values(), *stored.secrets.values()])


@fuzz
@given(st.dictionaries(st.sampled_from(["kafka", "http", "datadog"]), FOREIGN, max_size=3))
def test_stored_documents_of_other_destinations(document):
    stored, _message = attempt(interpret_document, document)
    assert (stored is not None) == any(document.values())
    assert stored is None or SECRET not in json.dumps(stored.stream)


class Http:
    """Gives any answer to anything."""

    url_option = "api_url"

    def __init__(self, *answers):
        self.answers = list(answers)

    def make_attempts(self):
        return Attempts(0)

    def request(self, _method, _path, **_more):
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


ENVELOPES = st.fixed_dictionaries(
    {
        "errors": st.lists(
            st.fixed_dictionaries(
                {},
                optional={"ID": SCALARS, "id": SCALARS, "message": texts("token ", "\n", "\x1b[31m") | json_values()},
            )
            | json_values(),
            max_size=12,
        )
        | json_values()
    }
)
JSON_BODIES = (
    DOCUMENTS | ENVELOPES | json_values() | st.fixed_dictionaries({"id": st.just(ORGANIZATION) | json_values()})
).map(lambda value: json.dumps(value).encode())


def damaged(body, position, junk):
    """Cut the body, and put something else at its end."""
    return body[: position % (len(body) + 1)] + junk


BODIES = (
    st.binary()
    | JSON_BODIES
    | st.builds(damaged, JSON_BODIES, st.integers(0), st.binary(max_size=8))
    | JSON_BODIES.map(lambda body: b"\xef\xbb\xbf" + body)
    | texts("<html>", "</html>").map(lambda text: text.encode("utf-16", "surrogatepass"))
)
ANSWERS = st.builds(
    Answer,
    st.sampled_from([200, 202, 204, 301, 400, 401, 403, 404, 409, 429, 500, 503]) | st.integers(100, 999),
    BODIES,
    st.just({}),
    st.booleans(),
)


STORED = interpret_document({"pulsar": {"endpoint": "broker", "topic": "a/b/c", "auth_strategy": "token"}})


@fuzz
@given(ANSWERS, st.sampled_from([SECRET, f"{SECRET}\n", f" {SECRET} "]))
def test_answers(answer, given_secret):
    request = examine(PRESENT, NOW).request
    [post] = make_plan(request, ORGANIZATION, None, Policy()).writes
    [delete] = make_plan(request._replace(state="absent"), ORGANIZATION, STORED, Policy()).writes

    def ask(function, *arguments):
        return attempt(lambda: function(Api(Http(answer), f"AstraCS:{SECRET}", [given_secret]), *arguments))

    organization_id, refused_organization = ask(Api.find_organization)
    _warnings, refused_absence = ask(confirm_absence, ORGANIZATION)
    stored, refused_stream = ask(read_stream, ORGANIZATION)
    _document, refused_post = ask(Api.write, post)
    _document, refused_delete = ask(Api.write, delete)
    for message in (refused_organization, refused_absence, refused_stream, refused_post, refused_delete):
        assert len(message) < 5000
        assert message.isprintable()
    assert organization_id == (None if refused_organization else ORGANIZATION)
    assert stored is None or answer.status == 200
    assert bool(refused_post) == bool(refused_delete) == (answer.status != 202)


@fuzz
@given(st.lists(ANSWERS, min_size=1, max_size=5), st.sampled_from(["present", "absent"]), st.booleans())
def test_runs(answers, state, wait):
    """Whatever the service answers, a run ends with a result or a sentence, and says whether it may have changed."""
    api = Api(Http(*answers), f"AstraCS:{SECRET}", [SECRET])
    stream = AuditLogStream(api, examine({**PRESENT, "state": state}, NOW).request, Policy())
    result, failure = None, None
    try:
        result = converge(stream, Settings(wait=wait, wait_timeout=0))
    except AstraError as error:
        failure = error
    if failure:
        assert SECRET not in f"{failure} {failure.result}"
        assert isinstance(failure.result["changed"], bool)
        assert failure.result["organization_id"] == ORGANIZATION
    else:
        assert result["changed"] == (result["action"] != "none")
        assert SECRET not in json.dumps({**result, "previous": None, "diff": None})


ENTRIES = st.fixed_dictionaries(
    {"kind": st.just("audit_log_stream"), "version": st.just(1), "organization_id": st.just(ORGANIZATION)},
    optional={"token_fingerprint": json_values() | texts("sha256:", "0" * 64), "writer": json_values()},
)


@fuzz
@given(st.binary() | JSON_BODIES | ENTRIES.map(lambda value: json.dumps(value).encode()))
def test_files_of_the_fingerprint_store(tmp_path, content):
    path = tmp_path / "audit_log_stream" / f"{ORGANIZATION}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    value, warnings = recall(DirectoryStore(str(tmp_path)), ORGANIZATION)
    assert (value == UNKNOWN_FINGERPRINT) or f'"{value}"'.encode() in content
    assert len(warnings) <= 1
    assert SECRET not in str(warnings)


@fuzz
@given(texts("client;", "org;", "YWNtZQ==", ";id", ";") | json_values())
def test_subjects(subject):
    tenant = find_tenant(subject)
    assert tenant is None or (isinstance(tenant, str) and tenant)


def answered(status, body):
    """Return a function that hands a body of this size to the reader of answers."""
    return lambda count: attempt(
        lambda: read_stream(Api(Http(Answer(status, body(count))), "AstraCS:a", [SECRET]), ORGANIZATION)
    )


def entries(count):
    return json.dumps({"errors": [{"ID": 1, "message": f"{SECRET} x"}] * (count // 8)}).encode()


# Inputs that are hard for patterns and parsers that look back; each grows with a count.
HARD = {
    "endpoint, prefixes": lambda count: attempt(normalize_endpoint, "ssl://" * count + "broker"),
    "endpoint, half a prefix": lambda count: attempt(normalize_endpoint, "pulsar+" * count),
    "endpoint, prefixes and half a prefix": lambda count: attempt(
        normalize_endpoint, "pulsar+ssl://" * count + "pulsar+"
    ),
    "endpoint, slashes": lambda count: attempt(normalize_endpoint, "broker" + "/" * count),
    "endpoint, slashes before the end": lambda count: attempt(normalize_endpoint, "broker" + "/" * count + "x"),
    "endpoint, dots": lambda count: attempt(normalize_endpoint, "a." * count + "!"),
    "endpoint, host": lambda count: attempt(normalize_endpoint, "a" * count + ":"),
    "endpoint, blanks": lambda count: attempt(normalize_endpoint, " " * count + "x" + " " * count + "y"),
    "topic, slashes": lambda count: attempt(normalize_topic, "/" * count),
    "topic, names": lambda count: attempt(normalize_topic, "a" * count + "/" + "b" * count + "!/c"),
    "topic, blanks": lambda count: attempt(normalize_topic, "a/b/" + " " * count + "c"),
    "organization": lambda count: attempt(normalize_organization_id, "0a1b2c3d-" * count),
    "jwt, dots": lambda count: attempt(read_jwt, "." * count),
    "jwt, long claims": lambda count: attempt(read_jwt, f"e30.{encoded(b'{' + b' ' * count)}.x"),
    "jwt, deep claims": lambda count: attempt(read_jwt, f"e30.{encoded(b'[' * count)}.x"),
    "jwt, long signature": lambda count: attempt(read_jwt, "e30.e30." + "A" * count + "\n"),
    "issuer": lambda count: examine_option("oauth2_issuer_url", "https://" + "a" * count + "@" + "/" * count),
    "api_url": lambda count: examine_option("api_url", "https://" + "a@" * count + "/" * count + "v2"),
    "application_token": lambda count: examine_option("application_token", "AstraCS:" + "a" * count + " x"),
    "subject": lambda count: examine_option("pulsar_token", subject(";" * count)),
    "tenant": lambda count: examine_option("pulsar_token", subject(f"client;o;{'A' * count};i")),
    "answer, entries": answered(500, entries),
    "answer, message": answered(500, lambda count: json.dumps({"errors": [{"message": "S3cr3t " * count}]}).encode()),
    "answer, deep": answered(200, lambda count: b'{"a":' * count),
    "answer, keys": answered(
        200, lambda count: json.dumps({f"k{n}": {"topic": "t"} for n in range(count // 8)}).encode()
    ),
    "answer, fields": answered(
        200, lambda count: json.dumps({"kafka": {f"k{n}": "t" for n in range(count // 8)}}).encode()
    ),
    "answer, blanks": answered(200, lambda count: b" " * count),
}


def subject(text):
    return f"e30.{encoded(json.dumps({'sub': text}).encode())}.x"


def examine_option(name, value):
    return examine({**PRESENT, "auth_strategy": "oauth2" if name == "oauth2_issuer_url" else "token", name: value}, NOW)


def cost(function, count):
    """The processor time that a call needs, in seconds: the least of three, and never less than the clock can tell."""
    times = []
    for _attempt in range(3):
        start = time.process_time()
        function(count)
        times.append(time.process_time() - start)
    return max(min(times), 0.0005)


@pytest.mark.parametrize("name", HARD)
def test_time_grows_with_the_size_and_not_faster(name):
    """Eight times the input takes about eight times as long; with work that grows as the square it would be 64."""
    small, large = 2**13, 2**16
    assert cost(HARD[name], large) < 32 * cost(HARD[name], small)


def test_the_largest_answer_is_read_quickly():
    entry = json.dumps({"ID": 1, "message": f"{SECRET} "}).encode() + b","
    body = b'{"errors": [' + entry * (ANSWER_SIZE_LIMIT // len(entry) - 1)
    body = body[:-1] + b"]}"
    start = time.process_time()
    _result, message = attempt(read_stream, Api(Http(Answer(400, body)), "AstraCS:a", [SECRET]), ORGANIZATION)
    assert time.process_time() - start < 2
    assert message.count(MASK) == 10
