"""Deletes a song's messages: the one with the song, and those with its videos."""

import logging

import discord

from bot.discord_api.errors import map_discord_errors
from bot.i18n.messages import say
from melodify_core.errors import MelodifyError
from melodify_core.models import Entry

log = logging.getLogger(__name__)
# Its videos are searched for in so many messages after the song's.
SEARCHED_MESSAGES = 100


def mark_of(entry: Entry) -> str:
    """Return the line that marks a video of the song, so that it is found again. It is the same in all languages."""
    return f"-# {say('en', 'song.footer', job_id=entry.song.job_id)}"


async def remove_posts(client: discord.Client, entry: Entry) -> bool:
    """Delete the song's message and its videos; return True when they are gone. Never raises a MelodifyError."""
    if not entry.message_id:
        return False
    channel = client.get_partial_messageable(entry.channel_id, guild_id=entry.guild_id)
    videos = await _videos(client, channel, entry)
    song = channel.get_partial_message(entry.message_id)
    gone = [await _delete(message) for message in (song, *(videos or ()))]
    return videos is not None and all(gone)


async def _videos(
    client: discord.Client, channel: discord.PartialMessageable, entry: Entry
) -> list[discord.Message] | None:
    """Return the messages with videos of the song, None when the history cannot be read."""
    after = discord.Object(entry.message_id)
    try:
        with map_discord_errors():
            found = [message async for message in channel.history(limit=SEARCHED_MESSAGES, after=after)]
    except MelodifyError as error:
        # A deleted channel has no videos either.
        return [] if isinstance(error.__cause__, discord.NotFound) else None
    me = client.user.id if client.user else 0
    return [message for message in found if message.author.id == me and message.content.endswith(mark_of(entry))]


async def _delete(message: discord.PartialMessage | discord.Message) -> bool:
    try:
        with map_discord_errors():
            await message.delete()
    except MelodifyError as error:
        if isinstance(error.__cause__, discord.NotFound):
            return True
        log.warning("message %s was not deleted, it stays: %s", message.id, error)
        return False
    return True
