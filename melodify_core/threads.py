"""Waiting for work in threads. A thread cannot be cancelled: who awaits one waits for its end before cleaning up."""

import asyncio
from collections.abc import Callable
from typing import TypeVar, TypeVarTuple

Result = TypeVar("Result")
Args = TypeVarTuple("Args")


async def finished(work: Callable[[*Args], Result], *args: *Args) -> Result:
    """Return work(*args), run in a thread. Cancelled, raise CancelledError when the thread has ended, not before."""
    task = asyncio.ensure_future(asyncio.to_thread(work, *args))
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.shield(asyncio.wait({task}))
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        task.exception()  # seen: the cancellation stands above it
        raise cancelled
    return task.result()
