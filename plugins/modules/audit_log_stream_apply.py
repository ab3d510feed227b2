#!/usr/bin/python
# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Documentation only: this is an action plugin.

from __future__ import annotations

DOCUMENTATION = r"""
---
module: audit_log_stream_apply
short_description: Do what the variables of the role audit_log_stream ask for
version_added: 1.0.0
description:
  - Reads the variables of the role P(datastax.astra.audit_log_stream#role) and the C(client.conf) that they name, and
    does with them what M(datastax.astra.astra_audit_log_stream) does with its options.
  - It is the one task of the role. Use the role instead.
  - If no variable sets an option, it uses the C(module_defaults) for M(datastax.astra.astra_audit_log_stream) or for
    its group.
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
  - module: datastax.astra.astra_audit_log_stream
"""

EXAMPLES = r"""
- name: Apply the variables of the role
  datastax.astra.audit_log_stream_apply:
  register: audit_log_stream_result
"""

RETURN = r"""
action:
  description:
    - What was done.
    - The result has all other return values of M(datastax.astra.astra_audit_log_stream) as well.
  returned: success
  type: str
  sample: created
"""
