"""Asks for pages, at most once a second for each: a link in a large channel is opened by many at once."""

import asyncio
import time
from collections.abc import Callable

from bot.web.extras import Extras
from bot.web.recent import Recent
from melodify_core.pages import Page, Pages

REMEMBER_S = 1.0
_MOST = 2048


class Lookup:
    """Stands before Pages. What is private is not there, and is looked up like what is not."""

    def __init__(
        self,
        pages: Pages,
        extras: Extras | None = None,
        remember_s: float = REMEMBER_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pages = pages
        self._extras = extras
        self._remember_s = remember_s
        self._clock = clock
        self._known: Recent[str, tuple[float, Page | None]] = Recent(_MOST)
        self._asking: dict[str, asyncio.Task[Page | None]] = {}

    async def page(self, page_id: str) -> Page | None:
        """Return the page unless it is private or unknown. Raises Unavailable."""
        known = self._known.get(page_id)
        if known and self._clock() < known[0]:
            return known[1]
        asking = self._asking.get(page_id)
        if asking is None:
            asking = self._asking[page_id] = asyncio.create_task(self._asked(page_id))
            asking.add_done_callback(lambda done: self._forget(page_id, done))
        # One visitor who leaves must not take the answer from the others.
        return await asyncio.shield(asking)

    async def _asked(self, page_id: str) -> Page | None:
        found = await self._pages.page(page_id)
        page = None if found is None or found.private else found
        if page is not None and self._extras is not None:
            page = await self._extras.added(page)
        if page is None or page.stage is None:  # a song in the making is another one at any moment
            self._known.put(page_id, (self._clock() + self._remember_s, page))
        return page

    def _forget(self, page_id: str, done: "asyncio.Task[Page | None]") -> None:
        del self._asking[page_id]
        if not done.cancelled():
            done.exception()  # whoever waits gets it; when nobody does, it is no news
