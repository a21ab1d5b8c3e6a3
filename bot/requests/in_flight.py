"""Counts the requests that this process serves now, so that a stop can wait for them. intake.py serves them."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from melodify_core.errors import Unavailable

log = logging.getLogger(__name__)
RETRIED_CODES = {"database.unavailable", "storage.unavailable"}
Result = TypeVar("Result")


class RequestsInFlight:
    """Counts the handlers that serve a request."""

    def __init__(self, patience_s: float) -> None:
        """`with_retry` waits at most `patience_s` seconds."""
        self._patience_s = patience_s
        self._tasks: set[asyncio.Task[Any]] = set()
        self.stopping = False

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Count the current task as a request until the block ends. Blocks may be nested."""
        task = asyncio.current_task()
        if task is None or task in self._tasks:
            yield
            return
        self._tasks.add(task)
        try:
            yield
        finally:
            self._tasks.discard(task)

    async def with_retry(self, call: Callable[[], Awaitable[Result]]) -> Result:
        """Return the result of the call; repeat it for a while when our database or storage is unavailable."""
        loop = asyncio.get_running_loop()
        end, pause_s = loop.time() + self._patience_s, 0.1
        while True:
            try:
                return await call()
            except Unavailable as error:
                if error.code not in RETRIED_CODES or self.stopping or loop.time() + pause_s > end:
                    raise
                log.info("a request waits, trying again in %g s: %s", pause_s, error)
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, 2.0)

    async def stop(self, timeout_s: float) -> None:
        """Refuse new requests, and wait for those that are being served, at most `timeout_s` seconds."""
        self.stopping = True
        end = asyncio.get_running_loop().time() + timeout_s
        # The tasks change meanwhile: a new request is counted until it was refused.
        while self._tasks and (left_s := end - asyncio.get_running_loop().time()) > 0:
            await asyncio.wait(set(self._tasks), timeout=left_s, return_when=asyncio.FIRST_COMPLETED)
