"""Requests for another song of a song's picture, by a button under the song. The buttons are in song_buttons.py."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import discord

from bot.discord_api.errors import acknowledge_interaction
from bot.discord_api.guild_settings import UNSET, GuildSettingsCache, language_in
from bot.discord_api.permissions import answers_by_token
from bot.interaction import Bot
from bot.posts.like_count import LikeCounts
from bot.requests.intake import Intake
from bot.requests.request import Request, request_of
from melodify_core.models import Entry, Wish


@dataclass(frozen=True, slots=True)
class RetakeOrder:
    """The song whose picture gets another song, and the new wish. With `same_reading` the picture is not read again."""

    entry: Entry
    wish: Wish
    same_reading: bool


@dataclass(frozen=True, slots=True)
class Retake:
    """Takes requests for another song."""

    servers: GuildSettingsCache
    intake: Intake

    async def order(self, interaction: discord.Interaction[Any], look_up: Callable[[], Awaitable[RetakeOrder]]) -> None:
        """Request another song; the interaction must not be acknowledged yet.

        A refusal is answered, except an error of `look_up`: that is raised, unless it is Unavailable.
        """
        token = answers_by_token(interaction)

        async def prepare() -> Request:
            order = await look_up()
            server = UNSET if token else await self.servers.of(interaction.guild_id)
            return request_of(
                interaction,
                server,
                order.wish,
                private=order.entry.private,
                parent_id=order.entry.song.job_id,
                same_reading=order.same_reading,
            )

        async def acknowledge(request: Request | None) -> bool:
            hidden = _is_hidden(interaction) if request is None else request.way != "press" and request.private
            # Show no public "thinking...": a refusal would have to replace it in public.
            thinking = token or hidden
            return await acknowledge_interaction(interaction, ephemeral=hidden, thinking=thinking)

        await self.intake.take(interaction, prepare, acknowledge)


def _is_hidden(interaction: discord.Interaction[Any]) -> bool:
    """Return whether only the presser sees the song. Needs no database: a private song is never answered in public."""
    return interaction.message is not None and interaction.message.flags.ephemeral


class RetakeBot(Bot):
    """A client whose buttons request further songs. The attributes exist after `setup_hook`."""

    retake: Retake
    like_counts: LikeCounts


Interaction = discord.Interaction[RetakeBot]


def wish_of(entry: Entry, **changes: object) -> Wish:
    """Return the wish of the song with changes and without its seed: each take has its own."""
    wish = entry.song.wish or Wish(seconds=max(10, min(120, round(entry.song.duration_s))))
    changed: Wish = wish.model_copy(update={"seed": None, **changes})
    return changed.model_copy(update={"language": language_in(changed.locale)}) if changed.locale else changed
