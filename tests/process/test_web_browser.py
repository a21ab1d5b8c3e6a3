"""The song page in a real Chromium: it plays, seeks, downloads, follows the making, and is usable by everybody."""

import asyncio
import io
import os
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from axe_playwright_python.async_playwright import Axe
from PIL import Image
from playwright.async_api import Browser, Locator, Page, Route, expect

from bot.web import progress
from melodify_core.models import Song, Stage
from tests.contract.web_pages import PUBLIC, Site, audible, score, site_of
from tests.pictures import sunset
from tests.process.browser import CHROMIUM, chromium

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs chromium (which .ci/run installs) or google-chrome")
SMALL, LARGE = {"width": 390, "height": 844}, {"width": 1280, "height": 900}
KOREAN = {
    "title": "바다가 빛을 간직하는 곳",
    "caption": "낮게 걸린 해가 잔잔한 물 위에 금빛을 남기고, 저녁은 서두르지 않아요.",
}
# Whoever wants to look at the pages names a folder here.
SHOTS = os.environ.get("MELODIFY_SCREENSHOTS")


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def sound() -> tuple[bytes, Song]:
    return audible(12.0)


@pytest.fixture
async def site(tmp_path: Path, sound: tuple[bytes, Song]) -> AsyncIterator[Site]:
    async with site_of(tmp_path / "files") as site:
        await site.storage.save("songs/1.mp3", sound[0], "audio/mpeg")
        await site.storage.save("pictures/1.jpg", sunset(), "image/jpeg")
        yield site


@asynccontextmanager
async def visit(browser: Browser, url: str, **options: Any) -> AsyncIterator[Page]:
    """Open a page as a new visitor; at the end nothing may have gone wrong in it."""
    context = await browser.new_context(**({"viewport": LARGE, "locale": "en-GB"} | options))
    page = await context.new_page()
    wrong: list[str] = []
    page.on("console", lambda said: wrong.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("response", lambda answer: wrong.append(f"{answer.status} {answer.url}") if answer.status >= 400 else None)
    answer = await page.goto(url)
    assert answer is not None
    expected = [f"{answer.status} {url}"] if answer.status >= 400 else []
    yield page
    # The browser itself notes that a page was not found.
    assert [text for text in wrong if "Failed to load resource" not in text] == expected
    await context.close()


async def seconds(page: Page) -> float:
    return float(await page.evaluate("() => document.querySelector('audio').currentTime"))


async def until(page: Page, expression: str) -> None:
    """Wait for the expression: asked from here, because the page's own policy forbids code that waits inside it."""
    async with asyncio.timeout(15):
        while not await page.evaluate(f"() => Boolean({expression})"):
            await asyncio.sleep(0.05)


def song_page(site: Site, sound: tuple[bytes, Song], **fields: Any) -> str:
    return site.page(site.pages.add(**({"song": sound[1]} | fields)))


# --- using it -------------------------------------------------------------------------------------------------------


async def test_a_visitor_plays_pauses_and_seeks_with_the_mouse(
    browser: Browser, site: Site, sound: tuple[bytes, Song]
) -> None:
    async with visit(browser, song_page(site, sound)) as page:
        await expect(page.locator("audio")).to_be_hidden()
        await expect(page.locator(".length")).to_have_text("0:12")
        await page.get_by_role("button", name="Play").click()
        await until(page, "document.querySelector('audio').currentTime > 0.3")
        await page.get_by_role("button", name="Pause").click()
        await expect(page.get_by_role("button", name="Play")).to_be_visible()
        box = await page.locator(".wave").bounding_box()
        assert box is not None
        await page.mouse.click(box["x"] + 0.75 * box["width"], box["y"] + box["height"] / 2)
        assert await seconds(page) == pytest.approx(9, abs=0.2)
        await expect(page.locator(".at")).to_have_text(re.compile("0:0[89]"))
        width = float(await page.locator("#played").get_attribute("width") or 0)
        assert width == pytest.approx(0.75 * 996, abs=20)
        assert await page.evaluate("() => navigator.mediaSession.metadata.title") == sound[1].title


async def test_a_visitor_repeats_the_song_and_copies_its_address(
    browser: Browser, site: Site, sound: tuple[bytes, Song]
) -> None:
    url = song_page(site, sound)
    async with visit(browser, url, permissions=["clipboard-read", "clipboard-write"]) as page:
        repeat = page.get_by_role("button", name="Repeat")
        await repeat.click()
        await expect(repeat).to_have_attribute("aria-pressed", "true")
        assert await page.evaluate("() => document.querySelector('audio').loop")
        await repeat.click()
        assert not await page.evaluate("() => document.querySelector('audio').loop")
        await page.get_by_role("button", name="Copy link").click()
        await expect(page.get_by_role("button", name="Link copied")).to_be_visible()
        copied = str(await page.evaluate("() => navigator.clipboard.readText()"))
        assert copied.removeprefix(PUBLIC) == url.removeprefix(site.url)


# How opaque the piano roll is in each of its 12 rows, at 8 places from the left to the right.
OPAQUE = """() => {
    const { width, height } = document.querySelector('.roll');
    const { data } = document.querySelector('.roll').getContext('2d').getImageData(0, 0, width, height);
    const at = (x, y) => data[4 * (Math.floor(y) * width + Math.floor(x)) + 3] / 255;
    return [...Array(12).keys()].map((row) =>
        [...Array(8).keys()].map((x) => at((x + 0.5) * width / 8, (row + 0.4) * height / 12)));
}"""


async def with_score(site: Site, midi: bytes) -> None:
    await site.storage.save("songs/1.mid", midi, "audio/midi")


async def test_the_score_s_notes_are_drawn_in_step_with_the_sound_and_a_press_goes_there(
    browser: Browser, site: Site, sound: tuple[bytes, Song]
) -> None:
    await with_score(site, score())
    async with visit(browser, song_page(site, sound)) as page:
        roll = page.locator(".roll")
        await expect(roll).to_be_visible()
        await expect(page.get_by_role("list", name="Instruments in the score").get_by_role("listitem")).to_have_text(
            ["felt piano", "brushed drums"]
        )
        await page.evaluate("() => { document.querySelector('audio').currentTime = 6.2; }")
        await until(page, "!document.querySelector('audio').seeking")
        # In sight are eight seconds from 3.8 on. The third of the piano's notes is over, the fourth sounds.
        rows = await page.evaluate(OPAQUE)
        assert rows[5] == pytest.approx([0.35, 0.35, 0, 0, 0, 0, 0, 0], abs=0.01)
        assert rows[4] == pytest.approx([0, 0, 1, 1, 0, 0, 0, 0], abs=0.01)
        assert rows[2] == pytest.approx([0, 0, 0, 0, 0.6, 0.6, 0, 0], abs=0.01)
        assert rows[0] == pytest.approx([0, 0, 0, 0, 0, 0, 0.6, 0.6], abs=0.01)
        # At the bottom, the drum.
        assert min(rows[11]) > 0.3
        box = await roll.bounding_box()
        assert box is not None
        await page.mouse.click(box["x"] + box["width"] * 0.75, box["y"] + 20)
        assert await seconds(page) == pytest.approx(3.8 + 6, abs=0.1)


async def test_whoever_wants_no_motion_sees_the_score_in_pages(
    browser: Browser, site: Site, sound: tuple[bytes, Song]
) -> None:
    await with_score(site, score())
    async with visit(browser, song_page(site, sound), reduced_motion="reduce") as page:
        roll = page.locator(".roll")
        await expect(roll).to_be_visible()
        for at, start in ((7.9, 0), (8.1, 8)):
            await page.evaluate(f"() => {{ document.querySelector('audio').currentTime = {at}; }}")
            await until(page, "!document.querySelector('audio').seeking")
            await roll.click(position={"x": 1, "y": 20})
            assert await seconds(page) == pytest.approx(start, abs=0.1)


async def test_a_score_that_cannot_be_read_leaves_the_page_as_it_is(
    browser: Browser, site: Site, sound: tuple[bytes, Song]
) -> None:
    await with_score(site, b"MThd")
    async with visit(browser, song_page(site, sound)) as page:
        await page.wait_for_load_state("networkidle")
        await expect(page.locator(".roll")).to_be_hidden()
        await expect(page.get_by_role("button", name="Play")).to_be_visible()


@pytest.mark.parametrize("framed", ["embed", "s"])
async def test_another_site_may_show_the_embedded_player_and_it_plays_there_but_not_the_page(
    browser: Browser, site: Site, sound: tuple[bytes, Song], framed: str
) -> None:
    page_id = site.pages.add(song=sound[1])
    frame = f'<iframe src="{site.url}/{framed}/{page_id}" width="560" height="192"></iframe>'

    async def other(_request: web.BaseRequest) -> web.Response:
        return web.Response(content_type="text/html", text=frame)

    server = TestServer(web.Application())  # another site: its port is another
    server.app.router.add_get("/", other)
    context = await browser.new_context(locale="en-GB")
    page = await context.new_page()
    async with server:
        await page.goto(str(server.make_url("/")))
        await page.wait_for_load_state("networkidle")
    inside = page.frame_locator("iframe")
    if framed == "s":
        await expect(inside.get_by_role("button", name="Play")).to_have_count(0)
    else:
        await inside.get_by_role("button", name="Play").click()
        await expect(inside.locator(".at")).to_have_text("0:01", timeout=15_000)
        await expect(inside.get_by_role("img", name="The picture that became")).to_be_visible()
        tall = await inside.locator("html").evaluate("(page) => page.scrollHeight")
        assert tall <= 192
    await context.close()


async def test_a_visitor_with_a_keyboard_reaches_and_uses_everything_in_order(
    browser: Browser, site: Site, sound: tuple[bytes, Song]
) -> None:
    async with visit(browser, song_page(site, sound)) as page:
        reached = []
        for _ in range(7):
            await page.keyboard.press("Tab")
            reached.append(
                await page.evaluate(
                    """() => {
                        const at = document.activeElement, style = getComputedStyle(at);
                        const name = at.getAttribute('aria-label') || at.closest('label')?.innerText || at.innerText;
                        return `${name.trim().split('\\n')[0]} ${style.outlineStyle} ${style.outlineWidth}`;
                    }"""
                )
            )
        names = ("Position in the song", "Play", "Repeat", "Copy link", "Volume", "Download MP3", "한국어")
        assert len(reached) == len(names)
        for name, found in zip(names, reached, strict=True):
            assert found.startswith(name)
            assert found.endswith("solid 3px")  # one sees where one is
        await page.get_by_role("slider", name="Position in the song").focus()
        await page.keyboard.press("ArrowRight")
        assert await seconds(page) == pytest.approx(5, abs=0.1)
        await page.keyboard.press("ArrowLeft")
        await page.keyboard.press("End")
        assert await seconds(page) == pytest.approx(12, abs=0.2)
        # No person presses faster than the browser seeks; the end of a song that arrives late would pause it.
        await until(page, "!document.querySelector('audio').seeking")
        await page.keyboard.press("Home")
        assert await seconds(page) == 0
        await until(page, "!document.querySelector('audio').seeking")
        said = await page.get_by_role("slider", name="Position in the song").get_attribute("aria-valuetext")
        assert said == "0:00 of 0:12"
        await page.keyboard.press(" ")
        await until(page, "document.querySelector('audio').currentTime > 0")


async def test_the_song_is_downloaded_under_its_name(browser: Browser, site: Site, sound: tuple[bytes, Song]) -> None:
    async with visit(browser, song_page(site, sound)) as page:
        async with page.expect_download() as download:
            await page.get_by_role("link", name="Download MP3").click()
        file = await download.value
        assert file.suggested_filename == "Where-the-Sea-Keeps-the-Light.mp3"
        assert Path(await file.path()).read_bytes() == sound[0]


async def test_without_scripts_the_browser_s_own_player_stands_there(
    browser: Browser, site: Site, sound: tuple[bytes, Song]
) -> None:
    async with visit(browser, song_page(site, sound), java_script_enabled=False) as page:
        await expect(page.locator("audio")).to_be_visible()
        await expect(page.locator("button.play, input.seek")).to_have_count(2)
        await expect(page.locator("button.play")).to_be_hidden()
        await expect(page.get_by_role("link", name="Download MP3")).to_be_visible()


async def test_a_song_that_cannot_be_played_can_still_be_downloaded(
    browser: Browser, site: Site, sound: tuple[bytes, Song]
) -> None:
    await site.storage.save("songs/1.mp3", b"no sound at all" * 100, "audio/mpeg")
    async with visit(browser, song_page(site, sound)) as page:
        await expect(page.locator("button.play")).to_be_hidden()
        await expect(page.locator("audio")).to_be_visible()
        await expect(page.get_by_role("link", name="Download MP3")).to_be_visible()


async def test_the_page_of_a_song_in_the_making_follows_it_and_turns_into_it(
    browser: Browser, site: Site, sound: tuple[bytes, Song]
) -> None:
    page_id = site.pages.add(song=None, stage=Stage.QUEUED)
    async with visit(browser, site.page(page_id)) as page:
        current = page.locator("[aria-current=step]")
        await expect(current).to_contain_text("Waiting for its turn")
        site.pages.stages.put_nowait(Stage.COMPOSING)
        await expect(current).to_contain_text("Composing")
        await expect(page.get_by_role("status")).to_have_text("Composing")
        await expect(page.locator("li.done")).to_have_count(2)
        site.pages.become(page_id, song=sound[1], stage=None)
        site.pages.stages.put_nowait(Stage.DONE)
        await expect(page.get_by_role("heading", name=sound[1].title)).to_be_visible()


COUNT_BEATS = """
    window.beats = 0;
    window.EventSource = class extends EventSource {
        constructor(...given) {
            super(...given);
            this.addEventListener("beat", () => { window.beats += 1; });
        }
    };
"""


@asynccontextmanager
async def on_the_way(browser: Browser, url: str, answer: Callable[[Route], Awaitable[None]]) -> AsyncIterator[Page]:
    """Open a page after which somebody on the way answers for it and its events; its clock is only put forward.

    By itself it stands still: what a busy machine takes for a step must not count.
    """
    opened = False

    async def between(route: Route) -> None:
        nonlocal opened
        if opened:
            await answer(route)
        else:
            opened = True
            await route.continue_()

    context = await browser.new_context(viewport=LARGE, locale="en-GB")  # type: ignore[arg-type]
    page = await context.new_page()
    await page.clock.install(time=0)
    await page.clock.pause_at(1000)
    await page.add_init_script(COUNT_BEATS)
    await page.route(re.compile(re.escape(url) + "(/events)?$"), between)
    await page.goto(url)
    yield page
    await context.close()


async def forward_until_shown(page: Page, what: Locator) -> None:
    """Put the clock forward, in steps: the page may set its timer a moment later."""
    async with asyncio.timeout(60):
        while not await what.count():
            await page.clock.fast_forward(5_000)
            await asyncio.sleep(0.1)


async def test_events_that_are_held_back_on_the_way_are_done_without(
    browser: Browser, site: Site, sound: tuple[bytes, Song]
) -> None:
    page_id = site.pages.add(song=None, stage=Stage.QUEUED)

    async def hold_events(route: Route) -> None:
        if not route.request.url.endswith("/events"):
            await route.continue_()

    async with on_the_way(browser, site.page(page_id), hold_events) as page:
        current = page.locator("[aria-current=step]")
        await expect(current).to_contain_text("Waiting for its turn")
        site.pages.become(page_id, stage=Stage.COMPOSING)
        await page.clock.fast_forward(19_000)
        await expect(current).to_contain_text("Waiting for its turn")
        await page.clock.fast_forward(1_500)
        await expect(current).to_contain_text("Composing")
        await expect(page.get_by_role("status")).to_have_text("Composing")
        site.pages.become(page_id, song=sound[1], stage=None)
        await forward_until_shown(page, page.get_by_role("heading", name=sound[1].title))


async def test_a_server_that_is_heard_is_not_asked(
    browser: Browser, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "HEARTBEAT_S", 0.05)
    page_id = site.pages.add(song=None, stage=Stage.QUEUED)
    asked: list[str] = []

    async def note(route: Route) -> None:
        asked.append(route.request.url)
        await route.continue_()

    async with on_the_way(browser, site.page(page_id), note) as page:
        await expect(page.locator("[aria-current=step]")).to_contain_text("Waiting")
        for _ in range(10):
            await page.clock.fast_forward(15_000)
            beats = await page.evaluate("() => window.beats")
            await until(page, f"window.beats > {beats}")
    assert [url for url in asked if not url.endswith("/events")] == []


@pytest.mark.parametrize("status", [502, 200])
async def test_a_proxy_s_own_page_does_not_take_the_place_of_the_song_in_the_making(
    browser: Browser, site: Site, sound: tuple[bytes, Song], status: int
) -> None:
    page_id = site.pages.add(song=None, stage=Stage.QUEUED)
    refused: list[str] = []
    away = True

    async def proxy(route: Route) -> None:
        if away:
            refused.append(route.request.url.removeprefix(site.page(page_id)))
            await route.fulfill(status=status, content_type="text/html", body="<h1>502 Bad Gateway</h1>")
        else:
            await route.continue_()

    async with on_the_way(browser, site.page(page_id), proxy) as page:
        for count, seconds in enumerate((0, 5, 10, 20, 40, 60, 60)):
            await page.clock.fast_forward(900 * seconds)
            await asyncio.sleep(0.2)
            assert len(refused) <= max(count, 1)
            # Not in one leap: the page may not have set its timer yet.
            async with asyncio.timeout(30):
                while len(refused) <= count:
                    await page.clock.fast_forward(500 if count else 0)
                    await asyncio.sleep(0.05)
            await expect(page.get_by_role("heading", name="Your song is being made")).to_be_visible()
        assert refused == ["/events", *[""] * 6]  # ever more rarely
        away = False
        site.pages.become(page_id, stage=Stage.COMPOSING)
        await forward_until_shown(page, page.get_by_role("status").filter(has_text="Composing"))
        site.pages.become(page_id, song=sound[1], stage=None)
        site.pages.stages.put_nowait(Stage.DONE)
        await forward_until_shown(page, page.get_by_role("heading", name=sound[1].title))


async def test_a_song_that_fails_or_goes_while_it_is_made_ends_in_that_sentence(browser: Browser, site: Site) -> None:
    page_id = site.pages.add(song=None, stage=Stage.COMPOSING)
    context = await browser.new_context(locale="en-GB")
    page = await context.new_page()
    await page.goto(site.page(page_id))
    await expect(page.locator("[aria-current=step]")).to_contain_text("Composing")
    site.pages.become(page_id, stage=None)
    site.pages.stages.put_nowait(None)
    await expect(page.get_by_role("heading", name="could not be made")).to_be_visible()
    await context.close()


async def test_without_scripts_the_making_is_followed_by_reloading(site: Site) -> None:
    page_id = site.pages.add(song=None, stage=Stage.QUEUED)
    # Playwright's own way of switching scripts off leaves <noscript> unseen.
    async with chromium("--blink-settings=scriptEnabled=false") as browser:
        page = await browser.new_page()
        await page.goto(site.page(page_id))
        async with asyncio.timeout(20):
            while site.pages.asked.count(page_id) < 2:
                await asyncio.sleep(0.1)


async def test_the_page_is_seen_before_any_script_has_come(
    browser: Browser, site: Site, sound: tuple[bytes, Song]
) -> None:
    waiting: list[Route] = []

    async def hold(route: Route) -> None:
        waiting.append(route)

    context = await browser.new_context(viewport={"width": 1280, "height": 900})
    page = await context.new_page()
    await page.route("**/*.js", hold)
    await page.goto(song_page(site, sound), wait_until="commit")
    await expect(page.get_by_role("heading", name=sound[1].title)).to_be_visible()
    await until(page, "performance.getEntriesByName('first-contentful-paint').length")
    assert len(waiting) == 1
    await expect(page.locator("audio")).to_be_visible()
    await waiting[0].continue_()
    await expect(page.get_by_role("button", name="Play")).to_be_visible()
    await context.close()


# --- for everybody --------------------------------------------------------------------------------------------------


def states(site: Site, sound: tuple[bytes, Song], language: str) -> dict[str, str]:
    song = sound[1].model_copy(update=KOREAN) if language == "ko" else sound[1]
    return {
        "song": song_page(site, sound, song=song, language=language),
        "embed": song_page(site, sound, song=song, language=language).replace("/s/", "/embed/"),
        "nopic": song_page(site, sound, song=song, language=language, picture_key=None),
        "making": site.page(site.pages.add(song=None, stage=Stage.COMPOSING)),
        "deleted": site.page(site.pages.add(deleted=True)),
    }


# Four of the eight ways: each two of size, scheme and language meet once.
@pytest.mark.parametrize(
    ("size", "scheme", "language"),
    [(SMALL, "light", "ko"), (SMALL, "dark", "en"), (LARGE, "light", "en"), (LARGE, "dark", "ko")],
    ids=["small-light-ko", "small-dark-en", "large-light-en", "large-dark-ko"],
)
async def test_axe_finds_nothing_and_everything_fits(
    browser: Browser, site: Site, sound: tuple[bytes, Song], size: dict[str, int], scheme: str, language: str
) -> None:
    await site.storage.save("songs/1.mid", score(), "audio/midi")
    await site.storage.save("songs/1.mp4", b"ftyp", "video/mp4")
    phone = {"is_mobile": True, "has_touch": True} if size is SMALL else {}
    for state, url in states(site, sound, language).items():
        options = {"viewport": size, "color_scheme": scheme, "locale": language} | phone
        async with visit(browser, url, **options) as page:
            if state == "song":
                await page.get_by_role("button", name=re.compile("Play|재생")).click()
                await until(page, "document.querySelector('audio').currentTime > 1")
            found = await Axe().run(page)
            assert found.violations_count == 0, found.generate_report()
            assert await page.evaluate("() => document.documentElement.lang") == language
            width = await page.evaluate("() => document.documentElement.scrollWidth")
            assert width <= size["width"]
            if SHOTS:
                kind = "small" if size is SMALL else "large"
                await page.screenshot(path=f"{SHOTS}/{state}-{language}-{kind}-{scheme}.png", full_page=True)


async def test_whoever_wants_no_motion_gets_none(browser: Browser, site: Site) -> None:
    page_id = site.pages.add(song=None, stage=Stage.COMPOSING)
    async with visit(browser, site.page(page_id), reduced_motion="reduce") as page:
        running = await page.evaluate("() => document.getAnimations().filter((a) => a.playState === 'running').length")
        assert running == 0


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["small", "large"])
async def test_style_mood_tempo_and_key_are_in_one_line(
    browser: Browser, site: Site, sound: tuple[bytes, Song], size: dict[str, int], language: str
) -> None:
    song = sound[1].model_copy(update={"genre": "jazz", "mood": ("serene", "peaceful", "dreamy")})
    async with visit(browser, song_page(site, sound, song=song), viewport=size, locale=language) as page:
        facts = await page.locator(".facts li:not(.players)").all()
        boxes = [await fact.bounding_box() for fact in facts]
        assert len(boxes) == 4
        assert len({round(box["y"]) for box in boxes if box}) == 1


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1100])
async def test_controls_and_downloads_stand_in_rows_and_players_are_named_once(
    browser: Browser, site: Site, sound: tuple[bytes, Song], width: int, scheme: str, language: str
) -> None:
    await with_score(site, score())
    await site.storage.save("songs/1.mp4", b"\0", "video/mp4")
    options = {"viewport": {"width": width, "height": 900}, "color_scheme": scheme, "locale": language}
    async with visit(browser, song_page(site, sound), **options) as page:
        await expect(page.locator(".voices li").first).to_be_visible()
        await expect(page.locator(".facts .players")).to_be_hidden()
        if SHOTS:
            await page.screenshot(path=Path(SHOTS) / f"rows-{width}-{scheme}-{language}.png", full_page=True)
        for row in (".downloads a", ".loop, .share"):
            boxes = [box for each in await page.locator(row).all() if (box := await each.bounding_box())]
            assert len(boxes) == (3 if "downloads" in row else 2)
            assert len({round(box["y"]) for box in boxes}) == 1
            assert "downloads" not in row or max(box["width"] for box in boxes) - min(box["width"] for box in boxes) < 1


@pytest.mark.parametrize(("width", "language"), [(280, "en"), (280, "ko"), (320, "en")])
async def test_no_word_of_a_download_is_broken_in_two(
    browser: Browser, site: Site, sound: tuple[bytes, Song], width: int, language: str
) -> None:
    await with_score(site, score())
    await site.storage.save("songs/1.mp4", b"\0", "video/mp4")
    url = song_page(site, sound)
    async with visit(browser, url, viewport={"width": width, "height": 700}, locale=language) as page:
        links = await page.locator(".downloads a").all()
        assert len(links) == 3
        for link in links:
            # Each word is on one line: its box is no higher than a line.
            broken = await link.evaluate(
                """(link) => {
                    const text = link.firstChild, range = document.createRange();
                    return [...text.data.matchAll(/\\S+/g)].filter((word) => {
                        range.setStart(text, word.index);
                        range.setEnd(text, word.index + word[0].length);
                        return range.getClientRects().length > 1;
                    }).map((word) => word[0]);
                }"""
            )
            assert broken == []
        assert await page.evaluate("() => document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize(("tall", "size"), [(False, SMALL), (False, LARGE), (True, SMALL), (True, LARGE)])
async def test_the_picture_is_as_large_as_the_page_allows_and_keeps_its_shape(
    browser: Browser, site: Site, sound: tuple[bytes, Song], tall: bool, size: dict[str, int]
) -> None:
    picture = Image.open(io.BytesIO(sunset())).resize((240, 320) if tall else (240, 160))
    picture.save(data := io.BytesIO(), "JPEG")
    await site.storage.save("pictures/1.jpg", data.getvalue(), "image/jpeg")
    url = song_page(site, sound, picture_width=picture.width, picture_height=picture.height)
    async with visit(browser, url, viewport=size) as page:
        box = await page.locator(".picture img").bounding_box()
        assert box is not None
        assert box["width"] / box["height"] == pytest.approx(picture.width / picture.height, abs=0.02)
        # A wide one fills a phone's width and half of a desktop's; a tall one is half as high as a phone, or higher.
        if tall:
            assert 0.5 * size["height"] <= box["height"] <= size["height"]
        else:
            assert box["width"] >= size["width"] * (1 if size is SMALL else 0.5)
        play = await page.get_by_role("button", name="Play").bounding_box()
        assert play is not None
        assert play["y"] < size["height"]


async def test_text_four_times_as_large_still_fits(browser: Browser, site: Site, sound: tuple[bytes, Song]) -> None:
    # WCAG 1.4.10: 1280 pixels at 400 % are 320.
    async with visit(browser, song_page(site, sound), viewport={"width": 320, "height": 640}) as page:
        assert await page.evaluate("() => document.documentElement.scrollWidth") <= 320
        for part in (page.get_by_role("button", name="Play"), page.get_by_role("link", name="Download MP3")):
            box = await part.bounding_box()
            assert box is not None
            assert min(box["width"], box["height"]) >= 44
