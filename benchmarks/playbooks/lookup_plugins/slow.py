# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import time

from ansible.plugins.lookup import LookupBase

SECONDS = 0.1  # what a secret manager takes


class LookupModule(LookupBase):
    """Takes its time and returns what it was given."""

    def run(self, terms, variables=None, **kwargs):
        """Return the terms."""
        time.sleep(SECONDS)
        return terms
