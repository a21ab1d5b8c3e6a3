"""The answer to /songs: a page of songs, buttons to turn it, a menu to play one. The buttons' ids hold all state."""

import io
import re
from dataclasses import dataclass
from typing import Any, Literal, Self

import discord

from bot.discord_api.components import Recreated, view_of
from bot.discord_api.errors import map_discord_errors
from bot.i18n.messages import say, sentence
from bot.i18n.style_names import genre_name
from bot.i18n.translator import language_of
from bot.interaction import Interaction
from bot.posts.cancel_button import JOB
from bot.posts.destinations import link_to
from bot.posts.song_embed import COLOUR, file_stem, title_of
from bot.posts.wording import safe
from melodify_core.brief import clean
from melodify_core.errors import MelodifyError
from melodify_core.library import SongListPage, SortOrder
from melodify_core.models import Entry, Language, Link
from melodify_core.services.members import PAGE_SONGS, MemberService

# Whose songs: the member's own, or the server's public ones.
Whose = Literal["own", "server"]
TITLE = 80
OPTION = 100  # discord.com/developers/docs/components/reference#string-select


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of a list of songs."""

    whose: Whose
    order: SortOrder
    page: int = 0

    async def fetch(self, members: MemberService, interaction: Interaction) -> SongListPage:
        """Return the page's songs. Raises Unavailable."""
        if self.whose == "own" or interaction.guild_id is None:
            return await members.own_songs(interaction.user.id, self.order, self.page)
        seen = visible_channels(interaction)
        return await members.public_songs(interaction.guild_id, seen, self.order, self.page)

    def embed(self, language: Language, page: SongListPage) -> discord.Embed:
        """Return the page as an embed."""
        title = say(language, f"songs.title.{self.whose}")
        embed = discord.Embed(title=title, colour=discord.Colour(COLOUR))
        if not page.total:
            embed.description = say(language, f"songs.none.{self.whose}")
            return embed
        first = self.page * PAGE_SONGS + 1
        named = self.whose == "server"
        lines = [
            _line(language, number, entry, named=named and entry.user_id not in page.unnamed)
            for number, entry in enumerate(page.entries, start=first)
        ]
        embed.description = "\n".join(lines) or say(language, "songs.none.page")
        pages = -(-page.total // PAGE_SONGS)
        return embed.set_footer(text=say(language, "songs.page", page=self.page + 1, pages=pages, songs=page.total))

    def view(self, language: Language, page: SongListPage) -> discord.ui.View:
        """Return the menu and the buttons under the page."""
        menu = [SongMenu(language, page.entries)] if page.entries else []
        pages = -(-page.total // PAGE_SONGS)
        if pages <= 1:
            return view_of(*menu)
        back = TurnButton(self.turned(-1), language, "songs.back", disabled=self.page == 0)
        on = TurnButton(self.turned(1), language, "songs.on", disabled=self.page + 1 >= pages)
        return view_of(*menu, back, on)

    def turned(self, by: int) -> "Listing":
        """Return the page that is `by` pages further."""
        return Listing(self.whose, self.order, max(self.page + by, 0))


def _line(language: Language, number: int, entry: Entry, *, named: bool = False) -> str:
    song = entry.song
    facts = [f"<@{entry.user_id}>"] if named else []
    facts.append(say(language, "songs.seconds", seconds=round(song.duration_s)))
    if entry.likes:
        facts.append(say(language, "songs.likes", likes=entry.likes))
    if entry.private:
        facts.append(say(language, "songs.private"))
    facts.append(f"<t:{int(entry.created_at)}:R>")
    if entry.message_id:
        guild_id = entry.guild_id if not entry.private else None
        facts.append(f"[{say(language, 'songs.open')}]({link_to(guild_id, entry.channel_id, entry.message_id)})")
    return f"**{number}. {safe(song.title, TITLE) or title_of(language, song)}** · {' · '.join(facts)}"


def visible_channels(interaction: Interaction) -> frozenset[int]:
    """Return the ids of the server's channels and threads that the member can see."""
    guild, member = interaction.guild, interaction.user
    if guild is None or not isinstance(member, discord.Member):
        return frozenset()
    seen = {channel.id for channel in guild.channels if channel.permissions_for(member).view_channel}
    # Only invited members see a private thread: its songs are in no list.
    open_threads = (thread for thread in guild.threads if not thread.is_private())
    return frozenset(seen | {thread.id for thread in open_threads if thread.parent_id in seen})


class TurnButton(
    discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]],
    template=r"songs:(?P<whose>own|server):(?P<order>newest|liked):(?P<page>[0-9]{1,6}):(?P<way>back|on)",
):
    """Shows another page of a list."""

    def __init__(self, listing: Listing, language: Language, label: str, *, disabled: bool = False) -> None:
        way = label.rpartition(".")[2]
        super().__init__(
            discord.ui.Button(
                label=say(language, label),
                disabled=disabled,
                # The way is part of the id because two buttons of a message must not share an id.
                custom_id=f"songs:{listing.whose}:{listing.order}:{listing.page}:{way}",
            )
        )
        self._listing = listing
        self._label = label

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """Return the button that was pressed."""
        del item
        listing = Listing(match["whose"], match["order"], int(match["page"]))  # type: ignore[arg-type]  # the pattern's
        return cls(listing, language_of(interaction.locale), f"songs.{match['way']}")

    async def callback(self, interaction: Interaction) -> None:  # type: ignore[override]  # of our client alone
        """Show the button's page."""
        language = language_of(interaction.locale)
        await interaction.response.defer()
        with map_discord_errors():
            try:
                page = await self._listing.fetch(interaction.client.services.members, interaction)
            except MelodifyError as error:
                await interaction.followup.send(sentence(language, error), ephemeral=True)
                return
            await interaction.edit_original_response(
                embed=self._listing.embed(language, page), view=self._listing.view(language, page)
            )


class SongMenu(Recreated, discord.ui.DynamicItem[discord.ui.Select[discord.ui.View]], template="songs:play"):
    """Plays a song of the page to the reader alone."""

    def __init__(self, language: Language, entries: tuple[Entry, ...] = ()) -> None:
        options = [
            discord.SelectOption(
                label=clean(entry.song.title, OPTION) or say(language, "song.untitled"),
                value=entry.song.job_id,
                description=genre_name(language, entry.song.genre)[:OPTION] or None,
            )
            for entry in entries
        ]
        placeholder = say(language, "songs.play")
        super().__init__(discord.ui.Select(custom_id="songs:play", placeholder=placeholder, options=options))

    async def callback(self, interaction: Interaction) -> None:  # type: ignore[override]  # of our client alone
        """Send the song that was chosen."""
        language = language_of(interaction.locale)
        await interaction.response.defer(ephemeral=True, thinking=True)
        job_id = self.item.values[0]
        with map_discord_errors():
            try:
                text, files = await _play(interaction, language, job_id)
            except MelodifyError as error:
                text, files = sentence(language, error), []
            await interaction.followup.send(text, files=files, ephemeral=True)


async def _play(interaction: Interaction, language: Language, job_id: str) -> tuple[str, list[discord.File]]:
    if not re.fullmatch(JOB, job_id):
        return say(language, "error.song.gone"), []
    heard = await interaction.client.services.members.play(
        job_id, interaction.user.id, interaction.guild_id, visible_channels(interaction), interaction.filesize_limit
    )
    song = heard.entry.song
    title = say(language, "songs.playing", title=title_of(language, song))
    if isinstance(heard.audio, Link):
        link = say(language, "song.link", url=heard.audio.url, until=heard.audio.expires_at)
        return f"{title}\n{link}", []
    return title, [discord.File(io.BytesIO(heard.audio), filename=f"{file_stem(language, song)}.mp3")]
