"""Another song of a picture that is known already: asked for with a button, answered where the button is."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import discord

from bot.discord_api import guild_settings as servers
from bot.discord_api import permissions as places
from bot.discord_api.errors import acknowledge_interaction
from bot.discord_api.guild_settings import GuildSettingsCache, language_in
from bot.requests.intake import Intake
from bot.requests.request import Request, Way, checked
from melodify_core.models import Entry, GuildSettings, Place, Wish

Interaction = discord.Interaction[Any]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which song another one is wanted of, and how; with `same_reading` its picture is not read again."""

    entry: Entry
    wish: Wish
    same_reading: bool


@dataclass(frozen=True, slots=True)
class Retake:
    """Takes requests for further songs."""

    servers: GuildSettingsCache
    intake: Intake

    async def order(self, interaction: Interaction, look_up: Callable[[], Awaitable[Wanted]]) -> None:
        """Order another song; the response must be free.

        Why there is none is the answer, unless `look_up` says so: what that raises comes through, but Unavailable.
        """
        token = places.answers_by_token(interaction)

        async def prepare() -> Request:
            wanted = await look_up()
            server = servers.UNSET if token else await self.servers.of(interaction.guild_id)
            return _request(interaction, server, wanted)

        async def acknowledge(request: Request | None) -> bool:
            hidden = _is_hidden(interaction) if request is None else request.way != "press" and request.private
            # "Thinking" would be for everybody, and then a refusal too.
            thinking = token or hidden
            return await acknowledge_interaction(interaction, ephemeral=hidden, thinking=thinking)

        await self.intake.take(interaction, prepare, acknowledge)


def _is_hidden(interaction: Interaction) -> bool:
    """Return whether only the presser sees the song. Asks no database: a private song must never be answered aloud."""
    return interaction.message is not None and interaction.message.flags.ephemeral


def _request(interaction: Interaction, server: GuildSettings, wanted: Wanted) -> Request:
    user, message = interaction.user, interaction.message
    private = wanted.entry.private
    hidden = private and interaction.guild_id is not None
    way: Way = "token" if places.answers_by_token(interaction) else "private" if hidden else "press"
    request = Request(
        first_id=str(interaction.id),
        way=way,
        user_id=user.id,
        wish=wanted.wish,
        place=_place(interaction, server),
        private=private,
        role_ids=tuple(role.id for role in user.roles) if isinstance(user, discord.Member) else (),
        token=interaction.token,
        message_id=message.id if message else 0,
        parent_id=wanted.entry.song.job_id,
        same_reading=wanted.same_reading,
    )
    public = interaction.guild_id is not None and way == "press"
    return checked(request, server, interaction.channel, interaction.app_permissions if public else None)


def _place(interaction: Interaction, server: GuildSettings) -> Place:
    token, channel = places.answers_by_token(interaction), interaction.channel
    kind = channel.type if channel else None
    return Place(
        channel_id=interaction.channel_id or 0,
        guild_id=interaction.guild_id,
        threadable=not token and server.threads and places.threadable(interaction.app_permissions, kind),
        max_bytes=interaction.filesize_limit if token else places.upload_limit(interaction.guild),
        archive_minutes=server.archive_minutes,
        adult=servers.is_adult(server, channel),
        token=interaction.token if token else None,
    )


def wish_of(entry: Entry, **changes: object) -> Wish:
    """Return what the song was asked for with, changed; each take has a seed of its own."""
    wish = entry.song.wish or Wish(seconds=max(10, min(120, round(entry.song.duration_s))))
    changed: Wish = wish.model_copy(update={"seed": None, **changes})
    return changed.model_copy(update={"language": language_in(changed.locale)}) if changed.locale else changed
