# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write the hash of everything that an audit gives, on whatever Python this runs.

Reads JSON from standard input: run, observations, rules, waivers.
"""

from __future__ import annotations

import hashlib
import json
import sys

from ansible_collections.datastax.astra.plugins.plugin_utils.evidence import directory, findings, screen, settings
from ansible_collections.datastax.astra.plugins.plugin_utils.evidence.history import read_history
from ansible_collections.datastax.astra.plugins.plugin_utils.screens import Shape

given = json.load(sys.stdin)
rules = settings.read_rules(given["rules"])
waivers = settings.read_waivers(given["waivers"], rules)
past = ""
for time in ("2026-09-20T00:00:00Z", given["run"]["time"]):
    run = {**given["run"], "time": time}
    audit, line = findings.judge(run, given["observations"], rules, waivers, read_history(past))
    past += line
texts = {form.FILE: form.render(audit) for form in directory.FORMATS}
texts["history.jsonl"] = past
texts["screen"] = "\n".join(line.text for line in screen.draw(audit, Shape(120)))
json.dump({name: hashlib.sha256(text.encode()).hexdigest() for name, text in texts.items()}, sys.stdout)
