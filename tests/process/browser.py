"""The machine's Chromium, in a home of its own."""

import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Browser, async_playwright, expect

# Google's first: GitHub's machines bring it, and it plays everything. Ubuntu's chromium is a snap, which sees no /tmp.
CHROMIUM = shutil.which("google-chrome") or shutil.which("chromium")
PATIENCE_MS = 30_000  # Playwright's own five seconds are few on a busy machine
AUTOPLAY = "--autoplay-policy=no-user-gesture-required"
_FLAGS = (
    "--no-sandbox",  # CI runs as root
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@asynccontextmanager
async def chromium(*flags: str) -> AsyncIterator[Browser]:
    """Yield a browser. What it leaves behind goes with its home, whose name is short: a socket in it has 108 bytes."""
    with tempfile.TemporaryDirectory(prefix="melodify-", ignore_cleanup_errors=True) as home:
        environment: dict[str, str | float | bool] = {**os.environ, "TMPDIR": home, "HOME": home}
        expect.set_options(timeout=PATIENCE_MS)
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(
                executable_path=CHROMIUM, args=[*_FLAGS, *flags], env=environment
            )
            yield browser
            await browser.close()
