# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Can run in C(check_mode) and return the same result without changing anything.
  diff_mode:
    description: Returns details on what has changed, or would change in C(check_mode), when in diff mode.
  idempotent:
    description: When run twice in a row with the same arguments, the second run changes nothing.
"""

    INFO = r"""
options: {}
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
    details:
      - It never changes anything.
  idempotent:
    support: full
"""

    CONTROLLER = r"""
options: {}
attributes:
  action:
    description: Runs on the controller alone.
    support: full
  async:
    description: Supports being used with the C(async) keyword.
    support: none
"""

    MODULE = r"""
options: {}
attributes:
  action:
    description: Has an action plugin of the same name on the controller, so some of it runs there.
    support: full
    details:
      - With a local connection the work is done in Ansible's own process, which is many times faster for a fleet.
        The module is executed on the target as usual with any other connection, and with C(become), C(environment),
        C(async), C(delegate_to) or a Python interpreter that is not Ansible's own.
      - Set the variable C(astra_in_process) to V(false) to have the module executed in every case.
  async:
    description: Supports being used with the C(async) keyword.
    support: full
  action_group:
    description: Use C(group/datastax.astra.astra) in C(module_defaults) to set defaults for this module.
    support: full
    membership:
      - datastax.astra.astra
"""

    # Before MODULE in a list of fragments, because the first one that has an attribute wins.
    SECRET = r"""
options: {}
attributes:
  async:
    description: Supports being used with the C(async) keyword.
    support: none
    details:
      - What M(ansible.builtin.async_status) returns would show the secret.
notes:
  - A result that holds a secret is hidden as if C(no_log) were set for the task. No screen, log, callback or job
    event gets it, and with C(--diff) no difference is shown. The registered variable has it as it is. Set C(no_log)
    for each task that uses it, and write it only where it is encrypted, for example with the filter
    P(ansible.builtin.vault#filter).
"""
