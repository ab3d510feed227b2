#!/usr/bin/python
# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: astra_streaming_token_info
short_description: Show a Pulsar token of an Astra Streaming tenant, or list all
version_added: 1.0.0
description:
  - Shows when the token with this ID was created and when it expires, or lists all tokens of the tenant. It shows no
    secret.
author:
  - DataStax Astra collection contributors (@datastax)
extends_documentation_fragment:
  - datastax.astra.astra
  - datastax.astra.astra.cluster
  - datastax.astra.astra.streaming
  - datastax.astra.attributes
  - datastax.astra.attributes.info
  - datastax.astra.attributes.module
options:
  token_id:
    description:
      - ID of the token. If not set, all tokens are listed.
    type: str
seealso:
  - module: datastax.astra.astra_streaming_token
"""

EXAMPLES = r"""
- name: List the Pulsar tokens
  datastax.astra.astra_streaming_token_info:
    tenant: acme
  register: listed

- name: Show those that expire
  ansible.builtin.debug:
    msg: "{{ listed.streaming_tokens | selectattr('expires_at') | map(attribute='token_id') }}"
"""

RETURN = r"""
exists:
  description: Whether there is a token with this ID.
  returned: when O(token_id) is set
  type: bool
streaming_token:
  description: The token, or V(null).
  returned: when O(token_id) is set
  type: dict
streaming_tokens:
  description: All tokens, each with C(token_id), C(issued_at) and C(expires_at), which is V(null) if the token never
    expires.
  returned: when O(token_id) is not set
  type: list
  elements: dict
"""

from ansible_collections.datastax.astra.plugins.module_utils._command import STREAMING_TOKEN_INFO, run_module


def main() -> None:
    run_module(STREAMING_TOKEN_INFO)


if __name__ == "__main__":
    main()
