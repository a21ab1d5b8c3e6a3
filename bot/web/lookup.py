"""Asks for pages, at most once a second for each: a link in a large channel is opened by many at once."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import Any, Generic, TypeVar

from bot.web.media import Files
from melodify_core.errors import Unavailable
from melodify_core.media.video import shape_of
from melodify_core.pages import Page, Pages
from melodify_core.storage.layout import midi_key, video_key

Answer = TypeVar("Answer")
REMEMBER_S = 1.0
# A question to Cloud Storage is a call that is paid for. A video may appear at any time; a score is there at once.
FILES_S = 30.0
_MOST = 2048


class _Shared(Generic[Answer]):
    """An answer that is remembered for REMEMBER_S, and for which many visitors wait together."""

    def __init__(self, clock: Callable[[], float], lasts: Callable[[Answer], bool] = lambda _answer: True) -> None:
        self._clock = clock
        self._lasts = lasts
        self._asking: asyncio.Task[Answer] | None = None
        self._until = 0.0

    async def get(self, ask: Callable[[], Coroutine[Any, Any, Answer]]) -> Answer:
        if self._asking is None or (self._asking.done() and self._clock() >= self._until):
            self._asking, self._until = asyncio.create_task(ask()), self._clock() + REMEMBER_S
            self._asking.add_done_callback(self._settle)
        # A visitor who leaves must not take the answer from the others.
        return await asyncio.shield(self._asking)

    def _settle(self, asked: "asyncio.Task[Answer]") -> None:
        """Forget a failure, and an answer that does not last."""
        if asked.cancelled() or asked.exception() or not self._lasts(asked.result()):
            self._asking = None


@dataclass(slots=True)
class _Entry:
    page: _Shared[Page | None]
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
        self._on_show = _Shared[Sequence[Page]](clock)
        # A stage may change at any moment.
        self._entry = lru_cache(_MOST)(lambda _page_id: _Entry(_Shared(clock, lambda page: not (page and page.stage))))

    async def page(self, page_id: str) -> Page | None:
        """Return the page unless it is private or unknown. Raises Unavailable."""
        entry = self._entry(page_id)
        return await entry.page.get(partial(self._ask, entry, page_id))

    async def on_show(self) -> tuple[Page, ...]:
        """Return the pages that the start page shows; none while they are unavailable."""
        try:
            return tuple(await self._on_show.get(self._pages.on_show))
        except Unavailable:
            return ()

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
