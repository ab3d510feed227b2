#!/usr/bin/python
# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Documentation only: this is an action plugin.

from __future__ import annotations

DOCUMENTATION = r"""
---
module: audit_log_destination_revoke
short_description: Revoke the token that a rotation has replaced
version_added: 1.0.0
description:
  - Revokes the old Pulsar token of a destination once every stream that uses it has the new one and the broker accepts
    that. Otherwise it fails, and the old token stays valid.
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
- name: Revoke the old token where the new one is proven
  datastax.astra.audit_log_destination_revoke:
"""

RETURN = r"""
revoked_token_id:
  description: ID of the token, or V(null) if there was none to revoke.
  returned: success
  type: str
"""
