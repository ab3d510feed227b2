# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: audit_log_stream_options
short_description: Options of astra_audit_log_stream from the variables of the role audit_log_stream
version_added: 1.0.0
author:
  - DataStax Astra collection contributors (@datastax)
description:
  - Returns the options of M(datastax.astra.astra_audit_log_stream) that the variables of the role
    P(datastax.astra.audit_log_stream#role) and the C(client.conf) that they name amount to.
  - The role uses it. A variable C(audit_log_stream_NAME) becomes the option C(NAME), and C(client.conf) is read once,
    with the rules of the filter P(datastax.astra.from_client_conf#filter), for what is not set.
options: {}
seealso:
  - module: datastax.astra.astra_audit_log_stream
  - plugin: datastax.astra.from_client_conf
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Apply the variables of the role
  datastax.astra.astra_audit_log_stream:
  module_defaults:
    datastax.astra.astra_audit_log_stream: "{{ query('datastax.astra.audit_log_stream_options')[0] }}"
"""

RETURN = r"""
_raw:
  description: A list with one dictionary, the options.
  type: list
  elements: dict
"""

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase
from ansible_collections.datastax.astra.plugins.plugin_utils.role_variables import RoleVariables


class LookupModule(LookupBase):
    """The options of the module from the variables of the role."""

    def run(self, terms, variables=None, **kwargs):
        """Return a list with the options."""
        role_variables = RoleVariables(variables, self._templar, self._loader)
        options = role_variables.options()
        if role_variables.problems:
            raise AnsibleLookupError(" ".join(role_variables.problems))
        return [options]
