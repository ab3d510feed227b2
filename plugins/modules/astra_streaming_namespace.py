#!/usr/bin/python
# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: astra_streaming_namespace
short_description: Manage a namespace of Astra Streaming
version_added: 1.0.0
description:
  - Creates, changes or removes a namespace of an Astra Streaming tenant, with the policies that decide what is kept.
  - The module manages only the policies that you give, and of those only the parts that you give. It compares each with
    what is in effect at the namespace, because Astra's documentation is not clear about the defaults.
  - Write durations as V(30m), V(12h), V(7d) or V(2w), sizes as V(500MB) or V(10GB) (powers of 1000) or V(10GiB) (powers
    of 1024), and no limit as V(unlimited). If Pulsar counts in minutes or in MiB, the value is rounded up and shown as
    Pulsar has it.
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
  name:
    description:
      - Name of the namespace.
    type: str
    required: true
  retention:
    description:
      - How long and how much to keep of the events that every subscription has acknowledged, or that had no
        subscription. By default, Astra keeps nothing of them.
      - If nothing was kept so far and only one part is given, the other becomes V(unlimited), because Pulsar refuses a
        limit of 0 beside another limit.
    type: dict
    suboptions:
      time:
        description:
          - How long they are kept.
        type: str
      size:
        description:
          - How much of a topic is kept.
        type: str
  backlog_quota:
    description:
      - How far a subscription may fall behind.
      - It must be below O(retention), unless that is V(0B) or V(unlimited). The module writes the two in the order that
        Pulsar accepts.
    type: dict
    suboptions:
      size:
        description:
          - How many unread events may wait. Astra allows V(5GB) by default.
        type: str
      time:
        description:
          - How old the oldest unread event may be.
        type: str
      policy:
        description:
          - What happens when the quota is full. V(producer_exception) and V(producer_request_hold) refuse new events,
            so the audit log stops. V(consumer_backlog_eviction) drops the oldest events.
        type: str
        choices: [producer_request_hold, producer_exception, consumer_backlog_eviction]
  message_ttl:
    description:
      - After what time an unread event counts as acknowledged. Astra accepts no less than V(2d).
    type: str
  inactive_topics:
    description:
      - Whether topics that nobody uses are deleted. By default, Astra deletes a topic without subscriptions and
        producers after one or two days; its documentation says both. Astra does not create topics by itself, so all
        later events of a deleted topic are lost.
    type: dict
    suboptions:
      delete:
        description:
          - Whether they are deleted.
        type: bool
      after:
        description:
          - After what time they are deleted.
        type: str
      mode:
        description:
          - Which topics count as unused.
        type: str
        choices: [delete_when_no_subscriptions, delete_when_subscriptions_caught_up]
  subscription_expiration:
    description:
      - After what time a subscription without consumers is deleted. V(unlimited) keeps it.
    type: str
  force:
    description:
      - Whether O(state=absent) removes a namespace that has topics, with all their events.
    type: bool
    default: false
notes:
  - The application token needs the permission V(org-stream-manage). The role Organization Administrator has it.
  - If Pulsar or Astra refuses a policy, the task fails and names it. What was written before stays.
  - A tenant can have 20 namespaces.
  - In check mode, a missing tenant only causes a warning, because the same play may create it.
seealso:
  - module: datastax.astra.astra_streaming_namespace_info
  - module: datastax.astra.astra_streaming_topic
"""

EXAMPLES = r"""
- name: Make a namespace that keeps audit events
  datastax.astra.astra_streaming_namespace:
    tenant: acme
    name: audit
    retention:
      time: 7d
      size: unlimited
    backlog_quota:
      size: 50GB
      policy: producer_exception
    inactive_topics:
      delete: false
    subscription_expiration: unlimited

- name: Remove it with its topics and their events
  datastax.astra.astra_streaming_namespace:
    tenant: acme
    name: audit
    state: absent
    force: true
"""

RETURN = r"""
action:
  description: What was done, or would be done in check mode.
  returned: success
  type: str
  sample: created
namespace:
  description:
    - The namespace after the run. It has all policies that are in effect, not only those that were given.
    - V(null) if there is none.
    - In check mode, a new one has only what the options say.
  returned: success
  type: dict
  sample:
    tenant: acme
    name: audit
    retention:
      time: 7d
      size: unlimited
    backlog_quota:
      size: 50GB
      time: unlimited
      policy: producer_exception
    message_ttl: unlimited
    inactive_topics:
      delete: false
      after: 2d
      mode: delete_when_no_subscriptions
    subscription_expiration: unlimited
previous:
  description: The namespace before the run, in the same form.
  returned: success
  type: dict
"""

from ansible_collections.datastax.astra.plugins.module_utils._command import STREAMING_NAMESPACE, run_module


def main() -> None:
    run_module(STREAMING_NAMESPACE)


if __name__ == "__main__":
    main()
