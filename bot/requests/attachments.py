"""Finds the pictures in a message, and downloads them. Only from Discord's hosts: links are not followed."""

import asyncio
import logging
import mimetypes
from collections.abc import Iterable
from pathlib import PurePath
from urllib.parse import urlsplit

import discord

from bot.discord_api.errors import map_discord_errors
from bot.requests.request import SentPicture
from melodify_core.config.settings import Discord, Settings
from melodify_core.errors import Rejected
from melodify_core.studio import MEBIBYTE

log = logging.getLogger(__name__)
# For attachments whose type Discord does not know. melodify_core.media.picture decides whether a file is a picture.
SUFFIXES = {".jpg", ".jpeg", ".jfif", ".png", ".webp", ".gif", ".avif", ".heic", ".heif", ".bmp", ".tif", ".tiff"}


def pictures_in(message: discord.Message) -> list[discord.Attachment]:
    """Return the attachments that seem to be pictures; those of a forwarded message are in a snapshot."""
    forwarded = [attachment for snapshot in message.message_snapshots for attachment in snapshot.attachments]
    return [attachment for attachment in (*message.attachments, *forwarded) if _seems_picture(attachment)]


async def replied_pictures(message: discord.Message) -> list[discord.Attachment]:
    """Return the pictures of the message that this one replies to; none where that is deleted or not visible."""
    original = message.reference.resolved if message.reference else None
    if original is None and message.reference is not None and message.type is discord.MessageType.reply:
        # Discord usually includes it, but need not.
        original = await _fetch_message(message, message.reference.message_id)
    return pictures_in(original) if isinstance(original, discord.Message) else []


def unreadable_in(message: discord.Message) -> str | None:
    """Return what kind of file the message has, or the one that it replies to, None without one.

    Call it where there is no picture: "video", "audio", "pdf" or "file".
    """
    original = message.reference.resolved if message.reference else None
    sources = [message, *([original] if isinstance(original, discord.Message) else [])]
    for source in sources:
        snapshots = [attachment for snapshot in source.message_snapshots for attachment in snapshot.attachments]
        for attachment in (*source.attachments, *snapshots):
            return _kind_of(attachment)
    return None


def _kind_of(attachment: discord.Attachment) -> str:
    guessed = mimetypes.guess_type(attachment.filename)[0]
    kind = (attachment.content_type or guessed or "").casefold()
    if kind.startswith("application/pdf"):
        return "pdf"
    general = kind.partition("/")[0]
    return general if general in ("video", "audio") else "file"


async def _fetch_message(message: discord.Message, message_id: int | None) -> discord.Message | None:
    if message_id is None:
        return None
    try:
        return await message.channel.fetch_message(message_id)
    except discord.HTTPException as error:
        log.info("message %s: the message it replies to cannot be read and is ignored: %s", message.id, error)
        return None


def hosts_of(settings: Discord) -> frozenset[str]:
    """Return the names of the hosts to download from: Discord's, and that of a proxy where there is one."""
    proxy = urlsplit(settings.api_url).hostname if settings.api_url else None
    return settings.picture_hosts | ({proxy} if proxy else frozenset())


def sent_pictures(attachments: Iterable[discord.Attachment]) -> tuple[SentPicture, ...]:
    """Return what is needed to download the attachments."""
    return tuple(
        SentPicture(url=attachment.url, size=attachment.size, spoiler=attachment.is_spoiler())
        for attachment in attachments
    )


async def download(client: discord.Client, picture: SentPicture, settings: Settings) -> bytes:
    """Return the file's bytes. Raises Rejected (picture.*) and Unavailable."""
    check(picture, settings)
    try:
        with map_discord_errors():
            async with asyncio.timeout(settings.discord.download_s):
                return await client.http.get_from_cdn(picture.url)
    except Rejected as error:
        # The picture was deleted meanwhile, or its signed address has expired.
        raise Rejected("picture.gone") from error


def check(picture: SentPicture, settings: Settings) -> None:
    """Raise Rejected for a picture that must not be downloaded."""
    if picture.size > settings.picture.max_megabytes * MEBIBYTE:
        raise Rejected("picture.too_large", limit_mb=settings.picture.max_megabytes)
    if urlsplit(picture.url).hostname not in hosts_of(settings.discord):
        raise Rejected("picture.elsewhere")


def _seems_picture(attachment: discord.Attachment) -> bool:
    kind = (attachment.content_type or "").casefold()
    return kind.startswith("image/") or PurePath(attachment.filename).suffix.casefold() in SUFFIXES
