"""A real browser for pages on disk: it fails the test on errors in the console and on requests that leave the disk."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest

#: Debian's, and what others call it.
_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")


@pytest.fixture(scope="session")
def browser() -> Iterator[object]:
    """A headless Chromium of this machine; skips where none is installed."""
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright for Python is not installed")
    path = os.environ.get("VSA_CHROMIUM") or next(filter(None, map(shutil.which, _NAMES)), None)
    if path is None:
        pytest.skip("no Chromium is installed (Debian: apt-get install chromium)")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def browser_page(browser) -> Iterator[object]:
    """A page in a fresh profile; what it said and asked for is checked when the test ends."""
    context = browser.new_context(viewport={"width": 1400, "height": 900}, accept_downloads=True)
    page = context.new_page()
    said, asked = [], []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    yield page
    context.close()
    assert not said, f"errors in the console: {said}"
    left = [url for url in asked if not url.startswith(("file:", "data:", "blob:", "about:"))]
    assert not left, f"requests that leave the disk: {left}"
