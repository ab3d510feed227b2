# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  application_token:
    description:
      - Astra application token, which starts with V(AstraCS:).
      - It needs the role Organization Administrator, or a custom role with the permission V(org-audits-read).
      - If not set, the environment variable E(ASTRA_DB_APPLICATION_TOKEN) is used, then E(ASTRA_API_TOKEN).
    type: str
  api_url:
    description:
      - Base URL of the DevOps API.
      - If not set, the environment variable E(ASTRA_API_URL) is used.
    type: str
    default: https://api.astra.datastax.com
  validate_certs:
    description:
      - Whether to verify the certificate of the service.
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
      - Seconds to connect, and again for a complete answer, for each request.
    type: int
    default: 30
  retries:
    description:
      - How many more times to try a request after the HTTP statuses 429, 502, 503 and 504, and after connection
        failures.
      - The time between tries grows exponentially. If the service asks for a certain time with C(Retry-After), the
        module waits that long, up to 60 seconds.
      - After a certificate that does not verify, there is no second try.
    type: int
    default: 5
notes:
  - If the service's answer makes the module fail, the result has its HTTP status as C(http_status), and what the
    service said as C(api_errors), a list of C(id) and C(message).
requirements:
  - Python 3.9 or newer
  - requests
"""

    ORGANIZATION = r"""
options:
  organization_id:
    description:
      - UUID of the organization.
      - If not set, it is the organization that the application token belongs to, which costs one more request. With an
        enterprise's token, it must be set.
    type: str
    aliases: [org_id]
"""

    STATE = r"""
options:
  state:
    description:
      - With V(present), it exists and is as the other options say. With V(absent), it does not exist.
    type: str
    choices: [present, absent]
    default: present
"""

    WAIT = r"""
options:
  wait:
    description:
      - Whether to wait until the service shows the change.
    type: bool
    default: true
  wait_timeout:
    description:
      - Seconds to wait, in total, for an earlier change to finish (HTTP status 409) and for O(wait). Every repeat of a
        request and every C(Retry-After) counts.
    type: int
    default: 60
"""

    CLUSTER = r"""
options:
  cluster:
    description:
      - Name of the Pulsar cluster. Two clusters can have tenants of the same name.
    type: str
    default: pulsar-aws-useast2
  admin_url:
    description:
      - URL of Pulsar's admin API. If not set, the environment variable E(ASTRA_STREAMING_API_URL) is used, then what
        Astra shows for the tenant.
    type: str
"""

    STREAMING = r"""
options:
  tenant:
    description:
      - Name of the Astra Streaming tenant.
    type: str
    required: true
"""
