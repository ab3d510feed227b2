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
  - Creates, changes or removes a sink. A sink is a built-in connector that carries the messages of a topic to another
    system.
  - Astra accepts a sink that then fails, for example because its connector does not know a setting. So the module
    checks the sink's status in every run, and reports a failure in the connector's own words.
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
        module asks the cluster which ones it has.
      - Required to create the sink. It cannot be changed.
    type: str
  topic:
    description:
      - The topic to read from, as V(persistent://tenant/namespace/topic), or only its last part for a topic in the
        O(namespace).
      - It must exist. Required to create the sink. It cannot be changed.
    type: str
  configs:
    description:
      - The connector's settings. The module compares only the keys that you give, as strings, at any depth. V(null)
        removes a key.
      - A value that Astra masks cannot be compared, see O(update_secrets). Results mask values that look like secrets,
        by their key or by themselves. Ansible does not log any of it.
      - Every change sends the whole configuration, so you must give the secrets then. If nothing changes, they are not
        needed.
    type: dict
  parallelism:
    description:
      - The number of instances. Astra bills each one. If not set, it stays as it is, and a new sink has one.
    type: int
  processing_guarantees:
    description:
      - How often a message may arrive. If not set, a new sink has V(ATLEAST_ONCE). This cannot be changed.
    type: str
    choices: [ATLEAST_ONCE, ATMOST_ONCE, EFFECTIVELY_ONCE]
  subscription_name:
    description:
      - Name of the sink's subscription. If not set, Pulsar names it C(tenant/namespace/name). This cannot be changed.
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
      - When to send the secrets of O(configs) again, which Astra never shows.
      - With V(on_change), they are sent with every other change, and if Astra shows another value. The module cannot
        see that a masked value differs, and warns about it.
      - With V(always), they are sent in every run. Every run then reports a change. With V(on_create), they are never
        sent for their own sake.
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
      - Seconds to wait. Every repeat of a request and every C(Retry-After) counts.
    type: int
    default: 60
notes:
  - The application token needs the permission V(org-stream-manage). The role Organization Administrator has it.
  - Removing a sink removes its subscription, with the messages that it has not sent yet.
  - If the target refuses connections, the status of the sink shows no error. The sink does not run, or the backlog of
    its subscription grows.
  - Some connectors, such as V(cloud-storage), are made for messages with a schema. Astra does not document the schema
    of audit events, so try with real ones.
seealso:
  - module: datastax.astra.astra_streaming_sink_info
"""

EXAMPLES = r"""
- name: Send audit events to Elasticsearch
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
    - V(null) if there is none.
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
