"""Every way in which Discord fails, in our words."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import aiohttp
import discord

from melodify_core.errors import MelodifyError, Rejected, Unavailable

log = logging.getLogger(__name__)
# discord.com/developers/docs/topics/opcodes-and-status-codes
FILE_TOO_LARGE = 40005
ACKNOWLEDGED = 40060
ACKNOWLEDGE_PAUSES_S = (0.3, 0.6)
MEBIBYTE = 1024 * 1024
Result = TypeVar("Result")


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


async def retried(call: Callable[[], Awaitable[Result]], pauses_s: Sequence[float] = (0.5, 1.0, 2.0)) -> Result:
    """Return what the call returns; where Discord is away for a moment, make it again.

    For calls that may come twice: edits, and messages with a nonce. discord.py itself tries again after 500, 502 and
    504, and not after a 503 or a connection that was cut.
    """
    for pause_s in pauses_s:
        try:
            return await call()
        except (discord.HTTPException, aiohttp.ClientError, OSError) as error:
            if isinstance(error, discord.HTTPException) and error.status < 500:
                raise
            log.info("trying again in %g s: %s: %s", pause_s, type(error).__name__, error)
        await asyncio.sleep(pause_s)
    return await call()


async def acknowledged(
    interaction: discord.Interaction[Any], *, ephemeral: bool = False, thinking: bool = True
) -> bool:
    """Acknowledge: Discord waits three seconds. False when there is nobody to serve."""
    tries = 0

    async def defer() -> None:
        nonlocal tries
        tries += 1
        await interaction.response.defer(ephemeral=ephemeral, thinking=thinking)

    try:
        await retried(defer, ACKNOWLEDGE_PAUSES_S)
    except discord.HTTPException as error:
        if tries > 1 and error.code == ACKNOWLEDGED:
            return True  # by the try whose answer was lost
        # Acknowledged: another process of ours was faster; 10062: we were too slow, the asker sees it.
        log.warning("interaction %s: not acknowledged: %s", interaction.id, error)
        return False
    except (aiohttp.ClientError, OSError) as error:
        log.warning("interaction %s: not acknowledged: %s", interaction.id, error)
        return False
    return True


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
