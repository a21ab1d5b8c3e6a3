"""Waiting for work in threads. A thread cannot be cancelled: who awaits one waits for its end before cleaning up."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar, TypeVarTuple

Result = TypeVar("Result")
Args = TypeVarTuple("Args")


async def finished(work: Callable[[*Args], Result], *args: *Args) -> Result:
    """Return work(*args), run in a thread. Cancelled, raise CancelledError when the thread has ended, not before."""
    return await unbroken(asyncio.to_thread(work, *args))


async def unbroken(work: Coroutine[Any, Any, Result]) -> Result:
    """Return what the work returns. Cancelled, bring it to its end first, and raise CancelledError then."""
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.shield(asyncio.wait({task}))
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        if not task.cancelled():
            task.exception()  # seen: the cancellation stands above it
        raise cancelled
    return task.result()
