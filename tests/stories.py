"""What the story tests share: the real bot in a simulated Discord, with a real studio behind it.

Jobs run unseen by the simulator, in real time: a story acts, waits for `World.songs_done`, and then looks.
"""

import asyncio
import io
import itertools
import sqlite3
import time
import wave
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, cast

import av
import discord
from discord.ext import commands
from discord.webhook.async_ import async_context
from PIL import Image
from simcord import interactions as wire
from simcord.actors import MemberActor
from simcord.backend import serializers
from simcord.builders import ChannelHandle, GuildHandle, UserHandle
from simcord.env import Env
from simcord.results import InteractionResult

from bot.cli.simulated import Simulated
from bot.client import MelodifyClient, ServePages
from melodify_core.bootstrap import Services, open_services
from melodify_core.captioners.palette import PaletteCaptioner
from melodify_core.composers.arranger.composer import make_take
from melodify_core.config.settings import Settings
from melodify_core.library import database_path
from melodify_core.media.worker_pool import WorkerPool
from melodify_core.models import (
    Brief,
    RawTake,
    Wish,
)
from melodify_core.observability.health import Health
from melodify_core.ports import Delivery, ProviderContext
from melodify_core.providers import Providers
from melodify_core.storage.folder import FolderStorage
from melodify_core.studio import Studio
from tests.briefs import a_brief
from tests.conventions import assert_follows_conventions

SETTLE_S = 30.0
EPHEMERAL = 1 << 6
SONG_S = 150.0  # only a test that hangs waits so long
ONE_SONG_S = 1.5


def a_picture(colour: str = "tomato", size: tuple[int, int] = (320, 240)) -> bytes:
    """Return a picture of two colours as PNG."""
    picture = Image.new("RGB", size, colour)
    picture.paste("navy", (0, 0, size[0], size[1] // 3))
    data = io.BytesIO()
    picture.save(data, "PNG")
    return data.getvalue()


PICTURE = ("picture.png", a_picture())


@dataclass(slots=True)
class World:
    """A simulated Discord with one server and the bot; a channel and a member of it are the story's own."""

    env: Env
    client: MelodifyClient
    pool: WorkerPool
    guild: GuildHandle
    channel: ChannelHandle
    member: MemberActor
    composes: bool = False
    errors_before: int = 0

    def corner(self, *, denied: Sequence[str] = (), locale: str | None = None) -> "World":
        """Return the same world seen by a new member in a new channel, where the bot lacks the `denied` permissions.

        With a `locale` the channel is one of a new server of that language.
        """
        guild = self.guild if locale is None else self.env.create_guild(preferred_locale=locale)
        member = guild.add_member(self.env.create_user(f"member{next(_numbers)}"))
        channel = a_channel(self.env, guild, denied)
        return replace(self, guild=guild, channel=channel, member=member, errors_before=self.env.error_cursor)

    @property
    def services(self) -> Services:
        """The services of the bot that runs now."""
        return self.client.services

    @property
    def studio(self) -> Studio:
        """The studio of the bot that runs now."""
        return self.services.studio

    @property
    def mention(self) -> str:
        """How one mentions the bot."""
        return f"<@{self.env.backend.bot_user.id}>"

    async def songs_done(self) -> None:
        """Wait until every accepted job has ended, and see that nothing broke."""
        await self.studio.idle(SONG_S)
        assert self.env.errors_since(self.errors_before) == ()

    async def restart(self, settings: Settings) -> None:
        """End the bot, and start what a new process would start on the same database."""
        await self.client.close()
        self.client = a_client(settings, self.pool, composes=self.composes)
        await self.env.restart_bot(self.client)

    async def until(self, sign: str) -> None:
        """Wait until the bot's first line in the channel shows the sign."""
        async with asyncio.timeout(SONG_S):
            while sign not in self.said(self.channel)[0].content:
                await asyncio.sleep(0.01)

    async def post(
        self, text: str = "", *files: tuple[str, bytes], channel: ChannelHandle | None = None
    ) -> discord.Message:
        """Post as the member."""
        return await self.member.send(channel or self.channel, text, attachments=files)

    async def command(self, channel: ChannelHandle | None = None, **options: Any) -> InteractionResult:
        """Use /melodify as the member."""
        return await self.member.slash(channel or self.channel, "melodify", **({"image": PICTURE} | options))

    async def dm(self, text: str = "", *files: tuple[str, bytes]) -> discord.Message:
        """Write to the bot as the member."""
        stored = self.env.backend.store_attachments(self.dms.id, files)
        return await self.member.user.send_dm(text, attachments=stored)

    async def emit(self, event: str, *payloads: dict[str, Any]) -> None:
        """Let Discord send these payloads at one moment."""
        for payload in payloads:
            self.env.backend.emit(event, payload)
        await self.env.settle()

    @property
    def dms(self) -> ChannelHandle:
        """The member's direct messages with the bot."""
        return self.member.user.dm_channel

    def orders(self) -> int:
        """Return how many orders of the member were ever accepted."""
        with closing(self.database()) as database:
            query = "SELECT count(*) FROM usage WHERE user_id = ?"
            return int(database.execute(query, (self.member.id,)).fetchone()[0])

    def database(self) -> sqlite3.Connection:
        """Return a connection of the story's own to the bot's database."""
        return sqlite3.connect(database_path(self.services.settings.database.url))

    def said(self, *places: ChannelHandle) -> list[discord.Message]:
        """Return what the bot has posted in these places, or in the channel and its threads."""
        bot_id = self.env.backend.bot_user.id
        everywhere = places or (self.channel, *self.channel.threads)
        # The simulator announces a new thread in the channel, in the bot's name.
        kinds = {
            discord.MessageType.default,
            discord.MessageType.reply,
            discord.MessageType.chat_input_command,
            discord.MessageType.context_menu_command,
        }
        messages = [message for place in everywhere for message in place.history()]
        return [message for message in messages if message.author.id == bot_id and message.type in kinds]

    def whispered(self) -> list[str]:
        """Return what the bot has said in the channel to one member alone; no history has that."""
        bot_id = self.env.backend.bot_user.id
        messages = self.env.backend.messages.get(self.channel.id, {}).values()
        return [each.content for each in messages if each.author_id == bot_id and each.flags & EPHEMERAL]

    def told(self) -> list[str]:
        """Return what the bot has said in the channel and its threads, also to one member alone."""
        return [message.content for message in self.said()] + self.whispered()

    def songs(self, *places: ChannelHandle) -> list[discord.Message]:
        """Return the messages with a song in these places, or in the channel and its threads."""
        return [message for message in self.said(*places) if audio_of(message)]


_numbers = itertools.count(1)


def story_settings(folder: Path, **tables: object) -> Settings:
    """Return settings for ten-second songs, kept in the folder."""
    places = {"database": {"url": f"sqlite:///{folder}/melodify.db"}, "folder": {"path": folder / "files"}}
    quick = {"song": {"default_seconds": 10}, "work": {"drain_s": 10, "poll_s": 0.1}}
    # By the simulated clock, every song takes months: nobody is notified unless a story says so.
    calm = {"discord": {"notify_after_s": 0} | dict(cast("dict[str, object]", tables.pop("discord", {})))}
    settings = Settings.model_validate(places | quick | calm | tables)
    # The simulator wants to know how many shards there are, and has hosts of its own.
    simulated = {"shard_count": 1, "picture_hosts": frozenset({"cdn.simcord.invalid"})}
    return settings.model_copy(update={"discord": settings.discord.model_copy(update=simulated)})


class OneSong:
    """A composer that plays the first seconds of one song, which the arranger has made, whatever it is asked for.

    Most stories are about where a song goes. Mastering, storage and posting are the real ones.
    """

    name = "arranger"

    def __init__(self, seconds: float = 0.0) -> None:
        """`seconds` is how long it seems to compose: time for a story to act."""
        self._seconds = seconds

    async def check(self) -> None: ...

    async def close(self) -> None: ...

    async def compose(self, brief: Brief, wish: Wish, provider_context: ProviderContext) -> RawTake:
        del brief, wish, provider_context
        await asyncio.sleep(self._seconds)
        return _first_seconds()


@cache
def _first_seconds() -> RawTake:
    take = make_take(a_brief(), Wish(seconds=10), 7)
    with wave.open(io.BytesIO(take.audio)) as whole:
        parameters, frames = whole.getparams(), whole.readframes(round(ONE_SONG_S * whole.getframerate()))
    cut = io.BytesIO()
    with wave.open(cut, "wb") as part:
        part.setparams(parameters)
        part.writeframes(frames)
    return replace(take, audio=cut.getvalue())


def a_client(
    settings: Settings,
    pool: WorkerPool,
    show: ServePages | None = None,
    *,
    composes: bool = False,
    composing_s: float = 0.0,
) -> MelodifyClient:
    """Return a bot on a real studio that shares the tests' worker processes.

    Songs are `OneSong`'s, which takes `composing_s`, unless the bot `composes`, or other providers are set.
    """
    providers = None
    embedded = ("palette", ("arranger",), "folder")
    if not composes and (settings.captioner, settings.players, settings.storage) == embedded:
        _first_seconds()  # made now: it would hold up the bot's loop
        captioner = PaletteCaptioner(pool, settings.song.caption_deadline_s)
        providers = Providers(captioner, OneSong(composing_s), FolderStorage(settings.folder.path))

    def opened(delivery: Delivery, *, health: Health) -> AbstractAsyncContextManager[Services]:
        simulated = Simulated(delivery, async_context.get())
        return open_services(settings, simulated, pool, providers=providers, health=health)

    return MelodifyClient(settings, opened, show, always_sync=True)


def a_channel(env: Env, guild: GuildHandle, denied: Sequence[str] = ()) -> ChannelHandle:
    """Return a new text channel where the bot lacks the `denied` permissions."""
    bot_user = UserHandle(env, env.backend.bot_user)
    overwrites: dict[Any, discord.PermissionOverwrite] = {
        bot_user: discord.PermissionOverwrite(**dict.fromkeys(denied, False))
    }
    return guild.create_text_channel(f"songs{next(_numbers)}", overwrites=overwrites)


@asynccontextmanager
async def world(
    settings: Settings,
    pool: WorkerPool,
    show: ServePages | None = None,
    *,
    composes: bool = False,
    composing_s: float = 0.0,
) -> AsyncIterator[World]:
    """Yield a world whose first channel the bot watches; the parameters after the pool are the client's."""
    # The channel is there before the bot, because its id is in the bot's settings.
    env = Env(discord.Client(intents=discord.Intents.none()), settle_timeout=SETTLE_S)
    guild = env.create_guild()
    channel = a_channel(env, guild)
    watching = {"watched_channels": frozenset({channel.id}), "message_content": True}
    settings = settings.model_copy(update={"discord": settings.discord.model_copy(update=watching)})
    env.bot = client = a_client(settings, pool, show, composes=composes, composing_s=composing_s)
    await env.start()
    here = World(env, client, pool, guild, channel, guild.add_member(env.create_user("mina")), composes)
    try:
        yield here
    finally:
        await here.client.close()
        await env.shutdown()
    assert_follows_conventions(env)
    assert env.errors_since(here.errors_before) == ()


def answer_of(result: InteractionResult) -> str:
    """Return what a member was answered, in the response or, where that was taken back, after it."""
    answers = [*([result.response] if result.response else []), *result.followups]
    return answers[-1].content


def pings_of(here: World, message: discord.Message) -> list[int]:
    """Return the members whom the message notifies. Discord lists whom it only names among the mentions too."""
    return here.env.backend.get_message(message.channel.id, message.id).ping_user_ids


def audio_of(message: discord.Message) -> discord.Attachment | None:
    """Return the message's MP3."""
    return next((file for file in message.attachments if file.filename.endswith(".mp3")), None)


async def seconds_of(message: discord.Message) -> float:
    """Return how long the message's MP3 plays, decoded to the end."""
    file = audio_of(message)
    assert file is not None
    with av.open(io.BytesIO(await file.read()), "r") as sound:
        frames = [frame for frame in sound.decode(audio=0) if isinstance(frame, av.AudioFrame)]
    return sum(frame.samples for frame in frames) / frames[0].sample_rate


def command_of(env: Env, member: MemberActor, channel: ChannelHandle, name: str) -> dict[str, Any]:
    """Return a command as it is offered to the member."""
    offered = env.backend.visible_commands(user_id=member.id, channel_id=channel.id)
    return next(dict(command) for command in offered if command["name"] == name)


def command_payload(
    env: Env, member: MemberActor, channel: ChannelHandle, options: dict[str, Any], locale: str = "en-US"
) -> dict[str, Any]:
    """Return what Discord sends when the member uses /melodify."""
    root = command_of(env, member, channel, "melodify")
    chosen, resolved = wire.build_options(member, "melodify", root, options, channel_id=channel.id)
    data = {"id": root["id"], "name": root["name"], "type": 1, "options": chosen, "resolved": resolved}
    _, payload = wire.base_payload(
        env.backend, type=2, channel_id=channel.id, guild_id=member.guild.id, user_id=member.id, data=data
    )
    return payload | {"locale": locale}


def post_payload(env: Env, message: discord.Message) -> dict[str, Any]:
    """Return what Discord sends when the message is posted."""
    return dict(serializers.message_payload(env.backend, env.backend.get_message(message.channel.id, message.id)))


async def acknowledge_times(env: Env, guild: GuildHandle, channel: ChannelHandle, count: int) -> list[float]:
    """Send so many commands, each of another member, at one moment; return the seconds until each was acknowledged."""
    members = [guild.add_member(env.create_user(f"member{number}")) for number in range(count)]
    await env.settle()
    payloads = [command_payload(env, member, channel, {"image": PICTURE}) for member in members]
    waiting = {int(payload["id"]) for payload in payloads}
    began, times = time.perf_counter(), []
    for payload in payloads:
        env.backend.emit("INTERACTION_CREATE", payload)
    while waiting and time.perf_counter() - began < SONG_S:
        await asyncio.sleep(0)
        done = {number for number in waiting if env.backend.interactions[number].responded}
        times += [time.perf_counter() - began] * len(done)
        waiting -= done
    return times + [float("inf")] * len(waiting)


async def bare_acknowledge_times(count: int) -> list[float]:
    """Return the same of a bot that does nothing but acknowledge."""
    client = commands.Bot((), intents=discord.Intents.none())

    @client.tree.command(name="melodify", description="acknowledge")
    async def acknowledge(interaction: discord.Interaction, image: discord.Attachment) -> None:
        del image
        await interaction.response.defer()

    client.setup_hook = client.tree.sync  # type: ignore[assignment]  # what it returns is not used
    env = Env(client, settle_timeout=SETTLE_S)
    guild = env.create_guild()
    channel = a_channel(env, guild)
    await env.start()
    try:
        return await acknowledge_times(env, guild, channel, count)
    finally:
        await env.shutdown()


def percentile(times: list[float], share: float) -> float:
    """Return the time that `share` of all stay under."""
    return sorted(times)[min(int(len(times) * share), len(times) - 1)]
