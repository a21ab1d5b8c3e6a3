"""Another song of a picture that is known already: asked for with a button, answered where the button is."""

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
    """Which song another one is wanted of, and how; with `same_reading` its picture is not read again."""

    entry: Entry
    wish: Wish
    same_reading: bool


@dataclass(frozen=True, slots=True)
class Retake:
    """Takes requests for further songs."""

    servers: GuildSettingsCache
    intake: Intake

    async def order(self, interaction: discord.Interaction[Any], look_up: Callable[[], Awaitable[RetakeOrder]]) -> None:
        """Order another song; the response must be free.

        Why there is none is the answer, unless `look_up` says so: what that raises comes through, but Unavailable.
        """
        token = answers_by_token(interaction)

        async def prepare() -> Request:
            wanted = await look_up()
            server = UNSET if token else await self.servers.of(interaction.guild_id)
            return request_of(
                interaction,
                server,
                wanted.wish,
                private=wanted.entry.private,
                parent_id=wanted.entry.song.job_id,
                same_reading=wanted.same_reading,
            )

        async def acknowledge(request: Request | None) -> bool:
            hidden = _is_hidden(interaction) if request is None else request.way != "press" and request.private
            # "Thinking" would be for everybody, and then a refusal too.
            thinking = token or hidden
            return await acknowledge_interaction(interaction, ephemeral=hidden, thinking=thinking)

        await self.intake.take(interaction, prepare, acknowledge)


def _is_hidden(interaction: discord.Interaction[Any]) -> bool:
    """Return whether only the presser sees the song. Asks no database: a private song must never be answered aloud."""
    return interaction.message is not None and interaction.message.flags.ephemeral


class RetakeBot(Bot):
    """A client whose buttons ask for further songs. These are there after `setup_hook` too."""

    retake: Retake
    like_counts: LikeCounts


Interaction = discord.Interaction[RetakeBot]


def wish_of(entry: Entry, **changes: object) -> Wish:
    """Return what the song was asked for with, changed; each take has a seed of its own."""
    wish = entry.song.wish or Wish(seconds=max(10, min(120, round(entry.song.duration_s))))
    changed: Wish = wish.model_copy(update={"seed": None, **changes})
    return changed.model_copy(update={"language": language_in(changed.locale)}) if changed.locale else changed
