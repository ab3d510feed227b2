#!/usr/bin/python
# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: astra_streaming_sink
short_description: Manage a sink of Astra Streaming
version_added: 1.0.0
description:
  - Creates, changes or removes a sink, which is a built-in connector that carries the messages of a topic on to another
    system.
  - Astra accepts a sink that then fails, for example because its connector does not know a setting. So the sink's
    status is looked at in every run, and a failure is reported in the connector's own words.
author:
  - DataStax Astra collection contributors (@datastax)
extends_documentation_fragment:
  - datastax.astra.astra
  - datastax.astra.astra.state
  - datastax.astra.astra.cluster
  - datastax.astra.astra.streaming
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
      - Name of the namespace that the sink is in.
    type: str
    required: true
  name:
    description:
      - Name of the sink, in lower case letters, digits and hyphens.
    type: str
    required: true
  connector:
    description:
      - Name of a built-in connector, for example V(elastic_search), V(kafka), V(cloud-storage) or V(snowflake). The
        cluster is asked which it has.
      - Needed to create the sink. It cannot be changed.
    type: str
  topic:
    description:
      - The topic whose messages are carried, as V(persistent://tenant/namespace/topic), or its last part alone for
        one in the O(namespace).
      - It must exist. Needed to create the sink. It cannot be changed.
    type: str
  configs:
    description:
      - The connector's settings. Only the keys that are given are compared, as strings, at any depth. V(null) removes
        one.
      - A value that Astra masks cannot be compared, see O(update_secrets). Values that look like secrets, by their
        key or by themselves, are masked in results, and all of it in what Ansible logs.
      - When anything has to be written, all of it is, so the secrets must be given then. When nothing has to be, they
        need not be.
    type: dict
  parallelism:
    description:
      - The number of instances. Astra bills each. If not set, it is left as it is, and a new sink has one.
    type: int
  processing_guarantees:
    description:
      - How often a message may arrive. If not set, a new sink has V(ATLEAST_ONCE). It cannot be changed.
    type: str
    choices: [ATLEAST_ONCE, ATMOST_ONCE, EFFECTIVELY_ONCE]
  subscription_name:
    description:
      - Name of the sink's subscription. If not set, Pulsar names it C(tenant/namespace/name). It cannot be changed.
    type: str
  subscription_position:
    description:
      - Where a new subscription begins. V(Earliest) misses nothing that the topic still has.
      - It only matters when the sink is created, and is not compared afterwards.
    type: str
    choices: [Earliest, Latest]
    default: Earliest
  update_secrets:
    description:
      - When secrets of O(configs) are sent again, which Astra never shows.
      - With V(on_change), they are sent with every other change, and when Astra shows another value. A change that
        cannot be seen is not made, and a warning says so.
      - With V(always), they are sent in every run, which is then reported as a change. With V(on_create), they are
        never sent for their own sake.
    type: str
    choices: [on_change, always, on_create]
    default: on_change
  wait:
    description:
      - Whether to wait until the sink runs and its subscription has a consumer.
    type: bool
    default: true
  wait_timeout:
    description:
      - Seconds for that. Every repeat of a request and every C(Retry-After) counts.
    type: int
    default: 60
notes:
  - The application token needs the permission V(org-stream-manage). The role Organization Administrator has it.
  - Removing a sink removes its subscription, with the messages that it has not carried yet.
  - A sink whose target refuses connections has no error in its status. It does not run, or the backlog of its
    subscription grows.
  - Some connectors, such as V(cloud-storage), were made for messages with a schema. Which schema the messages of
    audit log streaming have is not documented, so try with real events.
seealso:
  - module: datastax.astra.astra_streaming_sink_info
"""

EXAMPLES = r"""
- name: Carry audit events to Elasticsearch
  datastax.astra.astra_streaming_sink:
    tenant: acme
    namespace: audit
    name: audit-to-elasticsearch
    topic: log
    connector: elastic_search
    configs:
      elasticSearchUrl: https://elasticsearch.example.com:9200
      indexName: astra-audit
      username: astra
      password: "{{ elasticsearch_password }}"

- name: Send a rotated password
  datastax.astra.astra_streaming_sink:
    tenant: acme
    namespace: audit
    name: audit-to-elasticsearch
    configs:
      password: "{{ elasticsearch_password }}"
    update_secrets: always

- name: Remove the sink
  datastax.astra.astra_streaming_sink:
    tenant: acme
    namespace: audit
    name: audit-to-elasticsearch
    state: absent
"""

RETURN = r"""
action:
  description: What was done, or would be done in check mode.
  returned: success
  type: str
  sample: created
sink:
  description:
    - The sink after the run, named as the options, with secrets as V(********) and numbers of the configuration as
      strings.
    - V(null) when there is none.
  returned: success
  type: dict
previous:
  description: The sink before the run, in the same form.
  returned: success
  type: dict
"""

from ansible_collections.datastax.astra.plugins.module_utils._command import STREAMING_SINK, run_module


def main() -> None:
    run_module(STREAMING_SINK)


if __name__ == "__main__":
    main()
