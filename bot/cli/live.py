"""What `melodify check` does for real: a tiny picture is read, and with `--live` a short song is made and paid for."""

import asyncio
import io
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from PIL import Image
from rich.console import Console
from rich.progress import Progress

from bot.cli.check import Finding
from bot.cli.render import NO_LIMIT, ConsoleDelivery, RenderLedger, RenderRequest
from bot.i18n.messages import sentence
from melodify_core.bootstrap import make_one
from melodify_core.config.settings import Settings
from melodify_core.errors import MelodifyError
from melodify_core.jobs.paid_calls import book_call
from melodify_core.media.picture import PictureLimits, prepare
from melodify_core.media.worker_pool import WorkerPool
from melodify_core.models import Bill, Brief, Order, Picture, Place, Song, Wish
from melodify_core.models import Progress as Reached
from melodify_core.ports import Captioner, Describable, PaidCall, ProviderContext
from melodify_core.providers import lengths_of, open_providers, price_of

SIDE = 96


async def read_tiny_picture(settings: Settings) -> list[Finding]:
    """Have the host's own server read a tiny picture; do nothing with other captioners, which may cost money."""
    if settings.captioner != "openai" or settings.openai.base_url is None:
        return []
    with closing(WorkerPool(1)) as pool:
        async with open_providers(settings, pool) as providers:
            return [await _read(providers.captioner)]


async def make_tiny_songs(settings: Settings, ask: Callable[[str], bool]) -> list[Finding]:
    """Make a song of a tiny picture with each selected composer, if `ask` agrees to the price; say what it cost."""
    alone = [settings.model_copy(update={"composer": name, "composers": ()}) for name in settings.players]
    tries = [(each, Wish(seconds=lengths_of(each)[0])) for each in alone]
    prices = [price_of(each, wish.seconds) for each, wish in tries]
    expected, songs = sum(prices), "A short song" if len(tries) == 1 else f"{len(tries)} short songs"
    if expected and not ask(f"{songs} will cost about ${expected:.4f}."):
        return [Finding(good=False, text=f"no song was made: it would cost about ${expected:.4f}, see --yes")]
    return [
        finding for (each, wish), price in zip(tries, prices, strict=True) for finding in await _song(each, wish, price)
    ]


async def _song(settings: Settings, wish: Wish, expected: float) -> list[Finding]:
    ledger = RenderLedger()
    with closing(WorkerPool(1)) as pool, tempfile.TemporaryDirectory(prefix="melodify-") as folder:
        request = RenderRequest(Path(folder) / "check.mp3", Path(folder) / "check.mp3", wish)
        with Progress(console=Console(stderr=True), transient=True, disable=True) as bar:
            delivery = ConsoleDelivery(request, bar, bar.add_task(""))
            order = Order(
                job_id=f"check-{time.time_ns()}",
                user_id=0,
                place=Place(channel_id=0, max_bytes=NO_LIMIT),
                picture=tiny(),
                wish=wish,
            )
            await make_one(order, settings, delivery, ledger, pool)
    spent = Finding(good=True, text=f"spent ${ledger.spent(''):.4f}, expected ${expected:.4f}")
    return [_made(settings.composer, delivery.song, delivery.error, delivery.stages_s()), spent]


def agreed(question: str, *, yes: bool) -> bool:
    """Return whether the host agrees: by `--yes`, or at the terminal. Without one nobody can be asked."""
    if yes or not sys.stdin.isatty():
        return yes
    return input(f"{question} Go on? [y/N] ").strip().casefold() in ("y", "yes")


def tiny() -> bytes:
    """Return a small picture: a sun over the sea."""
    image = Image.linear_gradient("L").resize((SIDE, SIDE))
    sky = Image.composite(
        Image.new("RGB", image.size, (24, 60, 110)), Image.new("RGB", image.size, (250, 170, 90)), image
    )
    sky.paste((255, 240, 190), (40, 26, 56, 42))
    file = io.BytesIO()
    sky.save(file, "PNG")
    return file.getvalue()


async def _read(captioner: Captioner) -> Finding:
    picture = await asyncio.to_thread(prepare, tiny(), PictureLimits())
    started = time.perf_counter()
    brief: Brief | None = None
    reason = ""
    try:
        brief = await captioner.caption(picture, Wish(), _context(picture))
    except MelodifyError as error:
        reason = sentence("en", error)
    took = f"{time.perf_counter() - started:.1f} s"
    about = captioner.describe() if isinstance(captioner, Describable) else captioner.name
    if brief is None:
        return Finding(good=False, text=f"a tiny picture was not read in {took}: {reason} {about}")
    facts = f"{', '.join(brief.mood)}; {brief.genre or 'no genre'}; {', '.join(brief.instruments)}; {brief.bpm} BPM"
    return Finding(good=True, text=f'a tiny picture was read in {took}: "{brief.title}", {facts}. {about}')


def _made(composer: str, song: Song | None, error: MelodifyError | None, stages_s: dict[str, float]) -> Finding:
    if song is None:
        reason = sentence("en", error) if error else "no reason given"
        code = f" ({error.code})" if error else ""
        return Finding(good=False, text=f"{composer} made no song{code}: {reason}")
    took = ", ".join(f"{stage} {seconds:.1f} s" for stage, seconds in stages_s.items())
    by = f"{song.captioner} and {song.composer}{f' ({song.model})' if song.model else ''}"
    return Finding(good=True, text=f'{by} made {song.duration_s:.0f} s of "{song.title}": {took}')


def _context(picture: Picture) -> ProviderContext:
    async def load() -> Picture:
        return picture

    async def begun(bill: Bill) -> PaidCall:
        return await book_call("check", bill, RenderLedger())

    async def progress(reached: Reached) -> None:
        del reached

    return ProviderContext("check", 1, "0" * 64, None, load, begun, progress)
