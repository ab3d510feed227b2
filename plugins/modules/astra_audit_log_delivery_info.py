#!/usr/bin/python
# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: astra_audit_log_delivery_info
short_description: Check whether audit events arrive at a topic, and whether they are safe there
version_added: 1.0.0
description:
  - Asks the Pulsar broker whether the token may produce to the topic, as the service must to export audit logs. The
    module connects, authenticates, looks up the topic, creates a producer and closes it. It sends no message.
  - Asks Pulsar's admin API whether a producer is connected, when the last event arrived, and what could make events get
    lost.
  - Changes nothing and leaves no trace at the topic. Needs no library except C(requests).
author:
  - DataStax Astra collection contributors (@datastax)
extends_documentation_fragment:
  - datastax.astra.attributes
  - datastax.astra.attributes.info
  - datastax.astra.attributes.module
attributes:
  action_group:
    support: none
    membership: []
options:
  topic:
    description:
      - Full name of the topic, V(persistent://tenant/namespace/topic).
    type: str
    required: true
  client_conf:
    description:
      - Text of the tenant's C(client.conf), which has the values of O(endpoint), O(pulsar_token) and
        O(web_service_url).
    type: str
  endpoint:
    description:
      - URL of the Pulsar broker, as the stream has it.
    type: str
  pulsar_token:
    description:
      - The Pulsar token (JWT) that the stream has.
    type: str
  web_service_url:
    description:
      - Base URL of Pulsar's admin API. Without it, RV(verdict) can only be V(broken) or V(unknown).
    type: str
  application_token:
    description:
      - An Astra application token for the admin API, instead of O(pulsar_token). Give it if the Pulsar token may only
        produce, and so sees little.
      - It is sent to O(web_service_url), so it is never taken from the environment.
    type: str
  cluster:
    description:
      - The Pulsar cluster that O(application_token) asks about.
    type: str
    default: pulsar-aws-useast2
  validate_certs:
    description:
      - Whether to verify the certificates of the broker and of the admin API.
    type: bool
    default: true
  ca_path:
    description:
      - File or directory of CA certificates in PEM format to trust instead of the usual ones.
      - If not set, E(REQUESTS_CA_BUNDLE), E(CURL_CA_BUNDLE) and the CA certificates of C(requests) are tried in this
        order.
    type: path
  timeout:
    description:
      - Seconds for everything that the broker is asked, and again for everything that the admin API is asked.
    type: int
    default: 30
requirements:
  - Python 3.9 or newer
  - requests
notes:
  - How much the admin API shows depends on the token. What it does not show is V(unknown), never V(passed).
  - The broker is asked from where the module runs, and the service may reach it although the module cannot. If nobody
    answers, the step is V(unknown). So is RV(verdict), unless events still arrive. If a certificate does not verify, or
    the answer is not Pulsar's, it is V(broken).
  - A topic that does not exist is not created. The exception is a cluster that creates topics by itself, if its brokers
    are older than 3.0.6 or it is reached through Pulsar's proxy. Astra Streaming does not create topics by itself.
seealso:
  - module: datastax.astra.astra_audit_log_stream
"""

EXAMPLES = r"""
- name: Check whether audit events arrive
  datastax.astra.astra_audit_log_delivery_info:
    topic: persistent://acme-audit/security/astra-audit-log
    client_conf: "{{ lookup('ansible.builtin.file', 'client.conf') }}"
  register: delivery

- name: Fail if they do not, or if they could get lost
  ansible.builtin.assert:
    that:
      - delivery.verdict in ['proven', 'quiet']
      - delivery.at_risk == []
    fail_msg: "{{ delivery.reason }} At risk: {{ delivery.at_risk | join(', ') }}"
"""

RETURN = r"""
verdict:
  description:
    - V(proven) if an event has arrived and the next one would.
    - V(quiet) if an event would arrive, but none has come yet.
    - V(broken) if events cannot arrive.
    - V(unknown) if the module cannot tell, for example because nobody answers at O(endpoint) from where it runs.
  returned: success
  type: str
  sample: proven
reason:
  description: Why, in a sentence.
  returned: success
  type: str
  sample: The last event arrived at 2026-11-24T17:30:00.282Z (message 3:1).
advice:
  description: What to do about it, or an empty string.
  returned: success
  type: str
  sample: ''
at_risk:
  description:
    - What could make events get lost, by the C(id) of the checks that failed. V(token) is named if it expires within
      14 days.
  returned: success
  type: list
  elements: str
  sample: [inactive_topics]
checks:
  description:
    - Everything that was checked.
    - V(token), V(connect), V(tls), V(authenticate), V(topic), V(produce), V(producer_connected) and V(last_event)
      follow the path of an event.
    - V(subscription), V(inactive_topics), V(retention), V(backlog) and V(producers) guard against loss.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: Name of the check.
      type: str
      sample: inactive_topics
    state:
      description: V(passed), V(failed), or V(unknown) if it could not be found out or was not reached.
      type: str
      sample: failed
    message:
      description: What was found.
      type: str
      sample: The topic is deleted when it has no subscription and nobody uses it for 2 days.
    advice:
      description: What to do, or an empty string.
      type: str
      sample: 'Set inactive_topics of astra_streaming_namespace to delete: false.'
last_event_at:
  description: When the newest stored event was published, or V(null) if that is not known.
  returned: success
  type: str
  sample: '2026-11-24T17:30:00.282Z'
last_message_id:
  description: The message id of that event, or V(null).
  returned: success
  type: str
  sample: '3:1'
subscriptions:
  description: The durable subscriptions of the topic, or V(null) if they are not shown.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Name of the subscription.
      type: str
      sample: siem
    backlog:
      description: How many unacknowledged messages it holds.
      type: int
      sample: 0
    consumers:
      description: How many consumers are connected.
      type: int
      sample: 1
    unread_since:
      description: When the oldest unacknowledged message was published, or V(null).
      type: str
      sample: '2026-11-24T17:30:00Z'
"""

from ansible_collections.datastax.astra.plugins.module_utils._command import AUDIT_LOG_DELIVERY_INFO, run_module


def main() -> None:
    run_module(AUDIT_LOG_DELIVERY_INFO)


if __name__ == "__main__":
    main()
