"""The Memory port on the library: readings that were paid for, kept for some hours."""

import asyncio
import time

from melodify_core.library.ledger import Library
from melodify_core.models import Brief


class Readings:
    """Remembers up to `entries` readings for `hours` hours."""

    def __init__(self, library: Library, hours: int, entries: int) -> None:
        self._library = library
        self._lifetime_s = hours * 3600
        self._entries = entries

    async def recall(self, key: str) -> Brief | None:
        """Return the reading unless it is too old."""
        return await asyncio.to_thread(self._library.recall, key, time.time() - self._lifetime_s)

    async def remember(self, key: str, brief: Brief) -> None:
        """Remember the reading."""
        await asyncio.to_thread(self._library.remember, key, brief, time.time(), self._entries)
