# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Free-form data with secrets in it: what is compared, shown and sent."""

from __future__ import annotations

import pytest
from ansible_collections.datastax.astra.plugins.module_utils._masked import compare, find_masks, write_as_strings
from ansible_collections.datastax.astra.plugins.module_utils._secrets import find_secrets, hide_secrets
from hypothesis import given
from hypothesis import strategies as st

MASK = "********"
SPEC = {"configs": {"type": "dict", "no_log": True}}

SCALARS = st.none() | st.booleans() | st.integers() | st.text(max_size=9)
DATA = st.dictionaries(
    st.text(max_size=5), st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3), max_leaves=5)
)


@pytest.mark.parametrize(
    ("stored", "asked", "differs", "merged"),
    [
        ({}, {}, False, {}),
        ({"a": 1}, {}, False, {"a": 1}),
        ({"a": "1"}, {"a": 1}, False, {"a": 1}),
        ({"a": "true"}, {"a": True}, False, {"a": True}),
        ({"a": ["1", "x"]}, {"a": [1, "x"]}, False, {"a": [1, "x"]}),
        ({"a": 1, "b": 2}, {"a": 3}, True, {"a": 3, "b": 2}),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 3}}, True, {"a": {"b": 3, "c": 2}}),
        ({"a": 1}, {"a": None}, True, {}),
        ({}, {"a": None}, False, {}),
        ({"a": {"b": 1}}, {"a": {"b": None}}, True, {"a": {}}),
        ({"a": "x"}, {"a": {"b": 1}}, True, {"a": {"b": 1}}),
        ({"password": MASK}, {"password": "s"}, False, {"password": "s"}),
        ({"password": "s"}, {"password": "s"}, False, {"password": "s"}),
        ({"password": "other"}, {"password": "s"}, True, {"password": "s"}),
        ({"password": MASK}, {"password": None}, True, {}),
    ],
    ids=str,
)
def test_compare(stored, asked, differs, merged):
    comparison = compare(stored, asked)
    assert (comparison.differs, comparison.merged) == (differs, merged)


def test_what_is_shown_of_secrets():
    stored = {"user": "u", "password": MASK, "odd": MASK, "token": "shown"}
    comparison = compare(
        stored, {"password": "new-password", "odd": "new-odd", "token": "new-token", "api_key": "new-key"}
    )
    assert comparison.before == {"user": "u", "password": MASK, "odd": MASK, "token": MASK}
    assert comparison.after == {"user": "u", "password": MASK, "odd": MASK, "token": MASK, "api_key": MASK}
    again = f"{MASK} (sent again)"
    assert comparison.diff == {"user": "u", "password": again, "odd": again, "token": again, "api_key": MASK}
    assert comparison.secrets == ("api_key", "odd", "password", "token")
    assert comparison.unseen == ("odd", "password")


def test_what_cannot_be_sent():
    stored = {"a": {"password": MASK}, "odd": MASK, "gone": {"password": MASK}}
    assert compare(stored, {"odd": "x", "gone": None}).missing == ("a.password",)
    assert compare({}, {"a": {"password": MASK}}).missing == find_masks({"a": {"password": MASK}}) == ("a.password",)


@given(DATA)
def test_what_is_stored_as_asked_never_differs(asked):
    merged = compare({}, asked).merged
    for stored in (merged, write_as_strings(merged)):
        assert not compare(stored, asked).differs


@given(st.text(min_size=4, max_size=20), st.sampled_from(["password", "secretKey", "saslJaasConfig", "x.private.key"]))
def test_no_secret_is_shown(secret, key):
    comparison = compare({}, {"level": {key: secret}})
    assert (comparison.after, comparison.diff) == ({"level": {key: MASK}}, {"level": {key: MASK}})


@pytest.mark.parametrize(
    "value",
    [
        "true",
        "16384",
        "https://es:9200",
        "key",
        "org.apache.kafka.connect.storage.StringConverter",
        "persistent://acme/audit/log",
        "SASL_SSL",
        "a topic: audit",
    ],
)
def test_what_is_no_secret_is_shown(value):
    assert hide_secrets({"setting": value}) == {"setting": value}


@pytest.mark.parametrize(
    ("configs", "secrets"),
    [
        ({"password": "secret-1", "user": "u"}, {"secret-1"}),
        ({"a": {"b": [{"accessKey": "secret-2"}]}}, {"secret-2"}),
        ({"credentials": ["secret-3", "secret-4"]}, {"secret-3", "secret-4"}),
        ({"url": "https://u:secret-5@es"}, {"https://u:secret-5@es"}),
        ({"tokenEnabled": True, "tokenCount": 12, "privateMode": "false", "secret": ""}, set()),
        ({"password": " secret-6\n"}, {" secret-6\n", "secret-6"}),
        (None, set()),
    ],
    ids=lambda value: str(sorted(value) if isinstance(value, set) else value),
)
def test_find_secrets_in_free_form_data(configs, secrets):
    assert find_secrets(SPEC, {"configs": configs}) == secrets
