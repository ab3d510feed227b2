#!/usr/bin/python
# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: astra_role
short_description: Manage a custom role of an Astra organization
version_added: 1.0.0
description:
  - Creates, changes or removes a custom role. It belongs to the organization of the application token and is found by
    its name.
  - A change of the permissions takes effect for the role's tokens at once.
author:
  - DataStax Astra collection contributors (@datastax)
extends_documentation_fragment:
  - datastax.astra.astra
  - datastax.astra.astra.state
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
      - Name of the role.
    type: str
    required: true
  permissions:
    description:
      - What the role may do, for example V(org-audits-read). The order does not matter.
      - The module does not check whether a permission exists, because Astra's published list is not complete.
      - Required to create the role. If not set, the permissions stay as they are.
    type: list
    elements: str
  resources:
    description:
      - The resources that the permissions are for, for example V(drn:astra:org:ORGANIZATION_ID).
      - Required to create the role. If not set, the resources stay as they are.
    type: list
    elements: str
  description:
    description:
      - What the role is for. If a new role has no description, its name is used.
    type: str
notes:
  - The application token needs the permissions V(org-role-read), V(org-role-write) and, to remove a role,
    V(org-role-delete). The role Organization Administrator has them.
seealso:
  - module: datastax.astra.astra_role_info
"""

EXAMPLES = r"""
- name: Create a role for daily runs
  datastax.astra.astra_role:
    name: audit-log-streaming
    description: Manage audit log streaming
    permissions:
      - org-audits-read
      - org-stream-manage
    resources:
      - "drn:astra:org:{{ organization_id }}"
      - "drn:astra:org:{{ organization_id }}:stream:*"
"""

RETURN = r"""
action:
  description: What was done, or would be done in check mode.
  returned: success
  type: str
  sample: created
role:
  description:
    - The role after the run, named as the options, and its C(id) once it has one.
    - V(null) if there is none.
  returned: success
  type: dict
previous:
  description: The role before the run, in the same form.
  returned: success
  type: dict
"""

from ansible_collections.datastax.astra.plugins.module_utils._command import ROLE, run_module


def main() -> None:
    run_module(ROLE)


if __name__ == "__main__":
    main()
