#!/usr/bin/python
# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Documentation only: this is an action plugin.

from __future__ import annotations

DOCUMENTATION = r"""
---
module: audit_log_stream_summary
short_description: Show what became of the organizations of a play
version_added: 1.0.0
description:
  - Shows how many organizations ended how, who changed, and who failed and why, by what the role
    P(datastax.astra.audit_log_stream#role) has registered for each host of the play.
  - Where the plan found problems, and after a playbook that only looks, such as
    C(datastax.astra.audit_log_stream_info), it shows what was found.
  - It runs once for all hosts, in the last batch or when no further batch will run. It belongs in an C(always) section.
  - The counts and the names of the failed hosts are set as statistics C(audit_log_stream_counts) and
    C(audit_log_stream_failed).
  - The playbook C(datastax.astra.audit_log_stream) ends with it. Use that instead.
author:
  - DataStax Astra collection contributors (@datastax)
extends_documentation_fragment:
  - datastax.astra.attributes
  - datastax.astra.attributes.controller
options:
  max_fail_percentage:
    description: Fails, and by that ends the run, when more organizations of the batch than this have failed.
    type: float
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  idempotent:
    support: full
seealso:
  - module: datastax.astra.audit_log_stream_plan
"""

EXAMPLES = r"""
- name: Configure audit log streaming
  hosts: astra_organizations
  gather_facts: false
  tasks:
    - name: Apply
      block:
        - name: Apply the role
          ansible.builtin.import_role:
            name: datastax.astra.audit_log_stream
      always:
        - name: Summarize
          datastax.astra.audit_log_stream_summary:
"""

RETURN = r""" # """
