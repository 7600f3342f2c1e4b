"""Headless Chromium, for the tests of pages."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import pytest
from playwright.async_api import Page, async_playwright

_CHROMIUM: Final = shutil.which("chromium") or shutil.which("chromium-browser")
_ARGUMENTS: Final = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]

needs_chromium = pytest.mark.skipif(
    _CHROMIUM is None, reason="Chromium is not installed; Debian has it as `chromium`"
)


@asynccontextmanager
async def open_page() -> AsyncIterator[Page]:
    """Open a page of a fresh browser."""
    async with (
        async_playwright() as playwright,
        await playwright.chromium.launch(executable_path=_CHROMIUM, args=_ARGUMENTS) as browser,
        await browser.new_page() as opened,
    ):
        yield opened
