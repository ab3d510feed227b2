# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The screen of a destination: which of its parts were made, changed or removed, at any width."""

from __future__ import annotations

import pytest
from ansible_collections.datastax.astra.plugins.plugin_utils.destination_screen import show_destination
from ansible_collections.datastax.astra.plugins.plugin_utils.screens import Shape

MADE = {
    "actions": dict.fromkeys(("tenant", "namespace", "topic", "token", "client_conf"), "created"),
    "names": {
        "tenant": "acme-audit",
        "namespace": "acme-audit/security",
        "topic": "persistent://acme-audit/security/astra-audit-log",
        "token": "c7a1d5fb99",
        "client_conf": "acme-audit.client.conf",
    },
    "subscriptions": ["audit-log"],
    "token_id": "c7a1d5fb99",
    "expires_at": "2027-02-22T00:00:00Z",
}


def show(result, check_mode=False, width=79):
    return [line.text for line in show_destination("acme-audit", result, check_mode, Shape(width))]


def test_made():
    assert show(MADE) == [
        "Destination acme-audit",
        "  created  tenant acme-audit",
        "  created  namespace acme-audit/security",
        "  created  topic persistent://acme-audit/security/astra-audit-log,",
        "           subscription audit-log",
        "  created  Pulsar token c7a1d5fb99, ends 2027-02-22",
        "  created  client.conf, encrypted, as acme-audit.client.conf",
    ]
    assert len(show(MADE, width=119)) == 6


@pytest.mark.parametrize("width", [79, 119, 199])
def test_it_fits(width):
    rotated = {**MADE, "replaced_token_id": "374aa9c32a"}
    assert max(map(len, show(rotated, check_mode=True, width=width))) <= width


def test_what_is_as_it_should_be_takes_one_line():
    unchanged = {**MADE, "actions": dict.fromkeys(MADE["actions"], "none")}
    assert show(unchanged) == ["Destination acme-audit: as it should be; its Pulsar token ends 2027-02-22"]


def test_rotated():
    actions = {**dict.fromkeys(MADE["actions"], "none"), "token": "created", "client_conf": "updated"}
    assert show({**MADE, "actions": actions, "replaced_token_id": "374aa9c32a"}) == [
        "Destination acme-audit",
        "  created  Pulsar token c7a1d5fb99, ends 2027-02-22",
        "  updated  client.conf, encrypted, as acme-audit.client.conf",
        "  Pulsar token 374aa9c32a stays valid until every stream has c7a1d5fb99.",
    ]


def test_removed():
    removed = {"actions": dict.fromkeys(("tenant", "client_conf"), "deleted"), "names": MADE["names"]}
    assert show(removed, check_mode=True)[1:] == [
        "  would be deleted  tenant acme-audit",
        "  would be deleted  client.conf acme-audit.client.conf",
    ]
