"""The content of a song's message: embed, audio, thumbnail. Sends nothing."""

import io
from dataclasses import dataclass

import discord

from bot.i18n.messages import key_name, name_of, say
from bot.posts.hint_lines import hint_lines
from melodify_core.brief import clean
from melodify_core.models import Job, Language, Link, Song

COLOUR = 0x7C5CFF
PICTURE_NAME = "picture.jpg"
# Discord's limits, in characters: discord.com/developers/docs/resources/message#embed-object-embed-limits
TITLE = 256
CAPTION = 2048
FIELD = 1024
ALT_TEXT = 1024
THREAD_NAME = 100
FILE_STEM = 60


def safe(text: str, limit: int) -> str:
    """Return a model's text made safe for a message: one line, no mention, no link, no markdown, within the limit."""
    return discord.utils.escape_markdown(clean(text, limit))[:limit]


@dataclass(frozen=True, slots=True)
class Card:
    """A finished song with all that its message is built from."""

    job: Job
    song: Song
    audio: bytes | Link
    picture: bytes

    def embed(self) -> discord.Embed:
        """Return the song's embed in the language of the wish; its footer identifies the job."""
        language, song = self.job.wish.language, self.song
        told = "\n\n".join(filter(None, (self._caption(), hint_lines(language, song))))
        embed = discord.Embed(title=title_of(language, song), description=told, colour=discord.Colour(COLOUR))
        for label, value in _facts(language, song):
            embed.add_field(name=say(language, label), value=value)
        if origin := self._origin():
            # A mention in an embed pings nobody.
            embed.add_field(name=say(language, "song.another"), value=origin, inline=False)
        if song.instead_of:
            embed.add_field(name=say(language, "song.played_by"), value=_instead(language, song), inline=False)
        if not self.job.spoiler:  # Discord hides a spoiler as an attachment only
            embed.set_thumbnail(url=f"attachment://{PICTURE_NAME}")
        return embed.set_footer(text=footer_of(self.job))

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

    def _origin(self) -> str:
        """Return the line about the song of which this is another take, and its member; "" for a first song."""
        if self.job.parent_id is None:
            return ""
        key = "song.take_of" if self.job.parent_link else "song.take"
        return say(self.job.wish.language, key, user=self.job.user_id, link=self.job.parent_link)

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


def footer_of(job: Job) -> str:
    """Return the line that identifies a job's message."""
    return say(job.wish.language, "song.footer", job_id=job.job_id)


def is_song_of(message: discord.Message, job: Job) -> bool:
    """Return whether the message is this job's song."""
    return any(embed.footer.text == footer_of(job) for embed in message.embeds)


def _instead(language: Language, song: Song) -> str:
    """Return the line that says who plays, because the first composer could not."""
    names = {name: name_of(language, "composer", name) for name in (song.composer, song.instead_of)}
    return say(language, "song.instead", composer=names[song.composer], first=names[song.instead_of])


def _facts(language: Language, song: Song) -> list[tuple[str, str]]:
    instruments = ", ".join(name_of(language, "instrument", name) for name in song.instruments)
    facts = [
        ("song.tempo", say(language, "song.bpm", bpm=song.bpm) if song.bpm else ""),
        ("song.key_label", key_name(language, song.key, song.mode) if song.key else ""),
        ("song.instruments", instruments),
    ]
    return [(label, safe(value, FIELD)) for label, value in facts if value]
