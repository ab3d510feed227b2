# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files that appear whole or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
from typing import Callable


def replace(path: str, text: str, commit: Callable[[str, str], bool | None] | None = None) -> bool:
    """Write a file of mode 0600, instead of what was there, so that no reader and no killed run leaves half of it.

    :arg commit: puts the first path in place of the second, or returns False to leave that as it is.
    :returns: whether the file was replaced.
    :raises OSError: it cannot be written.
    """
    handle, temporary = tempfile.mkstemp(dir=os.path.dirname(path) or ".", prefix=".", suffix=".tmp")
    replaced = False
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        replaced = (commit or os.replace)(temporary, path) is not False
    finally:
        if not replaced:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(temporary)
    return replaced
