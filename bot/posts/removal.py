"""Deletes everything that the bot has posted for a song: its message, videos, status message and thread."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass

import discord

from bot.discord_api.errors import map_discord_errors
from bot.i18n.messages import say
from melodify_core.errors import MelodifyError
from melodify_core.models import Entry, Language

log = logging.getLogger(__name__)
# How many messages after the song's are searched for its videos.
SEARCHED_MESSAGES = 100
NAMED_CHANNELS = 5


@dataclass(frozen=True, slots=True)
class Removed:
    """How many messages are deleted, how many are left, and in which channels those are left."""

    deleted: int = 0
    left: int = 0
    channels: frozenset[int] = frozenset()

    def __add__(self, other: "Removed") -> "Removed":
        return Removed(self.deleted + other.deleted, self.left + other.left, self.channels | other.channels)

    def where(self) -> str:
        """Return mentions of the first NAMED_CHANNELS channels in which messages are left."""
        named = [f"<#{channel_id}>" for channel_id in sorted(self.channels)[:NAMED_CHANNELS]]
        return " ".join([*named, *(["…"] if len(self.channels) > NAMED_CHANNELS else [])])


def mark_of(entry: Entry) -> str:
    """Return the line that marks a video of the song, so that it is found again. It is the same in all languages."""
    return f"-# {say('en', 'song.footer', job_id=entry.song.job_id)}"


async def remove_posts(
    client: discord.Client, entry: Entry, language: Language, *, answered_in: int | None = None
) -> Removed:
    """Delete what was posted for the song, and return what could not be deleted. Never raises a MelodifyError.

    Delete its thread too. A thread in which members have written stays, and so does `answered_in`, where the answer is
    posted: these get a name in `language` that does not contain the song's.
    """
    removed = Removed()
    if entry.message_id:
        channel = client.get_partial_messageable(entry.channel_id, guild_id=entry.guild_id)
        videos = await _videos(client, channel, entry)
        removed += await _delete_all([channel.get_partial_message(entry.message_id), *(videos or ())])
        if videos is None:
            removed += Removed(left=1, channels=frozenset({entry.channel_id}))
    if entry.status_id:
        where = client.get_partial_messageable(entry.status_channel_id, guild_id=entry.guild_id)
        removed += await _delete_all([where.get_partial_message(entry.status_id)])
        # A thread has the id of its message. It may be there although the song went elsewhere.
        if not await _end_thread(client, entry, language, stays=entry.status_id == answered_in):
            removed += Removed(left=1, channels=frozenset({entry.status_id}))
    return removed


async def _videos(
    client: discord.Client, channel: discord.PartialMessageable, entry: Entry
) -> list[discord.Message] | None:
    """Return the messages with videos of the song, None when the history cannot be read."""
    after = discord.Object(entry.message_id)
    try:
        with map_discord_errors():
            found = [message async for message in channel.history(limit=SEARCHED_MESSAGES, after=after)]
    except MelodifyError as error:
        # The videos are deleted with their channel.
        return [] if isinstance(error.__cause__, discord.NotFound) else None
    me = client.user.id if client.user else 0
    return [message for message in found if message.author.id == me and message.content.endswith(mark_of(entry))]


async def _delete_all(messages: Iterable[discord.PartialMessage | discord.Message]) -> Removed:
    removed = Removed()
    for message in messages:
        try:
            with map_discord_errors():
                await message.delete()
            removed += Removed(deleted=1)
        except MelodifyError as error:
            if isinstance(error.__cause__, discord.NotFound):
                continue
            log.warning("message %s was not deleted, it stays: %s", message.id, error)
            removed += Removed(left=1, channels=frozenset({message.channel.id}))
    return removed


async def _end_thread(client: discord.Client, entry: Entry, language: Language, *, stays: bool) -> bool:
    """Delete the song's thread, or rename one that is used or `stays`; return whether that succeeded."""
    try:
        with map_discord_errors():
            thread = client.get_channel(entry.status_id) or await client.fetch_channel(entry.status_id)
            if not isinstance(thread, discord.Thread):
                return True
            used = [message async for message in thread.history(limit=2) if not message.is_system()]
            if not (used or stays) and await _delete_thread(thread):
                return True
            await thread.edit(name=say(language, "song.thread_without_song"), archived=False)
    except MelodifyError as error:
        # No thread, or none of this song: one that cannot be seen is its own only if the song is in it.
        if isinstance(error.__cause__, discord.NotFound) or entry.channel_id != entry.status_id:
            return True
        log.warning("thread %s keeps the name of a song that is deleted: %s", entry.status_id, error)
        return False
    return True


async def _delete_thread(thread: discord.Thread) -> bool:
    """Delete the thread; return False without the permission, which the bot's invitation does not ask for."""
    try:
        await thread.delete()
    except discord.Forbidden:
        return False
    return True
