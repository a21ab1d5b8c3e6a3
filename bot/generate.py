"""Asking for songs: /melodify, the menu of a message, pictures in watched channels, with a mention, in direct messages.

Turns what Discord sent into an Ask. What becomes of that stands in intake.py.
"""

import logging
from collections import OrderedDict
from functools import partial

import aiohttp
import discord
from discord.ext import commands

from bot import places, servers
from bot.asks import CommandAsk, PostAsk, PrivateAsk, Request, TokenAsk, reply
from bot.commands import Interaction, melodify_command, melodify_menu
from bot.delivery import DiscordDelivery
from bot.faults import discord_errors, retried
from bot.intake import Intake
from bot.messages import say
from bot.pictures import answered_pictures, pictures_in
from bot.servers import LOCALES, Servers, language_in, public_locale
from bot.serving import Serving
from melodify_core.brief import HINT_CHARACTERS, clean
from melodify_core.errors import MelodifyError
from melodify_core.models import GuildSettings, Language, Place, Wish
from melodify_core.studio import Studio

log = logging.getLogger(__name__)

REMEMBERED_ASKS = 2048
# discord.com/developers/docs/topics/opcodes-and-status-codes
ACKNOWLEDGED = 40060
ACKNOWLEDGE_PAUSES_S = (0.3, 0.6)


class Generate(commands.Cog):
    """Listens for asks."""

    def __init__(
        self, client: commands.AutoShardedBot, studio: Studio, delivery: DiscordDelivery, serving: Serving
    ) -> None:
        self._client = client
        self._settings = studio.settings
        self._serving = serving
        self._intake = Intake(studio, delivery, serving)
        self.servers = Servers(studio.guilds)
        self._seen: OrderedDict[int, None] = OrderedDict()

    async def cog_load(self) -> None:
        """Bring the commands into the tree."""
        self._client.tree.add_command(melodify_command(self.on_command))
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
        """Serve /melodify. In direct messages everything is private as it is."""
        private = private and (interaction.guild_id is not None or places.by_token(interaction))
        with self._serving.one():
            if await _acknowledged(interaction, private=private):
                server = await self._server_of(interaction)
                locale = self._locale_of(interaction, server, private=private)
                wish = self._wish(server, locale, hint or "", style, seconds)
                await self._serve(interaction, server, wish, [image], private=private)

    async def on_menu(self, interaction: Interaction, message: discord.Message) -> None:
        """Serve "Melodify" in a message's menu. What the message says is somebody else's, and no wish."""
        with self._serving.one():
            if await _acknowledged(interaction, private=False):
                server = await self._server_of(interaction)
                wish = self._wish(server, self._locale_of(interaction, server, private=False))
                await self._serve(interaction, server, wish, pictures_in(message))

    @commands.Cog.listener()
    async def on_message(self, message: discord.Message) -> None:
        """Serve pictures that were posted for us, and explain ourselves to a mention without one."""
        if message.author.bot or message.webhook_id or message.is_system():
            return
        if message.guild is None and not isinstance(message.channel, discord.DMChannel):
            return  # the last words of a server that the bot has just left
        mentioned = self._client.user in message.mentions
        pictures = pictures_in(message)
        if message.guild is not None and not mentioned and not (pictures and await self._watches(message)):
            return
        if self._first_time(message.id):
            with self._serving.one():
                await self._serve_post(message, pictures)

    async def _serve_post(self, message: discord.Message, pictures: list[discord.Attachment]) -> None:
        named = self._is_named_in(message)
        if not pictures and (named or message.guild is None):
            pictures = await answered_pictures(message)
        if not pictures:
            if named or message.guild is None:
                await self.say_to(message, "answer.no_picture" if message.reference else "answer.help")
            return
        server = await self.servers.of(message.guild.id if message.guild else None)
        wish = self._wish(server, self._locale_of_post(message, server), message.content)
        permissions, channel = places.permissions_in(message), message.channel
        place = Place(
            channel_id=channel.id,
            guild_id=message.guild.id if message.guild else None,
            threadable=server.threads and places.threadable(permissions, channel.type),
            max_bytes=places.upload_limit(message.guild),
            archive_minutes=server.archive_minutes,
            adult=servers.is_adult(server, channel),
        )
        request = self._request(message, pictures, wish, place, message.author)
        check = partial(_check, request, server, channel, permissions if message.guild else None)
        await self._intake.serve(PostAsk(self._client, message, request), check)

    async def _serve(
        self,
        interaction: Interaction,
        server: GuildSettings,
        wish: Wish,
        pictures: list[discord.Attachment],
        *,
        private: bool = False,
    ) -> None:
        channel, token = interaction.channel, places.by_token(interaction)
        permissions = interaction.app_permissions
        place = Place(
            channel_id=interaction.channel_id or 0,
            guild_id=interaction.guild_id,
            threadable=not token
            and server.threads
            and places.threadable(permissions, channel.type if channel else None),
            max_bytes=interaction.filesize_limit if token else places.upload_limit(interaction.guild),
            archive_minutes=server.archive_minutes,
            adult=not private and servers.is_adult(server, channel),
            token=interaction.token if token else None,
        )
        request = self._request(interaction, pictures, wish, place, interaction.user, private=private)
        kind = TokenAsk if token else PrivateAsk if private else CommandAsk
        public = interaction.guild_id is not None and kind is CommandAsk
        check = partial(_check, request, server, channel, permissions if public else None)
        await self._intake.serve(kind(interaction, request), check)

    def _request(
        self,
        source: discord.Message | Interaction,
        pictures: list[discord.Attachment],
        wish: Wish,
        place: Place,
        user: discord.User | discord.Member,
        *,
        private: bool = False,
    ) -> Request:
        return Request(
            first_id=str(source.id),
            user_id=user.id,
            pictures=tuple(pictures[: self._settings.discord.pictures_per_message]),
            sent=len(pictures),
            wish=wish,
            place=place,
            private=private,
            role_ids=tuple(role.id for role in user.roles) if isinstance(user, discord.Member) else (),
        )

    async def say_to(self, message: discord.Message, key: str) -> None:
        """Reply to a post with a sentence of the catalogue. Never raises: there may be no right to reply."""
        try:
            with discord_errors():
                await reply(message, say(await self._language_of_post(message), key), f"h{message.id}")
        except MelodifyError as error:
            log.info("message %s: not answered: %s", message.id, error)

    def _wish(
        self,
        server: GuildSettings,
        locale: str,
        hint: str = "",
        style: str | None = None,
        seconds: int | None = None,
    ) -> Wish:
        """Return the wish; what the member leaves open the server's moderators decide, then the host."""
        return Wish(
            hint=clean(hint, HINT_CHARACTERS),
            style=style or server.style or "auto",
            seconds=seconds or server.seconds or self._settings.song.default_seconds,
            language=language_in(locale),
            locale=locale,
        )

    async def _server_of(self, interaction: Interaction) -> GuildSettings:
        # Where the bot is not, there is nobody to have set anything.
        return servers.UNSET if places.by_token(interaction) else await self.servers.of(interaction.guild_id)

    def _locale_of(self, interaction: Interaction, server: GuildSettings, *, private: bool) -> str:
        """Return the asker's locale, and in public answers the server's."""
        return (
            interaction.locale.value if private else public_locale(server, interaction.guild, interaction.locale.value)
        )

    def _locale_of_post(self, message: discord.Message, server: GuildSettings) -> str:
        """Return the server's locale: Discord does not tell the author's."""
        return public_locale(server, message.guild, LOCALES[self._settings.language])

    async def _language_of_post(self, message: discord.Message) -> Language:
        server = await self.servers.of(message.guild.id if message.guild else None)
        return language_in(self._locale_of_post(message, server))

    async def _watches(self, message: discord.Message) -> bool:
        channel_id = message.channel.id
        if channel_id in self._settings.discord.watched_channels:
            return True
        # Without the intent Discord shows us no such pictures, and nobody needs to be asked about them.
        if message.guild is None or not self._settings.discord.message_content:
            return False
        watched = (await self.servers.of(message.guild.id)).watched_channels
        return channel_id in watched or _forum_of(message.channel) in watched

    def _is_named_in(self, message: discord.Message) -> bool:
        # An answer to one of our messages mentions us too, but says nothing to us.
        return self._client.user is not None and self._client.user.id in message.raw_mentions

    def _first_time(self, message_id: int) -> bool:
        """Return False for a message that Discord sends again."""
        first = message_id not in self._seen
        self._seen[message_id] = None
        if len(self._seen) > REMEMBERED_ASKS:
            self._seen.popitem(last=False)
        return first


def may_concern_us(message: discord.Message) -> bool:
    """Return whether `on_message` need be called at all; for most messages it need not, and this is all they cost."""
    return bool(message.attachments or message.mentions or message.message_snapshots or message.guild is None)


def _check(
    request: Request, server: GuildSettings, channel: places.Channel, permissions: discord.Permissions | None
) -> None:
    """Raise Rejected where there can be no song; without `permissions` it does not go into the channel."""
    parent_id = channel.parent_id if isinstance(channel, discord.Thread) else None
    servers.check(server, request.place.channel_id, parent_id, request.user_id)
    if permissions is not None:
        places.check(request.wish.language, permissions, channel)


def _forum_of(channel: places.Channel) -> int | None:
    """Return the forum whose post the channel is. Other threads are where songs are talked about."""
    if isinstance(channel, discord.Thread) and isinstance(channel.parent, discord.ForumChannel):
        return channel.parent_id
    return None


async def _acknowledged(interaction: Interaction, *, private: bool) -> bool:
    """Acknowledge before anything else: Discord waits three seconds. False when there is nobody to serve."""
    tries = 0

    async def defer() -> None:
        nonlocal tries
        tries += 1
        await interaction.response.defer(ephemeral=private, thinking=True)

    try:
        await retried(defer, ACKNOWLEDGE_PAUSES_S)
    except discord.HTTPException as error:
        if tries > 1 and error.code == ACKNOWLEDGED:
            return True  # by the try whose answer was lost
        # Acknowledged: another process of ours was faster; 10062: we were too slow, the asker sees it.
        log.warning("interaction %s: not acknowledged: %s", interaction.id, error)
        return False
    except (aiohttp.ClientError, OSError) as error:
        log.warning("interaction %s: not acknowledged: %s", interaction.id, error)
        return False
    return True
