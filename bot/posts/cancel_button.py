"""The Cancel button under a status message. It works after a restart, because its id contains the job's id."""

import logging

import discord

from bot.discord_api.components import Recreated, view_of
from bot.discord_api.errors import map_discord_errors
from bot.i18n.messages import say, sentence
from bot.i18n.translator import language_of
from bot.interaction import Interaction
from bot.posts.song_view import page_button
from melodify_core.errors import MelodifyError, Rejected
from melodify_core.models import Language

log = logging.getLogger(__name__)
JOB = r"(?P<job_id>[0-9]{1,20})"


class CancelButton(Recreated, discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]], template=rf"cancel:{JOB}"):
    """Cancels a song that is not finished: for the member who asked, and for those who may manage messages."""

    def __init__(self, job_id: str, language: Language) -> None:
        super().__init__(
            discord.ui.Button(
                label=say(language, "button.cancel"), style=discord.ButtonStyle.secondary, custom_id=f"cancel:{job_id}"
            )
        )
        self._job_id = job_id

    async def callback(self, interaction: Interaction) -> None:  # type: ignore[override]  # of our client alone
        """Cancel the job, and send the result or the error to the member who pressed, and to nobody else."""
        language = language_of(interaction.locale)
        await interaction.response.defer(ephemeral=True)
        studio = interaction.client.services.studio
        moderator = interaction.guild_id is not None and interaction.permissions.manage_messages
        try:
            result = await studio.cancel(self._job_id, interaction.user.id, moderator=moderator)
            if result.caller_informs_asker:
                await _close_status(interaction, result.language)
                await studio.confirm_cancelled(self._job_id)
            answer = say(language, "answer.cancelling")
        except MelodifyError as error:
            log.info("job %s: not cancelled, the member gets the reason: %s", self._job_id, error)
            answer = sentence(language, error)
        with map_discord_errors():
            await interaction.followup.send(answer, ephemeral=True)


async def _close_status(interaction: Interaction, language: Language) -> None:
    """Say in the status message that the song is cancelled. No worker has the job, so no worker would say so."""
    if interaction.message is not None:
        with map_discord_errors():
            # Edit through the interaction: the bot may not be a member where its message is.
            await interaction.edit_original_response(content=sentence(language, Rejected("job.cancelled")), view=None)


def status_view(job_id: str, language: Language, page: str = "") -> discord.ui.View:
    """Return the buttons under the status message of an unfinished song; `page` is the address to watch it at."""
    return view_of(CancelButton(job_id, language), *([page_button(language, page)] if page else []))
