"""`melodify demo`: the real bot with the embedded providers, in a simulated Discord in the browser."""

import asyncio
import io
import mimetypes
import signal
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import discord
import simcord
from discord.webhook.async_ import async_context
from PIL import Image, ImageDraw, ImageFilter
from simcord import ChannelHandle, MemberActor, UserHandle
from simcord.env import Env
from simcord.preview import Preview, _media

from bot.cli.interrupts import endings
from bot.cli.simulated import Simulated
from bot.client import MelodifyClient
from bot.i18n.messages import say
from bot.i18n.translator import untranslated
from melodify_core.bootstrap import Services, open_services
from melodify_core.config.settings import Settings
from melodify_core.errors import Misconfigured
from melodify_core.models import Language
from melodify_core.observability.health import Health
from melodify_core.ports import Delivery

REFRESH_S = 0.3
# simcord 3.2.1 checks one file after the other, refuses the ninth that waits, and takes waiting for checking.
MEDIA_WAITING, MEDIA_WAITS_S = 1000, 600.0
# Longer than an order takes to be accepted; the simulator does not see the work on the song itself.
SETTLE_S = 60.0
MODERATES = discord.Permissions(manage_guild=True, manage_messages=True)
CDN_HOST = "cdn.simcord.invalid"  # where the simulator keeps what members send
EXAMPLE_NAME = "sunset.jpg"


class _DemoClient(MelodifyClient):
    """The bot, whose members speak the demo's language: the simulator's members all speak English."""

    locale = discord.Locale.american_english

    def dispatch(self, event: str, /, *args: Any, **kwargs: Any) -> None:
        """Set the language of a command, a button or a form; what answers it begins after this."""
        if event == "interaction":
            args[0].locale = self.locale
        super().dispatch(event, *args, **kwargs)


class _PresentTime:
    """The simulator's clock, which stands still in the past, as one that goes: "two minutes ago" should be true."""

    def __init__(self) -> None:
        """Begin now."""
        self._began = time.time()

    @property
    def elapsed(self) -> float:
        """The seconds since the beginning."""
        return time.time() - self._began

    def now(self) -> datetime:
        """Return the present time."""
        return datetime.now(UTC)

    def advance(self, seconds: float) -> None:
        """Do nothing: time goes by itself."""


@dataclass(frozen=True, slots=True)
class Simulation:
    """The simulated Discord and its two pages: a server's thread, and the direct messages of its only member.

    Who acts in it, or refreshes a page, holds `turn`: the simulator does one thing at a time and refuses all else.
    """

    env: Env
    public: Preview
    private: Preview
    turn: asyncio.Lock


async def demo(settings: Settings, port: int) -> int:
    """Serve the page until Ctrl-C, then delete all files of it."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, *endings()):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    with tempfile.TemporaryDirectory(prefix="melodify-demo-") as folder:
        example = Path(folder) / EXAMPLE_NAME
        example.write_bytes(example_picture())
        try:
            async with simulated_page(embedded(settings, Path(folder)), example, port) as simulation:
                public, private = simulation.public.url, simulation.private.url
                ready = say(settings.language, "demo.ready", url=public, private=private, picture=str(example))
                print(ready, flush=True)
                await refresh_until(stop, simulation)
        except simcord.SetupError as error:
            if not isinstance(error.__cause__, OSError):
                raise
            raise Misconfigured(f"Port {port} is in use: choose another one, or --port 0 for any.") from error
    print(say(settings.language, "demo.bye"), flush=True)
    return 0


def embedded(settings: Settings, folder: Path) -> Settings:
    """Return the settings with the embedded providers, in the demo's own folder."""
    changes = {
        "discord": settings.discord.model_copy(
            update={"shard_count": 1, "shard_ids": frozenset(), "picture_hosts": frozenset({CDN_HOST})}
        ),
        "captioner": "palette",
        "composer": "arranger",
        "storage": "folder",
        "database": settings.database.model_copy(update={"url": f"sqlite:///{folder}/melodify.db"}),
        "folder": settings.folder.model_copy(update={"path": folder / "files"}),
        # A person who tries the demo should not have to wait for the next hour.
        "limits": settings.limits.model_copy(update={"songs_per_hour": 0, "songs_per_day": 0}),
        "work": settings.work.model_copy(update={"drain_s": 1.0}),
    }
    return settings.model_copy(update=changes)


@asynccontextmanager
async def simulated_page(settings: Settings, example: Path, port: int) -> AsyncIterator[Simulation]:
    """Serve the pages for any number of browser tabs. Their member moderates the server."""
    untranslated.set(settings.language)
    _media.MAX_QUEUE, _media.WORKER_DEADLINE_SECONDS = MEDIA_WAITING, MEDIA_WAITS_S
    # Its page would take a MIDI file for sound that cannot be decoded. As other files it can be downloaded.
    mimetypes.add_type("application/octet-stream", ".mid")

    def opened(delivery: Delivery, *, health: Health) -> AbstractAsyncContextManager[Services]:
        return open_services(settings, Simulated(delivery, async_context.get()), health=health)

    client = _DemoClient(settings, opened, always_sync=True)
    client.locale = locale = discord.Locale.korean if settings.language == "ko" else discord.Locale.american_english
    async with simcord.run(client, settle_timeout=SETTLE_S) as env:
        try:
            env.backend.clock = cast("Any", _PresentTime())
            if client.user is not None:
                await client.user.edit(username="Melodify")
            thread, viewer = await _furnish(env, client, settings.language, example)
            await (await client.fetch_user(viewer.id)).send(say(settings.language, "demo.private"))
            async with (
                _page(env, thread, viewer, locale, port) as public,
                _page(env, viewer.user.dm_channel, viewer.user, locale, 0) as private,
            ):
                turn = asyncio.Lock()
                _act_as_discord(public, turn)
                _act_as_discord(private, turn)
                yield Simulation(env, public, private, turn)
        finally:
            await client.close_services()


async def _furnish(
    env: Env, client: _DemoClient, language: Language, example: Path
) -> tuple[ChannelHandle, MemberActor]:
    """Return the thread of a new server, and the server's member."""
    names = {name: say(language, f"demo.{name}") for name in ("server", "channel", "you", "role", "thread")}
    guild = env.create_guild(names["server"], preferred_locale=client.locale.value)
    channel = guild.create_text_channel(names["channel"])
    moderators = guild.create_role(names["role"], permissions=MODERATES)
    viewer = guild.add_member(env.create_user(names["you"]), roles=[moderators])
    # A page shows one channel: in a thread the songs appear on it.
    parent = client.get_channel(channel.id)
    if not isinstance(parent, discord.TextChannel):
        raise TypeError(parent)
    thread = await parent.create_thread(name=names["thread"], type=discord.ChannelType.public_thread)
    await thread.send(say(language, "demo.welcome", path=str(example)), file=discord.File(example, EXAMPLE_NAME))
    return next(handle for handle in channel.threads if handle.id == thread.id), viewer


@asynccontextmanager
async def _page(
    env: Env, channel: ChannelHandle, viewer: MemberActor | UserHandle, locale: discord.Locale, port: int
) -> AsyncIterator[Preview]:
    # The simulator allows one page at a time, though its pages do not disturb each other.
    env._preview, other = None, env._preview  # noqa: SLF001
    async with env.preview(channel, viewers=[viewer], layout="channel", locale=locale.value, port=port) as page:
        env._preview = other or page  # noqa: SLF001
        try:
            yield page
        finally:
            # The page's server waits for its answers; one of them may wait for a video that is converted.
            if page._media_worker is not None:  # noqa: SLF001
                await page._media_worker.close()  # noqa: SLF001


def _act_as_discord(page: Preview, turn: asyncio.Lock) -> None:
    """Let a press on the page wait for its turn and count for what the page shows by then; tell the present time.

    The simulator refuses a press at what the bot has changed since. One that comes while it does anything else it does
    not answer at all: the browser then waits for ever, with all buttons off. What a press has changed it shows with the
    time of before.
    """
    act, publish = page._action, page._publish  # noqa: SLF001

    async def act_in_turn(context_id: str | None, body: Mapping[str, Any]) -> dict[str, Any]:
        async with turn:
            revision = page._get_page(context_id).revision  # noqa: SLF001
            return await act(context_id, {**body, "published_revision": revision})

    def publish_now(*args: Any, **named: Any) -> None:
        page.capture_time = datetime.now(UTC)
        publish(*args, **named)

    page.__dict__.update(_action=act_in_turn, _publish=publish_now)


async def refresh_until(stop: asyncio.Event, simulation: Simulation) -> None:
    """Refresh the pages after each request of a background job, until Ctrl-C or a page's own end button."""
    env, pages = simulation.env, (simulation.public, simulation.private)
    ends = [asyncio.create_task(wait) for wait in (stop.wait(), *(page.wait_closed() for page in pages))]
    seen = len(env.http_requests)
    try:
        while not (await asyncio.wait(ends, timeout=REFRESH_S, return_when=asyncio.FIRST_COMPLETED))[0]:
            # A round that finds the visitor's press at work leaves the pages to the next one.
            if len(env.http_requests) == seen or simulation.turn.locked():
                continue
            async with simulation.turn:
                seen = len(env.http_requests)
                await env.advance_time(0)  # for what is due
                for page in pages:
                    await page.refresh()
    finally:
        for task in ends:
            task.cancel()


def example_picture() -> bytes:
    """Return a sunset over the sea, painted here, as JPEG."""
    width, height, horizon = 960, 640, 400
    picture = Image.new("RGB", (width, height))
    draw = ImageDraw.Draw(picture)
    for y in range(horizon):
        depth = y / horizon
        draw.line((0, y, width, y), fill=(int(70 + 185 * depth), int(50 + 110 * depth), int(110 - 20 * depth)))
    draw.ellipse((400, 300, 560, 460), fill=(255, 226, 150))
    draw.rectangle((0, horizon, width, height), fill=(92, 58, 84))
    for y in range(horizon, height, 8):
        half = 20 + (y - horizon) // 3
        draw.line((480 - half, y, 480 + half, y), fill=(250, 176, 110), width=3)
    for left, top in ((80, 120), (300, 70), (640, 150)):
        draw.ellipse((left, top, left + 220, top + 26), fill=(250, 190, 150))
    data = io.BytesIO()
    picture.filter(ImageFilter.GaussianBlur(3)).save(data, "JPEG", quality=88)
    return data.getvalue()
