"""The button under the apology for a song that another composer may play. It works after a restart: its id says all."""

import logging
import re
from typing import Any, Self

import discord

from bot.discord_api.ephemeral import report_error
from bot.discord_api.errors import map_all_errors
from bot.i18n.messages import name_of, say
from bot.i18n.translator import language_of
from bot.interaction import Interaction
from bot.posts.cancel_button import JOB
from melodify_core.errors import MelodifyError
from melodify_core.models import Language

log = logging.getLogger(__name__)


class InsteadButton(
    discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]], template=rf"instead:(?P<composer>[a-z]{{1,20}}):{JOB}"
):
    """Has the song played by the composer that it names: for the member who asked."""

    def __init__(self, job_id: str, composer: str, language: Language = "en") -> None:
        super().__init__(
            discord.ui.Button(
                label=say(language, "button.instead", composer=name_of(language, "composer", composer)),
                style=discord.ButtonStyle.primary,
                custom_id=f"instead:{composer}:{job_id}",
            )
        )
        self._job_id = job_id
        self._composer = composer

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """Return the button that was pressed."""
        del interaction, item
        return cls(match["job"], match["composer"])

    async def callback(self, interaction: Interaction) -> None:  # type: ignore[override]  # of our client alone
        """Queue the song again; an error is answered to the presser alone. The job itself edits the message."""
        services = interaction.client.services
        try:
            with map_all_errors():
                await interaction.response.defer()
                await services.second_choice.play(self._job_id, interaction.user.id, self._composer)
        except MelodifyError as error:
            log.info("job %s: not played by %s: %s", self._job_id, self._composer, error, exc_info=error.__cause__)
            await report_error(interaction, language_of(interaction.locale), error)


def instead_view(job_id: str, composer: str, language: Language) -> discord.ui.View:
    """Return the button under an apology."""
    view = discord.ui.View(timeout=None)
    view.add_item(InsteadButton(job_id, composer, language))
    # The client matches presses by the pattern of the id: a stopped view is not kept in memory for each message.
    view.stop()
    return view
