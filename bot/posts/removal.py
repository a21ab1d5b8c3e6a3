"""Deletes everything that the bot has posted for a song: its message, videos, status message and thread."""

import logging
import re
from collections.abc import Iterable
from dataclasses import dataclass

import discord

from bot.discord_api.errors import map_discord_errors
from bot.i18n.messages import say
from bot.posts.destinations import link_to
from bot.posts.song_embed import PICTURE_NAME
from melodify_core.errors import MelodifyError
from melodify_core.models import Language, SongPosts

log = logging.getLogger(__name__)
# How many messages after the song's are searched for its videos.
SEARCHED_MESSAGES = 100
NAMED_CHANNELS = 5
SIGN = "🎬"  # before a video, in every language


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


def mark_of(posts: SongPosts) -> str:
    """Return what leads from a video to its song, and marks it, so that it is found again."""
    return f" · {link_to(posts.guild_id, posts.channel_id, posts.message_id)}"


async def remove_posts(
    client: discord.Client, posts: SongPosts, language: Language, *, answered_in: int | None = None
) -> Removed:
    """Delete what was posted for the song, and return what could not be deleted. Never raises a MelodifyError.

    Delete its thread too. A thread in which members have written stays, and so does `answered_in`, where the answer is
    posted: these get a name in `language` that does not contain the song's.
    """
    removed = Removed()
    if posts.message_id:
        channel = client.get_partial_messageable(posts.channel_id, guild_id=posts.guild_id)
        videos = await _videos(client, channel, posts)
        noted = [
            client.get_partial_messageable(channel_id, guild_id=posts.guild_id).get_partial_message(message_id)
            for channel_id, message_id in posts.videos
        ]
        found = [video for video in videos or () if video.id not in {message.id for message in noted}]
        removed += await _delete_all([channel.get_partial_message(posts.message_id), *noted, *found])
        if videos is None:
            removed += Removed(left=1, channels=frozenset({posts.channel_id}))
    if posts.status_id:
        where = client.get_partial_messageable(posts.status_channel_id, guild_id=posts.guild_id)
        removed += await _delete_all([where.get_partial_message(posts.status_id)])
        # A thread has the id of its message. It may be there although the song went elsewhere.
        if not await _end_thread(client, posts, language, stays=posts.status_id == answered_in):
            removed += Removed(left=1, channels=frozenset({posts.status_id}))
    return removed


async def _videos(
    client: discord.Client, channel: discord.PartialMessageable, posts: SongPosts
) -> list[discord.Message] | None:
    """Return the messages with videos among those after the song's, None when the history cannot be read.

    Of the videos of earlier versions, no message is known.
    """
    after = discord.Object(posts.message_id)
    try:
        with map_discord_errors():
            found = [message async for message in channel.history(limit=SEARCHED_MESSAGES, after=after)]
    except MelodifyError as error:
        # The videos are deleted with their channel.
        return [] if isinstance(error.__cause__, discord.NotFound) else None
    me = client.user.id if client.user else 0
    # In earlier versions the song's id was in the last line.
    marks = (mark_of(posts), say("en", "song.footer", job_id=posts.job_id))
    return [
        message
        for message in found
        if message.author.id == me and message.content.startswith(SIGN) and any(m in message.content for m in marks)
    ]


async def unlink_takes(client: discord.Client, gone: SongPosts, takes: Iterable[SongPosts]) -> None:
    """Make the takes' links to a song that is deleted plain words. Never raises a MelodifyError."""
    for posts in takes:
        channel = client.get_partial_messageable(posts.channel_id, guild_id=posts.guild_id)
        try:
            with map_discord_errors():
                message = await channel.fetch_message(posts.message_id)
                if embeds := _without_link(message, gone.message_id):
                    await message.edit(embeds=embeds)
        except MelodifyError as error:
            log.info("message %s keeps its link to a song that is deleted: %s", posts.message_id, error)


def _without_link(message: discord.Message, linked_id: int) -> list[discord.Embed]:
    """Return the message's embeds without the link, none where nothing changes."""
    link = re.compile(rf"\[([^\]]+)\]\([^)]*/{linked_id}\)")
    changed = False
    for embed in message.embeds:
        # Messages of earlier versions have the link in a field.
        for place, field in enumerate(embed.fields):
            changed |= bool(link.search(str(field.value)))
            embed.set_field_at(place, name=field.name, value=link.sub(r"\1", str(field.value)), inline=field.inline)
        changed |= bool(link.search(embed.description or ""))
        embed.description = link.sub(r"\1", embed.description or "") or None
        _name_attachment(embed, message)
    return message.embeds if changed else []


def _name_attachment(embed: discord.Embed, message: discord.Message) -> None:
    """Name the picture as the attachment that it is: with its address, Discord would show that once more."""
    if not any(file.filename == PICTURE_NAME for file in message.attachments):
        return
    if embed.thumbnail:
        embed.set_thumbnail(url=f"attachment://{PICTURE_NAME}")
    if embed.image:
        embed.set_image(url=f"attachment://{PICTURE_NAME}")


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


async def _end_thread(client: discord.Client, posts: SongPosts, language: Language, *, stays: bool) -> bool:
    """Delete the song's thread, or rename one that is used or `stays`; return whether that succeeded."""
    try:
        with map_discord_errors():
            thread = client.get_channel(posts.status_id) or await client.fetch_channel(posts.status_id)
            if not isinstance(thread, discord.Thread):
                return True
            used = [message async for message in thread.history(limit=2) if not message.is_system()]
            if not (used or stays) and await _delete_thread(thread):
                return True
            await thread.edit(name=say(language, "song.thread_without_song"), archived=False)
    except MelodifyError as error:
        # No thread, or none of this song: one that cannot be seen is its own only if the song is in it.
        if isinstance(error.__cause__, discord.NotFound) or posts.channel_id != posts.status_id:
            return True
        log.warning("thread %s keeps the name of a song that is deleted: %s", posts.status_id, error)
        return False
    return True


async def _delete_thread(thread: discord.Thread) -> bool:
    """Delete the thread; return False without the permission, which the bot's invitation does not ask for."""
    try:
        await thread.delete()
    except discord.Forbidden:
        return False
    return True
