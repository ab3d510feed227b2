# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What may be kept of secrets, and where they are found and hidden."""

from __future__ import annotations

import pytest
from ansible_collections.datastax.astra.plugins.module_utils._secrets import (
    UNKNOWN_FINGERPRINT,
    compute_fingerprint,
    find_secrets,
    is_fingerprint,
    mask,
)

from tests.unit.plugins.module_utils.support import ORGANIZATION, OTHER_ORGANIZATION


class TestFingerprint:
    def test_is_the_documented_hash(self):
        """printf 'ORGANIZATION\\0secret' | sha256sum"""
        expected = "sha256:5004b1607ca4b2440200b789c32ce2c21f76a5ad98ed60e96690d68f093d73bb"
        assert compute_fingerprint(ORGANIZATION, "secret") == expected

    def test_two_organizations_differ(self):
        assert compute_fingerprint(ORGANIZATION, "secret") != compute_fingerprint(OTHER_ORGANIZATION, "secret")

    def test_any_text_has_one(self):
        assert is_fingerprint(compute_fingerprint(ORGANIZATION, "\udcff"))

    def test_the_unknown_one_is_no_secrets_own(self):
        """It has the form of a fingerprint, so that it makes the secret be sent again; no hash will ever equal it."""
        assert f"sha256:{'0' * 64}" == UNKNOWN_FINGERPRINT
        assert is_fingerprint(UNKNOWN_FINGERPRINT)

    @pytest.mark.parametrize("value", [None, 7, "", "0" * 64, f"sha256:{'A' * 64}", f"sha256:{'a' * 64}\n", ["a"]])
    def test_what_has_not_its_form(self, value):
        assert not is_fingerprint(value)


SPEC = {
    "token": {"type": "str", "no_log": True},
    "name": {"type": "str"},
    "configs": {"type": "dict", "no_log": True},
    "update_token": {"type": "str", "no_log": False},
    "sink": {"type": "dict", "options": {"password": {"type": "str", "no_log": True}, "user": {"type": "str"}}},
}


@pytest.mark.parametrize(
    ("options", "secrets"),
    [
        ({}, set()),
        ({"token": None, "configs": None, "sink": None}, set()),
        ({"token": "", "configs": {}, "sink": {}}, set()),
        ({"token": "a", "name": "b", "update_token": "always"}, {"a"}),
        ({"token": " a\n"}, {" a\n", "a"}),
        (
            {"configs": {"password": "a", "secrets": ["b", {"three": 7000, "four": None}], "user": "c"}},
            {"a", "b", "7000"},
        ),
        ({"sink": {"password": "a", "user": "b"}}, {"a"}),
        ({"unknown": "a"}, set()),
    ],
    ids=lambda value: str(sorted(value) if isinstance(value, set) else value),
)
def test_find_secrets(options, secrets):
    assert find_secrets(SPEC, options) == secrets


def test_find_secrets_in_arguments_and_in_what_became_of_them():
    assert find_secrets(SPEC, {"token": "a"}, {"token": "b"}) == {"a", "b"}


def test_mask():
    assert mask("token abc, abcdef!", ["abc", "abcdef", "", None]) == "token ********, ********!"
