"""Turns Discord's failures into our errors, retries calls to Discord, and acknowledges interactions."""

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
def map_discord_errors(max_bytes: int = discord.utils.DEFAULT_FILE_SIZE_LIMIT_BYTES) -> Iterator[None]:
    """Raise Rejected or Unavailable in place of every error of a call to Discord."""
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


async def with_discord_retry(
    call: Callable[[], Awaitable[Result]], pauses_s: Sequence[float] = (0.5, 1.0, 2.0)
) -> Result:
    """Return the call's result, and repeat the call while Discord is unavailable for a moment.

    For calls that may arrive twice: edits, and messages with a nonce. discord.py itself retries after 500, 502 and
    504, but not after 503 or a connection that was cut.
    """
    for pause_s in pauses_s:
        try:
            return await call()
        except (discord.HTTPException, aiohttp.ClientError, OSError) as error:
            if isinstance(error, discord.HTTPException) and error.status < 500:
                raise
            log.info("Discord call failed, retrying in %g s: %s: %s", pause_s, type(error).__name__, error)
        await asyncio.sleep(pause_s)
    return await call()


async def acknowledge_interaction(
    interaction: discord.Interaction[Any], *, ephemeral: bool = False, thinking: bool = True
) -> bool:
    """Defer the response within Discord's three seconds; return False when it can no longer be answered."""
    tries = 0

    async def defer() -> None:
        nonlocal tries
        tries += 1
        await interaction.response.defer(ephemeral=ephemeral, thinking=thinking)

    try:
        await with_discord_retry(defer, ACKNOWLEDGE_PAUSES_S)
    except discord.HTTPException as error:
        if tries > 1 and error.code == ACKNOWLEDGED:
            return True  # an earlier try succeeded, but its answer was lost
        # ACKNOWLEDGED: another process of ours was faster. 10062: this one was too slow, and Discord shows an error.
        log.warning("interaction %s: not acknowledged, it is dropped: %s", interaction.id, error)
        return False
    except (aiohttp.ClientError, OSError) as error:
        log.warning("interaction %s: not acknowledged, it is dropped: %s", interaction.id, error)
        return False
    return True


@contextmanager
def map_all_errors() -> Iterator[None]:
    """Raise a MelodifyError in place of every error, even for a defect of ours.

    discord.py would only log a defect, and the member would wait for an answer.
    """
    try:
        with map_discord_errors():
            yield
    except MelodifyError:
        raise
    except Exception as error:
        log.exception("a defect in a handler, the member gets the sentence for internal errors")
        raise Unavailable("internal") from error
