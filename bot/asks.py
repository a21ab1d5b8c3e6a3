"""The ways of asking for a song - a command, a private command, a post - and how each is answered.

Where its status message stands is decided here, what becomes of it in generate.py.
"""

from dataclasses import dataclass
from pathlib import PurePath
from typing import Protocol

import discord

from bot.delivery import link_to
from bot.messages import say
from bot.places import dm_place, guild_place
from melodify_core.errors import Rejected
from melodify_core.models import Place, Wish

Interaction = discord.Interaction[discord.Client]
# For attachments whose type Discord does not know. What is a picture in truth, melodify_core.picture decides.
SUFFIXES = {".jpg", ".jpeg", ".jfif", ".png", ".webp", ".gif", ".avif", ".heic", ".heif", ".bmp", ".tif", ".tiff"}


@dataclass(frozen=True, slots=True)
class Request:
    """What is the same in every way of asking. `pictures` is how many were sent; `attachment` is the first."""

    job_id: str
    user_id: int
    attachment: discord.Attachment
    wish: Wish
    threads: bool = False
    private: bool = False
    pictures: int = 1
    guild_id: int | None = None
    role_ids: tuple[int, ...] = ()


class Ask(Protocol):
    """One member's request, still tied to what Discord sent."""

    @property
    def request(self) -> Request:
        """What is asked for."""
        ...

    async def open_status(self) -> Place:
        """Post the status message. Raises Rejected, and what discord.py raises."""
        ...

    async def answer(self, text: str) -> None:
        """Say the one sentence with which the ask ends, in the status message where there is one."""
        ...


class CommandAsk:
    """A command whose deferred response becomes the status message."""

    def __init__(self, interaction: Interaction, request: Request) -> None:
        self.request = request
        self._interaction = interaction

    async def open_status(self) -> Place:
        """Turn the response into the status message."""
        message = await self._interaction.edit_original_response(
            content=say(self.request.wish.language, "status.received")
        )
        if self._interaction.guild_id is None:
            return dm_place(message.channel.id, message.id)
        return guild_place(
            self._interaction.guild,
            message.channel.id,
            message.id,
            guild_id=self._interaction.guild_id,
            threads=self.request.threads,
        )

    async def answer(self, text: str) -> None:
        """Put the sentence into the response."""
        await self._interaction.edit_original_response(content=text)


class PrivateAsk:
    """A command whose response only the asker sees; status and song go to the direct messages."""

    def __init__(self, interaction: Interaction, request: Request) -> None:
        self.request = request
        self._interaction = interaction
        self._status: discord.Message | None = None

    async def open_status(self) -> Place:
        """Post the status message to the asker. Raises Rejected("discord.dm_closed")."""
        language = self.request.wish.language
        try:
            self._status = await self._interaction.user.send(say(language, "status.received"))
        except discord.Forbidden as error:  # 50007 among others: this member takes no messages from us
            raise Rejected("discord.dm_closed") from error
        link = link_to(None, self._status.channel.id, self._status.id)
        await self._interaction.edit_original_response(content=say(language, "status.private", link=link))
        return dm_place(self._status.channel.id, self._status.id)

    async def answer(self, text: str) -> None:
        """Put the sentence into the response; nothing stays in the direct messages."""
        await self._interaction.edit_original_response(content=text)
        if self._status is not None:
            await self._status.delete()


class PostAsk:
    """A picture in a message; the status message is the bot's reply to it."""

    def __init__(self, message: discord.Message, request: Request) -> None:
        self.request = request
        self._message = message
        self._status: discord.Message | None = None

    async def open_status(self) -> Place:
        """Reply with the status message."""
        language, pictures = self.request.wish.language, self.request.pictures
        # The note stands in an embed: edits of the text leave it as it is.
        note = discord.Embed(description=say(language, "status.first_only", count=pictures)) if pictures > 1 else None
        self._status = await reply(self._message, say(language, "status.received"), "s", note)
        guild = self._message.guild
        if guild is None:
            return dm_place(self._message.channel.id, self._status.id)
        return guild_place(
            guild, self._message.channel.id, self._status.id, guild_id=guild.id, threads=self.request.threads
        )

    async def answer(self, text: str) -> None:
        """Reply with the sentence, or put it into the reply."""
        if self._status is not None:
            await self._status.edit(content=text)
        else:
            await reply(self._message, text, "a")


def pictures_in(message: discord.Message) -> list[discord.Attachment]:
    """Return the attachments that claim to be pictures; a forwarded message carries its own in a snapshot."""
    forwarded = [attachment for snapshot in message.message_snapshots for attachment in snapshot.attachments]
    return [attachment for attachment in (*message.attachments, *forwarded) if _claims_picture(attachment)]


def _claims_picture(attachment: discord.Attachment) -> bool:
    kind = (attachment.content_type or "").casefold()
    return kind.startswith("image/") or PurePath(attachment.filename).suffix.casefold() in SUFFIXES


async def reply(message: discord.Message, text: str, mark: str, embed: discord.Embed | None = None) -> discord.Message:
    """Reply once: a second reply with the same mark within minutes is the first one, also from another process."""
    # The post may be gone by now: then this is a plain message.
    reference = message.to_reference(fail_if_not_exists=False)
    embeds = [embed] if embed else []
    return await message.channel.send(text, reference=reference, nonce=f"{mark}{message.id}", embeds=embeds)
