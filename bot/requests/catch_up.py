"""Catches up on watched channels: serves what was posted while the bot was offline as if it came now.

Finds the messages that the bot has not answered. Each is then served by cog.py.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING

import discord
from discord.ext import commands
from discord.utils import snowflake_time, utcnow

from bot.discord_api.errors import map_discord_errors, with_discord_retry
from bot.interaction import Bot
from bot.requests.cog import may_concern_us
from bot.requests.in_flight import RequestsInFlight
from melodify_core.bootstrap import Services
from melodify_core.errors import MelodifyError, Unavailable

if TYPE_CHECKING:
    from melodify_core.library import ServerRules

log = logging.getLogger(__name__)
Readable = discord.TextChannel | discord.VoiceChannel | discord.StageChannel | discord.Thread
# How many of a channel's newest messages are read. The bot's answers are newer than what they answer, so they are
# among these messages.
MESSAGES = 50
SERVERS_AT_ONCE = 500
DATABASE_PAUSE_S = 2.0
# The pauses when a channel is read again, after all others: when sessions are lost, Discord is often down as a whole.
RETRY_PAUSES_S = (1.0, 2.0, 4.0, 8.0)


class CatchUp(commands.Cog):
    """Reads one channel after the other for messages without an answer."""

    def __init__(
        self,
        client: Bot,
        services: Services,
        in_flight: RequestsInFlight,
        serve: Callable[[discord.Message], Awaitable[None]],
    ) -> None:
        """`serve` handles a message like a new one, and ignores one that this process has seen."""
        self._client = client
        self._services = services
        self._settings = services.settings.discord
        self._in_flight = in_flight
        self._serve = serve
        self._ready: set[int] = set()
        # The servers to read, each with the time from which on to read.
        self._waiting: dict[int, datetime] = {}
        # The channels that could not be read because Discord was unavailable.
        self._unread: deque[tuple[Readable, datetime, ServerRules]] = deque()
        self._task: asyncio.Task[None] | None = None

    @commands.Cog.listener()
    async def on_shard_connect(self, shard_id: int) -> None:
        """Wait for the servers of a new session. After a resume there are none: Discord sends all missed events."""
        self._ready.discard(shard_id)

    @commands.Cog.listener()
    async def on_shard_ready(self, shard_id: int) -> None:
        """Catch up on the servers of a shard that has started, or that could not resume its session."""
        self._ready.add(shard_id)
        for guild in self._client.guilds:
            if guild.shard_id == shard_id:
                self._schedule(guild.id)

    @commands.Cog.listener()
    async def on_guild_available(self, guild: discord.Guild) -> None:
        """Catch up on a server that becomes available later, or again after an outage."""
        if guild.shard_id in self._ready:
            self._schedule(guild.id)

    async def close(self) -> None:
        """Stop. The next process reads the rest."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    def _schedule(self, guild_id: int) -> None:
        if not self._settings.catch_up_minutes or self._in_flight.stopping:
            return
        self._add(guild_id, utcnow() - timedelta(minutes=self._settings.catch_up_minutes))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._look_back(), name="catch up")
            self._task.add_done_callback(_log_defect)

    def _add(self, guild_id: int, since: datetime) -> None:
        self._waiting[guild_id] = min(since, self._waiting.get(guild_id, since))

    async def _look_back(self) -> None:
        while (self._waiting or self._unread) and not self._in_flight.stopping:
            try:
                await (self._read_batch() if self._waiting else self._read_again())
            except Unavailable as error:
                log.warning("looking back waits for the database, trying again in %g s: %s", DATABASE_PAUSE_S, error)
                await asyncio.sleep(DATABASE_PAUSE_S)

    async def _read_batch(self) -> None:
        batch = dict(islice(self._waiting.items(), SERVERS_AT_ONCE))
        rules = await asyncio.to_thread(self._services.guilds.rules_of, batch)
        for guild_id in batch:
            await self._read_server(guild_id, rules[guild_id])

    async def _read_again(self) -> None:
        channel, since, rules = self._unread.popleft()
        try:
            await self._read_channel(channel, since, rules, RETRY_PAUSES_S)
        except Unavailable:
            self._unread.append((channel, since, rules))
            raise

    async def _read_server(self, guild_id: int, rules: "ServerRules") -> None:
        # Removed first: a session that begins during the reading adds it again.
        since = self._waiting.pop(guild_id)
        guild = self._client.get_guild(guild_id)
        if guild is None or guild.unavailable:
            return
        watched = self._settings.watched_channels | rules.settings.watched_channels
        try:
            for channel in list(_channels(guild, watched, since)):
                if not await self._read_channel(channel, since, rules):
                    self._unread.append((channel, since, rules))
        except Unavailable:
            self._add(guild_id, since)
            raise

    async def _read_channel(
        self, channel: Readable, since: datetime, rules: "ServerRules", pauses_s: Sequence[float] = (0.5, 1.0, 2.0)
    ) -> bool:
        """Serve the messages without an answer, the oldest first; return False while Discord is unavailable.

        Raises Unavailable while the database is unavailable.
        """
        messages = await _history(channel, since, pauses_s)
        if messages is None:
            return False
        me = self._client.user.id if self._client.user else 0
        answered = {each.reference.message_id for each in messages if each.author.id == me and each.reference}
        for message in reversed(messages):
            if self._in_flight.stopping:
                break
            if message.author.bot or message.id in answered or not may_concern_us(message):
                continue
            if self._was_watched(message, rules) and not await self._services.studio.is_known(str(message.id)):
                await self._serve_missed(message, rules)
        return True

    def _was_watched(self, message: discord.Message, rules: "ServerRules") -> bool:
        """Return whether the message was meant for the bot when it was posted.

        A channel that moderators have chosen recently has older pictures. The time of that choice is not stored, but it
        is at or before the server's last change, so only later messages count.
        """
        if message.channel.id in self._settings.watched_channels or self._client.user in message.mentions:
            return True
        return message.created_at.timestamp() > rules.changed_at

    async def _serve_missed(self, message: discord.Message, rules: "ServerRules") -> None:
        log.info("message %s was posted while the bot was offline: serving it now", message.id)
        if self._services.settings.limits.roles or rules.settings.roles:
            await _add_roles(message)
        try:
            await self._serve(message)
        except Exception:  # noqa: BLE001 - as after an event: the client logs it and answers the asker
            await self._client.on_error("on_message", message)


def _log_defect(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("looking back broke off, it starts again with the next session", exc_info=error)


def _channels(guild: discord.Guild, watched: Collection[int], since: datetime) -> Iterator[Readable]:
    """Yield the watched channels to read; of a forum, the posts with messages since then."""
    for channel_id in sorted(watched):
        channel = guild.get_channel_or_thread(channel_id)
        if isinstance(channel, discord.ForumChannel):
            yield from (post for post in channel.threads if snowflake_time(post.last_message_id or post.id) > since)
        elif isinstance(channel, Readable):
            yield channel


async def _history(channel: Readable, since: datetime, pauses_s: Sequence[float]) -> list[discord.Message] | None:
    """Return the channel's newest messages, the newest first; none where it is deleted or not readable.

    Return None while Discord is unavailable.
    """

    async def read() -> list[discord.Message]:
        return [message async for message in channel.history(limit=MESSAGES, after=since, oldest_first=False)]

    try:
        with map_discord_errors():
            permissions = channel.permissions_for(channel.guild.me)
            # Check first: Discord blocks bots that make too many calls that it must refuse.
            if permissions.view_channel and permissions.read_message_history:
                return await with_discord_retry(read, pauses_s)
            log.info("channel %s: the bot may not read its history, it is left out", channel.id)
    except MelodifyError as error:
        log.warning("channel %s: its history was not read: %s", channel.id, error, exc_info=error.__cause__)
        return None if isinstance(error, Unavailable) else []
    return []


async def _add_roles(message: discord.Message) -> None:
    """Make the author a member with roles: histories contain authors without them, and roles may have limits."""
    guild, author = message.guild, message.author
    if guild is None:
        return
    try:
        with map_discord_errors():
            message.author = await with_discord_retry(lambda: guild.fetch_member(author.id))
    except MelodifyError as error:
        log.info("message %s: served without its author's roles, they cannot be read: %s", message.id, error)
