#!/usr/bin/python
# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: astra_audit_log_probe
short_description: Cause an audit event, and check whether it arrives at the topic
version_added: 1.0.0
description:
  - Creates a custom role that nobody has, and deletes it at once. Astra audits both, and nothing is different
    afterwards.
  - Then waits for the event at the topic that the organization's audit log streams to. Other proof has to wait until
    somebody does something that is audited.
author:
  - DataStax Astra collection contributors (@datastax)
extends_documentation_fragment:
  - datastax.astra.astra
  - datastax.astra.astra.organization
  - datastax.astra.attributes
  - datastax.astra.attributes.info
  - datastax.astra.attributes.module
attributes:
  check_mode:
    support: partial
    details:
      - In check mode nothing is done, so RV(arrived) is V(false).
options:
  topic:
    description:
      - Full name of the topic, V(persistent://tenant/namespace/topic).
    type: str
    required: true
  client_conf:
    description:
      - Text of the tenant's C(client.conf), which has the values of O(pulsar_token) and O(web_service_url).
    type: str
  pulsar_token:
    description:
      - A Pulsar token (JWT) that may see the topic. If it may only produce to it, the module can see that an event
        arrived, but not which one.
    type: str
  web_service_url:
    description:
      - Base URL of Pulsar's admin API.
    type: str
  wait_timeout:
    description:
      - Seconds to wait for the event. Astra does not document how long it takes.
    type: int
    default: 120
notes:
  - O(application_token) also needs the permissions to read, write and delete roles. The role Organization Administrator
    has them.
  - If no event arrives in time, the task does not fail. Look at RV(arrived).
seealso:
  - module: datastax.astra.astra_audit_log_delivery_info
  - module: datastax.astra.astra_audit_log_stream
"""

EXAMPLES = r"""
- name: Cause an audit event and wait for it
  datastax.astra.astra_audit_log_probe:
    topic: persistent://acme-audit/security/astra-audit-log
    client_conf: "{{ lookup('ansible.builtin.file', 'client.conf') }}"
  register: probe

- name: Fail if it does not arrive
  ansible.builtin.assert:
    that: probe.arrived
    fail_msg: "{{ probe.message }}"
"""

RETURN = r"""
arrived:
  description: Whether an event arrived within O(wait_timeout).
  returned: success
  type: bool
  sample: true
is_certain:
  description: Whether the event was recognized. V(false) if the token has no right to read messages.
  returned: success
  type: bool
  sample: true
latency:
  description:
    - Seconds from the creation of the role until the event was seen, or V(null). The topic is checked once or twice a
      second.
  returned: success
  type: float
  sample: 1.25
message:
  description: What was seen.
  returned: success
  type: str
  sample: The event arrived after 1.25 seconds (message 3:1).
message_id:
  description: Id of the message with the event, or V(null).
  returned: success
  type: str
  sample: '3:1'
role:
  description: Name of the role that was created and deleted, or V(null) if nothing was done.
  returned: success
  type: str
  sample: audit-log-probe-5d41402abc4b2a76
"""

from ansible_collections.datastax.astra.plugins.module_utils._command import AUDIT_LOG_PROBE, run_module


def main() -> None:
    run_module(AUDIT_LOG_PROBE)


if __name__ == "__main__":
    main()
