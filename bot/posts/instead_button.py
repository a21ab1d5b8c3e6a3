"""The button under the apology for a song that another composer may play. It works after a restart: its id says all."""

import discord

from bot.discord_api.components import Recreated
from bot.discord_api.ephemeral import errors_reported
from bot.i18n.messages import name_of, say
from bot.interaction import Interaction
from bot.posts.cancel_button import JOB
from melodify_core.models import Language


class InsteadButton(
    Recreated,
    discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]],
    template=rf"instead:(?P<composer>[a-z]{{1,20}}):{JOB}",
):
    """Has the song played by the composer that it names: for the member who asked."""

    def __init__(self, job_id: str, composer: str, language: Language) -> None:
        super().__init__(
            discord.ui.Button(
                label=say(language, "button.instead", composer=name_of(language, "composer", composer)),
                style=discord.ButtonStyle.primary,
                custom_id=f"instead:{composer}:{job_id}",
            )
        )
        self._job_id = job_id
        self._composer = composer

    async def callback(self, interaction: Interaction) -> None:  # type: ignore[override]  # of our client alone
        """Queue the song again; an error is answered to the presser alone. The job itself edits the message."""
        async with errors_reported(interaction, f"job {self._job_id}: {self._composer} instead"):
            await interaction.response.defer()
            services = interaction.client.services
            await services.second_choice.play(self._job_id, interaction.user.id, self._composer)
