"""Answers to commands that only the asker sees."""

import logging
from collections.abc import Awaitable, Callable
from typing import Any

import discord

from bot.faults import discord_errors
from bot.messages import sentence
from bot.translator import language_of
from melodify_core.errors import MelodifyError
from melodify_core.models import Language

log = logging.getLogger(__name__)
Interaction = discord.Interaction[Any]
Answer = Callable[[Interaction, Language], Awaitable[None]]


async def answered(interaction: Interaction, answer: Answer) -> None:
    """Acknowledge, then answer the asker alone; what fails is told in a sentence."""
    language = language_of(interaction.locale)
    await interaction.response.defer(ephemeral=True, thinking=True)
    with discord_errors():
        try:
            await answer(interaction, language)
        except MelodifyError as error:
            log.info("interaction %s: %s", interaction.id, error)
            await interaction.edit_original_response(content=sentence(language, error))
