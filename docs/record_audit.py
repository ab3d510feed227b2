# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Draw the report of an audit into docs/images/audit.png, for the README."""

from __future__ import annotations

import importlib
import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

# Makes the repository importable as a collection.
importlib.import_module("tests.conftest")

from ansible_collections.datastax.astra.plugins.plugin_utils.evidence import as_html  # noqa: E402
from ansible_collections.datastax.astra.plugins.plugin_utils.evidence.history import History  # noqa: E402

from tests.evidence.samples import MIXED_WAIVERS, audit, missing, mixed_fleet  # noqa: E402


def main() -> None:
    """Draw the picture."""
    past, fleet = History(), mixed_fleet()
    for month in range(1, 10):
        broken = [missing(one["name"], number) for number, one in enumerate(fleet[: 60 - 4 * month])]
        earlier = [*broken, *fleet[len(broken) :]]
        past = audit(earlier, past=past, time=f"2026-{month:02}-20T10:15:00Z").history
    with tempfile.TemporaryDirectory() as directory, sync_playwright() as playwright:
        page_path = Path(directory) / "audit.html"
        page_path.write_text(as_html.render(audit(fleet, waivers=MIXED_WAIVERS, past=past)), encoding="utf-8")
        chromium = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--headless", "--no-sandbox", "--disable-gpu"]
        )
        page = chromium.new_page(viewport={"width": 1280, "height": 800})
        page.goto(page_path.as_uri())
        page.screenshot(path=ROOT / "docs/images/audit.png")
        chromium.close()


if __name__ == "__main__":
    main()
