"""Requests for songs by /melodify, by a message's menu, and by posts: with a mention, in watched channels, in DMs.

Turns what Discord sends into a Request, and hands that to intake.py. The buttons under a song are in song_buttons.py.
"""

import logging
from collections import OrderedDict
from functools import partial

import discord
from discord.ext import commands

from bot.discord_api.errors import acknowledge_interaction, map_discord_errors
from bot.discord_api.guild_settings import LOCALES, UNSET, GuildSettingsCache, language_in, public_locale
from bot.discord_api.permissions import Channel, answers_by_token
from bot.i18n.messages import say
from bot.interaction import Bot, Interaction
from bot.requests.attachments import pictures_in, replied_pictures, sent_pictures, unreadable_in
from bot.requests.definitions import melodify_command, melodify_menu
from bot.requests.edit_form import is_covered
from bot.requests.in_flight import RequestsInFlight
from bot.requests.intake import Intake
from bot.requests.request import Request, request_of
from bot.requests.responders import reply
from melodify_core.brief import HINT_CHARACTERS, clean
from melodify_core.config.settings import Settings
from melodify_core.errors import MelodifyError
from melodify_core.hints import length_of
from melodify_core.models import GuildSettings, Wish
from melodify_core.providers import lengths_of

log = logging.getLogger(__name__)

REMEMBERED_MESSAGES = 2048


class SongRequests(commands.Cog):
    """Listens for commands and posts that ask for songs."""

    def __init__(
        self,
        client: Bot,
        settings: Settings,
        guild_settings: GuildSettingsCache,
        intake: Intake,
        in_flight: RequestsInFlight,
    ) -> None:
        self._client = client
        self._settings = settings
        self._in_flight = in_flight
        self._intake = intake
        self._servers = guild_settings
        self._seen: OrderedDict[int, None] = OrderedDict()

    async def cog_load(self) -> None:
        """Add the commands to the client's tree."""
        self._client.tree.add_command(melodify_command(self.on_command, lengths_of(self._settings)[1]))
        self._client.tree.add_command(melodify_menu(self.on_menu))

    async def on_command(
        self,
        interaction: Interaction,
        image: discord.Attachment,
        *,
        hint: str | None,
        style: str | None,
        seconds: int | None,
        private: bool,
    ) -> None:
        """Serve /melodify. In direct messages, `private` changes nothing."""
        private = private and (interaction.guild_id is not None or answers_by_token(interaction))

        async def prepare() -> Request:
            server = await self._server_of(interaction)
            locale = self._locale_of(interaction, server, private=private)
            wish = self._wish(server, locale, hint or "", style, seconds)
            return self._request(interaction, server, wish, [image], private=private)

        await self._intake.take(interaction, prepare, partial(_acknowledge, interaction, hidden=private))

    async def on_menu(self, interaction: Interaction, message: discord.Message) -> None:
        """Serve "Melodify" in a message's menu. The message may be another member's: its text is not a hint."""

        async def prepare() -> Request:
            server = await self._server_of(interaction)
            wish = self._wish(server, self._locale_of(interaction, server, private=False))
            borrowed = message.author.id != interaction.user.id or bool(message.message_snapshots)
            pictures = pictures_in(message)
            return self._request(interaction, server, wish, pictures, shows_picture=True, borrowed=borrowed)

        await self._intake.take(interaction, prepare, partial(_acknowledge, interaction))

    @commands.Cog.listener()
    async def on_message(self, message: discord.Message) -> None:
        """Serve pictures that were posted for the bot, and reply with help to a mention without one."""
        if message.author.bot or message.webhook_id or message.is_system():
            return
        if message.guild is None and not isinstance(message.channel, discord.DMChannel):
            return  # from a server that the bot has just left
        mentioned = self._client.user in message.mentions
        pictures = pictures_in(message)
        if message.guild is not None and not mentioned and not (pictures and await self._watches(message)):
            return
        if self._first_time(message.id):
            with self._in_flight.counted():
                await self._serve_post(message, pictures)

    async def _watches(self, message: discord.Message) -> bool:
        channel_id = message.channel.id
        if channel_id in self._settings.discord.watched_channels:
            return True
        # Without the intent, Discord does not send pictures without a mention: do not read the server's settings.
        if message.guild is None or not self._settings.discord.message_content:
            return False
        try:
            watched = (await self._in_flight.with_retry(lambda: self._server_at(message))).watched_channels
        except MelodifyError as error:
            log.warning("message %s: ignored, the settings of its server cannot be read: %s", message.id, error)
            return False
        return channel_id in watched or _forum_of(message.channel) in watched

    def _first_time(self, message_id: int) -> bool:
        """Return False for a message that Discord sends again."""
        first = message_id not in self._seen
        self._seen[message_id] = None
        if len(self._seen) > REMEMBERED_MESSAGES:
            self._seen.popitem(last=False)
        return first

    async def _serve_post(self, message: discord.Message, pictures: list[discord.Attachment]) -> None:
        # A reply to a message of the bot mentions the bot too, but is not addressed to it.
        mentioned = self._client.user is not None and self._client.user.id in message.raw_mentions
        borrowed = not pictures or bool(message.message_snapshots)
        if not pictures and (mentioned or message.guild is None):
            pictures = await replied_pictures(message)
        if not pictures:
            if mentioned or message.guild is None:
                await self.say_to(message, _help_for(message))
            return
        try:
            server = await self._in_flight.with_retry(lambda: self._server_at(message))
            wish = self._wish(server, self._locale_of_post(message, server), message.content)
            request = self._request(message, server, wish, pictures, shows_picture=True, borrowed=borrowed)
            await self._intake.take_post(request)
        except MelodifyError as error:
            log.warning("message %s: refused: %s", message.id, error, exc_info=error.__cause__)
            await self.say_to(message, f"error.{error.code}")

    def _request(
        self,
        source: discord.Message | Interaction,
        server: GuildSettings,
        wish: Wish,
        pictures: list[discord.Attachment],
        *,
        private: bool = False,
        shows_picture: bool = False,
        borrowed: bool = False,
    ) -> Request:
        taken = sent_pictures(pictures[: self._settings.discord.pictures_per_message])
        return request_of(
            source,
            server,
            wish,
            private=private,
            pictures=taken,
            sent=len(pictures),
            shows_picture=shows_picture,
            borrowed=borrowed,
        )

    async def say_to(self, message: discord.Message, key: str) -> None:
        """Reply to a post with a sentence of the catalogue. Never raises: the permission to reply may be missing."""
        try:
            server = await self._server_at(message)
        except MelodifyError:
            server = UNSET
        text = say(language_in(self._locale_of_post(message, server)), key)
        try:
            with map_discord_errors():
                guild_id = message.guild.id if message.guild else None
                channel = self._client.get_partial_messageable(message.channel.id, guild_id=guild_id)
                await reply(channel, message.id, text, f"h{message.id}")
        except MelodifyError as error:
            log.info("message %s: stays without an answer: %s", message.id, error)

    def _wish(
        self,
        server: GuildSettings,
        locale: str,
        hint: str = "",
        style: str | None = None,
        seconds: int | None = None,
    ) -> Wish:
        """Return the wish; the hint, the server's moderators, then the host decide what the member leaves open."""
        written, hint = hint, clean(hint, HINT_CHARACTERS)
        return Wish(
            hint=hint,
            covered=is_covered(written),
            style=style or server.style or "auto",
            seconds=seconds or self._length_of(hint) or server.seconds or self._settings.song.default_seconds,
            language=language_in(locale),
            locale=locale,
        )

    def _length_of(self, hint: str) -> int | None:
        shortest_s, longest_s = lengths_of(self._settings)
        seconds = length_of(hint)
        return seconds and min(max(seconds, shortest_s), longest_s)

    async def _server_of(self, interaction: Interaction) -> GuildSettings:
        # A server without the bot has no settings.
        return UNSET if answers_by_token(interaction) else await self._servers.of(interaction.guild_id)

    def _locale_of(self, interaction: Interaction, server: GuildSettings, *, private: bool) -> str:
        """Return the asker's locale, and in public answers the server's."""
        return (
            interaction.locale.value if private else public_locale(server, interaction.guild, interaction.locale.value)
        )

    def _locale_of_post(self, message: discord.Message, server: GuildSettings) -> str:
        """Return the server's locale: Discord does not send the author's."""
        return public_locale(server, message.guild, LOCALES[self._settings.language])

    async def _server_at(self, message: discord.Message) -> GuildSettings:
        return await self._servers.of(message.guild.id if message.guild else None)


def may_concern_us(message: discord.Message) -> bool:
    """Return whether `on_message` must be called. For most messages, this check is all that happens."""
    return bool(message.attachments or message.mentions or message.message_snapshots or message.guild is None)


def _help_for(message: discord.Message) -> str:
    """Return the key of the answer to a message without a picture."""
    if kind := unreadable_in(message):
        return f"answer.unreadable.{kind}"
    if message.reference:
        return "answer.no_picture"
    return "answer.help" if message.guild else "answer.help_direct"


async def _acknowledge(interaction: Interaction, request: Request | None, *, hidden: bool = False) -> bool:
    """Show "thinking...", to the asker alone if the answer will be for nobody else."""
    refused = request is not None and request.refused is not None
    return await acknowledge_interaction(interaction, ephemeral=hidden or refused)


def _forum_of(channel: Channel) -> int | None:
    """Return the forum whose post the channel is, None for any other thread: members talk about songs there."""
    if isinstance(channel, discord.Thread) and isinstance(channel.parent, discord.ForumChannel):
        return channel.parent_id
    return None
