"""Answers to commands that only the asker sees."""

import logging
from collections.abc import Awaitable, Callable
from typing import Any

import discord

from bot.discord_api.errors import discord_errors, told_errors
from bot.i18n.messages import sentence
from bot.i18n.translator import language_of
from melodify_core.errors import MelodifyError
from melodify_core.models import Language

log = logging.getLogger(__name__)
Interaction = discord.Interaction[Any]
Answer = Callable[[Interaction, Language], Awaitable[None]]


async def answered(interaction: Interaction, answer: Answer) -> None:
    """Acknowledge, then answer the asker alone; what fails is told in a sentence."""
    language = language_of(interaction.locale)
    await interaction.response.defer(ephemeral=True, thinking=True)
    try:
        with told_errors():
            await answer(interaction, language)
    except MelodifyError as error:
        log.info("interaction %s: %s", interaction.id, error)
        with discord_errors():
            await interaction.edit_original_response(content=sentence(language, error))


async def tell(interaction: Interaction, language: Language, error: MelodifyError) -> None:
    """Tell whoever pressed, and nobody else, why it cannot be. Never raises a MelodifyError."""
    try:
        with discord_errors():
            if interaction.response.is_done():
                await interaction.followup.send(sentence(language, error), ephemeral=True)
            else:
                await interaction.response.send_message(sentence(language, error), ephemeral=True)
    except MelodifyError as silent:
        # Perhaps the press was answered by another process, or too late: the presser has seen that.
        log.warning("interaction %s: nobody was told: %s", interaction.id, silent, exc_info=silent.__cause__)
