"""The page of `melodify demo` in Chromium, used as a person uses it; of the page only what Discord has too is shown."""

import asyncio
import re
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.async_api import Browser, Locator, Page, expect

from bot.cli.demo import EXAMPLE_NAME, Simulation, embedded, example_picture, refresh_until, simulated_page
from bot.i18n.messages import catalogue
from melodify_core.config.settings import Settings
from melodify_core.models import Language

SONG_MS = 120_000
# Without the simulator's own frame, and without the demo's first message, which names a temporary file.
STYLE = """
.preview-toolbar, .messages-sidebar, .message-context-actions, .attachment-media-actions, .timeline-day-divider,
.channel-header, .history-button, #channel-message-list > article:first-of-type { display: none !important }
.preview-shell, .preview-workspace { display: block !important; padding: 0 !important }
.preview-stage, .preview-app { height: 100vh !important }
article.channel-message { padding-top: 12px !important; padding-bottom: 12px !important }
"""


@dataclass(frozen=True, slots=True)
class DemoPage:
    """The open page."""

    page: Page
    simulation: Simulation
    language: Language

    @property
    def messages(self) -> Locator:
        """The messages that are shown."""
        return self.page.locator("article.channel-message:visible")

    @property
    def form(self) -> Locator:
        """The form that a button has opened."""
        return self.page.locator("#modal-root form.modal-dialog")

    async def post(self, picture: Path, hint: str) -> None:
        """Post the picture with a mention of the bot, as the member of the page."""
        public = self.simulation.public
        data = await asyncio.to_thread(picture.read_bytes)
        text = f"<@{self.simulation.env.backend.bot_user.id}> {hint}"
        async with self.simulation.turn:
            await public.viewers[0].send(public.channel, text, attachments=[(picture.name, data)])

    async def command(self, *keys: str) -> Locator:
        """Type the command of these keys of the catalogue, send it, and return the bot's answer."""
        before = await self.messages.count()
        name = " ".join(catalogue(self.language)[f"command.{key}.name"] for key in keys)
        await self.page.locator("#channel-composer-input").click()
        await self.page.keyboard.type(f"/{name}", delay=20)
        await self.page.locator(".command-popup").first.wait_for()
        await self.page.wait_for_timeout(500)
        await self.page.keyboard.press("Enter")
        await self.page.wait_for_timeout(500)
        await self.page.locator(".send-message").click()
        await expect(self.messages).to_have_count(before + 1, timeout=SONG_MS)
        await self.page.wait_for_timeout(2000)
        await self.end()
        return self.messages.last

    async def press(self, button: str) -> None:
        """Press the button under the newest song, and wait for its form."""
        words = catalogue(self.language)[f"button.{button}"]
        await self.page.get_by_role("button", name=words).last.click()
        await expect(self.form).to_be_visible(timeout=SONG_MS)
        await self.page.wait_for_timeout(800)

    async def see(self, text: str) -> Locator:
        """Wait until a message has the text, and return it."""
        message = self.messages.filter(has_text=text).last
        await expect(message).to_be_visible(timeout=SONG_MS)
        await self.end()
        return message

    async def play(self, until_s: float) -> None:
        """Play the newest song up to there. The page passes over a press before it has fetched the audio."""
        button = self.page.get_by_role("button", name=re.compile(r"^Play .*\.mp3$"))
        while await self.page.evaluate("() => [...document.querySelectorAll('audio')].pop().currentTime") <= until_s:
            if await button.count():
                await button.last.click()
            await self.page.wait_for_timeout(100)

    async def song(self) -> Locator:
        """Wait until the newest song can be played, and return its message."""
        message = self.messages.filter(has=self.page.locator("audio")).last
        await expect(message.locator(".media-waveform")).to_be_visible(timeout=SONG_MS)
        await self.loaded()
        await expect(message.locator(".component-button").first).to_be_enabled(timeout=SONG_MS)
        await self.page.wait_for_timeout(1500)
        await self.end()
        return message

    async def loaded(self) -> None:
        """Wait until every picture is seen."""
        pictures = "[...document.querySelectorAll('article.channel-message img')]"
        while not await self.page.evaluate(f"() => {pictures}.every(each => each.complete && each.naturalWidth > 0)"):
            await self.page.wait_for_timeout(100)

    async def end(self) -> None:
        """Scroll to the newest message."""
        await self.page.locator("#channel-timeline").evaluate("element => { element.scrollTop = element.scrollHeight }")
        await self.page.wait_for_timeout(300)


@asynccontextmanager
async def demo_page(browser: Browser, language: Language, size: tuple[int, int]) -> AsyncIterator[DemoPage]:
    """Run the demo in that language until the block ends, in a window of that size."""
    width, height = size
    with tempfile.TemporaryDirectory(prefix="melodify-") as folder:
        example = Path(folder) / EXAMPLE_NAME
        await asyncio.to_thread(example.write_bytes, example_picture())
        settings = embedded(Settings(language=language), Path(folder))
        async with simulated_page(settings, example, 0) as simulation:
            stop = asyncio.Event()
            refreshing = asyncio.create_task(refresh_until(stop, simulation))
            page = await browser.new_page(
                viewport={"width": width, "height": height}, device_scale_factor=1.5, bypass_csp=True
            )
            await page.goto(simulation.public.url)
            await page.add_style_tag(content=STYLE)
            await page.locator("#channel-composer-input").wait_for()
            yield DemoPage(page, simulation, language)
            await page.close()
            stop.set()
            await refreshing
