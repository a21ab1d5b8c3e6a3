"""Every way in which Discord fails, in our words."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import aiohttp
import discord

from melodify_core.errors import MelodifyError, Rejected, Unavailable

log = logging.getLogger(__name__)
# discord.com/developers/docs/topics/opcodes-and-status-codes
FILE_TOO_LARGE = 40005
MEBIBYTE = 1024 * 1024


@contextmanager
def discord_errors(max_bytes: int = discord.utils.DEFAULT_FILE_SIZE_LIMIT_BYTES) -> Iterator[None]:
    """Turn every way in which Discord fails into Rejected or Unavailable."""
    try:
        yield
    except discord.HTTPException as error:
        if error.status == 413 or error.code == FILE_TOO_LARGE:
            raise Rejected("song.too_large", limit_mb=round(max_bytes / MEBIBYTE, 1)) from error
        if error.status == 429 or error.status >= 500:
            raise Unavailable("discord.unavailable") from error
        raise Rejected("discord.forbidden") from error
    except (discord.DiscordException, aiohttp.ClientError, OSError) as error:  # TimeoutError is an OSError
        raise Unavailable("discord.unavailable") from error


@contextmanager
def told_errors() -> Iterator[None]:
    """Turn a defect of ours too into a MelodifyError: discord.py only logs it, and whoever pressed waits for ever."""
    try:
        with discord_errors():
            yield
    except MelodifyError:
        raise
    except Exception as error:
        log.exception("a defect")
        raise Unavailable("internal") from error
