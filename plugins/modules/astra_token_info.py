#!/usr/bin/python
# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: astra_token_info
short_description: Show an application token of an Astra organization, or list all
version_added: 1.0.0
description:
  - Shows the application token with this client ID in the organization that the O(application_token) belongs to, or
    lists all. It shows no secret.
author:
  - DataStax Astra collection contributors (@datastax)
extends_documentation_fragment:
  - datastax.astra.astra
  - datastax.astra.attributes
  - datastax.astra.attributes.info
  - datastax.astra.attributes.module
options:
  client_id:
    description:
      - The part of the token between C(AstraCS:) and the second colon. If not set, all tokens are listed.
    type: str
seealso:
  - module: datastax.astra.astra_token
"""

EXAMPLES = r"""
- name: List the application tokens
  datastax.astra.astra_token_info:
  register: listed
"""

RETURN = r"""
exists:
  description: Whether there is a token with this client ID.
  returned: when O(client_id) is set
  type: bool
client:
  description: The token, or V(null).
  returned: when O(client_id) is set
  type: dict
clients:
  description:
    - All tokens, each with C(client_id), C(roles) (their IDs), C(description), C(created_at) and C(expires_at), as
      far as Astra shows them.
  returned: when O(client_id) is not set
  type: list
  elements: dict
"""

from ansible_collections.datastax.astra.plugins.module_utils._command import TOKEN_INFO, run_module


def main() -> None:
    run_module(TOKEN_INFO)


if __name__ == "__main__":
    main()
