"""Retries calls while the database or the storage is unavailable. The retries of steps are in engine.py."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from melodify_core.errors import Unavailable
from melodify_core.threads import finished

log = logging.getLogger(__name__)
Value = TypeVar("Value")
# Jobs wait for the database or the storage for ten minutes in all.
PAUSES_S = (0.5, 1.0, 2.0, 4.0, 8.0, *(15.0,) * 39)


async def with_retry(
    work: Callable[[], Awaitable[Value]],
    failure: str,
    pauses_s: Sequence[float] = PAUSES_S,
    is_final: Callable[[], Awaitable[bool]] | None = None,
) -> Value:
    """Return the result of `work`. After Unavailable, repeat it after each of the pauses; then raise Unavailable.

    `failure` tells the log what did not work. If `is_final` returns True, raise the error at once.
    """
    for pause_s in pauses_s:
        try:
            return await work()
        except Unavailable as error:
            if is_final is not None and await is_final():
                raise
            log.warning("%s, trying again in %g s: %s", failure, pause_s, error)
            await asyncio.sleep(pause_s)
    return await work()


async def with_db_retry(work: Callable[..., Value], *args: Any) -> Value:
    """Return work(*args) of the ledger, run in a thread and repeated while the database is unavailable.

    Raises Unavailable("database.unavailable") when it does not come back.
    """
    return await with_retry(lambda: finished(work, *args), "the database is unavailable")
