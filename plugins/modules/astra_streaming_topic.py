#!/usr/bin/python
# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: astra_streaming_topic
short_description: Manage a topic of Astra Streaming
version_added: 1.0.0
description:
  - Creates, changes or removes a persistent topic, with or without partitions, and the durable subscriptions that keep
    its events until they are read.
  - Astra does not create topics by itself. If somebody deleted the topic, the module creates it again.
author:
  - DataStax Astra collection contributors (@datastax)
extends_documentation_fragment:
  - datastax.astra.astra
  - datastax.astra.astra.state
  - datastax.astra.astra.cluster
  - datastax.astra.astra.streaming
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
  namespace:
    description:
      - Name of the namespace that the topic is in.
    type: str
    required: true
  name:
    description:
      - Name of the topic, without tenant and namespace.
    type: str
    required: true
  partitions:
    description:
      - Number of partitions. V(0) means that the topic is not partitioned, which is not the same as V(1).
      - It can grow, but never shrink. A topic that is not partitioned cannot become partitioned, or the other way
        round.
      - If not set, it stays as it is, and a new topic is not partitioned.
    type: int
  subscriptions:
    description:
      - Names of durable subscriptions that the topic must have. Missing ones are created at the earliest event.
      - Others are left alone, because removing one would lose its unread events.
    type: list
    elements: str
  force:
    description:
      - Whether O(state=absent) removes a topic that has subscriptions, connected producers or events.
    type: bool
    default: false
notes:
  - The application token needs the permission V(org-stream-manage). The role Organization Administrator has it.
  - Without any subscription, a topic keeps only what the retention of its namespace says, which is nothing by default.
  - On shared clusters a topic can have 50 producers and 50 subscriptions, and a namespace 100 topics.
  - In check mode, a missing tenant or namespace only causes a warning, because the same play may create it.
seealso:
  - module: datastax.astra.astra_streaming_topic_info
  - module: datastax.astra.astra_audit_log_stream
"""

EXAMPLES = r"""
- name: Make a topic that keeps audit events until the archive has read them
  datastax.astra.astra_streaming_topic:
    tenant: acme
    namespace: audit
    name: events
    subscriptions:
      - archive
  register: made

- name: Show the name that audit log streaming needs
  ansible.builtin.debug:
    msg: "{{ made.topic.full_name }}"
"""

RETURN = r"""
action:
  description: What was done, or would be done in check mode.
  returned: success
  type: str
  sample: created
topic:
  description:
    - The topic after the run, with all of its subscriptions.
    - V(null) if there is none.
    - In check mode, a new one has only what the options say.
  returned: success
  type: dict
  sample:
    tenant: acme
    namespace: audit
    name: events
    full_name: persistent://acme/audit/events
    partitions: 0
    subscriptions:
      - archive
previous:
  description: The topic before the run, in the same form.
  returned: success
  type: dict
"""

from ansible_collections.datastax.astra.plugins.module_utils._command import STREAMING_TOPIC, run_module


def main() -> None:
    run_module(STREAMING_TOPIC)


if __name__ == "__main__":
    main()
