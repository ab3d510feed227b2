# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An organization's id. Pure code."""

from __future__ import annotations

import re

from ansible_collections.datastax.astra.plugins.module_utils._errors import InputError

_ORGANIZATION_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def normalize_organization_id(value: str) -> str:
    """Return an organization's UUID in lower case.

    :raises InputError: the value is not a UUID. The message does not repeat the value.
    """
    text = value.strip()
    if not _ORGANIZATION_ID.fullmatch(text):
        raise InputError("must be the organization's UUID, as the Astra portal shows it.")
    return text.lower()
