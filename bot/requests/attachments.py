"""Which pictures a message brings, and their bytes. Only what Discord hosts is ever fetched; links are not followed."""

import asyncio
import logging
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
# For attachments whose type Discord does not know. What is a picture in truth, melodify_core.media.picture decides.
SUFFIXES = {".jpg", ".jpeg", ".jfif", ".png", ".webp", ".gif", ".avif", ".heic", ".heif", ".bmp", ".tif", ".tiff"}


def pictures_in(message: discord.Message) -> list[discord.Attachment]:
    """Return the attachments that claim to be pictures; a forwarded message carries its own in a snapshot."""
    forwarded = [attachment for snapshot in message.message_snapshots for attachment in snapshot.attachments]
    return [attachment for attachment in (*message.attachments, *forwarded) if _claims_picture(attachment)]


async def answered_pictures(message: discord.Message) -> list[discord.Attachment]:
    """Return the pictures of the message that this one replies to; none where it is gone or out of sight."""
    answered = message.reference.resolved if message.reference else None
    if answered is None and message.reference is not None and message.type is discord.MessageType.reply:
        # Discord mostly sends it along, and need not.
        answered = await _fetched(message, message.reference.message_id)
    return pictures_in(answered) if isinstance(answered, discord.Message) else []


async def _fetched(message: discord.Message, message_id: int | None) -> discord.Message | None:
    if message_id is None:
        return None
    try:
        return await message.channel.fetch_message(message_id)
    except discord.HTTPException as error:
        log.info("message %s: what it replies to cannot be read: %s", message.id, error)
        return None


def hosts_of(settings: Discord) -> frozenset[str]:
    """Return the names of the hosts that pictures are fetched from: Discord's, and its proxy's where there is one."""
    proxy = urlsplit(settings.api_url).hostname if settings.api_url else None
    return settings.picture_hosts | ({proxy} if proxy else frozenset())


def sent(attachments: Iterable[discord.Attachment]) -> tuple[SentPicture, ...]:
    """Return what is needed to fetch them."""
    return tuple(SentPicture(url=attachment.url, size=attachment.size) for attachment in attachments)


async def download(client: discord.Client, picture: SentPicture, settings: Settings) -> bytes:
    """Return the file's bytes. Raises Rejected (picture.*) and Unavailable."""
    check(picture, settings)
    try:
        with map_discord_errors():
            async with asyncio.timeout(settings.discord.download_s):
                return await client.http.get_from_cdn(picture.url)
    except Rejected as error:
        # It was deleted since, or its signed address has run out.
        raise Rejected("picture.gone") from error


def check(picture: SentPicture, settings: Settings) -> None:
    """Raise Rejected for what is not even worth fetching."""
    if picture.size > settings.picture.max_megabytes * MEBIBYTE:
        raise Rejected("picture.too_large", limit_mb=settings.picture.max_megabytes)
    if urlsplit(picture.url).hostname not in hosts_of(settings.discord):
        raise Rejected("picture.elsewhere")


def _claims_picture(attachment: discord.Attachment) -> bool:
    kind = (attachment.content_type or "").casefold()
    return kind.startswith("image/") or PurePath(attachment.filename).suffix.casefold() in SUFFIXES
