# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The command: the measurements, or with the word soak first, the soak."""

from __future__ import annotations

import sys

from benchmarks import soak, speed

if __name__ == "__main__":
    arguments = sys.argv[1:]
    try:
        sys.exit(soak.main(arguments[1:]) if arguments[:1] == ["soak"] else speed.main(arguments))
    except KeyboardInterrupt:
        sys.exit(130)
