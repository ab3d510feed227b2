#!/usr/bin/python
# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Documentation only: this is an action plugin.

from __future__ import annotations

DOCUMENTATION = r"""
---
module: audit_log_destination_streams
short_description: Find the streams that a rotated token concerns
version_added: 1.0.0
description:
  - Returns which organizations of the group C(astra_organizations) have the new or old Pulsar token of a destination
    that has a token to be revoked. It reads their variables and sends nothing.
  - It is a step of the playbook C(datastax.astra.audit_log_destination). Use the playbook instead.
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
  - module: datastax.astra.astra_streaming_token
"""

EXAMPLES = r"""
- name: Find the streams that use the old token
  datastax.astra.audit_log_destination_streams:
  register: audit_log_destination_streams
  run_once: true
"""

RETURN = r"""
hosts:
  description: Names of all the organizations.
  returned: success
  type: list
  elements: str
users:
  description: For each destination, the names of the organizations that use it.
  returned: success
  type: dict
late:
  description: For each destination, the names of those whose variables still have the old token.
  returned: success
  type: dict
"""
