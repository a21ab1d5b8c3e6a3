"""Awaits work in threads. A thread cannot be cancelled: its caller waits for its end before cleaning up."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar, TypeVarTuple

Result = TypeVar("Result")
Args = TypeVarTuple("Args")


async def finished(work: Callable[[*Args], Result], *args: *Args) -> Result:
    """Return work(*args), run in a thread. When cancelled, wait for the thread's end, then raise CancelledError."""
    return await unbroken(asyncio.to_thread(work, *args))


async def unbroken(work: Coroutine[Any, Any, Result]) -> Result:
    """Return the result of the work. When cancelled, wait for the work's end, then raise CancelledError."""
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.shield(asyncio.wait({task}))
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        if not task.cancelled():
            task.exception()  # retrieved, so that asyncio does not log it: the cancellation takes precedence
        raise cancelled
    return task.result()
