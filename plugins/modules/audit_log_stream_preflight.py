#!/usr/bin/python
# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Documentation only: this is an action plugin.

from __future__ import annotations

DOCUMENTATION = r"""
---
module: audit_log_stream_preflight
short_description: Find mistakes in the variables of the role audit_log_stream
version_added: 1.0.0
description:
  - Finds every mistake in the variables of the role P(datastax.astra.audit_log_stream#role) that can be seen without
    sending anything.
  - The playbook C(datastax.astra.audit_log_stream_preflight) uses it through the role's entry point C(preflight).
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
    support: none
  idempotent:
    support: full
seealso:
  - module: datastax.astra.astra_audit_log_stream
"""

EXAMPLES = r"""
- name: Check the variables of the role
  ansible.builtin.import_role:
    name: datastax.astra.audit_log_stream
    tasks_from: preflight

- name: Fail if something is wrong
  ansible.builtin.assert:
    that: not audit_log_stream_preflight_result.problems
"""

RETURN = r"""
problems:
  description: A sentence for each mistake.
  returned: always
  type: list
  elements: str
remarks:
  description: A sentence for each thing that is worth knowing, for example that a token expires soon.
  returned: always
  type: list
  elements: str
identity:
  description:
    - What hosts have in common when they are the same organization, which is the organization's UUID, or a hash of the
      application token when that is to tell the organization.
  returned: always
  type: str
"""
