"""The README's moving picture: a picture is posted, becomes a song in a thread, and is played."""

import asyncio
import io
from pathlib import Path

from PIL import Image

from docs.showcase.demo_page import DemoPage, demo_page
from docs.showcase.songs import SAMPLES
from tests.process.browser import AUTOPLAY, chromium

SAMPLE = SAMPLES[0]
WINDOW = (600, 660)
QUALITY = 75
MAX_BYTES = 400_000
# What the status message begins with while the song is made: looking, composing, polishing.
STAGES = ("👀", "🎼", "🎚")
BEATS, BEAT_S = 10, 0.7

Frame = tuple[Image.Image, int]


async def make_film(docs: Path) -> None:
    """Write docs/demo.webp."""
    async with chromium(AUTOPLAY) as browser, demo_page(browser, "en", WINDOW) as demo:
        frames = await _filmed(demo, docs / "samples" / f"{SAMPLE.picture}.webp")
    data = io.BytesIO()
    (first, _), *others = frames
    first.save(
        data,
        "WEBP",
        save_all=True,
        append_images=[picture for picture, _ in others],
        duration=[shown_ms for _, shown_ms in frames],
        loop=0,
        quality=QUALITY,
        method=6,
        minimize_size=True,
        allow_mixed=True,
    )
    if data.tell() > MAX_BYTES:
        raise ValueError(f"the film takes {data.tell()} bytes")
    await asyncio.to_thread((docs / "demo.webp").write_bytes, data.getvalue())
    print(f"demo: {data.tell()} bytes, {len(frames)} pictures", flush=True)


async def _filmed(demo: DemoPage, picture: Path) -> list[Frame]:
    posting = asyncio.create_task(demo.post(picture, SAMPLE.hint))
    await demo.see(SAMPLE.hint)
    await demo.loaded()
    frames = [await _frame(demo, 2000)]
    seen: set[str] = set()
    while not await demo.page.locator("audio").count():
        for stage in STAGES:
            if stage not in seen and await demo.messages.filter(has_text=stage).count():
                seen.add(stage)
                await demo.end()
                frames.append(await _frame(demo, 1300))
        await demo.page.wait_for_timeout(100)
    await posting
    await demo.song()
    frames.append(await _frame(demo, 2500))
    for beat in range(BEATS):
        await demo.play(BEAT_S * beat)
        frames.append(await _frame(demo, round(1000 * BEAT_S)))
    return [*frames[:-1], (frames[-1][0], 2000)]


async def _frame(demo: DemoPage, shown_ms: int) -> Frame:
    return Image.open(io.BytesIO(await demo.page.screenshot())).convert("RGB"), shown_ms
