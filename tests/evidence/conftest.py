# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A real browser: the machine's Chromium, driven by Playwright, that may ask nobody for anything."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).parents[2]
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
AXE = ROOT / ".cache/npm/node_modules/axe-core/axe.min.js"
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if not CHROMIUM:
        pytest.skip("Chromium is missing: apt-get install chromium, or set CHROMIUM to its path")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield launched
        launched.close()


@pytest.fixture(scope="session")
def axe() -> str:
    """The source of axe-core."""
    if not AXE.exists():
        pytest.skip("axe-core is missing: apt-get install npm, with which `nox -s evidence` downloads it")
    return AXE.read_text()


class Opened(Page):
    """A page with what it did behind the scenes: its complaints, and the requests it made."""

    complaints: list[str]
    requests: list[str]


@pytest.fixture
def visit(browser: Browser, tmp_path: Path) -> Iterator[Callable[..., Opened]]:
    """Open a page with this HTML; fails when the page complains or asks for anything."""
    contexts, pages = [], []

    def open_page(html: str, *, width: int = 1440, height: int = 900, **options) -> Opened:
        # A page that is loaded as a user does it, so that timings and the security policy are real.
        path = tmp_path / f"audit-{len(pages)}.html"
        path.write_text(html, encoding="utf-8")
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        page = context.new_page()
        page.complaints, page.requests = [], []
        page.on("console", lambda message: page.complaints.append(message.text))
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.on("dialog", lambda dialog: (page.complaints.append(dialog.message), dialog.dismiss()))
        page.on("request", lambda request: page.requests.append(request.url))
        page.goto(path.as_uri())
        pages.append((page, path))
        return page

    yield open_page
    for page, path in pages:
        assert page.complaints == []
        assert page.requests == [path.as_uri()]
    for context in contexts:
        context.close()
