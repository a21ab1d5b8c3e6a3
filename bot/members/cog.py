"""What members ask about themselves: /songs, /queue, /quota, /melodify-me, /forget-me, /help.

Only the member sees the answers.
"""

import asyncio
from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from bot.discord_api.components import view_of
from bot.discord_api.ephemeral import answer_ephemerally
from bot.i18n.messages import say, sentence
from bot.i18n.translator import localised
from bot.interaction import Bot, Interaction
from bot.members.definitions import member_command, plain_command
from bot.members.forget_me import ForgetButton
from bot.members.help import help_text
from bot.members.me import me_command
from bot.members.queue_text import queue_text
from bot.members.songs_list import Listing, SongMenu, TurnButton, visible_channels
from melodify_core.bootstrap import Services
from melodify_core.models import Language
from melodify_core.usage.quota import Quota


class Members(commands.Cog):
    """The members' commands."""

    def __init__(self, client: Bot, services: Services) -> None:
        self._client = client
        self._services = services
        self._members = services.members

    async def cog_load(self) -> None:
        """Add the commands to the tree, and register their buttons."""
        for command in (
            self._songs_command(),
            plain_command("queue", self._queue),
            plain_command("quota", self._quota),
            me_command(self._members, paged=bool(self._services.settings.web.public_url)),
            plain_command("forget_me", self._forget_me),
            plain_command("help", self._help),
        ):
            self._client.tree.add_command(command)
        self._client.add_dynamic_items(TurnButton, SongMenu, ForgetButton)

    async def songs(self, interaction: Interaction, listing: Listing) -> None:
        """Show the first page of a list of songs."""

        async def answer(interaction: Interaction, language: Language) -> None:
            page = await listing.fetch(self._members, interaction)
            await interaction.edit_original_response(
                embed=listing.embed(language, page), view=listing.view(language, page)
            )

        await answer_ephemerally(interaction, answer)

    async def _quota(self, interaction: Interaction, language: Language) -> None:
        """Show how many songs the member has left."""
        await interaction.edit_original_response(content=quota_text(language, await self._quota_of(interaction)))

    async def _quota_of(self, interaction: Interaction) -> Quota:
        roles = interaction.user.roles if isinstance(interaction.user, discord.Member) else []
        return await self._members.quota(interaction.user.id, interaction.guild_id, tuple(role.id for role in roles))

    async def _forget_me(self, interaction: Interaction, language: Language) -> None:
        """Ask for a confirmation, with a button for each extent."""
        view = view_of(ForgetButton("stored", language), ForgetButton("posted", language))
        await interaction.edit_original_response(content=say(language, "forget.question"), view=view)

    async def _help(self, interaction: Interaction, language: Language) -> None:
        """Show what Melodify does and how to use it."""
        watched = await self._watched_here(interaction)
        text = help_text(language, self._client.command_ids, watched, self._services.settings)
        await interaction.edit_original_response(content=text)

    async def _queue(self, interaction: Interaction, language: Language) -> None:
        """Show what waits, and when a new song would start."""
        report = await self._services.studio.queue_for(interaction.user.id)
        refusal = (await self._quota_of(interaction)).refusal
        await interaction.edit_original_response(content=queue_text(language, report, refusal))

    async def _watched_here(self, interaction: Interaction) -> frozenset[int]:
        """Return the watched channels of the server that the member sees."""
        if interaction.guild_id is None:
            return frozenset()
        server = await asyncio.to_thread(self._services.guilds.settings_of, interaction.guild_id)
        watched = server.watched_channels | self._services.settings.discord.watched_channels
        return watched & visible_channels(interaction)

    def _songs_command(self) -> app_commands.Command[Any, ..., None]:
        whose_choices = [app_commands.Choice(name=localised(f"songs.whose.{key}"), value=key) for key in WHOSE]
        order_choices = [app_commands.Choice(name=localised(f"songs.order.{key}"), value=key) for key in ORDERS]

        @member_command("songs")
        @app_commands.rename(whose=localised("option.whose.name"), order=localised("option.order.name"))
        @app_commands.describe(whose=localised("option.whose.description"), order=localised("option.order.description"))
        @app_commands.choices(whose=whose_choices, order=order_choices)
        async def songs(interaction: Interaction, whose: str = "own", order: str = "newest") -> None:
            chosen = whose if interaction.guild_id is not None else "own"
            await self.songs(interaction, Listing(chosen, order))  # type: ignore[arg-type]  # Discord enforces the choices

        return songs


WHOSE = ("own", "server")
ORDERS = ("newest", "liked")


def quota_text(language: Language, quota: Quota) -> str:
    """Return the text of /quota, one line for each allowance."""
    lines = []
    for allowance in quota.allowances:
        frees = say(language, "quota.frees", at=allowance.frees_at) if allowance.frees_at else ""
        text = say(language, f"quota.{allowance.window}", left=allowance.left, limit=allowance.limit)
        lines.append(f"{text} {frees}".strip())
    if not lines:
        lines.append(say(language, "quota.unlimited"))
    if quota.waiting:
        lines.append(say(language, "quota.waiting", waiting=quota.waiting))
    if quota.money.spent or quota.money.reserved:
        spent, reserved = f"{quota.money.spent:.2f}", f"{quota.money.reserved:.2f}"
        lines.append(say(language, "quota.money", spent=spent, reserved=reserved))
    if quota.refusal is not None:
        lines.append(sentence(language, quota.refusal))
    else:
        lines.append(say(language, "quota.go"))
    return "\n".join(lines)
