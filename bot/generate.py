"""Asking for a song: /melodify, pictures in watched channels, with a mention, and in direct messages.

Turns what Discord sent into an Order, hands it to the studio and shows the answer. Makes nothing itself.
"""

import asyncio
import logging
from collections import OrderedDict
from typing import cast

import discord
from discord.ext import commands

from bot.asks import Ask, CommandAsk, PostAsk, PrivateAsk, Request, pictures_in, reply
from bot.commands import Interaction, melodify_command
from bot.delivery import DiscordDelivery
from bot.faults import discord_errors
from bot.messages import say, sentence
from bot.places import missing, names_of, threadable
from bot.translator import language_of
from melodify_core.brief import HINT_CHARACTERS, clean
from melodify_core.errors import MelodifyError, Rejected, Unavailable
from melodify_core.models import Language, Order, Place, Wish
from melodify_core.studio import MEBIBYTE, Receipt, Studio

log = logging.getLogger(__name__)

REMEMBERED_ASKS = 2048


class Generate(commands.Cog):
    """Takes asks until it is told to stop."""

    def __init__(self, client: commands.AutoShardedBot, studio: Studio, delivery: DiscordDelivery) -> None:
        self._client = client
        self._studio = studio
        self._settings = studio.settings
        self._delivery = delivery
        self._seen: OrderedDict[int, None] = OrderedDict()
        self._serving: set[asyncio.Task[object]] = set()
        self._stopping = False
        # So many pictures are in memory at once, whatever number was posted.
        self._hands = asyncio.Semaphore(self._settings.work.jobs)

    async def cog_load(self) -> None:
        """Bring the command into the tree."""
        self._client.tree.add_command(melodify_command(self.on_command))

    async def stop(self) -> None:
        """Refuse new asks, and wait for those whose picture is being looked at."""
        self._stopping = True
        if self._serving:
            timeout_s = self._settings.discord.download_s + self._settings.picture.deadline_s
            await asyncio.wait(self._serving, timeout=timeout_s)

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
        private = private and interaction.guild_id is not None
        if not await _acknowledged(interaction, private=private):
            return
        wish = self._wish(interaction.locale, hint or "", style or "auto", seconds)
        kind = interaction.channel.type if interaction.channel else None
        in_channel = interaction.guild_id is not None and not private
        request = Request(
            job_id=str(interaction.id),
            user_id=interaction.user.id,
            attachment=image,
            wish=wish,
            threads=in_channel and threadable(interaction.app_permissions, kind),
            private=private,
            guild_id=interaction.guild_id,
            role_ids=_roles_of(interaction.user),
        )
        ask = PrivateAsk(interaction, request) if private else CommandAsk(interaction, request)
        await self._serve(ask, missing(interaction.app_permissions, kind) if in_channel else [])

    @commands.Cog.listener()
    async def on_message(self, message: discord.Message) -> None:
        """Serve a picture that was posted for us, and explain ourselves to a mention without one."""
        if message.author.bot or message.webhook_id or message.is_system() or not self._is_for_us(message):
            return
        if not self._first_time(message.id):
            return
        if pictures := pictures_in(message):
            await self._serve(*self._post_ask(message, pictures))
        elif message.guild is None or self._is_named_in(message):
            await self.say_to(message, "answer.help")

    def _post_ask(self, message: discord.Message, pictures: list[discord.Attachment]) -> tuple[Ask, list[str]]:
        permissions, kind = _permissions_in(message), message.channel.type
        request = Request(
            job_id=str(message.id),
            user_id=message.author.id,
            attachment=pictures[0],
            wish=self._wish(_locale_of_post(message), message.content, "auto", None),
            threads=message.guild is not None and threadable(permissions, kind),
            pictures=len(pictures),
            guild_id=message.guild.id if message.guild else None,
            role_ids=_roles_of(message.author),
        )
        return PostAsk(message, request), missing(permissions, kind) if message.guild else []

    async def _serve(self, ask: Ask, missing_permissions: list[str]) -> None:
        self._serving.add(task := cast("asyncio.Task[object]", asyncio.current_task()))
        request, language = ask.request, ask.request.wish.language
        try:
            place, receipt = await self._order(ask, missing_permissions)
        except MelodifyError as error:
            log.info("job %s: not taken: %s", request.job_id, error, exc_info=error.__cause__)
            await _answer(ask, sentence(language, error))
        else:
            if not receipt.repeated:
                await self._delivery.show_position(request.job_id, place, language, receipt.forecast)
        finally:
            self._serving.discard(task)

    async def _order(self, ask: Ask, missing_permissions: list[str]) -> tuple[Place, Receipt]:
        """Check what can be checked for nothing, then fetch the picture and hand the order in."""
        request = ask.request
        max_megabytes = self._settings.picture.max_megabytes
        if missing_permissions:
            raise Rejected("discord.missing", permissions=names_of(request.wish.language, missing_permissions))
        if request.attachment.size > max_megabytes * MEBIBYTE:
            raise Rejected("picture.too_large", limit_mb=max_megabytes)
        await self._studio.admit(request.user_id, request.guild_id, request.role_ids)
        async with self._hands:
            if self._stopping:
                raise Unavailable("discord.restarting")
            with discord_errors():
                async with asyncio.timeout(self._settings.discord.download_s):
                    picture = await request.attachment.read()
                place = await ask.open_status()
            order = Order(
                request.job_id, request.user_id, place, picture, request.wish, request.private, request.role_ids
            )
            return place, await self._studio.submit(order)

    async def say_to(self, message: discord.Message, key: str) -> None:
        """Reply to a post with a sentence of the catalogue. Never raises: there may be no right to reply."""
        try:
            with discord_errors():
                await reply(message, say(self._language_of_post(message), key), "h")
        except MelodifyError as error:
            log.info("message %s: not answered: %s", message.id, error)

    def _wish(self, locale: discord.Locale | None, hint: str, style: str, seconds: int | None) -> Wish:
        return Wish(
            hint=clean(hint, HINT_CHARACTERS),
            style=style,
            seconds=seconds or self._settings.song.default_seconds,
            language=language_of(locale) if locale else self._settings.language,
            locale=locale.value if locale else self._settings.language,
        )

    def _is_for_us(self, message: discord.Message) -> bool:
        watched = message.channel.id in self._settings.discord.watched_channels
        return message.guild is None or watched or self._client.user in message.mentions

    def _is_named_in(self, message: discord.Message) -> bool:
        # An answer to one of our messages mentions us too, but says nothing to us.
        return self._client.user is not None and self._client.user.id in message.raw_mentions

    def _language_of_post(self, message: discord.Message) -> Language:
        locale = _locale_of_post(message)
        return language_of(locale) if locale else self._settings.language

    def _first_time(self, message_id: int) -> bool:
        """Return False for a message that Discord sends again."""
        first = message_id not in self._seen
        self._seen[message_id] = None
        if len(self._seen) > REMEMBERED_ASKS:
            self._seen.popitem(last=False)
        return first


def _roles_of(user: discord.User | discord.Member) -> tuple[int, ...]:
    return tuple(role.id for role in user.roles) if isinstance(user, discord.Member) else ()


def _locale_of_post(message: discord.Message) -> discord.Locale | None:
    return message.guild.preferred_locale if message.guild else None


def _permissions_in(message: discord.Message) -> discord.Permissions:
    channel = message.channel
    if message.guild is None or isinstance(
        channel, discord.DMChannel | discord.GroupChannel | discord.PartialMessageable
    ):
        return discord.Permissions.none()
    return channel.permissions_for(message.guild.me)


async def _acknowledged(interaction: Interaction, *, private: bool) -> bool:
    """Acknowledge before anything else: Discord waits three seconds. False when there is nobody to serve."""
    try:
        await interaction.response.defer(ephemeral=private, thinking=True)
    except discord.HTTPException as error:
        # 40060: another process of ours was faster; 10062: we were too slow, the asker sees it.
        log.warning("interaction %s: not acknowledged: %s", interaction.id, error)
        return False
    return True


async def _answer(ask: Ask, text: str) -> None:
    try:
        with discord_errors():
            await ask.answer(text)
    except MelodifyError as error:
        log.warning("job %s: the asker was not answered: %s", ask.request.job_id, error, exc_info=error.__cause__)
