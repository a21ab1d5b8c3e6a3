"""The two buttons under /forget-me: erase what is stored, or that and the messages with the songs."""

import logging
from typing import Literal

import discord

from bot.discord_api.components import Recreated
from bot.discord_api.errors import map_discord_errors
from bot.i18n.messages import say, sentence
from bot.i18n.translator import language_of
from bot.interaction import Interaction
from bot.posts.removal import Removed, remove_posts
from melodify_core.errors import MelodifyError
from melodify_core.models import Language

log = logging.getLogger(__name__)
Extent = Literal["stored", "posted"]


class ForgetButton(
    Recreated, discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]], template=r"forget:(?P<extent>stored|posted)"
):
    """Erases the data of the member who presses it; only the member who sent /forget-me sees it."""

    def __init__(self, extent: Extent, language: Language) -> None:
        super().__init__(
            discord.ui.Button(
                label=say(language, f"forget.{extent}"),
                style=discord.ButtonStyle.danger,
                custom_id=f"forget:{extent}",
            )
        )
        self._extent = extent

    async def callback(self, interaction: Interaction) -> None:  # type: ignore[override]  # of our client alone
        """Erase the member's data, and show what was erased."""
        language = language_of(interaction.locale)
        await interaction.response.defer()
        with map_discord_errors():
            await interaction.edit_original_response(content=say(language, "forget.working"), view=None)
            await interaction.edit_original_response(content=await self._forget(interaction, language))

    async def _forget(self, interaction: Interaction, language: Language) -> str:
        members = interaction.client.services.members
        try:
            forgotten = await members.forget(interaction.user.id, with_takes=self._extent == "posted")
        except MelodifyError as error:
            return sentence(language, error)
        except Exception:  # discord.py only logs a button's error: the member would wait for ever
            log.exception("a member's data could not be erased, the member gets the sentence for internal errors")
            return say(language, "error.internal")
        text = say(language, "forget.done", songs=forgotten.songs, jobs=forgotten.jobs)
        lines = [text]
        if forgotten.takes:
            lines.append(say(language, f"forget.takes_{self._extent}", takes=forgotten.takes))
        if self._extent == "stored":
            return "\n".join(lines)
        removed = Removed()
        for each in forgotten.posts:
            removed += await remove_posts(interaction.client, each, language, answered_in=interaction.channel_id)
        lines.append(say(language, "forget.messages", deleted=removed.deleted))
        if removed.channels:
            lines.append(say(language, "forget.messages_left", left=removed.left, where=removed.where()))
        return "\n".join(lines)
