#!/usr/bin/python
# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: astra_streaming_tenant_info
short_description: Show a tenant of Astra Streaming, or list all
version_added: 1.0.0
description:
  - Shows the tenant of this name, or lists all tenants of the organization of the application token.
author:
  - DataStax Astra collection contributors (@datastax)
extends_documentation_fragment:
  - datastax.astra.astra
  - datastax.astra.astra.cluster
  - datastax.astra.attributes
  - datastax.astra.attributes.info
  - datastax.astra.attributes.module
options:
  name:
    description:
      - Name of the tenant. If not set, the tenants of all clusters are listed.
    type: str
    aliases: [tenant]
seealso:
  - module: datastax.astra.astra_streaming_tenant
"""

EXAMPLES = r"""
- name: List the tenants
  datastax.astra.astra_streaming_tenant_info:
  register: listed
"""

RETURN = r"""
exists:
  description: Whether there is a tenant of this name on the cluster.
  returned: when O(name) is set
  type: bool
tenant:
  description: The tenant as M(datastax.astra.astra_streaming_tenant) returns it, or V(null).
  returned: when O(name) is set
  type: dict
tenants:
  description: All tenants, without their limits.
  returned: when O(name) is not set
  type: list
  elements: dict
"""

from ansible_collections.datastax.astra.plugins.module_utils._command import STREAMING_TENANT_INFO, run_module


def main() -> None:
    run_module(STREAMING_TENANT_INFO)


if __name__ == "__main__":
    main()
