#!/usr/bin/python
# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: astra_streaming_namespace_info
short_description: Show a namespace of Astra Streaming, or list all of a tenant
version_added: 1.0.0
description:
  - Shows a namespace with the policies that are in effect, or lists the namespaces of a tenant.
author:
  - DataStax Astra collection contributors (@datastax)
extends_documentation_fragment:
  - datastax.astra.astra
  - datastax.astra.astra.cluster
  - datastax.astra.astra.streaming
  - datastax.astra.attributes
  - datastax.astra.attributes.info
  - datastax.astra.attributes.module
options:
  name:
    description:
      - Name of the namespace. If not set, all are listed.
    type: str
seealso:
  - module: datastax.astra.astra_streaming_namespace
"""

EXAMPLES = r"""
- name: Show what is kept
  datastax.astra.astra_streaming_namespace_info:
    tenant: acme
    name: audit
  register: shown
"""

RETURN = r"""
exists:
  description: Whether there is a namespace of this name.
  returned: when O(name) is set
  type: bool
namespace:
  description: The namespace as M(datastax.astra.astra_streaming_namespace) returns it, or V(null).
  returned: when O(name) is set
  type: dict
namespaces:
  description: The names of all namespaces, each with C(tenant) and C(name).
  returned: when O(name) is not set
  type: list
  elements: dict
"""

from ansible_collections.datastax.astra.plugins.module_utils._command import STREAMING_NAMESPACE_INFO, run_module


def main() -> None:
    run_module(STREAMING_NAMESPACE_INFO)


if __name__ == "__main__":
    main()
