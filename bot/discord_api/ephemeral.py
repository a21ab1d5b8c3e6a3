"""Answers that only the member who asked sees."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import discord

from bot.discord_api.errors import map_all_errors, map_discord_errors
from bot.i18n.messages import sentence
from bot.i18n.translator import language_of
from melodify_core.errors import MelodifyError
from melodify_core.models import Language

log = logging.getLogger(__name__)
Interaction = discord.Interaction[Any]
Answer = Callable[[Interaction, Language], Awaitable[None]]


async def answer_ephemerally(interaction: Interaction, answer: Answer) -> None:
    """Acknowledge the command, then answer only its member; answer an error with its sentence."""
    language = language_of(interaction.locale)
    await interaction.response.defer(ephemeral=True, thinking=True)
    try:
        with map_all_errors():
            await answer(interaction, language)
    except MelodifyError as error:
        log.info("interaction %s: refused, the member gets the reason: %s", interaction.id, error)
        with map_discord_errors():
            await interaction.edit_original_response(content=sentence(language, error))


@asynccontextmanager
async def errors_reported(interaction: Interaction, what: str) -> AsyncIterator[None]:
    """Log an error of the block, and send its sentence only to the interaction's member."""
    try:
        with map_all_errors():
            yield
    except MelodifyError as error:
        log.info("%s: refused: %s", what, error, exc_info=error.__cause__)
        await report_error(interaction, error)


async def report_error(interaction: Interaction, error: MelodifyError) -> None:
    """Send the error's sentence only to the interaction's member. Never raises a MelodifyError."""
    try:
        with map_discord_errors():
            await send_ephemeral(interaction, sentence(language_of(interaction.locale), error))
    except MelodifyError as silent:
        # Another process was faster, or this one was too late: Discord shows the member that the interaction failed.
        log.warning(
            "interaction %s: its error could not be sent: %s", interaction.id, silent, exc_info=silent.__cause__
        )


async def send_ephemeral(interaction: Interaction, text: str, view: discord.ui.View | None = None) -> None:
    """Send the text only to the interaction's member, whether or not the interaction is acknowledged."""
    shown = discord.utils.MISSING if view is None else view
    if interaction.response.is_done():
        await interaction.followup.send(text, view=shown, ephemeral=True)
    else:
        await interaction.response.send_message(text, view=shown, ephemeral=True)
