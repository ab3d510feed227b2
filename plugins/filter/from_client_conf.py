# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any, Callable

from ansible.errors import AnsibleFilterError
from ansible_collections.datastax.astra.plugins.module_utils._errors import InputError
from ansible_collections.datastax.astra.plugins.module_utils._pulsar.client_conf import read_options
from jinja2 import Undefined


def from_client_conf(content: Any, **overrides: Any) -> Any:
    """Return the options of the module ``astra_audit_log_stream`` that a client.conf and the keywords give.

    :raises AnsibleFilterError: with every problem of the text and the keywords; it holds no value.
    """
    for value in (content, *overrides.values()):
        if isinstance(value, Undefined):
            # Ansible reports it, or a default() that follows replaces it, as with any other filter.
            return value
    try:
        return read_options(_plain(content), {option: _plain(value) for option, value in overrides.items()})
    except InputError as error:
        raise AnsibleFilterError(error.message) from None


def _plain(value: Any) -> Any:
    """Return a string as ``str``, without the tags that ansible-core 2.19 and newer put on it; all else as it is.

    Before ansible-core 2.19 a vaulted variable is an object that is no string, but becomes the decrypted one.
    """
    return str(value) if isinstance(value, str) or getattr(value, "__ENCRYPTED__", False) else value


class FilterModule:
    """The filter for client.conf."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters by name."""
        return {"from_client_conf": from_client_conf}
