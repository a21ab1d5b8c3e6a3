"""What a server's moderators have set, as far as it decides who may ask where, and in which words the answer comes."""

import asyncio
import logging
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import discord

from bot.discord_api.permissions import Channel
from bot.i18n.translator import language_of
from melodify_core.errors import Rejected, Unavailable
from melodify_core.models import GuildSettings, Language

if TYPE_CHECKING:
    from melodify_core.library import Guilds

log = logging.getLogger(__name__)
REMEMBERED_SERVERS = 4096
REMEMBERED_S = 10.0
NAMED_CHANNELS = 5
UNSET = GuildSettings()
LOCALES: dict[Language, str] = {"en": "en-US", "ko": "ko"}


@dataclass(slots=True)
class _Known:
    settings: GuildSettings
    generation: int
    until: float


class GuildSettingsCache:
    """Remembers servers' settings for some seconds, so that most messages cost no query.

    A change by this process is seen at once, one by another process after `remembered_s` seconds.
    """

    def __init__(self, guilds: "Guilds", remembered_s: float = REMEMBERED_S) -> None:
        self._guilds = guilds
        self._remembered_s = remembered_s
        self._known: OrderedDict[int, _Known] = OrderedDict()
        self._asking: dict[tuple[int, int], asyncio.Task[GuildSettings]] = {}

    async def of(self, guild_id: int | None) -> GuildSettings:
        """Return the server's settings; what is known last must do while the database is away.

        Raises Unavailable where nothing is known.
        """
        if guild_id is None:
            return UNSET
        now, generation = asyncio.get_running_loop().time(), self._guilds.generation
        known = self._known.get(guild_id)
        if known is not None and known.generation == generation and now < known.until:
            return known.settings
        try:
            settings = await self._asked(guild_id, generation)
        except Unavailable as error:
            log.warning("server %s: its settings cannot be read: %s", guild_id, error)
            if known is None:
                raise
            return known.settings
        self._known[guild_id] = _Known(settings, generation, now + self._remembered_s)
        self._known.move_to_end(guild_id)
        if len(self._known) > REMEMBERED_SERVERS:
            self._known.popitem(last=False)
        return settings

    async def _asked(self, guild_id: int, generation: int) -> GuildSettings:
        """Ask the database, once for all who want to know at one moment."""
        key = guild_id, generation
        if (asking := self._asking.get(key)) is None:
            asking = self._asking[key] = asyncio.create_task(asyncio.to_thread(self._guilds.settings_of, guild_id))
            asking.add_done_callback(lambda done: (self._asking.pop(key, None), done.cancelled() or done.exception()))
        # One who gives up takes the answer from nobody else.
        return await asyncio.shield(asking)


def check(settings: GuildSettings, channel_id: int, parent_id: int | None, user_id: int) -> None:
    """Raise Rejected when the moderators do not want this member, or songs in this channel or its parent."""
    if user_id in settings.blocked_users:
        raise Rejected("limit.blocked")
    here = {channel_id, parent_id}
    if here & settings.denied_channels:
        raise Rejected("channel.denied")
    # Whoever has a channel watched wants songs there.
    if settings.allowed_channels and not here & (settings.allowed_channels | settings.watched_channels):
        named = sorted(settings.allowed_channels)[:NAMED_CHANNELS]
        raise Rejected("channel.elsewhere", channels=" ".join(f"<#{number}>" for number in named))


def is_adult(settings: GuildSettings, channel: Channel) -> bool:
    """Return whether the server lets sexual pictures through here: only where Discord itself asks for the age."""
    if settings.nsfw != "age_restricted":
        return False
    kinds = discord.TextChannel | discord.VoiceChannel | discord.StageChannel | discord.Thread
    return isinstance(channel, kinds) and channel.is_nsfw()


def public_locale(settings: GuildSettings, guild: discord.Guild | None, other: str) -> str:
    """Return the locale of answers that all in the server read.

    That is the moderators' choice, else the server's preferred locale, else `other`. Only community servers can
    choose a preferred locale; for all others Discord says en-US, which is then no choice
    (discord.com/developers/docs/resources/guild#guild-object).
    """
    if settings.language is not None:
        return LOCALES[settings.language]
    if guild is None:
        return other
    chosen = guild.preferred_locale is not discord.Locale.american_english or "COMMUNITY" in guild.features
    return guild.preferred_locale.value if chosen else other


def language_in(locale: str) -> Language:
    """Return our language for a locale as Discord writes it."""
    try:
        return language_of(discord.Locale(locale))
    except ValueError:
        return "en"
