"""The pictures of what members, visitors and hosts see: the simulated Discord, the song page and the set-up."""

import asyncio
import html
import io
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.async_api import Browser, Locator, Page

from docs.showcase.demo_page import DemoPage, demo_page
from docs.showcase.songs import SAMPLES, Facts, made, read_facts
from melodify_core.models import Language, Song, Wish
from melodify_core.storage.layout import midi_key, song_key
from tests.contract.web_pages import Site, site_of
from tests.discord_server import TOKEN
from tests.process.browser import AUTOPLAY, chromium

SAMPLE = next(sample for sample in SAMPLES if sample.picture == "cafe")
LANGUAGES: dict[Language, str] = {"en": "", "ko": "-ko"}
LOCALES: dict[Language, str] = {"en": "en-GB", "ko": "ko-KR"}
# A long song, so that its status message stands long enough to be seen.
HINTS: dict[Language, str] = {"en": f"{SAMPLE.hint}, 2 minutes", "ko": "느긋한 일요일 아침, 2분"}
COMPOSING = "🎼"  # begins the status message then
WIDEST = 820  # pixels
MAX_BYTES = 36_000
QUALITIES = (75, 65, 55, 45, 35)
WINDOW = (680, 1000)
# What a terminal shows, in the colours of the documents' dark code.
TERMINAL = (
    "<body style='margin:0;display:inline-block;background:#1e2129'><pre style='margin:0;padding:20px 28px;"
    "color:#d5d7e2;font:15px/1.45 monospace'><span style='color:#7fd88f'>$ {command}</span>\n{output}</pre></body>"
)
HOME = "/home/me/melodify"


async def make_screens(docs: Path) -> None:
    """Write the pictures into docs/screens."""
    folder = docs / "screens"
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    picture = docs / "samples" / f"{SAMPLE.picture}.webp"
    async with chromium(AUTOPLAY) as browser:
        await _set_up(browser, folder)
        await _song_page(browser, folder, picture)
        for language, ending in LANGUAGES.items():
            async with demo_page(browser, language, WINDOW) as demo:
                await _discord(demo, folder, ending, picture)


async def _discord(demo: DemoPage, folder: Path, ending: str, picture: Path) -> None:
    await demo.post(picture, HINTS[demo.language])
    await _keep(await demo.see(COMPOSING), folder / f"status{ending}.webp")
    await _keep(await demo.song(), folder / f"card{ending}.webp")
    for command in ("songs", "help"):
        await _keep(await demo.command(command), folder / f"{command}{ending}.webp")
    if demo.language == "en":
        await _keep(await demo.command("admin", "admin_status"), folder / "admin.webp")
    await demo.press("change")
    await _keep(demo.form, folder / f"change{ending}.webp")


async def _song_page(browser: Browser, folder: Path, picture: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="melodify-") as name:
        scratch = Path(name)
        async with site_of(scratch / "storage") as site:
            pages: dict[Language, str] = {}
            for language in LANGUAGES:
                song, score = await made(SAMPLE, picture, scratch / "song.mp3", language)
                sound = await asyncio.to_thread((scratch / "song.mp3").read_bytes)
                keys = {"audio_key": song_key(language), "picture_key": f"pictures/{language}.jpg"}
                await site.storage.save(keys["audio_key"], sound, "audio/mpeg")
                await site.storage.save(keys["picture_key"], _jpeg(picture), "image/jpeg")
                await site.storage.save(midi_key(language), score, "audio/midi")
                song = song.model_copy(update={"job_id": language, **keys})
                pages[language] = site.page(
                    site.pages.add(song=song, picture_key=keys["picture_key"], language=language)
                )
            await _visit(browser, pages["en"], folder / "song-page.webp")
            await _visit(browser, pages["en"], folder / "song-page-dark.webp", scheme="dark")
            await _visit(browser, pages["ko"], folder / "song-page-phone-ko.webp", language="ko", phone=True)
            for facts in read_facts(picture.parent):
                await _show(site, song, facts, picture.with_name(f"{facts['name']}.webp"))
            await _visit(browser, f"{site.url}/", folder / "start-page.webp")


async def _show(site: Site, song: Song, facts: Facts, picture: Path) -> None:
    """Have the start page show the sample, as a song like the given one."""
    key = f"pictures/{facts['name']}.jpg"
    await site.storage.save(key, _jpeg(picture), "image/jpeg")
    fields = {"job_id": facts["name"], "picture_key": key, "wish": Wish(style=facts["style"]), **facts["en"]}
    site.pages.shown.append(site.pages.add(song=song.model_copy(update=fields), picture_key=key))


async def _visit(
    browser: Browser, url: str, out: Path, language: Language = "en", scheme: str = "light", phone: bool = False
) -> None:
    context = await browser.new_context(
        viewport={"width": 390, "height": 844} if phone else {"width": 1000, "height": 760},
        device_scale_factor=1,
        locale=LOCALES[language],
        color_scheme="dark" if scheme == "dark" else "light",
    )
    page = await context.new_page()
    await page.goto(url, wait_until="networkidle")
    await page.wait_for_timeout(1000)
    await _keep(page, out)
    await context.close()


async def _set_up(browser: Browser, folder: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="melodify-") as name:
        scratch = Path(name)
        await asyncio.to_thread((scratch / "token.txt").write_text, f"{TOKEN}\n")
        asked = "setup --check --token-file token.txt --watch 1290000000000000001 --service user"
        mine = {key: value for key, value in os.environ.items() if not key.startswith("MELODIFY_")}
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bot", *asked.split(), "--offline", "--yes"),
            cwd=scratch,
            env=mine | {"XDG_CONFIG_HOME": str(scratch / "xdg")},
            stdout=subprocess.PIPE,
        )
        output = (await process.communicate())[0].decode()
        output = output.replace(f"{sys.executable} -m bot", "melodify").replace(
            str(scratch / "xdg"), "/home/me/.config"
        )
    page = await browser.new_page(viewport={"width": 860, "height": 600})
    shown = html.escape(re.sub(r"\n{3,}", "\n\n", output.replace(str(scratch), HOME)).rstrip())
    await page.set_content(TERMINAL.format(command=html.escape(f"melodify {asked}"), output=shown))
    await _keep(page.locator("body"), folder / "setup.webp")
    await page.close()


async def _keep(seen: Page | Locator, out: Path) -> None:
    """Write what is seen, as small as it can still be read."""
    shot = await (seen.screenshot(full_page=True) if isinstance(seen, Page) else seen.screenshot())
    picture = Image.open(io.BytesIO(shot)).convert("RGB")
    picture.thumbnail((WIDEST, 10_000), Image.Resampling.LANCZOS)
    # Plain areas and text are smaller without loss, and clearer.
    choices: list[dict[str, Any]] = [{"lossless": True}, *({"quality": quality} for quality in QUALITIES)]
    for options in choices:
        data = io.BytesIO()
        picture.save(data, "WEBP", method=6, **options)
        if data.tell() <= MAX_BYTES:
            break
    await asyncio.to_thread(out.write_bytes, data.getvalue())
    print(f"{out.stem}: {data.tell()} bytes", flush=True)


def _jpeg(picture: Path) -> bytes:
    data = io.BytesIO()
    Image.open(picture).convert("RGB").save(data, "JPEG", quality=88)
    return data.getvalue()
