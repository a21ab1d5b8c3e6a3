"""The demo page as a person uses it: a real browser types the command, picks a file, sees the song and plays it."""

import asyncio
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from melodify_core.models import Language
from tests.pictures import sunset
from tests.process.browser import AUTOPLAY, CHROMIUM, chromium
from tests.process.prepared import measured

SONG_MS = 60_000

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs google-chrome, or the chromium that .ci/run installs")


@pytest.fixture
def language() -> Language:
    return "en"


@pytest.fixture
def demo(tmp_path: Path, language: Language) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    command = [sys.executable, "-m", "bot", "demo", "--port", "0"]
    environment = measured(os.environ) | {"MELODIFY_LANGUAGE": language}
    with subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            text = ""
            while not (found := re.search(r"http://127\.0\.0\.1:\d+/#\S+", text)):
                line = process.stdout.readline()
                assert line, "the demo ended before it printed its address"
                text += line
            yield found[0], process
        finally:
            if process.poll() is None:
                process.kill()


@pytest.fixture
async def page() -> AsyncIterator[Page]:
    async with chromium(AUTOPLAY) as browser:
        yield await browser.new_page(viewport={"width": 1100, "height": 900})


async def ask_for_a_song(page: Page, url: str, picture: Path) -> None:
    picture.write_bytes(sunset())
    await page.goto(url)
    composer = page.locator("#channel-composer-input")
    await composer.click()
    await page.keyboard.type("/melodify", delay=20)
    await page.locator(".command-popup").first.wait_for()
    await page.keyboard.press("Enter")
    await page.locator(".command-file-input").set_input_files(picture)
    await page.locator(".send-message").click()
    await expect(page.get_by_text("is ready", exact=False).first).to_be_visible(timeout=SONG_MS)


async def test_a_person_gets_a_song_and_plays_it(
    demo: tuple[str, subprocess.Popen[str]], page: Page, tmp_path: Path
) -> None:
    url, process = demo
    await ask_for_a_song(page, url, tmp_path / "mine.jpg")
    play = page.get_by_role("button", name=re.compile(r"^Play .*\.mp3$"))
    await expect(play).to_be_visible(timeout=SONG_MS)
    async with asyncio.timeout(30):
        # Asked again and again from here: the page's own policy forbids code that waits inside it. The page passes
        # over a press that comes before it has fetched the audio.
        while await page.evaluate("() => document.querySelector('audio').currentTime") < 0.2:
            if await play.is_visible():
                await play.click()
            await asyncio.sleep(0.5)
    assert await page.evaluate("() => document.querySelector('audio').duration") == pytest.approx(30, abs=0.3)
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 0


def converting(demo: subprocess.Popen[str]) -> set[int]:
    """Return the processes in which the simulator converts a file."""
    listed = Path(f"/proc/{demo.pid}/task").glob("*/children")
    children = {int(child) for path in listed for child in path.read_text().split()}
    busy = set()
    for child in children:
        with suppress(OSError):  # it has just ended
            busy |= {child} if b"_media_worker" in Path(f"/proc/{child}/cmdline").read_bytes() else set()
    return busy


async def test_the_demo_ends_at_once_while_it_converts_a_video(
    demo: tuple[str, subprocess.Popen[str]], page: Page, tmp_path: Path
) -> None:
    url, process = demo
    await ask_for_a_song(page, url, tmp_path / "mine.jpg")
    await page.get_by_role("button", name="🎬 Video").first.click()
    async with asyncio.timeout(SONG_MS / 1000):
        while not (busy := converting(process)):
            await asyncio.sleep(0.05)
    for converter in busy:
        os.kill(converter, signal.SIGSTOP)  # it takes as long as for a long video on a slow machine
    process.send_signal(signal.SIGINT)
    assert process.wait(15) == 0


@pytest.mark.parametrize("language", ["ko"])
async def test_in_korean_the_page_names_server_commands_and_options_in_korean(
    demo: tuple[str, subprocess.Popen[str]], page: Page
) -> None:
    url, _ = demo
    await page.goto(url)
    await page.locator("#channel-composer-input").click()
    await page.keyboard.type("/", delay=20)
    popup = page.locator(".command-popup").first
    for words in ("사진을 노래로 만들어 드려요", "/노래목록", "/도움말", "/내정보삭제"):
        await expect(popup.get_by_text(words, exact=False).first).to_be_visible()
    await expect(page.get_by_text("내 노래", exact=False).first).to_be_visible()
