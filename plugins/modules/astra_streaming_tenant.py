#!/usr/bin/python
# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: astra_streaming_tenant
short_description: Manage a tenant of Astra Streaming
version_added: 1.0.0
description:
  - Creates or removes a tenant of Astra Streaming. It belongs to the organization of the application token.
  - A tenant is found by its name and its cluster. Two clusters can have tenants of the same name.
  - The cluster decides the region. Astra writes it as V(useast2) in one place and as V(us-east-2) in another, so the
    module neither sends nor compares regions. Audit log streaming needs a cluster in AWS us-east-2.
author:
  - DataStax Astra collection contributors (@datastax)
extends_documentation_fragment:
  - datastax.astra.astra
  - datastax.astra.astra.state
  - datastax.astra.astra.cluster
  - datastax.astra.astra.wait
  - datastax.astra.attributes
  - datastax.astra.attributes.module
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  name:
    description:
      - Name of the tenant, in lower case letters, digits and hyphens.
    type: str
    required: true
    aliases: [tenant]
  user_email:
    description:
      - Email address of the tenant's owner.
      - Required to create the tenant. Astra never shows it, so it is not compared.
    type: str
  force:
    description:
      - Whether O(state=absent) removes a tenant that has namespaces, with all their topics and events.
      - The namespace V(default) does not count as long as it has no topic.
    type: bool
    default: false
notes:
  - The application token needs the permission V(org-stream-manage). The role Organization Administrator has it.
  - An organization can have 10 tenants on shared clusters.
  - Astra accepts a removal before the tenant is gone. Astra does not document whether the name can be used again at
    once.
seealso:
  - module: datastax.astra.astra_streaming_tenant_info
  - module: datastax.astra.astra_streaming_namespace
"""

EXAMPLES = r"""
- name: Make a tenant for audit logs
  datastax.astra.astra_streaming_tenant:
    name: acme-audit
    user_email: platform@example.com
  register: created

- name: Show where clients connect
  ansible.builtin.debug:
    msg: "{{ created.tenant.broker_service_url }}"
"""

RETURN = r"""
action:
  description: What was done, or would be done in check mode.
  returned: success
  type: str
  sample: created
tenant:
  description:
    - The tenant after the run, as Astra shows it.
    - V(null) if there is none.
    - In check mode, a new one has only what the options say.
  returned: success
  type: dict
  sample:
    name: acme-audit
    cluster: pulsar-aws-useast2
    status: active
    organization_id: 0d5bd3c5-6a6b-4a0e-9a35-5d1c8a6a3a01
    web_service_url: https://pulsar-aws-useast2.api.streaming.datastax.com
    broker_service_url: pulsar+ssl://pulsar-aws-useast2.streaming.datastax.com:6651
    websocket_url: wss://pulsar-aws-useast2.streaming.datastax.com:8001/ws/v2
    plan: payg
    pulsar_version: "3.1"
    limits:
      namespaces: 20
      topics_per_namespace: 100
previous:
  description: The tenant before the run, in the same form.
  returned: success
  type: dict
"""

from ansible_collections.datastax.astra.plugins.module_utils._command import STREAMING_TENANT, run_module


def main() -> None:
    run_module(STREAMING_TENANT)


if __name__ == "__main__":
    main()
