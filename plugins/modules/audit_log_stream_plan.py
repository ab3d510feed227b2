#!/usr/bin/python
# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Documentation only: this is an action plugin.

from __future__ import annotations

DOCUMENTATION = r"""
---
module: audit_log_stream_plan
short_description: Find out what there is to do for all organizations of a play
version_added: 1.0.0
description:
  - Reads the variables of the role P(datastax.astra.audit_log_stream#role) of every host of the play, and finds what
    is wrong with them without sending anything.
  - Reads what the service has stored for all of them at once and shows what differs. Where something is about to be
    written, it asks the broker whether the token may produce.
  - It runs once for all hosts, and changes nothing.
  - The playbooks of this collection begin with it. Use them instead.
author:
  - DataStax Astra collection contributors (@datastax)
extends_documentation_fragment:
  - datastax.astra.attributes
  - datastax.astra.attributes.controller
options:
  purpose:
    description:
      - With V(apply), plans what the role would do.
      - With V(preflight), only finds what is wrong with the variables.
      - With V(info), shows who streams where.
      - With V(audit), asks the brokers too, judges every organization by the rules of the audit, and writes its files.
        RV(hosts) are those that break a rule.
      - With V(delivery), asks the brokers whether events arrive.
    type: str
    choices: [apply, audit, delivery, info, preflight]
    default: apply
  on_problem:
    description: Whether a problem of one organization stops all others, too.
    type: str
    choices: [stop, skip]
    default: stop
  per_host:
    description: Whether to leave asking the service to the role, and return all hosts in RV(hosts).
    type: bool
    default: false
  concurrency:
    description: About how many organizations to ask the service at once, at most.
    type: int
    default: 64
  throttle:
    description:
      - Like O(concurrency). The smaller of the two counts. V(0) sets no limit.
      - The role that follows the plan keeps to it as well.
    type: int
    default: 0
  rate:
    description: How many requests to send to the service per second, at most. If not set, there is no limit.
    type: float
  max_fail_percentage:
    description: Only checked to be a number, before anything is changed.
    type: float
  delivery_json:
    description:
      - With O(purpose=delivery), a file on the controller to write the same to, as JSON, a record for each
        organization.
      - In C(probe), a record has what the module M(datastax.astra.astra_audit_log_probe) returns, C(arrived),
        C(is_certain), C(latency), C(message), C(message_id) and C(role), or V(null) if it was not to be probed.
    type: path
  delivery_probe:
    description:
      - With O(purpose=delivery), whether to create and delete a custom role in each organization, and wait for the
        event.
      - This is not done in check mode.
    type: bool
    default: false
  delivery_probe_timeout:
    description: Seconds to wait for that event.
    type: int
    default: 120
  delivery_strict:
    description:
      - With O(purpose=delivery), whether an unknown verdict fails too, and with O(delivery_probe) an event that does
        not arrive.
    type: bool
    default: false
  info_json:
    description: With O(purpose=info), a file on the controller to write the same to, as JSON.
    type: path
  audit_dir:
    description: With O(purpose=audit), a directory on the controller for the report, the history and the other files.
    type: path
  audit_rules:
    description:
      - With O(purpose=audit), a dictionary of the rules that are changed, left out or added.
      - The guide to the monthly audit describes it.
    type: raw
  audit_waivers:
    description:
      - With O(purpose=audit), a list of waivers, each with C(organization), C(rule), C(reason) and C(until).
    type: raw
  audit_slice:
    description: With O(purpose=audit), which part of the fleet this is, in your own words, if it is not all of it.
    type: str
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  idempotent:
    support: full
seealso:
  - module: datastax.astra.audit_log_stream_summary
"""

EXAMPLES = r"""
- name: Find what is wrong with the variables of all organizations
  datastax.astra.audit_log_stream_plan:
    purpose: preflight
"""

RETURN = r"""
hosts:
  description: The hosts for which there is something to do, and those that failed.
  returned: success
  type: list
  elements: str
failures:
  description: For each host that failed, the result that it gets, such as RV(ignore:msg).
  returned: success
  type: dict
unchanged:
  description: How many organizations are as they should be.
  returned: success
  type: int
not_compared:
  description: For how many of these it is unknown whether the stored token is the right one.
  returned: success
  type: int
verified:
  description: Whether the broker was asked about the destinations that are about to be written.
  returned: when the role follows
  type: bool
throttle:
  description: The throttle that the role keeps to.
  returned: when the role follows
  type: int
unconfirmed:
  description: The hosts whose application token may belong to another organization, which the role finds out.
  returned: success
  type: list
  elements: str
screen:
  description: What is shown after the failures, a list of lines with their kinds, if the role has nothing to do.
  returned: when a host failed and nothing is to be changed
  type: list
  elements: list
remarks:
  description: What else is worth knowing.
  returned: success
  type: list
  elements: str
total:
  description: How many organizations there are.
  returned: success
  type: int
"""
