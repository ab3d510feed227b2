# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Organization ids, normalised or refused."""

from __future__ import annotations

import pytest
from ansible_collections.datastax.astra.plugins.module_utils._organizations import normalize_organization_id

from tests.unit.plugins.module_utils.support import APPLICATION_TOKEN, NO_UUID, ORGANIZATION, message_of


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
