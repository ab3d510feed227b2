#!/usr/bin/python
# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: astra_role_info
short_description: Show a role of an Astra organization, or list all
version_added: 1.0.0
description:
  - Shows the role of this name in the organization of the application token, or lists all of its roles.
author:
  - DataStax Astra collection contributors (@datastax)
extends_documentation_fragment:
  - datastax.astra.astra
  - datastax.astra.attributes
  - datastax.astra.attributes.info
  - datastax.astra.attributes.module
options:
  name:
    description:
      - Name of the role. If not set, all roles are listed, including the built-in ones.
    type: str
seealso:
  - module: datastax.astra.astra_role
"""

EXAMPLES = r"""
- name: List the roles
  datastax.astra.astra_role_info:
  register: listed
"""

RETURN = r"""
exists:
  description: Whether there is a role of this name.
  returned: when O(name) is set
  type: bool
role:
  description: The role, or V(null).
  returned: when O(name) is set
  type: dict
roles:
  description: All roles, each with C(id), C(name), C(permissions), C(resources) and C(description).
  returned: when O(name) is not set
  type: list
  elements: dict
"""

from ansible_collections.datastax.astra.plugins.module_utils._command import ROLE_INFO, run_module


def main() -> None:
    run_module(ROLE_INFO)


if __name__ == "__main__":
    main()
