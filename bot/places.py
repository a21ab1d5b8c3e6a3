"""Where an answer goes: what the bot may do there, and the Place that a job keeps. Ids only leave this module."""

import discord

from bot.messages import say
from melodify_core.models import Language, Place

# A thread can be opened on a message of these channels only (Discord answers 50024 elsewhere).
THREADABLE = {discord.ChannelType.text, discord.ChannelType.news}
THREADS = {discord.ChannelType.public_thread, discord.ChannelType.private_thread, discord.ChannelType.news_thread}
NEEDED = ("view_channel", "attach_files", "embed_links", "read_message_history")

# What an invitation asks for: a thread of its own is welcome, but not needed.
PERMISSIONS = discord.Permissions(
    send_messages=True,
    create_public_threads=True,
    send_messages_in_threads=True,
    **dict.fromkeys(NEEDED, True),
)


def missing(permissions: discord.Permissions, kind: discord.ChannelType | None) -> list[str]:
    """Return the names of the permissions that the bot lacks to post a song in such a channel."""
    sending = "send_messages_in_threads" if kind in THREADS else "send_messages"
    return [name for name in (*NEEDED, sending) if not getattr(permissions, name)]


def names_of(language: Language, permissions: list[str]) -> str:
    """Return the permissions as Discord's settings call them."""
    return ", ".join(say(language, f"permission.{name}") for name in permissions)


def threadable(permissions: discord.Permissions, kind: discord.ChannelType | None) -> bool:
    """Return whether the song may go into a thread of its own."""
    return kind in THREADABLE and permissions.create_public_threads and permissions.send_messages_in_threads


def guild_place(guild: discord.Guild | None, channel_id: int, status_id: int, *, guild_id: int, threads: bool) -> Place:
    """Return the place of a status message in a server; `guild` is None when it is not in the cache."""
    limit = guild.filesize_limit if guild is not None else discord.utils.DEFAULT_FILE_SIZE_LIMIT_BYTES
    return Place(channel_id=channel_id, guild_id=guild_id, status_id=status_id, threadable=threads, max_bytes=limit)


def dm_place(channel_id: int, status_id: int) -> Place:
    """Return the place of a status message in direct messages."""
    return Place(channel_id=channel_id, status_id=status_id)
