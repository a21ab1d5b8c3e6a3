"""The content of a song's message: embed, audio, picture. Sends nothing. Its lines of facts are in song_lines.py."""

import io
from dataclasses import dataclass

import discord

from bot.i18n.messages import say
from bot.posts.song_lines import asker_line, lines_of
from bot.posts.wording import safe
from melodify_core.brief import clean
from melodify_core.models import Job, Language, Link, Song

COLOUR = 0x7C5CFF
PICTURE_NAME = "picture.jpg"
# Discord's limits, in characters: discord.com/developers/docs/resources/message#embed-object-embed-limits
TITLE = 256
CAPTION = 2048
ALT_TEXT = 1024
THREAD_NAME = 100
FILE_STEM = 60


@dataclass(frozen=True, slots=True)
class Card:
    """A finished song with all that its message is built from."""

    job: Job
    song: Song
    audio: bytes | Link
    picture: bytes

    def embed(self, *, page: str = "", large: bool | None = None) -> discord.Embed:
        """Return the song's embed in the language of the wish; its title is a link to the `page` if there is one.

        The picture is `large` (default: where its readers have not seen it), else a thumbnail.
        """
        facts = lines_of(self.job, self.song)
        embed = discord.Embed(
            title=title_of(self.job.wish.language, self.song),
            url=page or None,
            description="\n\n".join(filter(None, (self._caption(), "\n".join(facts)))),
            colour=discord.Colour(COLOUR),
        )
        if self.job.spoiler:
            return embed  # Discord hides a spoiler as an attachment only
        picture = f"attachment://{PICTURE_NAME}"
        large = not self.job.place.shows_picture if large is None else large
        return embed.set_image(url=picture) if large else embed.set_thumbnail(url=picture)

    def files(self) -> list[discord.File]:
        """Return new attachments at each call: discord.py can send each one only once."""
        described = "" if self.job.spoiler else clean(self.song.caption, ALT_TEXT)
        alt_text = described or title_of(self.job.wish.language, self.song)
        shown = discord.File(
            io.BytesIO(self.picture), filename=PICTURE_NAME, spoiler=self.job.spoiler, description=alt_text
        )
        if isinstance(self.audio, Link):
            return [shown]
        name = f"{file_stem(self.job.wish.language, self.song)}.mp3"
        return [discord.File(io.BytesIO(self.audio), filename=name), shown]

    def _caption(self) -> str:
        caption = safe(self.song.caption, CAPTION - 4)
        return f"||{caption}||" if self.job.spoiler and caption else caption

    def text(self, first_line: str | None = None) -> str | None:
        """Return the text above the embed: for whom the song is, or another first line; None for no text."""
        first_line = asker_line(self.job) if first_line is None else first_line
        return "\n".join(filter(None, (first_line, self.link_line()))) or None

    def link_line(self) -> str:
        """Return the line with the link to a song that is too large to attach, "" for any other song."""
        if not isinstance(self.audio, Link):
            return ""
        return say(self.job.wish.language, "song.link", url=self.audio.url, until=self.audio.expires_at)


def title_of(language: Language, song: Song) -> str:
    """Return the title for a line of text."""
    return safe(song.title, TITLE) or say(language, "song.untitled")


def thread_name(language: Language, song: Song) -> str:
    """Return the thread's name, 1 to 100 characters."""
    return clean(song.title, THREAD_NAME) or say(language, "song.untitled")


def file_stem(language: Language, song: Song) -> str:
    """Return the title as a file's name: letters and digits of any script, joined by hyphens."""
    words = "".join(character if character.isalnum() else " " for character in clean(song.title, TITLE)).split()
    return "-".join(words)[:FILE_STEM].strip("-") or say(language, "song.file")
