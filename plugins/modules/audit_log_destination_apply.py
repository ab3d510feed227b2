#!/usr/bin/python
# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Documentation only: this is an action plugin.

from __future__ import annotations

DOCUMENTATION = r"""
---
module: audit_log_destination_apply
short_description: Do what the variables of the role audit_log_destination ask for
version_added: 1.0.0
description:
  - Reads the variables of the role P(datastax.astra.audit_log_destination#role) and does with them what the modules for
    tenants, namespaces, topics, sinks and Pulsar tokens do with their options.
  - It is the one task of the role. Use the role instead.
  - Its result holds a secret, so Ansible shows nothing of it. The action itself shows what people need to see.
author:
  - DataStax Astra collection contributors (@datastax)
extends_documentation_fragment:
  - datastax.astra.attributes
  - datastax.astra.attributes.controller
options: {}
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
seealso:
  - module: datastax.astra.astra_streaming_token
"""

EXAMPLES = r"""
- name: Make what the variables of the role ask for
  datastax.astra.audit_log_destination_apply:
  register: audit_log_destination_result
"""

RETURN = r"""
actions:
  description:
    - What was done, or would be done in check mode, to C(tenant), C(namespace), C(topic), C(sink), C(token) and
      C(client_conf); each is V(created), V(updated), V(deleted) or V(none).
    - If the run failed, those that were still done.
  returned: always, unless the variables are wrong
  type: dict
  sample:
    tenant: created
    namespace: created
    topic: created
    token: created
    client_conf: created
names:
  description:
    - The name of each part of RV(actions). For C(token) this is the ID, or V(null) for one that would be created. For
      C(client_conf) this is the path.
  returned: success
  type: dict
  sample:
    tenant: acme-audit
    namespace: acme-audit/security
    topic: persistent://acme-audit/security/astra-audit-log
    token: 0f6d3a1b9c
    client_conf: /home/ops/acme-audit.client.conf
tenant:
  description: The tenant, as M(datastax.astra.astra_streaming_tenant) returns it, without its limits.
  returned: success and O(datastax.astra.audit_log_destination#role:main:audit_log_destination_state=present)
  type: dict
namespace:
  description: The namespace, as M(datastax.astra.astra_streaming_namespace) returns it.
  returned: success and O(datastax.astra.audit_log_destination#role:main:audit_log_destination_state=present)
  type: dict
topic:
  description: Full name of the topic.
  returned: success and O(datastax.astra.audit_log_destination#role:main:audit_log_destination_state=present)
  type: str
  sample: persistent://acme-audit/security/astra-audit-log
subscriptions:
  description: Names of the topic's subscriptions.
  returned: success and O(datastax.astra.audit_log_destination#role:main:audit_log_destination_state=present)
  type: list
  elements: str
sink:
  description: The sink, as M(datastax.astra.astra_streaming_sink) returns it. V(null) if none is asked for.
  returned: success and O(datastax.astra.audit_log_destination#role:main:audit_log_destination_state=present)
  type: dict
token_id:
  description: ID of the Pulsar token. V(null) in check mode for one that would be created.
  returned: success and O(datastax.astra.audit_log_destination#role:main:audit_log_destination_state=present)
  type: str
expires_at:
  description: When the Pulsar token expires, in RFC 3339. V(null) if it never does.
  returned: success and O(datastax.astra.audit_log_destination#role:main:audit_log_destination_state=present)
  type: str
other_tokens:
  description: The tenant's other tokens, as M(datastax.astra.astra_streaming_token) returns them.
  returned: success and O(datastax.astra.audit_log_destination#role:main:audit_log_destination_state=present)
  type: list
  elements: dict
replaced_token_id:
  description: ID of the token that a rotation still has to revoke, or V(null).
  returned: success and O(datastax.astra.audit_log_destination#role:main:audit_log_destination_state=present)
  type: str
client_conf:
  description:
    - Text of a C(client.conf) with the token. It is a secret.
    - V(null) in check mode for a token that would be created.
  returned: success and O(datastax.astra.audit_log_destination#role:main:audit_log_destination_state=present)
  type: str
client_conf_path:
  description: Absolute path of the file that the text is kept in, or V(null).
  returned: success and O(datastax.astra.audit_log_destination#role:main:audit_log_destination_state=present)
  type: str
"""
