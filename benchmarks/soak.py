# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A soak: the fleet's playbook at a service that fails at random must end with everything right."""

from __future__ import annotations

import argparse
import sys
from collections import Counter

from benchmarks import process
from benchmarks.fleet import make_organizations, make_tokens, wanted_stream, workplace
from emulator.client import Emulator

RUNS = 3
APPLY_LAG = 0.2  # seconds
PLAYBOOK = "datastax.astra.audit_log_stream"
ENVELOPE = {"errors": [{"ID": 1, "message": "A random fault."}]}

# What happens to any request. Each is as likely as the others.
FAULTS = {
    "429 with Retry-After": {"status": 429, "headers": {"Retry-After": "1"}, "body": ENVELOPE},
    "502 with HTML": {"status": 502, "headers": {"Content-Type": "text/html"}, "body": "<html>Bad gateway</html>"},
    "503": {"status": 503, "body": ENVELOPE},
    "504 although carried out": {"status": 504, "apply": True, "body": ""},
    "reset before it is carried out": {"drop": "before"},
    "reset after it was carried out": {"drop": "after"},
    "closed before it is carried out": {"close": "before"},
    "closed after it was carried out": {"close": "after"},
    "body cut off": {"truncate": 20},
    "answer that is not HTTP": {"raw": "\0\0\0"},
    "headers byte by byte": {"drip": {"what": "headers", "interval": 0.02}},
    "body byte by byte": {"drip": {"what": "body", "interval": 0.02}},
    "answer two seconds late": {"delay": 2},
    "new connections refused for half a second": {"refuse_after": 0.5},
}
# What happens to POST besides. A 500 is not tried again: the organization fails, and the next run puts it right.
FAULTS_OF_POST = {
    "409 to POST": {"status": 409, "body": ENVELOPE},
    "500 to POST": {"status": 500, "body": ENVELOPE},
    "500 to POST although carried out": {"status": 500, "apply": True, "body": ENVELOPE},
}


def main(arguments: list[str]) -> int:
    """Run the soak and show what happened; returns the exit status: 1 when it did not end as it must."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks soak", description=__doc__)
    add = parser.add_argument
    add("--organizations", type=int, default=1000, metavar="N", help="how many there are (default: %(default)s)")
    add("--forks", type=int, default=50, metavar="N", help="Ansible's workers (default: %(default)s)")
    add("--fault-rate", type=float, default=0.01, metavar="SHARE", help="of the requests (default: %(default)s)")
    options = parser.parse_args(arguments)
    fleet = make_organizations(options.organizations)
    # Of ten organizations one streams elsewhere, one streams and shall not, and eight do not stream yet.
    elsewhere = {"pulsar": wanted_stream() | {"topic": "persistent://acme-audit/default/elsewhere"}}
    to_delete = frozenset(each.name for each in fleet[1::10])
    seeds = [
        {"id": each.id, "name": each.name, "audit_logs": elsewhere if number % 10 < 2 else None}
        for number, each in enumerate(fleet)
    ]
    wanted = {each.id: None if each.name in to_delete else {"pulsar": wanted_stream()} for each in fleet}
    with (
        Emulator(seeds, make_tokens(fleet), latency=0.05, apply_lag=APPLY_LAG) as emulator,
        workplace(emulator, options.forks) as place,
    ):
        rate = options.fault_rate / len(FAULTS)
        for fault in FAULTS.values():
            emulator.fault(**fault, times=None, probability=rate)
        for fault in FAULTS_OF_POST.values():
            emulator.fault(**fault, match={"method": "POST"}, times=None, probability=rate)
        command = place.make_command(place.write_inventory(fleet, absent=to_delete), PLAYBOOK)
        for number in range(1, RUNS + 1):
            # 2 is what ansible-playbook says when an organization failed.
            usage, output = process.run(command, place.path, place.environment, statuses=(0, 2))
            requests = Counter(entry["method"] for entry in emulator.journal())
            emulator.clear_journal()
            wrong = sum(entry["audit_logs"] != wanted[entry["id"]] for entry in emulator.organizations())
            failed = output.count("fatal: [")
            print(f"run {number}: {usage.wall:.0f} s, {dict(requests)}, {failed} failed, {wrong} not right", flush=True)
            if wrong > failed:
                print("More organizations are not right than were reported as failed.", file=sys.stderr)
                return 1
        struck = sum(fault["fired"] for fault in emulator.faults())
    print(f"{struck} requests met a fault.")
    if wrong or set(requests) != {"GET"}:
        print("The last run did not find everything as it should be.", file=sys.stderr)
        return 1
    return 0
