"""Asks for pages, at most once a second for each: a link in a large channel is opened by many at once."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial

from bot.web.media import Files
from melodify_core.errors import Unavailable
from melodify_core.media.video import shape_of
from melodify_core.pages import Page, Pages
from melodify_core.storage.layout import midi_key, video_key

REMEMBER_S = 1.0
# A question to Cloud Storage is a call that is paid for. A video may appear at any time; a score is there at once.
FILES_S = 30.0
_MOST = 2048


@dataclass(slots=True)
class _Entry:
    asking: "asyncio.Task[Page | None] | None" = None
    until: float = 0.0
    files: frozenset[str] = frozenset()  # the keys of what there is beside the song
    files_until: float = 0.0


class Lookup:
    """Stands before Pages, and treats a private page as an unknown one.

    With `storage` it adds what there is beside the song; with `videos`, a video is made when it is asked for.
    """

    def __init__(
        self,
        pages: Pages,
        storage: Files | None = None,
        *,
        videos: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pages = pages
        self._storage = storage
        self._videos = videos
        self._clock = clock
        self._on_show: Sequence[Page] = ()
        self._on_show_until = 0.0
        self._asking_on_show = asyncio.Lock()
        self._entry = lru_cache(_MOST)(lambda _page_id: _Entry())

    async def page(self, page_id: str) -> Page | None:
        """Return the page unless it is private or unknown. Raises Unavailable."""
        entry = self._entry(page_id)
        if entry.asking is None or (entry.asking.done() and self._clock() >= entry.until):
            entry.asking, entry.until = asyncio.create_task(self._ask(entry, page_id)), self._clock() + REMEMBER_S
            entry.asking.add_done_callback(partial(_settle, entry))
        # A visitor who leaves must not take the answer from the others.
        return await asyncio.shield(entry.asking)

    async def on_show(self) -> Sequence[Page]:
        """Return the pages that the start page shows, asked at most once a second; none while they are unavailable."""
        async with self._asking_on_show:
            if self._clock() >= self._on_show_until:
                try:
                    self._on_show = tuple(await self._pages.on_show())
                except Unavailable:
                    self._on_show = ()
                self._on_show_until = self._clock() + REMEMBER_S
        return self._on_show

    async def _ask(self, entry: _Entry, page_id: str) -> Page | None:
        page = await self._pages.page(page_id)
        if page is None or page.private:
            return None
        if page.song is None or self._storage is None:
            return page
        midi, video = midi_key(page.song.job_id), video_key(page.song.job_id)
        on_demand = self._videos and page.picture_key is not None
        if self._clock() >= entry.files_until:
            await self._look_for_files(entry, (midi,) if on_demand else (midi, video), self._storage)
        has_video = on_demand or video in entry.files
        width, height = shape_of(page.picture_width, page.picture_height) if has_video else (0, 0)
        return replace(
            page,
            midi_key=midi if midi in entry.files else None,
            video_key=video if has_video else None,
            video_width=width,
            video_height=height,
        )

    async def _look_for_files(self, entry: _Entry, keys: tuple[str, ...], storage: Files) -> None:
        """Note under which of the keys there is a file; none while the storage is unavailable."""
        try:
            entry.files = frozenset([key for key in keys if await storage.find(key) is not None])
        except Unavailable:
            entry.files = frozenset()
        else:
            entry.files_until = self._clock() + FILES_S


def _settle(entry: _Entry, asked: "asyncio.Task[Page | None]") -> None:
    """Forget a failure, and a page whose stage may change at any moment."""
    if asked.cancelled() or asked.exception() or ((page := asked.result()) is not None and page.stage is not None):
        entry.asking = None
