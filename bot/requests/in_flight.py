"""The requests that are being served: stopping the bot waits for them, from the first sign to the asker on."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class RequestsInFlight:
    """Keeps account of the handlers that work for an asker."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()
        self.stopping = False

    @contextmanager
    def one(self) -> Iterator[None]:
        """Count the current task as a request until the block ends. Blocks may lie in each other."""
        task = asyncio.current_task()
        if task is None or task in self._tasks:
            yield
            return
        self._tasks.add(task)
        try:
            yield
        finally:
            self._tasks.discard(task)

    async def stop(self, timeout_s: float) -> None:
        """Let new requests be refused, and wait for those that are being served."""
        self.stopping = True
        end = asyncio.get_running_loop().time() + timeout_s
        # Those that come meanwhile are refused in a sentence, and that takes a moment, too.
        while self._tasks and (left_s := end - asyncio.get_running_loop().time()) > 0:
            await asyncio.wait(set(self._tasks), timeout=left_s, return_when=asyncio.FIRST_COMPLETED)
