"""Every way in which Discord fails, in our words."""

from collections.abc import Iterator
from contextlib import contextmanager

import aiohttp
import discord

from melodify_core.errors import Rejected, Unavailable

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
