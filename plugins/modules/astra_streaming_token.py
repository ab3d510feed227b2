#!/usr/bin/python
# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: astra_streaming_token
short_description: Make or find a Pulsar token of an Astra Streaming tenant
version_added: 1.0.0
description:
  - Returns a Pulsar token of a tenant that lasts long enough, and a C(client.conf) with it. A new one is made only when
    there is none.
  - With V(present), the token is the one with O(token_id) if it lasts at least O(min_validity), otherwise the newest
    of the tenant that does, otherwise a new one of O(validity). So a token that was removed or is about to end is
    replaced.
  - Tokens are told apart by their ids and their ends. Their text can differ each time that Astra shows it.
  - Every token of a tenant can reach all of its namespaces.
author:
  - DataStax Astra collection contributors (@datastax)
extends_documentation_fragment:
  - datastax.astra.astra
  - datastax.astra.astra.state
  - datastax.astra.astra.cluster
  - datastax.astra.astra.streaming
  - datastax.astra.astra.wait
  - datastax.astra.attributes
  - datastax.astra.attributes.secret
  - datastax.astra.attributes.module
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  token_id:
    description:
      - Id of a token.
      - Needed for O(state=absent), which revokes exactly this one.
    type: str
  validity:
    description:
      - How long a new token lasts, for example V(90d) or V(12h), or V(unlimited).
      - Needed to make one. Tokens that exist are not changed by it.
    type: str
  min_validity:
    description:
      - How long a token must last from now to be used, for example V(30d), or V(unlimited) for one without an end.
      - It must be shorter than O(validity).
    type: str
    default: 14d
  replaces:
    description:
      - Id of the token that shall be replaced. Only tokens that were made after it are used, so that a new one is made
        once, however often the task runs. The old one stays until O(state=absent) revokes it.
      - When there is no token with this id, the option has no effect.
    type: str
notes:
  - The application token needs the permission V(org-stream-manage). The role Organization Administrator has it.
  - Whether audit log streaming can use a token that ends is not documented. Whether it delivers can be checked.
  - When the answer to the request that makes a token is lost, the list of tokens decides. Two are never made for one.
seealso:
  - module: datastax.astra.astra_streaming_token_info
  - module: datastax.astra.astra_audit_log_stream
"""

EXAMPLES = r"""
- name: Have a Pulsar token that lasts at least 30 days
  datastax.astra.astra_streaming_token:
    tenant: acme
    validity: 90d
    min_validity: 30d
  register: streaming

- name: Stream the audit log with it
  datastax.astra.astra_audit_log_stream:
    endpoint: "{{ (streaming.client_conf | datastax.astra.from_client_conf).endpoint }}"
    pulsar_token: "{{ streaming.pulsar_token }}"
    topic: persistent://acme/audit/log

- name: Keep the client.conf, encrypted
  ansible.builtin.copy:
    content: "{{ streaming.client_conf | ansible.builtin.vault(vault_password) }}"
    decrypt: false  # copy would decrypt it
    dest: client.conf
    mode: "0600"
  no_log: true

- name: Have a new token in place of one, which stays valid
  datastax.astra.astra_streaming_token:
    tenant: acme
    validity: 90d
    replaces: "{{ old_token_id }}"
  register: streaming

- name: Revoke a token
  datastax.astra.astra_streaming_token:
    tenant: acme
    token_id: "{{ old_token_id }}"
    state: absent
"""

RETURN = r"""
action:
  description: What was done, or would be done in check mode.
  returned: success
  type: str
  sample: created
token_id:
  description: Id of the token. V(null) in check mode for one that would be made.
  returned: success and O(state=present)
  type: str
expires_at:
  description: End of the token, in RFC 3339. V(null) when it has none.
  returned: success and O(state=present)
  type: str
  sample: "2027-02-22T17:40:42Z"
other_tokens:
  description:
    - The tenant's other tokens, each with C(token_id), C(issued_at) and C(expires_at). The end is not known of
      every token.
    - Who uses them, Astra does not show.
  returned: success and O(state=present)
  type: list
  elements: dict
pulsar_token:
  description:
    - The token itself, which is a JWT. It is a secret.
    - V(null) in check mode for one that would be made.
  returned: success
  type: str
client_conf:
  description:
    - Text of a C(client.conf) with the token and the URLs that Astra shows for the tenant. It is a secret.
    - V(null) in check mode for one that would be made.
  returned: success
  type: str
streaming_token:
  description: The token after the run, with C(token_id), C(issued_at) and C(expires_at). V(null) when there is none.
  returned: success
  type: dict
previous:
  description: The token before the run, in the same form.
  returned: success
  type: dict
"""

from ansible_collections.datastax.astra.plugins.module_utils._command import STREAMING_TOKEN, run_module


def main() -> None:
    run_module(STREAMING_TOKEN)


if __name__ == "__main__":
    main()
