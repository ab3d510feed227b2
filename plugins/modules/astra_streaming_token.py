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
  - Returns a Pulsar token of a tenant that lasts long enough, and a C(client.conf) with it. A new token is created only
    if there is none.
  - With V(present), this is the token with O(token_id) if it lasts at least O(min_validity). Otherwise it is the newest
    token of the tenant that does, or else a new one of O(validity). So a token that was removed or is about to expire
    is replaced.
  - The module tells tokens apart by their IDs and expiry dates, because Astra may show the text of a token differently
    each time.
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
      - ID of a token.
      - Required for O(state=absent), which revokes exactly this token.
    type: str
  validity:
    description:
      - How long a new token lasts, for example V(90d) or V(12h), or V(unlimited).
      - Required to create one. It does not change existing tokens.
    type: str
  min_validity:
    description:
      - How long a token must still last to be used, for example V(30d), or V(unlimited) for one that never expires.
      - It must be shorter than O(validity).
    type: str
    default: 14d
  replaces:
    description:
      - ID of the token to replace. Only newer tokens are used, so the task creates one new token, however often it
        runs. The old one stays valid until O(state=absent) revokes it.
      - If there is no token with this ID, the option has no effect.
    type: str
notes:
  - The application token needs the permission V(org-stream-manage). The role Organization Administrator has it.
  - Astra does not document whether audit log streaming can use a token that expires.
    M(datastax.astra.astra_audit_log_delivery_info) checks whether it works.
  - If the answer to the request that creates a token is lost, the module looks for the token in the list, so it does
    not create a second one.
seealso:
  - module: datastax.astra.astra_streaming_token_info
  - module: datastax.astra.astra_audit_log_stream
"""

EXAMPLES = r"""
- name: Get a Pulsar token that lasts at least 30 days
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

- name: Get a new token in place of an old one, which stays valid
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
  description: ID of the token. V(null) in check mode for one that would be created.
  returned: success and O(state=present)
  type: str
expires_at:
  description: When the token expires, in RFC 3339. V(null) if it never does.
  returned: success and O(state=present)
  type: str
  sample: "2027-02-22T17:40:42Z"
other_tokens:
  description:
    - The tenant's other tokens, each with C(token_id), C(issued_at) and C(expires_at). Not every expiry date is known.
    - Astra does not show who uses them.
  returned: success and O(state=present)
  type: list
  elements: dict
pulsar_token:
  description:
    - The token itself, which is a JWT. It is a secret.
    - V(null) in check mode for one that would be created.
  returned: success
  type: str
client_conf:
  description:
    - Text of a C(client.conf) with the token and the URLs that Astra shows for the tenant. It is a secret.
    - V(null) in check mode for one that would be created.
  returned: success
  type: str
streaming_token:
  description: The token after the run, with C(token_id), C(issued_at) and C(expires_at). V(null) if there is none.
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
