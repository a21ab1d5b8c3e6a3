"""What the bot may do in a channel, and whether it is a member there at all."""

import discord

from bot.i18n.messages import say
from melodify_core.errors import Rejected
from melodify_core.models import Language

# A thread can be opened on a message of these channels only (Discord answers 50024 elsewhere).
THREADABLE = {discord.ChannelType.text, discord.ChannelType.news}
THREADS = {discord.ChannelType.public_thread, discord.ChannelType.private_thread, discord.ChannelType.news_thread}
# Their chats need the permission to connect. The invitation does not ask for it: everybody has it by default.
VOICE = {discord.ChannelType.voice, discord.ChannelType.stage_voice}
# discord.py's types of every place where a member can ask.
Channel = (
    discord.TextChannel
    | discord.VoiceChannel
    | discord.StageChannel
    | discord.ForumChannel
    | discord.CategoryChannel
    | discord.Thread
    | discord.DMChannel
    | discord.GroupChannel
    | discord.PartialMessageable
    | None
)
NEEDED = ("view_channel", "attach_files", "embed_links", "read_message_history")

# What an invitation asks for: creating a thread is useful, but not needed.
PERMISSIONS = discord.Permissions(
    send_messages=True,
    create_public_threads=True,
    send_messages_in_threads=True,
    **dict.fromkeys(NEEDED, True),
)


def missing(permissions: discord.Permissions, kind: discord.ChannelType | None) -> list[str]:
    """Return the names of the permissions that the bot lacks to post a song in such a channel."""
    needed = [*NEEDED, "send_messages_in_threads" if kind in THREADS else "send_messages"]
    if kind in VOICE:
        needed.append("connect")
    return [name for name in needed if not getattr(permissions, name)]


def check(language: Language, permissions: discord.Permissions, channel: Channel) -> None:
    """Raise Rejected when permissions are missing, or when the thread is locked."""
    check_kind(language, permissions, channel.type if channel else None)
    if isinstance(channel, discord.Thread) and channel.locked and not permissions.manage_threads:
        raise Rejected("discord.thread_locked")


def check_kind(language: Language, permissions: discord.Permissions, kind: discord.ChannelType | None) -> None:
    """Raise Rejected when permissions are missing, with their names as Discord's settings show them."""
    lacking = missing(permissions, kind)
    if lacking:
        names = ", ".join(say(language, f"permission.{name}") for name in lacking)
        raise Rejected("discord.missing", permissions=names)


def threadable(permissions: discord.Permissions, kind: discord.ChannelType | None) -> bool:
    """Return whether the bot can post the song in a new thread."""
    return kind in THREADABLE and permissions.create_public_threads and permissions.send_messages_in_threads


def permissions_in(message: discord.Message) -> discord.Permissions:
    """Return what the bot may do in the message's channel; no permissions for direct messages, which need none."""
    channel = message.channel
    if message.guild is None or isinstance(
        channel, discord.DMChannel | discord.GroupChannel | discord.PartialMessageable
    ):
        return discord.Permissions.none()
    return channel.permissions_for(message.guild.me)


def answers_by_token(interaction: discord.Interaction[discord.Client]) -> bool:
    """Return whether the interaction's token is the only way to answer, because the bot is not a member there.

    That is so in a server that has not installed the bot, or only its commands, and in a conversation between members.
    Only the gateway knows: the interaction itself names a server in any case, and lists its member's installations.
    """
    if interaction.guild_id is None:
        return interaction.context.private_channel
    return interaction.client.get_guild(interaction.guild_id) is None


def upload_limit(guild: discord.Guild | None) -> int:
    """Return how many bytes a file may have in the server, Discord's lowest limit for an unknown server."""
    return guild.filesize_limit if guild is not None else discord.utils.DEFAULT_FILE_SIZE_LIMIT_BYTES
