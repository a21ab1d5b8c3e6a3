"""Another song of a picture that is known already: ordered from a button, answered where the button is."""

import logging
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import discord

from bot import places, servers
from bot.answers import tell
from bot.delivery import DiscordDelivery, link_to
from bot.faults import discord_errors, told_errors
from bot.messages import say, sentence
from bot.servers import Servers, language_in
from bot.serving import Serving
from melodify_core.errors import MelodifyError, Unavailable
from melodify_core.models import Brief, Entry, GuildSettings, Language, Order, Place, Wish
from melodify_core.studio import Studio

log = logging.getLogger(__name__)
Interaction = discord.Interaction[Any]


@dataclass(frozen=True, slots=True)
class Again:
    """Takes orders for further songs."""

    studio: Studio
    delivery: DiscordDelivery
    servers: Servers
    serving: Serving

    async def order(self, interaction: Interaction, entry: Entry, wish: Wish, brief: Brief | None) -> None:
        """Order a song of the entry's picture; with a Brief the picture is not read again. The response must be free.

        Never raises a MelodifyError: what goes wrong is the answer.
        """
        with self.serving.one():
            answer = await _answer_to(interaction, hidden=entry.private and interaction.guild_id is not None)
            try:
                with told_errors():
                    await self._order(interaction, answer, entry, wish, brief)
            except MelodifyError as error:
                log.info("interaction %s: not taken: %s", interaction.id, error, exc_info=error.__cause__)
                await answer.refuse(wish.language, error)

    async def _order(
        self, interaction: Interaction, answer: "_Answer", entry: Entry, wish: Wish, brief: Brief | None
    ) -> None:
        user, guild_id = interaction.user, interaction.guild_id
        roles = tuple(role.id for role in user.roles) if isinstance(user, discord.Member) else ()
        server = servers.UNSET if places.by_token(interaction) else await self.servers.of(guild_id)
        self._check(interaction, server, wish)
        if self.serving.stopping:
            raise Unavailable("discord.restarting")
        await self.studio.admit(user.id, guild_id, roles)
        picture = await self.studio.takes.picture(entry)
        line = await answer.begin(say(wish.language, "status.received"))
        place = self._place(interaction, server, line)
        order = Order(
            str(interaction.id),
            user.id,
            place,
            picture,
            wish,
            entry.private,
            roles,
            brief,
            entry.song.job_id,
            link_to(entry.guild_id if not entry.private else None, entry.channel_id, entry.message_id)
            if entry.message_id
            else "",
        )
        receipt = await self.studio.submit(order)
        if not receipt.repeated:
            await self.delivery.show_position(order.job_id, place, wish.language, receipt.forecast, receipt.page_id)

    def _check(self, interaction: Interaction, server: GuildSettings, wish: Wish) -> None:
        """Raise Rejected where there can be no song."""
        if interaction.guild_id is None or places.by_token(interaction):
            return
        channel = interaction.channel
        parent_id = channel.parent_id if isinstance(channel, discord.Thread) else None
        servers.check(server, interaction.channel_id or 0, parent_id, interaction.user.id)
        places.check(wish.language, interaction.app_permissions, channel)

    def _place(self, interaction: Interaction, server: GuildSettings, line: discord.Message) -> Place:
        token, channel = places.by_token(interaction), interaction.channel
        kind = channel.type if channel else None
        return Place(
            channel_id=line.channel.id,
            guild_id=interaction.guild_id,
            status_id=line.id,
            threadable=not token and server.threads and places.threadable(interaction.app_permissions, kind),
            max_bytes=interaction.filesize_limit if token else places.upload_limit(interaction.guild),
            archive_minutes=server.archive_minutes,
            adult=servers.is_adult(server, channel),
            token=interaction.token if token else None,
        )


class _Answer:
    """What is said where the button is: the status, for everybody, or why there is none, for the presser alone."""

    def __init__(self, interaction: Interaction) -> None:
        self._interaction = interaction
        self._line: discord.WebhookMessage | None = None

    async def begin(self, text: str) -> discord.Message:
        """Post the status. Raises discord.py's errors, as the others here do not."""
        self._line = await self._interaction.followup.send(text, wait=True)
        return self._line

    async def refuse(self, language: Language, error: MelodifyError) -> None:
        """Say why there will be no song; a status that stands there already goes."""
        if self._line is not None:
            with suppress(discord.HTTPException):
                await self._line.delete()
        await tell(self._interaction, language, error)


class _OwnAnswer(_Answer):
    """The same where all of it is for the presser's eyes, or comes through the press itself: one message."""

    async def begin(self, text: str) -> discord.Message:
        return await self._interaction.edit_original_response(content=text)

    async def refuse(self, language: Language, error: MelodifyError) -> None:
        with discord_errors():
            await self._interaction.edit_original_response(content=sentence(language, error), view=None)


async def _answer_to(interaction: Interaction, *, hidden: bool) -> _Answer:
    """Acknowledge the press. Raises discord.py's errors."""
    if hidden or places.by_token(interaction):
        await interaction.response.defer(ephemeral=hidden, thinking=True)
        return _OwnAnswer(interaction)
    # "Thinking" would be for everybody, and then a refusal too.
    await interaction.response.defer()
    return _Answer(interaction)


def wish_of(entry: Entry, **changes: object) -> Wish:
    """Return what the song was asked for with, changed; each take has a seed of its own."""
    wish = entry.song.wish or Wish(seconds=max(10, min(120, round(entry.song.duration_s))))
    changed: Wish = wish.model_copy(update={"seed": None, **changes})
    return changed.model_copy(update={"language": language_in(changed.locale)}) if changed.locale else changed
