#!/usr/bin/python
# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: astra_audit_log_stream_info
short_description: Show where the audit log of an Astra organization is streamed to
version_added: 1.0.0
description:
  - Reads the audit log streaming configuration of an Astra DB organization. Secrets are never returned.
author:
  - DataStax Astra collection contributors (@datastax)
extends_documentation_fragment:
  - datastax.astra.astra
  - datastax.astra.astra.organization
  - datastax.astra.attributes
  - datastax.astra.attributes.info
  - datastax.astra.attributes.module
notes:
  - The API gives the same answer for a wrong organization as for one without a configuration. So before RV(exists) is
    V(false), the module asks which organization the application token belongs to, and fails if it is another one. With
    an enterprise's token, it warns instead.
seealso:
  - module: datastax.astra.astra_audit_log_stream
"""

EXAMPLES = r"""
- name: See where the audit log goes
  datastax.astra.astra_audit_log_stream_info:
    organization_id: 6b1a8f0e-3c5d-4f7a-9a51-2d3e4f5a6b7c
    application_token: "{{ vault_application_token }}"
  register: audit_log

- name: Fail if it goes nowhere
  ansible.builtin.assert:
    that: audit_log.exists
"""

RETURN = r"""
exists:
  description: Whether audit log streaming is configured.
  returned: success
  type: bool
  sample: true
organization_id:
  description: UUID of the organization.
  returned: success
  type: str
  sample: 6b1a8f0e-3c5d-4f7a-9a51-2d3e4f5a6b7c
stream:
  description:
    - What is configured, with the names of the options of M(datastax.astra.astra_audit_log_stream) and without secrets.
    - For a destination that is not Pulsar, its C(kind) and those of its C(fields) that cannot be a secret.
    - V(null) if nothing is configured.
  returned: success
  type: dict
  sample:
    auth_name: token
    auth_strategy: token
    endpoint: pulsar+ssl://pulsar-aws-useast2.streaming.datastax.com:6651
    topic: persistent://acme-audit/security/astra-audit-log
http_status:
  description: HTTP status of the answer that made the run fail.
  returned: failure, when there was an answer
  type: int
  sample: 403
api_errors:
  description: What the service said about it.
  returned: failure, when there was an answer
  type: list
  elements: dict
  contains:
    id:
      description: The service's number of the error, or V(null).
      type: int
    message:
      description: The service's message.
      type: str
"""

from ansible_collections.datastax.astra.plugins.module_utils._command import AUDIT_LOG_STREAM_INFO, run_module


def main() -> None:
    run_module(AUDIT_LOG_STREAM_INFO)


if __name__ == "__main__":
    main()
