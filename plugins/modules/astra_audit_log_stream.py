#!/usr/bin/python
# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: astra_audit_log_stream
short_description: Stream the audit log of an Astra organization to an Apache Pulsar topic
version_added: 1.0.0
description:
  - Configures, changes or removes audit log streaming of an Astra DB organization. An organization has at most one
    configuration.
  - The destination is a topic of a Pulsar cluster, normally in an Astra Streaming tenant. The topic must exist, because
    the service does not create it.
  - An organization that is already right costs one request.
author:
  - DataStax Astra collection contributors (@datastax)
extends_documentation_fragment:
  - datastax.astra.astra
  - datastax.astra.astra.organization
  - datastax.astra.astra.wait
  - datastax.astra.attributes
  - datastax.astra.attributes.module
attributes:
  check_mode:
    support: full
    details:
      - Without O(pulsar_token) or O(oauth2_credentials_url), everything else is still compared, and a warning names
        what was not. Use this for drift audits that must not know the secret.
  diff_mode:
    support: full
  idempotent:
    support: partial
    details:
      - With O(update_token=always), the configuration is sent in every run.
options:
  state:
    description:
      - With V(present), the organization's audit log is streamed as the other options say.
      - With V(absent), it is not streamed. Only O(organization_id) and the connection options are used.
    type: str
    choices: [present, absent]
    default: present
  endpoint:
    description:
      - URL of the Pulsar broker, for example V(pulsar+ssl://pulsar-aws-useast2.streaming.datastax.com:6651). This is
        C(brokerServiceUrl) in C(client.conf).
      - A bare C(host:port) and C(ssl://) are read as C(pulsar+ssl://). No port is added.
      - Required for O(state=present).
    type: str
  topic:
    description:
      - Full name of the topic, C(persistent://tenant/namespace/topic). C(tenant/namespace/topic) is read as that.
      - Required for O(state=present).
    type: str
  auth_strategy:
    description:
      - How the service authenticates with the Pulsar broker.
    type: str
    choices: [token, oauth2]
    default: token
  auth_name:
    description:
      - Must be V(token), which is also the default. Cannot be used with O(auth_strategy=oauth2).
    type: str
  pulsar_token:
    description:
      - The JWT that may produce to the topic, for O(auth_strategy=token).
      - The module reads its expiry date and its tenant. It does not verify the signature, because only the broker can.
      - Needed only if the configuration has to be written.
    type: str
  oauth2_credentials_url:
    description:
      - Where the service finds the credentials, for O(auth_strategy=oauth2). A C(data:) URL contains them, so this
        option is a secret.
      - Needed only if the configuration has to be written.
    type: str
  oauth2_issuer_url:
    description:
      - URL of the authorization server. Required for O(auth_strategy=oauth2).
    type: str
  oauth2_audience:
    description:
      - Audience of the Pulsar cluster. If not set, the configuration has none.
    type: str
  oauth2_scope:
    description:
      - Scope to ask for. If not set, the configuration has none.
    type: str
  update_token:
    description:
      - When to send the stored secret again, which the API never shows. Whenever anything else has to be written, the
        secret is sent too.
      - With V(on_change), if its fingerprint differs from O(known_token_fingerprint), or from the one in
        O(fingerprint_store). If neither is set, the module takes the stored secret as right and warns about it.
      - With V(always), in every run. Every run then reports a change.
      - With V(on_create), never for its own sake.
    type: str
    choices: [on_change, always, on_create]
    default: on_change
  known_token_fingerprint:
    description:
      - The RV(token_fingerprint) of an earlier run, from wherever you keep it.
    type: str
  fingerprint_store:
    description:
      - Directory on the controller that keeps the RV(token_fingerprint) of each organization, in one small JSON file
        each, C(audit_log_stream/ORGANIZATION_ID.json). The files hold no secret.
      - With V(topic), the properties of the destination topic keep it, so you need not store anything between runs.
        This needs O(web_service_url), and an O(pulsar_token) that may administer the tenant, as the tokens of Astra
        Streaming may. If it may not, a warning says so, and every run sends the secret. Astra does not document
        whether it lets these requests through.
      - If an entry is missing, damaged or could not be written, the module sends the secret once and records it.
      - The store is read if O(known_token_fingerprint) is not set, and written after every change. It is not written in
        check mode.
      - Requires O(organization_id). A directory cannot be used with C(async).
    type: str
  web_service_url:
    description:
      - URL of Pulsar's admin API, for O(fingerprint_store=topic). This is C(webServiceUrl) in C(client.conf).
    type: str
  verify_destination:
    description:
      - Whether to ask the broker, before anything is written, if O(pulsar_token) may produce to O(topic). If the events
        would not arrive, the module fails and writes nothing.
      - A broker that cannot be reached from where the module runs only causes a warning, because it is the service that
        has to reach it. A certificate that does not verify is a failure.
      - The broker is asked in check mode too. This requires O(auth_strategy=token), and leaves no trace at the topic.
    type: bool
    default: false
  validate_region:
    description:
      - Whether to refuse an Astra Streaming endpoint outside AWS us-east-2. The service accepts one, but then no audit
        log arrives.
    type: bool
    default: true
notes:
  - The API gives the same answer for a wrong organization as for one without a configuration. So if nothing is
    configured, the module asks which organization the application token belongs to, and fails if it is another one.
    With an enterprise's token, it warns instead.
seealso:
  - module: datastax.astra.astra_audit_log_stream_info
  - plugin: datastax.astra.from_client_conf
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Stream the audit log to the tenant of a client.conf
  datastax.astra.astra_audit_log_stream:
    organization_id: 6b1a8f0e-3c5d-4f7a-9a51-2d3e4f5a6b7c
    application_token: "{{ vault_application_token }}"
    endpoint: "{{ client_conf.endpoint }}"
    pulsar_token: "{{ client_conf.pulsar_token }}"
    topic: persistent://acme-audit/security/astra-audit-log
  vars:
    client_conf: "{{ lookup('ansible.builtin.file', 'client.conf') | datastax.astra.from_client_conf }}"

- name: Send a rotated token exactly once
  datastax.astra.astra_audit_log_stream:
    organization_id: 6b1a8f0e-3c5d-4f7a-9a51-2d3e4f5a6b7c
    endpoint: pulsar+ssl://pulsar-aws-useast2.streaming.datastax.com:6651
    topic: persistent://acme-audit/security/astra-audit-log
    pulsar_token: "{{ vault_pulsar_token }}"
    fingerprint_store: "{{ inventory_dir }}/.fingerprints"

- name: Use OAuth2
  datastax.astra.astra_audit_log_stream:
    endpoint: pulsar+ssl://pulsar.example.com:6651
    topic: persistent://acme-audit/security/astra-audit-log
    auth_strategy: oauth2
    oauth2_credentials_url: "data:application/json;base64,{{ vault_oauth2_key_file | ansible.builtin.b64encode }}"
    oauth2_issuer_url: https://login.example.com/
    oauth2_audience: urn:pulsar:acme

- name: Stop streaming
  datastax.astra.astra_audit_log_stream:
    organization_id: 6b1a8f0e-3c5d-4f7a-9a51-2d3e4f5a6b7c
    state: absent
"""

RETURN = r"""
action:
  description: What was done, or would be done in check mode.
  returned: success
  type: str
  sample: created
organization_id:
  description: UUID of the organization.
  returned: when it is known
  type: str
  sample: 6b1a8f0e-3c5d-4f7a-9a51-2d3e4f5a6b7c
stream:
  description:
    - What is configured after the run, with the names of the options and without secrets.
    - V(null) if nothing is.
  returned: success
  type: dict
  sample:
    auth_name: token
    auth_strategy: token
    endpoint: pulsar+ssl://pulsar-aws-useast2.streaming.datastax.com:6651
    topic: persistent://acme-audit/security/astra-audit-log
previous:
  description:
    - What was configured before the run, in the same form as RV(stream).
    - For a destination that is not Pulsar, its C(kind) and those of its C(fields) that cannot be a secret.
  returned: success
  type: dict
token_compared:
  description: Whether the given secret was compared with a known fingerprint.
  returned: success
  type: bool
token_fingerprint:
  description:
    - Fingerprint of the given secret, if it was sent in this run or is equal to the known one. Otherwise V(null),
      because nobody knows what is stored. You can always record what is returned.
    - It is C(sha256:) and the SHA-256 of the organization's id, a NUL byte and the secret in hexadecimal digits.
  returned: success
  type: str
token_expires_at:
  description: When O(pulsar_token) expires, as an RFC 3339 time, or V(null) if it does not say.
  returned: success
  type: str
  sample: "2027-11-23T12:00:00Z"
"""

from ansible_collections.datastax.astra.plugins.module_utils._command import AUDIT_LOG_STREAM, run_module


def main() -> None:
    run_module(AUDIT_LOG_STREAM)


if __name__ == "__main__":
    main()
