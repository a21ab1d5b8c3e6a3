"""The menu under a song, and the button "More" that messages of earlier versions have in its place.

Details and deletion are buttons of those messages too, and live with the others in song_buttons.py.
"""

from contextlib import suppress

import discord

from bot.discord_api.components import Recreated, view_of
from bot.discord_api.ephemeral import errors_reported, send_ephemeral
from bot.i18n.messages import say
from bot.i18n.translator import language_of
from bot.posts.cancel_button import JOB
from bot.posts.song_embed import title_of
from bot.posts.song_view import page_button, song_menu, with_likes
from bot.requests.retake import Interaction
from bot.requests.song_buttons import DeleteButton, DetailsButton, SongButton, page_address
from melodify_core.errors import MelodifyError, Rejected
from melodify_core.models import Language


class MoreButton(SongButton, template=rf"song:more:{JOB}"):
    """Shows the presser the menu."""

    kind = "more"

    async def press(self, interaction: Interaction, language: Language) -> None:
        """Send the menu."""
        entry = await self.entry(interaction)
        view = view_of(song_menu(self.job_id, language, page=bool(page_address(interaction, entry))))
        text = say(language, "song.more", title=title_of(language, entry.song))
        await send_ephemeral(interaction, text, view)


class PageChoice(SongButton, template=rf"song:page:{JOB}"):
    """Shows the presser the link to the song's page."""

    kind = "page"

    async def press(self, interaction: Interaction, language: Language) -> None:
        """Send the link, also as a button. Raises Rejected if the host has switched pages off since."""
        entry = await self.entry(interaction)
        page = page_address(interaction, entry)
        if not page:
            raise Rejected("song.no_page")
        text = say(language, "song.page", title=title_of(language, entry.song), url=page)
        await send_ephemeral(interaction, text, view_of(page_button(language, page)))


CHOICES: dict[str, type[SongButton]] = {choice.kind: choice for choice in (DetailsButton, PageChoice, DeleteButton)}


class SongMenu(Recreated, discord.ui.DynamicItem[discord.ui.Select[discord.ui.View]], template=rf"song:menu:{JOB}"):
    """Does what is chosen, and answers the member alone."""

    def __init__(self, job_id: str, language: Language) -> None:
        super().__init__(song_menu(job_id, language, page=True))
        self._job_id = job_id

    async def callback(self, interaction: Interaction) -> None:  # type: ignore[override]  # of our client alone
        """Do it; an error is answered to the member alone."""
        language = language_of(interaction.locale)
        [kind] = self.item.values
        async with errors_reported(interaction, f"song {self._job_id}: {kind}"):
            await _clear_choice(interaction)
            await self._show_likes(interaction)
            await CHOICES[kind](self._job_id, language).press(interaction, language)

    async def _show_likes(self, interaction: Interaction) -> None:
        """Show the likes that were counted since the choice: its message was shown as it was then."""
        message, client = interaction.message, interaction.client
        if message is None:
            return
        with suppress(MelodifyError, discord.HTTPException):
            if (view := with_likes(message, await client.services.songs.likes(self._job_id))) is not None:
                await interaction.edit_original_response(view=view)


async def _clear_choice(interaction: Interaction) -> None:
    """Show the message as it is: Discord keeps a choice until then, and it could not be made a second time."""
    if interaction.message is not None:
        view = discord.ui.View.from_message(interaction.message, timeout=None)
        view.stop()
        await interaction.response.edit_message(view=view)


MENU_ITEMS = (MoreButton, PageChoice, SongMenu)
