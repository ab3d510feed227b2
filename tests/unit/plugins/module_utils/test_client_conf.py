# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import json
import re
import time
from pathlib import Path

import javaproperties
import pytest
from ansible_collections.datastax.astra.plugins.module_utils._errors import InputError
from ansible_collections.datastax.astra.plugins.module_utils._pulsar.client_conf import (
    OPTIONS,
    format_client_conf,
    parse,
    read_options,
)
from ansible_collections.datastax.astra.plugins.module_utils._pulsar.jwt import read_jwt
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

EXAMPLE = Path(__file__).parents[4] / "benchmarks" / "client.conf"

JWT = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhdWRpdCJ9.c2lnbmF0dXJl"
BROKER = "pulsar+ssl://broker.example.com:6651"
TOKEN_PLUGIN = "org.apache.pulsar.client.impl.auth.AuthenticationToken"
OAUTH2_PLUGIN = "org.apache.pulsar.client.impl.auth.oauth2.AuthenticationOAuth2"
CREDENTIALS = "data:application/json;base64,eyJjbGllbnRfaWQiOiJhIn0="
ISSUER = "https://issuer.example.com"

TOKEN_OPTIONS = {"endpoint": BROKER, "auth_strategy": "token", "auth_name": "token", "pulsar_token": JWT}
OAUTH2_OPTIONS = {
    "endpoint": BROKER,
    "auth_strategy": "oauth2",
    "oauth2_credentials_url": CREDENTIALS,
    "oauth2_issuer_url": ISSUER,
}


def client_conf(*, broker=BROKER, **properties):
    """Return a client.conf with the broker in line 1 and the given properties after it."""
    return "".join(f"{key}={value}\n" for key, value in {"brokerServiceUrl": broker, **properties}.items())


def oauth2_params(**fields):
    return json.dumps({"type": "client_credentials", "privateKey": CREDENTIALS, "issuerUrl": ISSUER, **fields})


def problems_of(content, overrides=None):
    with pytest.raises(InputError) as caught:
        read_options(content, overrides)
    return caught.value.problems


# The grammar. Every expectation of this table is what java.util.Properties of OpenJDK 17 and 25 returns.
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("", [], id="empty"),
        pytest.param("a=b", [(1, "a", "b")], id="equals sign"),
        pytest.param("a:b", [(1, "a", "b")], id="colon"),
        pytest.param("a b", [(1, "a", "b")], id="space"),
        pytest.param("a\tb", [(1, "a", "b")], id="tab"),
        pytest.param("a\fb", [(1, "a", "b")], id="form feed"),
        pytest.param("a \t\f= \t\fb", [(1, "a", "b")], id="white space around the separator"),
        pytest.param("a == b", [(1, "a", "= b")], id="only the first separator counts"),
        pytest.param("a : = b", [(1, "a", "= b")], id="the other separator is the value's"),
        pytest.param("a b=c", [(1, "a", "b=c")], id="a space separates before an equals sign"),
        pytest.param("a=b=c:d e", [(1, "a", "b=c:d e")], id="separators in the value"),
        pytest.param("a=b \t", [(1, "a", "b \t")], id="trailing white space is kept"),
        pytest.param(" \t\fa=b", [(1, "a", "b")], id="leading white space"),
        pytest.param("a", [(1, "a", "")], id="key alone"),
        pytest.param("a=", [(1, "a", "")], id="empty value"),
        pytest.param("=b", [(1, "", "b")], id="empty key"),
        pytest.param("a=1\na=2", [(1, "a", "1"), (2, "a", "2")], id="duplicates"),
        pytest.param("a\x0b=b", [(1, "a\x0b", "b")], id="a vertical tab is no white space"),
        pytest.param("a=b\x85c\u2028d", [(1, "a", "b\x85c\u2028d")], id="Unicode line ends are no line ends"),
        pytest.param("\n \t\f\n#a=b\n !c=d\ne=f", [(5, "e", "f")], id="blank lines and comments"),
        pytest.param("a=b#c!d", [(1, "a", "b#c!d")], id="no comment within a line"),
        pytest.param("#a\\\nb=c", [(2, "b", "c")], id="a comment is not continued"),
        pytest.param(
            "a=1\nb=2\rc=3\r\n\r\nd=4", [(1, "a", "1"), (2, "b", "2"), (3, "c", "3"), (5, "d", "4")], id="ends"
        ),
        pytest.param("a=b\\\n \t\fc\nd=e", [(1, "a", "bc"), (3, "d", "e")], id="continuation"),
        pytest.param("a=b\\\r\n  c\\\rd\n", [(1, "a", "bcd")], id="continuation with CR and CRLF"),
        pytest.param("a\\\nb\\\n=\\\nc", [(1, "ab", "c")], id="continuation within the key"),
        pytest.param("a=b\\\n#c", [(1, "a", "b#c")], id="no comment in a continuation"),
        pytest.param("a=b\\\n\nc=d", [(1, "a", "b"), (3, "c", "d")], id="continuation with a blank line"),
        pytest.param("\\\n#a\n\\\n\\\nb=c", [(5, "b", "c")], id="lines with only a backslash"),
        pytest.param("a=b\\\\\nc=d", [(1, "a", "b\\"), (2, "c", "d")], id="an even number of backslashes"),
        pytest.param("a=b\\\\\\\nc=d", [(1, "a", "b\\c=d")], id="an odd number of backslashes"),
        pytest.param("a=b\\", [(1, "a", "b")], id="backslash at the end"),
        pytest.param("a\\ b\\=\\:\\#=c", [(1, "a b=:#", "c")], id="escaped separators"),
        pytest.param("\\#a=b", [(1, "#a", "b")], id="escaped comment sign"),
        pytest.param("a=\\t\\n\\r\\f\\b\\\\\\\"\\'", [(1, "a", "\t\n\r\fb\\\"'")], id="escapes"),
        pytest.param("a=\\ b", [(1, "a", " b")], id="escaped leading space"),
        pytest.param("\\u0061=\\u00e9\\u00E9\\u00410", [(1, "a", "ééA0")], id="unicode escapes"),
        pytest.param("a=\\uD83D\\uDE00", [(1, "a", "\U0001f600")], id="surrogate pair"),
        pytest.param("a=\\uDE00\\uD83D", [(1, "a", "\ude00\ud83d")], id="lone surrogates"),
        pytest.param("a=\\\\u12", [(1, "a", "\\u12")], id="an escaped backslash before a u"),
        pytest.param("\ufeffa=b", [(1, "a", "b")], id="byte order mark"),
    ],
)
def test_the_grammar_is_that_of_java(text, expected):
    assert [tuple(entry) for entry in parse(text)] == expected


@pytest.mark.parametrize("escape", ["\\u", "\\u1", "\\u12G4", "\\u-123", "\\u 123", "\\uu0041"])
def test_a_malformed_escape_makes_the_key_or_the_value_unknown(escape):
    assert [tuple(entry) for entry in parse(f"\nkey={escape}")] == [(2, "key", None)]
    assert [entry.key for entry in parse(f"\n{escape}=value")] == [None]


TEXT = st.lists(
    st.sampled_from(["\\", "\\u00e9", "\\ud83d", "\\ude00", "\\u12", *" \t\f\r\n=:#!\\ua0é\x0b\x85\u2028"]), max_size=40
).map("".join)


@settings(max_examples=300, deadline=None)
@given(TEXT)
def test_any_text_gives_what_javaproperties_gives(text):
    # Java and this parser look for a comment after such a line, javaproperties does not.
    assume(not re.search(r"(?:\A|[\r\n])[ \t\f]*\\(?:[\r\n]|\Z)", text))
    entries = list(parse(text))
    try:
        expected = javaproperties.loads(text, object_pairs_hook=list)
    except javaproperties.InvalidUEscapeError:
        assert any(None in entry for entry in entries)
    else:
        assert [(entry.key, entry.value) for entry in entries] == expected


def written(text, *, is_key=False):
    """Return a strategy of the ways to write C(text), broken over lines at will."""

    def ways(position, character):
        units = memoryview(character.encode("utf-16-le")).cast("H")
        escapes = ["".join(f"\\u{unit:04x}" for unit in units)]
        if character in "\t\n\r\f":
            escapes.append("\\" + "tnrf"["\t\n\r\f".index(character)])
        elif character not in "tnrfu":
            escapes.append(f"\\{character}")
        for escape in escapes:
            yield escape
            if position > 0:
                yield f"\\\n{escape}"
                yield f"\\\n \t\f{escape}"
        if character not in "\t\n\r\f\\" and not (character in " =:#!" and (is_key or position == 0)):
            yield character

    characters = (st.sampled_from(list(ways(position, character))) for position, character in enumerate(text))
    return st.tuples(*characters).map("".join)


WORD = st.text(
    st.sampled_from(" =:#!\\\t\n\r\ftnrfu'\"ä\U0001f600") | st.characters(exclude_categories=["Cs"]), max_size=8
)
NOISE = st.sampled_from(["", "\n", " \t\n", "# no=thing\n", " ! no=thing\\\n"])
SEPARATOR = st.sampled_from(["=", ":", " = ", "\t:\f", " =\\\n  "])


@settings(max_examples=100, deadline=None)
@given(st.data(), st.lists(st.tuples(WORD.filter(bool), WORD), max_size=4))
def test_any_way_to_write_properties_is_read_back_with_their_lines(data, pairs):
    text, expected = "", []
    for key, value in pairs:
        text += data.draw(NOISE)
        expected.append((text.count("\n") + 1, key, value))
        text += data.draw(written(key, is_key=True)) + data.draw(SEPARATOR) + data.draw(written(value)) + "\n"
    for line_end in ("\n", "\r", "\r\n"):
        assert [tuple(entry) for entry in parse(text.replace("\n", line_end))] == expected


# What the properties mean.
@pytest.mark.parametrize(
    "content",
    [
        pytest.param(client_conf(authPlugin=TOKEN_PLUGIN, authParams=f"token:{JWT}"), id="as Astra serves it"),
        pytest.param(client_conf(authPlugin=TOKEN_PLUGIN, authParams=JWT), id="JWT alone"),
        pytest.param(client_conf(authPlugin=TOKEN_PLUGIN, authParams=f'{{"token": "{JWT}"}}'), id="JSON"),
        pytest.param(client_conf(authPlugin="token", authParams=f"token:{JWT}"), id="short name"),
        pytest.param(client_conf(authPlugin="AuthenticationToken", authParams=f"token: {JWT}  "), id="class name"),
        pytest.param(client_conf(authParams=f"token:{JWT}"), id="no plugin"),
        pytest.param(client_conf(authPlugin="", authParams=JWT), id="no plugin, JWT alone"),
        pytest.param(client_conf(authParams=f'{{"token": "{JWT}"}}'), id="no plugin, JSON"),
        pytest.param(client_conf(authParams=f'"token:{JWT}" '), id="double quotes"),
        pytest.param(client_conf(broker=f"'{BROKER}'", authPlugin="' token '", authParams=f"'{JWT}'"), id="quotes"),
        pytest.param(client_conf(authParams=rf'"{{\"token\": \"{JWT}\"}}"'), id="quoted JSON"),
        pytest.param(client_conf(broker=f"{BROKER}/ \t", authParams=f"token:{JWT} \t"), id="trailing white space"),
        pytest.param(client_conf(broker=f"pulsar+{BROKER}", authParams=f"token:{JWT}"), id="doubled prefix"),
        pytest.param(client_conf(broker=BROKER[len("pulsar+") :], authParams=f"token:{JWT}"), id="ssl prefix"),
        pytest.param(client_conf(broker="", serviceUrl=BROKER, authParams=f"token:{JWT}"), id="serviceUrl"),
        pytest.param(client_conf(serviceUrl="http://h:8080", authParams=f"token:{JWT}"), id="web serviceUrl as well"),
        pytest.param(f"authParams=token:old\n{client_conf(authParams=JWT)}", id="the last duplicate wins"),
        pytest.param("\ufeff" + client_conf(authParams=JWT).replace("\n", "\r\n"), id="byte order mark and CRLF"),
    ],
)
def test_a_file_for_token_authentication(content):
    assert read_options(content) == TOKEN_OPTIONS


@pytest.mark.parametrize(
    ("properties", "more"),
    [
        pytest.param({"authPlugin": OAUTH2_PLUGIN, "authParams": oauth2_params()}, {}, id="class name"),
        pytest.param({"authPlugin": "oauth2", "authParams": oauth2_params()}, {}, id="short name"),
        pytest.param({"authParams": oauth2_params()}, {}, id="no plugin"),
        pytest.param({"authParams": f"'{oauth2_params()}'"}, {}, id="quotes"),
        pytest.param(
            {"authParams": json.dumps({"private_key": f" {CREDENTIALS} ", "issuer_url": ISSUER})}, {}, id="snake case"
        ),
        pytest.param(
            {"authParams": oauth2_params(audience="urn:a", scope="read write", type="")},
            {"oauth2_audience": "urn:a", "oauth2_scope": "read write"},
            id="audience and scope",
        ),
        pytest.param({"authParams": oauth2_params(audience="", scope=None)}, {}, id="empty fields"),
        pytest.param({"authParams": oauth2_params(issuerUrl=" ", issuer_url=ISSUER)}, {}, id="one spelling is empty"),
        pytest.param(
            {"authParams": oauth2_params(privateKey="HTTPS://keys.example.com")},
            {"oauth2_credentials_url": "HTTPS://keys.example.com"},
            id="credentials behind a web URL",
        ),
    ],
)
def test_a_file_for_oauth2(properties, more):
    assert read_options(client_conf(**properties)) == {**OAUTH2_OPTIONS, **more}


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        ({}, {}),
        ({"authParams": ""}, {}),
        ({"authPlugin": TOKEN_PLUGIN}, {"auth_strategy": "token", "auth_name": "token"}),
        ({"authPlugin": TOKEN_PLUGIN, "authParams": "token:"}, {"auth_strategy": "token", "auth_name": "token"}),
        ({"authParams": '{"token": ""}'}, {"auth_strategy": "token", "auth_name": "token"}),
        ({"authParams": '{"token": null}'}, {"auth_strategy": "token", "auth_name": "token"}),
        ({"authPlugin": OAUTH2_PLUGIN}, {"auth_strategy": "oauth2"}),
        ({"authParams": json.dumps({"issuerUrl": ISSUER})}, {"auth_strategy": "oauth2", "oauth2_issuer_url": ISSUER}),
        ({"webServiceUrl": "'https://web'"}, {"web_service_url": "https://web"}),
        ({"webServiceUrl": "'https://web"}, {"web_service_url": "'https://web"}),
        ({"webServiceUrl": "'"}, {"web_service_url": "'"}),
        ({"webServiceUrl": ""}, {}),
    ],
)
def test_a_file_without_a_secret_is_fine(properties, expected):
    assert read_options(client_conf(**properties)) == {"endpoint": BROKER, **expected}


MALFORMED = r"has a malformed \u escape: \u needs four hexadecimal digits, and a plain backslash is written twice."
NOT_JSON = "must be a complete JSON object; client.conf needs each backslash in it written twice."
PLUGIN = (
    "must be AuthenticationToken or AuthenticationOAuth2: audit log streaming cannot use Athenz, SASL, TLS, basic or "
    "any other authentication."
)
PARAMS = "holds neither a token (token:<JWT>) nor OAuth2 settings, and audit log streaming cannot use anything else."
TOKEN_FILE = "names a file on the machine where client.conf was written, instead of the token: give pulsar_token."
KEY_FILE = (
    "has a privateKey that names a file on the machine where client.conf was written: give oauth2_credentials_url as "
    "a data: URL."
)
UNPRINTABLE = "contains control characters or characters that are no text."
FOREIGN = (
    "This does not look like a client.conf, it has none of the keys brokerServiceUrl, authPlugin and authParams: "
    "download client.conf from the Connect tab of the streaming tenant in the Astra portal."
)


@pytest.mark.parametrize(
    ("properties", "problem"),
    [
        ({"broker": "https://web"}, "1: brokerServiceUrl is a web URL, give the broker URL, which starts with"),
        (
            {"broker": "", "serviceUrl": "http://h:8080"},
            "2: serviceUrl is a web URL, give the broker URL, which starts",
        ),
        ({"broker": "pulsar://b1:6650,b2:6650"}, "1: brokerServiceUrl names several brokers, give the URL of one."),
        ({"broker": "'pulsar+ssl://'"}, "1: brokerServiceUrl is empty, give the broker URL, such as"),
        ({"broker": "kafka://h"}, "1: brokerServiceUrl must start with pulsar+ssl:// or pulsar://."),
        ({"broker": "\\u00"}, f"1: brokerServiceUrl {MALFORMED}"),
        ({"webServiceUrl": "\\uD800"}, f"2: webServiceUrl {UNPRINTABLE}"),
        ({"webServiceUrl": "\\u"}, f"2: webServiceUrl {MALFORMED}"),
        ({"tlsTrustStorePath": "C:\\users\\me"}, f"2: a property {MALFORMED}"),
        ({"\\u12": "x"}, f"2: a property {MALFORMED}"),
        *(
            ({"authPlugin": plugin, "authParams": f"token:{JWT}"}, f"2: authPlugin {PLUGIN}")
            for plugin in (
                "org.apache.pulsar.client.impl.auth.AuthenticationAthenz",
                "org.apache.pulsar.client.impl.auth.AuthenticationBasic",
                "org.apache.pulsar.client.impl.auth.AuthenticationKeyStoreTls",
                "org.apache.pulsar.client.impl.auth.AuthenticationSasl",
                "org.apache.pulsar.client.impl.auth.AuthenticationTls",
                "tls",
                "secret",
            )
        ),
        ({"authPlugin": "\\uXX", "authParams": JWT}, f"2: authPlugin {MALFORMED}"),
        ({"authParams": "\\uXX"}, f"2: authParams {MALFORMED}"),
        ({"authPlugin": "token", "authParams": "\\uXX"}, f"3: authParams {MALFORMED}"),
        ({"authParams": "tlsCertFile:/secret,tlsKeyFile:/secret"}, f"2: authParams {PARAMS}"),
        ({"authParams": '{"tenantDomain": "secret"}'}, f"2: authParams {PARAMS}"),
        ({"authParams": "{}"}, f"2: authParams {PARAMS}"),
        ({"authParams": "eyJhbGciOiJub25lIn0"}, f"2: authParams {PARAMS}"),
        ({"authParams": '{"token": "secret'}, f"2: authParams {NOT_JSON}"),
        ({"authParams": '{"a":' * 100_000}, f"2: authParams {NOT_JSON}"),
        ({"authParams": "file:///secret"}, f"2: authParams {TOKEN_FILE}"),
        ({"authParams": "'file:/secret'"}, f"2: authParams {TOKEN_FILE}"),
        ({"authParams": "token:file:///secret"}, f"2: authParams {TOKEN_FILE}"),
        ({"authParams": '{"token": "file:///secret"}'}, f"2: authParams {TOKEN_FILE}"),
        ({"authParams": '{"token": 7}'}, "2: authParams must have a string as token."),
        ({"authParams": '{"token": {"secret": 1}}'}, "2: authParams must have a string as token."),
        ({"authParams": "token:a\\u0000b"}, f"2: authParams {UNPRINTABLE}"),
        ({"authParams": '{"token": "\\\\ud800"}'}, f"2: authParams {UNPRINTABLE}"),
        (
            {"authPlugin": "token", "authParams": "secret"},
            "3: authParams must be token:<JWT>, the JWT alone, or a JSON object with the token.",
        ),
        ({"authPlugin": "token", "authParams": oauth2_params()}, "3: authParams is a JSON object without a token."),
        ({"authPlugin": "oauth2", "authParams": f"token:{JWT}"}, f"3: authParams {NOT_JSON}"),
        ({"authPlugin": "oauth2", "authParams": "[1]"}, f"3: authParams {NOT_JSON}"),
        ({"authParams": oauth2_params(privateKey="file:///secret")}, f"2: authParams {KEY_FILE}"),
        ({"authParams": oauth2_params(privateKey="/secret/key.json")}, f"2: authParams {KEY_FILE}"),
        ({"authParams": oauth2_params(privateKey=["s"])}, "2: authParams must have a string as privateKey."),
        ({"authParams": oauth2_params(issuerUrl=False)}, "2: authParams must have a string as issuerUrl."),
        ({"authParams": oauth2_params(audience=1.5)}, "2: authParams must have a string as audience."),
        ({"authParams": oauth2_params(scope="a\nb").replace("\\", "\\\\")}, f"2: authParams {UNPRINTABLE}"),
        (
            {"authParams": oauth2_params(type="secret")},
            "2: authParams has a type other than client_credentials, which is the only one that can be used.",
        ),
    ],
)
def test_what_cannot_be_used_is_named_by_line_and_key(properties, problem):
    [found] = problems_of(client_conf(**properties))
    assert found.startswith(f"client.conf line {problem}")
    assert "secret" not in found


def test_all_problems_are_reported_at_once():
    content = '\n# A comment.\n{"secret": \\u1}\nbrokerServiceUrl=\\\n  https://secret\nauthParams=file:///secret\n'
    assert problems_of(content) == [
        f"client.conf line 3: a property {MALFORMED}",
        "client.conf line 4: brokerServiceUrl is a web URL, give the broker URL, which starts with pulsar+ssl://.",
        f"client.conf line 6: authParams {TOKEN_FILE}",
    ]


@pytest.mark.parametrize(
    "content", [client_conf(broker="", authParams=JWT), f"authParams=token:{JWT}", "webServiceUrl=h"]
)
def test_a_file_without_a_broker_is_a_problem(content):
    assert problems_of(content) == ["client.conf has no brokerServiceUrl: add it, or give endpoint."]


@pytest.mark.parametrize(
    "content",
    [
        "",
        " \n# Only a comment.\n",
        JWT,
        '{\n  "type": "client_credentials",\n  "client_secret": "\\u1"\n}\n',
        "<!DOCTYPE html>\n<html><body>brokerServiceUrl</body></html>\n",
        "\x7fELF\x02\x01\x01\x00\udcff\udc80\x00",
        client_conf(authParams=JWT).encode("utf-16").decode("latin-1"),
        "tlsTrustStoreType=JKS\n",
    ],
)
def test_a_file_that_is_no_client_conf_gives_one_clear_sentence(content):
    assert problems_of(content) == [FOREIGN]
    assert problems_of(content, {"endpoint": BROKER}) == [FOREIGN]
    assert problems_of(content, {"pulsar_token": JWT}) == [FOREIGN]
    assert problems_of(content, {"endpoint": BROKER, "auth_strategy": "token"}) == [FOREIGN]
    assert problems_of(content, {"endpoint": BROKER, "oauth2_credentials_url": CREDENTIALS}) == [FOREIGN]


def test_an_encrypted_file_gives_one_clear_sentence():
    content = (
        "$ANSIBLE_VAULT;1.1;AES256\n62313365396662343061393464336163383764373764613633653634306231386433626436623361\n"
    )
    assert problems_of(content) == [
        "client.conf is still encrypted with Ansible Vault: read it with the ansible.builtin.file lookup, which "
        "decrypts it."
    ]


@pytest.mark.parametrize("content", [b"brokerServiceUrl=pulsar://h", 7, ["a"], {}])
def test_what_is_no_text_is_refused(content):
    assert problems_of(content) == ["client.conf must be given as text."]


# The overrides.
def test_without_a_file_the_overrides_alone_count():
    assert read_options(None) == {}
    assert read_options(None, {}) == {}
    assert read_options(None, dict.fromkeys(OPTIONS)) == {}
    assert read_options(None, dict.fromkeys(OPTIONS, "")) == {}
    assert read_options(None, dict.fromkeys(OPTIONS, " \n")) == {}
    assert read_options(None, {"endpoint": "ssl://h:1/", "oauth2_scope": " a "}) == {
        "endpoint": "pulsar+ssl://h:1",
        "oauth2_scope": "a",
    }
    assert read_options(None, TOKEN_OPTIONS) == TOKEN_OPTIONS
    assert read_options(None, OAUTH2_OPTIONS) == OAUTH2_OPTIONS


@pytest.mark.parametrize(
    ("content", "overrides", "changes"),
    [
        ({"authParams": JWT}, {"endpoint": "other:1"}, {"endpoint": "pulsar+ssl://other:1"}),
        ({"authParams": JWT}, {"pulsar_token": " a.b.c\n"}, {"pulsar_token": "a.b.c"}),
        ({"authParams": JWT}, {"auth_name": "name"}, {"auth_name": "name"}),
        ({"authParams": JWT}, {"auth_strategy": "token", "endpoint": None, "auth_name": ""}, {}),
        ({"authParams": "token:a.b.c"}, {"pulsar_token": JWT}, {}),
        ({"broker": "", "authParams": JWT}, {"endpoint": BROKER}, {}),
        ({"broker": "http://h", "authParams": JWT}, {"endpoint": BROKER}, {}),
        ({"broker": "b1,b2", "serviceUrl": "\\u", "authParams": JWT}, {"endpoint": BROKER}, {}),
        ({"authParams": "file:///path"}, {"pulsar_token": JWT}, {}),
        ({"authPlugin": TOKEN_PLUGIN, "authParams": "file:///path"}, {"pulsar_token": JWT}, {}),
        ({"authPlugin": TOKEN_PLUGIN, "authParams": "\\u"}, {"pulsar_token": JWT}, {}),
        ({"authPlugin": TOKEN_PLUGIN, "authParams": "{"}, {"pulsar_token": JWT}, {}),
        ({"authPlugin": TOKEN_PLUGIN, "authParams": '{"token": 7}'}, {"pulsar_token": JWT}, {}),
        ({"authParams": "tlsCertFile:/path"}, {"pulsar_token": JWT}, {}),
        ({"authPlugin": "tls", "authParams": "tlsCertFile:/path"}, {"pulsar_token": JWT}, {}),
        ({"authPlugin": "\\u", "authParams": "\\u"}, {"pulsar_token": JWT}, {}),
        ({"authPlugin": OAUTH2_PLUGIN, "authParams": oauth2_params()}, {"pulsar_token": JWT}, {}),
        ({"authParams": oauth2_params(type="x")}, {"auth_strategy": "token", "pulsar_token": JWT}, {}),
    ],
)
def test_an_override_wins_over_a_file_for_token_authentication(content, overrides, changes):
    assert read_options(client_conf(**content), overrides) == {**TOKEN_OPTIONS, **changes}


BOTH = {"oauth2_credentials_url": CREDENTIALS, "oauth2_issuer_url": ISSUER}


@pytest.mark.parametrize(
    ("content", "overrides", "changes"),
    [
        ({"authParams": oauth2_params()}, {"oauth2_scope": "a"}, {"oauth2_scope": "a"}),
        ({"authParams": oauth2_params(scope="b")}, {"oauth2_scope": "a"}, {"oauth2_scope": "a"}),
        ({"authParams": oauth2_params(scope=1)}, {"oauth2_scope": "a"}, {"oauth2_scope": "a"}),
        ({"authParams": oauth2_params(audience="b")}, BOTH, {"oauth2_audience": "b"}),
        ({"authParams": oauth2_params(privateKey="file:///p")}, {"oauth2_credentials_url": CREDENTIALS}, {}),
        ({"authParams": oauth2_params(privateKey=1, type=2)}, {"oauth2_credentials_url": CREDENTIALS}, {}),
        ({"authParams": oauth2_params(issuerUrl=1)}, {"oauth2_issuer_url": ISSUER}, {}),
        ({"authPlugin": "oauth2", "authParams": "{"}, BOTH, {}),
        ({"authPlugin": "oauth2", "authParams": "\\u"}, BOTH, {}),
        ({"authPlugin": "oauth2", "authParams": "token:x"}, BOTH, {}),
        ({"authPlugin": "tls", "authParams": "tlsCertFile:/path"}, BOTH, {}),
        ({"authPlugin": "token", "authParams": "file:///path"}, BOTH, {}),
        ({"authParams": "file:///path"}, {"auth_strategy": "oauth2", **BOTH}, {}),
    ],
)
def test_an_override_wins_over_a_file_for_oauth2(content, overrides, changes):
    assert read_options(client_conf(**content), overrides) == {**OAUTH2_OPTIONS, **changes}


@pytest.mark.parametrize(
    ("properties", "strategy", "expected"),
    [
        ({"authPlugin": TOKEN_PLUGIN, "authParams": f"token:{JWT}"}, "oauth2", {}),
        ({"authPlugin": TOKEN_PLUGIN, "authParams": "file:///path"}, "oauth2", {}),
        ({"authPlugin": OAUTH2_PLUGIN, "authParams": oauth2_params(scope=1)}, "token", {"auth_name": "token"}),
        ({"authParams": oauth2_params()}, "token", {"auth_name": "token"}),
        ({"authPlugin": "athenz", "authParams": '{"tenantDomain": "x"}'}, "token", {"auth_name": "token"}),
    ],
)
def test_another_strategy_drops_what_the_file_says_for_its_own(properties, strategy, expected):
    options = read_options(client_conf(**properties), {"auth_strategy": strategy})
    assert options == {"endpoint": BROKER, "auth_strategy": strategy, **expected}


@pytest.mark.parametrize(
    ("properties", "overrides", "problem"),
    [
        ({"authParams": "file:///path"}, {"endpoint": BROKER}, f"line 2: authParams {TOKEN_FILE}"),
        ({"authParams": "eyJ0"}, {"auth_strategy": "token"}, "line 2: authParams must be token:<JWT>, the JWT alone"),
        ({"authParams": "eyJ0"}, {"auth_strategy": "oauth2"}, f"line 2: authParams {NOT_JSON}"),
        ({"authPlugin": "tls"}, {"oauth2_issuer_url": ISSUER}, f"line 2: authPlugin {PLUGIN}"),
        ({"authPlugin": "tls"}, {"pulsar_token": JWT, **BOTH}, f"line 2: authPlugin {PLUGIN}"),
        (
            {"authPlugin": "oauth2", "authParams": "{"},
            {"oauth2_credentials_url": CREDENTIALS},
            f"line 3: authParams {NOT_JSON}",
        ),
        (
            {"authParams": oauth2_params(audience=1)},
            BOTH,
            "line 2: authParams must have a string as audience.",
        ),
        ({"broker": "http://h", "authParams": JWT}, {"pulsar_token": JWT}, "line 1: brokerServiceUrl is a web URL"),
        ({"tlsKeyFilePath": "\\u"}, {"endpoint": BROKER}, f"line 2: a property {MALFORMED}"),
    ],
)
def test_what_is_not_overridden_must_be_usable(properties, overrides, problem):
    [found] = problems_of(client_conf(**properties), overrides)
    assert found.startswith(f"client.conf {problem}")


@pytest.mark.parametrize(
    "content", ["", JWT, "$ANSIBLE_VAULT;1.1;AES256\n6231\n", "authParams=\\u\n\\u=\nauthPlugin=x"]
)
def test_a_file_that_is_overridden_as_a_whole_may_be_anything(content):
    assert read_options(content, {"endpoint": BROKER, "pulsar_token": JWT}) == TOKEN_OPTIONS
    assert read_options(content, {"endpoint": BROKER, **BOTH}) == OAUTH2_OPTIONS


@pytest.mark.parametrize(
    ("overrides", "problems"),
    [
        ({"topic": "secret"}, ["'topic' is not an option that can override client.conf."]),
        ({"pulsar_token": 7, "endpoint": []}, ["pulsar_token must be a string.", "endpoint must be a string."]),
        ({"pulsar_token": b"secret"}, ["pulsar_token must be a string."]),
        ({"auth_strategy": "secret"}, ["auth_strategy must be token or oauth2."]),
        ({"endpoint": "secret://h"}, ["endpoint must start with pulsar+ssl:// or pulsar://."]),
        (
            {"nothing": None, "auth_name": 0, "auth_strategy": "Token"},
            [
                "'nothing' is not an option that can override client.conf.",
                "auth_name must be a string.",
                "auth_strategy must be token or oauth2.",
            ],
        ),
    ],
)
def test_an_override_that_cannot_be_used_is_named(overrides, problems):
    assert problems_of(None, overrides) == problems
    assert problems_of(client_conf(authParams=JWT), overrides) == problems


# Anything else.
SECRET = "zQ9-pLmX"
HIDDEN = st.sampled_from(
    [
        f"token:{SECRET}",
        f"{SECRET}.{SECRET}.{SECRET}",
        f"file:///{SECRET}",
        f'{{"token": "{SECRET}"}}',
        f'{{"token": ["{SECRET}"]}}',
        f'{{"privateKey": "{SECRET}", "issuerUrl": 5}}',
        f'{{"private_key": "data:{SECRET}", "type": "{SECRET}"}}',
        f'{{"{SECRET}": ',
        f"pulsar://{SECRET}:1",
        f"http://{SECRET}",
        f"{SECRET}\\u{SECRET}",
        f"org.apache.{SECRET}",
        f"token:{SECRET}\\u0007",
    ]
)
KEY = st.sampled_from(["brokerServiceUrl", "serviceUrl", "webServiceUrl", "authPlugin", "authParams", SECRET, "\\u"])
VALUE = HIDDEN | TEXT | st.sampled_from([TOKEN_PLUGIN, OAUTH2_PLUGIN, BROKER, JWT, oauth2_params(), "", '"'])
CONTENT = st.lists(st.tuples(KEY, st.sampled_from("=: "), VALUE).map("".join) | TEXT, max_size=8).map("\n".join)
OVERRIDES = st.dictionaries(
    st.sampled_from([*OPTIONS, "topic"]),
    HIDDEN | st.none() | st.sampled_from(["", " ", "token", "oauth2", BROKER, JWT, CREDENTIALS, ISSUER, 7, [SECRET]]),
    max_size=4,
)


def attempt(content, overrides):
    try:
        return read_options(content, overrides), None
    except InputError as error:
        return None, error


@settings(max_examples=300, deadline=None)
@given(st.none() | CONTENT | st.text(), OVERRIDES)
@example("brokerServiceUrl=pulsar://h\nwebServiceUrl=\\ud800", {})
def test_any_input_gives_options_or_problems_that_hold_no_secret(content, overrides):
    options, error = attempt(content, overrides)
    if error:
        assert error.problems
        assert SECRET not in str(error)
        # Ansible may print the chain of exceptions: those of json hold the whole text.
        assert error.__cause__ is None
        assert error.__context__ is None
    else:
        assert options.keys() <= {*OPTIONS, "web_service_url"}
        assert all(value.__class__ is str and value for value in options.values())
        json.dumps(options, ensure_ascii=False).encode()
        for option, value in overrides.items():
            if option != "endpoint" and value and value.strip():
                assert options[option] == value.strip()


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda size: "\\" * size, id="backslashes"),
        pytest.param(lambda size: "\\\n" * (size // 2), id="lines with only a backslash"),
        pytest.param(lambda size: "a\\\n" * (size // 3), id="continuations"),
        pytest.param(lambda size: "\\u0041\\:" * (size // 8), id="escapes in a key"),
        pytest.param(lambda size: "authParams=" + "\\u0041\\:" * (size // 8), id="escapes in a value"),
        pytest.param(lambda size: " " * size + "a" + " " * size, id="white space"),
        pytest.param(lambda size: "a" + " =:" * (size // 3), id="separators"),
        pytest.param(lambda size: "\r" * size, id="line ends"),
        pytest.param(lambda size: "brokerServiceUrl=\\u\n" * (size // 20), id="properties"),
        pytest.param(lambda size: "authPlugin=" + "." * size, id="plugin"),
        pytest.param(lambda size: "authParams=" + "'" * size, id="quotes"),
        pytest.param(lambda size: "authParams=" + "a." * (size // 2), id="dots"),
        pytest.param(lambda size: "authParams=" + "a" * size, id="no dots"),
        pytest.param(lambda size: "authParams=" + '{"a":' * (size // 5), id="nested JSON"),
        pytest.param(lambda size: 'authParams={"token":' + "1" * size + "}", id="long number"),
        pytest.param(lambda size: 'authParams={"token":"' + "\\\\u0041" * (size // 7) + '"}', id="JSON escapes"),
    ],
)
def test_the_time_grows_no_faster_than_the_input(make):
    def seconds(size):
        content = make(size)
        start = time.process_time()
        with pytest.raises(InputError):
            read_options(content)
        return time.process_time() - start

    # Eight times the input takes eight times as long, and 64 times when the time is quadratic. Below 5 ms is noise.
    # A busy machine and the collection of garbage only ever add to the time, so the shortest of three counts.
    assert min(seconds(200_000) for _try in range(3)) < 4 * 8 * max(seconds(25_000), 0.005)


# The example.
def test_the_example_is_what_astra_serves():
    assert [entry.key for entry in parse(EXAMPLE.read_text())] == [
        "webServiceUrl",
        "brokerServiceUrl",
        "authPlugin",
        "authParams",
        "tlsAllowInsecureConnection",
        "tlsEnableHostnameVerification",
        "useKeyStoreTls",
        "tlsTrustStoreType",
        "tlsTrustStorePath",
        "tlsTrustStorePassword",
    ]
    options = read_options(EXAMPLE.read_text())
    token = options["pulsar_token"]
    assert options == {
        "endpoint": "pulsar+ssl://pulsar-aws-useast2.streaming.datastax.com:6651",
        "auth_strategy": "token",
        "auth_name": "token",
        "pulsar_token": token,
        "web_service_url": "https://pulsar-aws-useast2.api.streaming.datastax.com",
    }
    claims = read_jwt(token)
    assert "exp" not in claims
    assert base64.b64decode(claims["sub"].split(";")[2]) == b"acme-audit"
    assert b"demo" in base64.urlsafe_b64decode(token.split(".")[2] + "==")


def test_what_a_file_gives_stays_the_same_when_it_is_given_again():
    options = read_options(EXAMPLE.read_text())
    overrides = {option: options[option] for option in OPTIONS if option in options}
    assert read_options(EXAMPLE.read_text(), overrides) == options
    assert read_options(None, overrides) == overrides


def test_what_is_written_has_the_keys_of_astras_own_and_is_read_again():
    text = format_client_conf("https://web.example.com", "pulsar+ssl://broker.example.com:6651", "a.b.c")
    tls = "tlsAllowInsecureConnection tlsEnableHostnameVerification tlsTrustStoreType tlsTrustStorePath"
    tls += " tlsTrustStorePassword useKeyStoreTls"
    own = {"webServiceUrl", "brokerServiceUrl", "authPlugin", "authParams", *tls.split()}
    assert {entry.key for entry in parse(text)} == own
    assert javaproperties.loads(text)["authParams"] == "token:a.b.c"
    assert read_options(text, {})["pulsar_token"] == "a.b.c"
    assert read_options(text, {})["endpoint"] == "pulsar+ssl://broker.example.com:6651"
