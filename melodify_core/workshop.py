"""Runs image and audio work in worker processes, so that the event loop never waits for it.

A process rather than a thread: the synthesiser holds the interpreter lock for its whole run, a hostile picture must
not take the bot down with it, and work that is too slow can really be ended.
"""

import asyncio
import multiprocessing
import os
from collections.abc import Callable
from typing import TypeVar, TypeVarTuple, cast

from pebble import ProcessExpired, ProcessPool

from melodify_core.errors import Unavailable

# When every core is busy, the event loop goes first: songs can wait a moment, acknowledgements cannot.
NICENESS = 10
Result = TypeVar("Result")
Args = TypeVarTuple("Args")


class Workshop:
    """Worker processes: they start with the first work, and each does one piece at a time."""

    def __init__(self, processes: int = 0) -> None:
        """`processes` 0 means one per core."""
        # Spawned, not forked: a fork of a process with threads and connections may hang.
        self._pool = ProcessPool(
            processes or os.cpu_count() or 1,
            initializer=os.nice,
            initargs=[NICENESS],
            context=multiprocessing.get_context("spawn"),
        )

    async def run(self, deadline_s: float, work: Callable[[*Args], Result], *args: *Args) -> Result:
        """Return work(*args), run in a worker process; `work` is a module-level function.

        The deadline counts from the start of the work, not from its place in the queue for a worker. Cancelling
        ends the worker. Raises what `work` raised, Unavailable("provider.too_slow") past the deadline and
        Unavailable("internal") when the worker died.
        """
        future = self._pool.schedule(work, args=list(args), timeout=deadline_s)
        try:
            return cast("Result", await asyncio.wrap_future(future))
        except TimeoutError as error:
            raise Unavailable("provider.too_slow") from error
        except ProcessExpired as error:
            raise Unavailable("internal") from error

    def close(self) -> None:
        """End the workers; unfinished work is cancelled. Takes up to a second: call it off the event loop."""
        self._pool.stop()  # type: ignore[no-untyped-call]  # pebble leaves this one without types
        self._pool.join()
