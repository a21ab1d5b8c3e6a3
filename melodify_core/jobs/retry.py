"""Repeats what the database or the storage could not do at the moment. A step's own tries are in engine.py."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from melodify_core.errors import Unavailable
from melodify_core.threads import finished

log = logging.getLogger(__name__)
Value = TypeVar("Value")
# While the database or the storage is unavailable, jobs wait for it: ten minutes in all.
PAUSES_S = (0.5, 1.0, 2.0, 4.0, 8.0, *(15.0,) * 39)


async def with_retry(
    work: Callable[[], Awaitable[Value]],
    failure: str,
    pauses_s: Sequence[float] = PAUSES_S,
    is_final: Callable[[], Awaitable[bool]] | None = None,
) -> Value:
    """Return the result of `work`, repeated after a pause when it raises Unavailable; at the end raise that.

    `failure` says in the log what did not work. Where `is_final` returns True, nothing is repeated.
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
