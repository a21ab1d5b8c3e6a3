"""The buttons under a song, which work after a restart too: their ids contain the song's job id.

What a button does is in SongService and retake.py; how it looks is in posts. The menu under them is in song_menu.py.
"""

import io
import logging
from abc import abstractmethod
from functools import partial
from typing import ClassVar

import discord

from bot.discord_api.components import Recreated, view_of
from bot.discord_api.ephemeral import errors_reported, send_ephemeral
from bot.i18n.messages import say
from bot.i18n.translator import language_of
from bot.posts.cancel_button import JOB
from bot.posts.destinations import link_to
from bot.posts.details_embed import details_of
from bot.posts.removal import mark_of, remove_posts, unlink_takes
from bot.posts.song_embed import file_stem, title_of
from bot.posts.song_view import song_button, song_view
from bot.requests.edit_form import ChangeModal, typed_before
from bot.requests.retake import Interaction, RetakeOrder, wish_of
from melodify_core.errors import MelodifyError, Rejected
from melodify_core.models import Entry, Language, Link
from melodify_core.pages import address_of
from melodify_core.providers import lengths_of

log = logging.getLogger(__name__)


class SongButton(Recreated, discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]], template=rf"song:none:{JOB}"):
    """What the buttons share: the id, the label from the catalogue, and the answer to an error."""

    kind: ClassVar[str]

    def __init__(self, job_id: str, language: Language) -> None:
        super().__init__(song_button(self.kind, job_id, language))
        self.job_id = job_id

    async def callback(self, interaction: Interaction) -> None:  # type: ignore[override]  # of our client alone
        """Do what the button is for; an error is answered to the presser alone."""
        async with errors_reported(interaction, f"song {self.job_id}: {self.kind}"):
            await self.press(interaction, language_of(interaction.locale))

    @abstractmethod
    async def press(self, interaction: Interaction, language: Language) -> None:
        """Do what the button is for. Raises MelodifyError."""

    async def entry(self, interaction: Interaction) -> Entry:
        """Return the song. Raises Rejected for a deleted or private one, and Unavailable."""
        songs = interaction.client.services.songs
        return await songs.entry(self.job_id, interaction.user.id)


class AnotherButton(SongButton, template=rf"song:another:{JOB}"):
    """Orders another take: the same reading, another seed; only the music is paid for."""

    kind = "another"

    async def press(self, interaction: Interaction, language: Language) -> None:
        """Order the take."""

        async def look_up() -> RetakeOrder:
            entry = await self.entry(interaction)
            wish = wish_of(entry)
            if entry.private:
                wish = wish.model_copy(update={"language": language})
            return RetakeOrder(entry, wish, same_reading=True)

        await interaction.client.retake.order(interaction, look_up)


class ChangeButton(SongButton, template=rf"song:change:{JOB}"):
    """Opens the form for another hint, style or length."""

    kind = "change"

    async def press(self, interaction: Interaction, language: Language) -> None:
        """Show the form, unless the member has no song left: then it would be filled in for nothing."""
        await self.show_form(interaction, language)

    async def show_form(
        self, interaction: Interaction, language: Language, typed: dict[str, str] | None = None
    ) -> None:
        """Show the form, filled in with what was `typed`. Raises Rejected (limit.*, song.*) and Unavailable."""
        services, user = interaction.client.services, interaction.user
        roles = tuple(role.id for role in user.roles) if isinstance(user, discord.Member) else ()
        await services.studio.admit(user.id, interaction.guild_id, roles)
        longest_s = lengths_of(services.settings)[1]
        await interaction.response.send_modal(ChangeModal(await self.entry(interaction), language, longest_s, typed))


class AgainButton(ChangeButton, template=rf"song:again:(?:(?P<style>[\w-]*):(?P<seconds>.{{0,20}}):)?{JOB}"):
    """Opens the form again with what was typed into it."""

    kind = "again"

    def __init__(self, job_id: str, language: Language, style: str | None = None, seconds: str | None = None) -> None:
        super().__init__(job_id, language)
        self._style, self._seconds = style or "", seconds or ""

    async def press(self, interaction: Interaction, language: Language) -> None:
        """Show the form."""
        await self.show_form(interaction, language, typed_before(interaction.message, self._style, self._seconds))


class LikeButton(SongButton, template=rf"song:like:{JOB}"):
    """Counts one like of each member; a second press removes it."""

    kind = "like"

    async def press(self, interaction: Interaction, language: Language) -> None:
        """Count the like, and show the number on the button."""
        del language
        await interaction.response.defer()
        songs = interaction.client.services.songs
        await songs.like(self.job_id, interaction.user.id)
        entry = await self.entry(interaction)

        async def edit(likes: int) -> None:
            page = bool(page_address(interaction, entry))
            view = song_view(self.job_id, language_of_song(entry), likes, page=page)
            await interaction.edit_original_response(view=view)

        await interaction.client.like_counts.show(self.job_id, partial(songs.likes, self.job_id), edit)


class VideoButton(SongButton, template=rf"song:video:{JOB}"):
    """Sends the song as a video."""

    kind = "video"

    async def press(self, interaction: Interaction, language: Language) -> None:
        """Send the stored video, made now if there is none yet; where one was posted already, lead there."""
        # Only the presser sees that it takes a while, or why there is none.
        await interaction.response.defer(ephemeral=True, thinking=True)
        async with interaction.client.services.songs.video_turn(self.job_id):
            entry = await self.entry(interaction)
            if posted := await self._posted(interaction, entry):
                await send_ephemeral(interaction, say(language, "video.posted", link=posted))
            else:
                await self._post(interaction, language, entry)

    async def _posted(self, interaction: Interaction, entry: Entry) -> str:
        """Return the link to a message with the video, "" where there is none any more."""
        for channel_id, message_id in entry.videos:
            channel = interaction.client.get_partial_messageable(channel_id, guild_id=entry.guild_id)
            try:
                await channel.fetch_message(message_id)
            except discord.HTTPException as error:
                log.info("song %s: its video %s cannot be seen any more: %s", self.job_id, message_id, error)
            else:
                return link_to(entry.guild_id, channel_id, message_id)
        return ""

    async def _post(self, interaction: Interaction, language: Language, entry: Entry) -> None:
        video = await interaction.client.services.songs.video(entry, interaction.filesize_limit)
        shown = language if entry.private else language_of_song(entry)
        text, file = say(shown, "video.done", title=title_of(shown, entry.song)), discord.utils.MISSING
        if entry.message_id and not entry.private:
            text += mark_of(entry)
        if isinstance(video, Link):
            link = say(shown, "video.link", url=video.url, until=video.expires_at)
            text += f"\n||{link}||" if entry.song.spoiler else f"\n{link}"
        else:
            name = f"{file_stem(shown, entry.song)}.mp4"
            file = discord.File(io.BytesIO(video), filename=name, spoiler=entry.song.spoiler)
        if entry.private:
            await interaction.followup.send(text, file=file)
            return
        # The first message after "thinking..." is seen by those who saw that: the presser.
        await interaction.edit_original_response(content=say(language, "video.ready"))
        await self._note(interaction, entry, await interaction.followup.send(text, file=file, wait=True))
        await interaction.delete_original_response()

    async def _note(self, interaction: Interaction, entry: Entry, sent: discord.Message) -> None:
        """Remember the message, so that it is deleted with the song. Raises Rejected when the song was deleted."""
        try:
            noted = await interaction.client.services.songs.note_video(entry, sent.channel.id, sent.id)
        except MelodifyError as error:
            log.warning("song %s: its video %s is not remembered: %s", self.job_id, sent.id, error)
            return
        if not noted:
            await sent.delete()
            raise Rejected("song.gone")


class DetailsButton(SongButton, template=rf"song:details:{JOB}"):
    """Shows the presser how the song was made."""

    kind = "details"

    async def press(self, interaction: Interaction, language: Language) -> None:
        """Send the details, with the score where there is one."""
        if not interaction.response.is_done():
            await interaction.response.defer(ephemeral=True, thinking=True)
        entry = await self.entry(interaction)
        songs = interaction.client.services.songs
        midi = await songs.midi(entry)
        name = f"{file_stem(language, entry.song)}.mid"
        files = [discord.File(io.BytesIO(midi), filename=name)] if midi else []
        await interaction.followup.send(embed=details_of(language, entry), files=files, ephemeral=True)


class DeleteButton(SongButton, template=rf"song:delete:{JOB}"):
    """Asks for a confirmation before the song is deleted."""

    kind = "delete"

    async def press(self, interaction: Interaction, language: Language) -> None:
        """Ask a presser who may delete the song."""
        entry = await self.entry(interaction)
        _check_may_delete(interaction, entry)
        await send_ephemeral(interaction, say(language, "delete.question"), view_of(EraseButton(self.job_id, language)))


class EraseButton(SongButton, template=rf"song:erase:{JOB}"):
    """Deletes the song: its files, its entry, its message, its videos."""

    kind = "erase"

    async def press(self, interaction: Interaction, language: Language) -> None:
        """Delete the song, and report it."""
        await interaction.response.defer()
        entry = await self.entry(interaction)
        _check_may_delete(interaction, entry)
        songs = interaction.client.services.songs
        await songs.delete(entry)
        log.info("song %s was deleted by %s", self.job_id, interaction.user.id)
        removed = await remove_posts(
            interaction.client, entry, language_of_song(entry), answered_in=interaction.channel_id
        )
        await unlink_takes(interaction.client, entry, await songs.takes(self.job_id))
        if removed.channels:
            text = say(language, "delete.done_but_message", where=removed.where())
        else:
            text = say(language, "delete.done")
        await interaction.edit_original_response(content=text, view=None)


def _check_may_delete(interaction: Interaction, entry: Entry) -> None:
    moderates = interaction.guild_id is not None and interaction.permissions.manage_messages
    if entry.user_id != interaction.user.id and not (moderates and interaction.guild_id == entry.guild_id):
        raise Rejected("song.not_yours")


ITEMS: tuple[type[SongButton], ...] = (
    AnotherButton,
    ChangeButton,
    AgainButton,
    LikeButton,
    VideoButton,
    DetailsButton,
    DeleteButton,
    EraseButton,
)


def page_address(interaction: Interaction, entry: Entry) -> str:
    """Return the address of the song's page, "" without one."""
    public_url = interaction.client.services.settings.web.public_url
    return address_of(public_url, entry.page_id) if public_url and entry.page_id else ""


def language_of_song(entry: Entry) -> Language:
    """Return the language in which the song was posted."""
    return entry.song.wish.language if entry.song.wish else "en"
