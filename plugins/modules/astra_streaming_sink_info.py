#!/usr/bin/python
# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: astra_streaming_sink_info
short_description: Show a sink of Astra Streaming, or list all of a namespace
version_added: 1.0.0
description:
  - Shows the sink of this name, or lists all sinks of the namespace, without secrets.
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
  namespace:
    description:
      - Name of the namespace that the sink is in.
    type: str
    required: true
  name:
    description:
      - Name of the sink. If not set, all sinks are listed.
    type: str
seealso:
  - module: datastax.astra.astra_streaming_sink
"""

EXAMPLES = r"""
- name: List the sinks
  datastax.astra.astra_streaming_sink_info:
    tenant: acme
    namespace: audit
  register: listed
"""

RETURN = r"""
exists:
  description: Whether there is a sink of this name.
  returned: when O(name) is set
  type: bool
sink:
  description: The sink, named as the options of M(datastax.astra.astra_streaming_sink), or V(null).
  returned: when O(name) is set
  type: dict
sinks:
  description: All sinks, in the same form.
  returned: when O(name) is not set
  type: list
  elements: dict
"""

from ansible_collections.datastax.astra.plugins.module_utils._command import STREAMING_SINK_INFO, run_module


def main() -> None:
    run_module(STREAMING_SINK_INFO)


if __name__ == "__main__":
    main()
