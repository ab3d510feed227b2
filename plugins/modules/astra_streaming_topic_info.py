#!/usr/bin/python
# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: astra_streaming_topic_info
short_description: Show a topic of Astra Streaming, or list all of a namespace
version_added: 1.0.0
description:
  - Shows a topic with its subscriptions, or lists the topics of a namespace.
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
      - Name of the namespace.
    type: str
    required: true
  name:
    description:
      - Name of the topic. If not set, all are listed.
    type: str
seealso:
  - module: datastax.astra.astra_streaming_topic
"""

EXAMPLES = r"""
- name: List the topics
  datastax.astra.astra_streaming_topic_info:
    tenant: acme
    namespace: audit
  register: listed
"""

RETURN = r"""
exists:
  description: Whether there is a topic of this name.
  returned: when O(name) is set
  type: bool
topic:
  description: The topic as M(datastax.astra.astra_streaming_topic) returns it, or V(null).
  returned: when O(name) is set
  type: dict
topics:
  description: All topics, each with C(tenant), C(namespace), C(name), C(full_name) and C(partitions).
  returned: when O(name) is not set
  type: list
  elements: dict
"""

from ansible_collections.datastax.astra.plugins.module_utils._command import STREAMING_TOPIC_INFO, run_module


def main() -> None:
    run_module(STREAMING_TOPIC_INFO)


if __name__ == "__main__":
    main()
