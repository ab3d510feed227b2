# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How the service says no."""

from __future__ import annotations


class Refused(Exception):
    """The service answers with an error status and one message for each problem."""

    def __init__(self, status: int, *messages: str) -> None:
        super().__init__(*messages)
        self.status = status
        self.messages = messages


class NotAuthenticated(Exception):
    """Pulsar's web server does not know the credential, and says so in HTML."""
