#!/usr/bin/python
# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Documentation only: this is an action plugin.

from __future__ import annotations

DOCUMENTATION = r"""
---
module: audit_log_stream_report
short_description: Show what became of the organizations of a play
version_added: 1.0.0
description:
  - Prints the summary or table with which the playbooks of this collection end.
  - Use it once for all hosts, in an C(always) section, so that failed hosts are reported too.
author:
  - DataStax Astra collection contributors (@datastax)
extends_documentation_fragment:
  - datastax.astra.attributes
  - datastax.astra.attributes.controller
options:
  about:
    description:
      - With V(preflight), shows the problems in C(audit_log_stream_preflight_result) of every host, and fails when
        there are any.
      - With V(apply), counts the outcomes in C(audit_log_stream_result) of every host, in the last batch or when no
        further batch will run. The counts and the names of the failed hosts are set as statistics
        C(audit_log_stream_counts) and C(audit_log_stream_failed). The task's result has to be registered as
        C(audit_log_stream_report_result).
      - With V(info), shows C(audit_log_stream_info_result) of every host.
    type: str
    required: true
    choices: [preflight, apply, info]
  max_fail_percentage:
    description:
      - With O(about=apply), RV(stop) is true when more organizations of a batch than this were lost.
      - With O(about=preflight), it is only checked to be a number.
    type: float
  json_path:
    description:
      - With O(about=info), a file on the controller that gets the same as JSON.
    type: path
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  idempotent:
    support: full
"""

EXAMPLES = r"""
- name: Configure audit log streaming
  hosts: astra_organizations
  connection: local
  gather_facts: false
  tasks:
    - name: Apply
      block:
        - name: Apply the role
          ansible.builtin.import_role:
            name: datastax.astra.audit_log_stream
      always:
        - name: Summarize
          datastax.astra.audit_log_stream_report:
            about: apply
          run_once: true
          register: audit_log_stream_report_result
"""

RETURN = r"""
lost:
  description: With O(about=apply), how many hosts of the play have failed or been unreachable so far.
  returned: success
  type: int
stop:
  description: With O(about=apply), whether more of the batch was lost than O(max_fail_percentage) allows.
  returned: success
  type: bool
"""
