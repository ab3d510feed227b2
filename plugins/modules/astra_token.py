#!/usr/bin/python
# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: astra_token
short_description: Manage an application token of an Astra organization
version_added: 1.0.0
description:
  - Creates or removes an application token of the organization that the O(application_token) belongs to.
  - A token is found by O(client_id). If that is not set, or with V(present) no longer exists, it is found by
    O(description), if Astra's list of tokens shows descriptions, and otherwise by the set of its O(roles). If several
    fit, the module fails and names them.
  - Roles and description of a token cannot be changed. A change of a custom role takes effect for its tokens at once.
author:
  - DataStax Astra collection contributors (@datastax)
extends_documentation_fragment:
  - datastax.astra.astra
  - datastax.astra.astra.state
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
  roles:
    description:
      - Names or IDs of the token's roles. Required to create a token.
      - The module looks up the IDs, because Astra accepts a name and then creates a token without rights.
    type: list
    elements: str
  validity:
    description:
      - How long a new token lasts, for example V(90d).
      - If not set, or V(unlimited), it lasts as long as the organization allows.
      - It does not change existing tokens. An expired token counts as missing.
    type: str
  description:
    description:
      - What the token is for. Give each token its own description, so that the module can find it again.
    type: str
  client_id:
    description:
      - The part of the token between C(AstraCS:) and the second colon, which is not secret. It is case-sensitive.
    type: str
notes:
  - The O(application_token) needs the permissions V(org-token-read), V(org-token-write), and V(org-role-read) to look
    up roles. The role Organization Administrator has them.
  - Astra shows a token once, in the answer to the request that creates it. If that answer is lost, the module fails and
    names the C(client_id) of the new token, so that you can remove it. It never creates a second one instead.
  - It is not certain that a token with only the permissions V(org-audits-read) and V(org-stream-manage) may configure
    audit log streaming. Astra's API description says so, but its documentation asks for the role Organization
    Administrator.
seealso:
  - module: datastax.astra.astra_token_info
  - module: datastax.astra.astra_role
"""

EXAMPLES = r"""
- name: Create an application token for daily runs
  datastax.astra.astra_token:
    roles:
      - audit-log-streaming
    description: Audit log streaming, daily runs
    validity: 90d
  register: daily

- name: Keep it, encrypted
  ansible.builtin.copy:
    content: "{{ daily.token | ansible.builtin.vault(vault_password) }}"
    decrypt: false  # copy would decrypt it
    dest: daily-token.vault
    mode: "0600"
  when: daily.token is not none
  no_log: true

- name: Remove an application token
  datastax.astra.astra_token:
    client_id: "{{ old_client_id }}"
    state: absent
"""

RETURN = r"""
action:
  description: What was done, or would be done in check mode.
  returned: success
  type: str
  sample: created
token:
  description:
    - The application token itself. It is a secret.
    - V(null) unless it was created in this run, because Astra shows it only then.
  returned: success
  type: str
client:
  description:
    - The application token after the run, with C(client_id), C(roles) (their IDs), C(description), C(created_at) and
      C(expires_at), as far as Astra shows them.
    - V(null) if there is none.
  returned: success
  type: dict
previous:
  description: The application token before the run, in the same form.
  returned: success
  type: dict
"""

from ansible_collections.datastax.astra.plugins.module_utils._command import TOKEN, run_module


def main() -> None:
    run_module(TOKEN)


if __name__ == "__main__":
    main()
