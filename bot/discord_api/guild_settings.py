"""Reads what a server's moderators have set: who may ask where, and in which language the bot answers."""

import asyncio
import logging
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import discord

from bot.discord_api.permissions import Channel
from bot.i18n.translator import language_of
from melodify_core.errors import Rejected, Unavailable
from melodify_core.models import GuildSettings, Language

if TYPE_CHECKING:
    from melodify_core.library import Guilds

log = logging.getLogger(__name__)
CACHED_SERVERS = 4096
CACHED_S = 10.0
NAMED_CHANNELS = 5
UNSET = GuildSettings()
LOCALES: dict[Language, str] = {"en": "en-US", "ko": "ko"}


@dataclass(slots=True)
class _CachedSettings:
    settings: GuildSettings | None = None  # None: not known yet
    generation: int = 0
    until: float = 0.0


class GuildSettingsCache:
    """Caches servers' settings for some seconds, so that most messages need no query.

    A change by this process takes effect at once, one by another process after `cached_s` seconds.
    """

    def __init__(self, guilds: "Guilds", cached_s: float = CACHED_S) -> None:
        self._guilds = guilds
        self._cached_s = cached_s
        self._cached = lru_cache(CACHED_SERVERS)(lambda _guild_id: _CachedSettings())
        self._reads: dict[tuple[int, int], asyncio.Task[GuildSettings]] = {}

    async def of(self, guild_id: int | None) -> GuildSettings:
        """Return the server's settings, the last known ones while the database is unavailable.

        Raises Unavailable when none are known.
        """
        if guild_id is None:
            return UNSET
        now, generation = asyncio.get_running_loop().time(), self._guilds.generation
        cached = self._cached(guild_id)
        if cached.settings is not None and cached.generation == generation and now < cached.until:
            return cached.settings
        try:
            settings = await self._read(guild_id, generation)
        except Unavailable as error:
            log.warning("server %s: its settings cannot be read, using the last known ones if any: %s", guild_id, error)
            if cached.settings is None:
                raise
            return cached.settings
        cached.settings, cached.generation, cached.until = settings, generation, now + self._cached_s
        return settings

    async def _read(self, guild_id: int, generation: int) -> GuildSettings:
        """Read from the database, once for all callers that wait at the same moment."""
        key = guild_id, generation
        if (reading := self._reads.get(key)) is None:
            reading = self._reads[key] = asyncio.create_task(asyncio.to_thread(self._guilds.settings_of, guild_id))
            reading.add_done_callback(lambda done: (self._reads.pop(key, None), done.cancelled() or done.exception()))
        # A caller that is cancelled must not cancel the read of the others.
        return await asyncio.shield(reading)


def check(settings: GuildSettings, channel_id: int, parent_id: int | None, user_id: int) -> None:
    """Raise Rejected when the moderators have blocked the member, or songs in the channel or its parent."""
    if user_id in settings.blocked_users:
        raise Rejected("limit.blocked")
    channels = {channel_id, parent_id}
    if channels & settings.denied_channels:
        raise Rejected("channel.denied")
    # A watched channel is an allowed one.
    if settings.allowed_channels and not channels & (settings.allowed_channels | settings.watched_channels):
        named = sorted(settings.allowed_channels)[:NAMED_CHANNELS]
        raise Rejected("channel.elsewhere", channels=" ".join(f"<#{number}>" for number in named))


def is_adult(settings: GuildSettings, channel: Channel) -> bool:
    """Return whether the server allows sexual pictures in the channel: only in those that Discord restricts by age."""
    if settings.nsfw != "age_restricted":
        return False
    kinds = discord.TextChannel | discord.VoiceChannel | discord.StageChannel | discord.Thread
    return isinstance(channel, kinds) and channel.is_nsfw()


def public_locale(settings: GuildSettings, guild: discord.Guild | None, other: str) -> str:
    """Return the locale of answers that everybody in the server can read.

    That is the moderators' choice, else the server's preferred locale, else `other`. Only community servers can
    choose a preferred locale; for all others Discord sends en-US, which is then not a choice
    (discord.com/developers/docs/resources/guild#guild-object).
    """
    if settings.language is not None:
        return LOCALES[settings.language]
    if guild is None:
        return other
    chosen = guild.preferred_locale is not discord.Locale.american_english or "COMMUNITY" in guild.features
    return guild.preferred_locale.value if chosen else other


def language_in(locale: str) -> Language:
    """Return our language for one of Discord's locale codes; English for an unknown code."""
    try:
        return language_of(discord.Locale(locale))
    except ValueError:
        return "en"
