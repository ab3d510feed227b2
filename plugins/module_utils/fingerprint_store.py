# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A directory that remembers which secret each organization's stream was given: one small JSON file each.

A fingerprint is a hash, so the files hold no secret and can be kept in version control.
"""

from __future__ import annotations

import contextlib
import json
import os
import re

from ansible_collections.datastax.astra.plugins.module_utils import atomic_file

UNKNOWN = f"sha256:{'0' * 64}"  # equals no secret's fingerprint, so that the secret is sent again

_FINGERPRINT = re.compile(r"sha256:[0-9a-f]{64}")


def recall(directory, organization_id):
    """Look up the fingerprint of an organization's secret.

    :returns: the fingerprint or None, and a list of warnings. A file that is damaged, or that is about another
        organization, counts as not known.
    """
    try:
        with open(_path(directory, organization_id), encoding="utf-8") as stream:
            entry = json.loads(stream.read(4096))
    except FileNotFoundError:
        return None, []
    except (OSError, ValueError, RecursionError):
        return None, [_warning(organization_id, "cannot be read")]
    if not isinstance(entry, dict) or entry.get("organization_id") != organization_id:
        return None, [_warning(organization_id, "is about something else")]
    fingerprint = entry.get("token_fingerprint")
    if not isinstance(fingerprint, str) or not _FINGERPRINT.fullmatch(fingerprint):
        return None, [_warning(organization_id, "has no fingerprint in it")]
    return fingerprint, []


def _warning(organization_id, problem):
    return f"The fingerprint store's file {organization_id}.json {problem}, so it counts as not known."


def remember(directory, organization_id, fingerprint):
    """Replace an organization's file, or remove it when C(fingerprint) is None.

    The file appears whole or not at all, with mode 0600, so that parallel jobs and a killed one do no harm.

    :returns: a list of warnings. The stream itself is right already, so a store that cannot be written is no failure:
        the secret will be sent again next time, which is harmless.
    """
    path = _path(directory, organization_id)
    try:
        if fingerprint is None:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
        else:
            os.makedirs(directory, exist_ok=True)
            entry = {"organization_id": organization_id, "token_fingerprint": fingerprint}
            atomic_file.replace(path, json.dumps(entry, indent=2, sort_keys=True) + "\n")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        return [f"The fingerprint store's file {organization_id}.json cannot be written: {reason}."]
    return []


def _path(directory, organization_id):
    return os.path.join(directory, f"{organization_id}.json")
