# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What can be read of a token without verifying it."""

from __future__ import annotations

import base64
import json
import time

import pytest
from ansible_collections.datastax.astra.plugins.module_utils._errors import InputError
from ansible_collections.datastax.astra.plugins.module_utils._pulsar.jwt import (
    find_tenant,
    read_facts,
    read_jwt,
    rfc3339,
)

from tests.unit.plugins.module_utils.support import (
    APPLICATION_TOKEN,
    JWT_EXPIRY,
    JWT_OBJECTS,
    JWT_PARTS,
    JWT_UNREADABLE,
    NOW,
    jwt,
    jwt_of,
    message_of,
    segment,
)


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


@pytest.mark.parametrize(
    ("subject", "tenant"),
    [
        ("client;organization;YWNtZQ==;id", "acme"),
        ("client;organization;YWNtZQ;id", "acme"),
        (f"client;o;{base64.b64encode(b'ab?>').decode()};i", "ab?>"),
        (f"client;o;{base64.urlsafe_b64encode(b'ab?>').decode()};i", "ab?>"),
        ("client;o;w6k=;i", "é"),
        # Subjects of another form say nothing about a tenant.
        (None, None),
        (7, None),
        (["client", "o", "YWNtZQ==", "i"], None),
        ("", None),
        ("acme", None),
        ("admin;o;YWNtZQ==;i", None),
        ("client;o;YWNtZQ==", None),
        ("client;o;YWNtZQ==;i;more", None),
        ("client;o;;i", None),
        ("client;o;%%%;i", None),
        ("client;o;é;i", None),
        ("client;o;\ud800;i", None),
        ("client;o;/w==;i", None),
    ],
)
def test_find_tenant(subject, tenant):
    assert find_tenant(subject) == tenant


@pytest.mark.parametrize(
    ("claims", "shown"),
    [
        ({"tokenid": "a", "iat": 0}, ("a", "1970-01-01T00:00:00Z", None)),
        ({"tokenid": "a", "iat": "60", "exp": "120"}, ("a", "1970-01-01T00:01:00Z", "1970-01-01T00:02:00Z")),
        ({"tokenid": "a"}, ("a", "1970-01-01T00:00:00Z", None)),
    ],
)
def test_read_facts(claims, shown):
    assert tuple(read_facts(claims).show().values()) == shown


@pytest.mark.parametrize(
    "claims", [{}, {"tokenid": "a", "exp": "soon"}, {"tokenid": "a", "iat": "soon"}, [], None, "text"]
)
def test_what_is_no_token_of_astra(claims):
    with pytest.raises(InputError, match="is not a token of Astra Streaming"):
        read_facts(claims)


@pytest.mark.parametrize(
    ("left", "seconds", "lasts"),
    [(None, -1, True), (None, 10**9, True), (100, 50, True), (100, 150, False), (100, -1, False), (-100, 0, False)],
)
def test_lasts(left, seconds, lasts):
    claims = {"tokenid": "a", **({} if left is None else {"exp": time.time() + left})}
    assert read_facts(claims).lasts(seconds) is lasts
