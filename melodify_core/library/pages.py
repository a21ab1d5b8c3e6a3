"""The Pages port on the library: what a page shows and how far its song is, whichever process makes it.

Visitors are strangers, so pages use threads of their own: however many visitors come, jobs find theirs free.
"""

import asyncio
import json
import time
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import sqlalchemy as sa

from melodify_core.errors import Unavailable
from melodify_core.library.database import read
from melodify_core.library.schema import gone_pages, songs, usage
from melodify_core.library.statements import OPEN_STATES
from melodify_core.models import Song, Stage
from melodify_core.pages import Page

Result = TypeVar("Result")
THREADS = 4
# Queries that wait for a thread or for the database. With more than this, the database does not keep up.
MAX_QUERIES = 256
POLL_S = 1.0
_FIELDS = (
    *(usage.c[name] for name in ("page_id", "state", "stage", "brief_order", "picture_gone", "created_at")),
    songs.c.song,
    songs.c.private,
    songs.c.created_at.label("made_at"),
)


class LibraryPages:
    """Looks pages up in the tables."""

    def __init__(self, engine: sa.Engine, poll_s: float = POLL_S) -> None:
        """Read the stages of all watched songs every `poll_s` seconds, with one query."""
        self._engine = engine
        self._poll_s = poll_s
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="pages")
        self._queries = 0
        self._watched: Counter[str] = Counter()
        self._stages: dict[str, Stage | None] = {}
        self._seen_at = 0.0
        self._refresh = asyncio.Lock()

    def close(self) -> None:
        """Wait for the running queries and start no more."""
        self._threads.shutdown(cancel_futures=True)

    async def page(self, page_id: str) -> Page | None:
        """Return the page as it is now, None for an unknown id. Raises Unavailable."""
        return await self._off_loop(lambda: self._page(page_id))

    async def watch(self, page_id: str) -> AsyncGenerator[Stage, None]:
        """Yield the stage of a song in the making, now and at each change. Raises Unavailable."""
        self._watched[page_id] += 1
        try:
            shown: Stage | None = None
            while (stage := await self._stage(page_id)) is not None:
                if stage is not shown:
                    yield stage
                if stage is Stage.DONE:
                    return
                shown = stage
                await asyncio.sleep(self._poll_s)
        finally:
            self._watched[page_id] -= 1
            if not self._watched[page_id]:
                del self._watched[page_id]

    async def _stage(self, page_id: str) -> Stage | None:
        """Return the song's stage, read at most `poll_s` seconds ago; None when there will be no song."""
        async with self._refresh:
            # A little less, so that a watcher who has just slept that long does not get the same stages again.
            if page_id not in self._stages or time.monotonic() - self._seen_at > 0.9 * self._poll_s:
                watched = list(self._watched)
                self._stages = await self._off_loop(lambda: self._stages_of(watched))
                self._seen_at = time.monotonic()
        return self._stages.get(page_id)

    async def _off_loop(self, work: Callable[[], Result]) -> Result:
        if self._queries >= MAX_QUERIES:
            raise Unavailable("database.unavailable")
        self._queries += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._queries -= 1

    def _page(self, page_id: str) -> Page | None:
        query = (
            sa.select(*_FIELDS)
            .select_from(usage.outerjoin(songs, songs.c.job_id == usage.c.job_id))
            .where(usage.c.page_id == page_id)
        )
        if rows := read(self._engine, query):
            return _page_of(rows[0])
        gone = sa.select(gone_pages.c.page_id).where(gone_pages.c.page_id == page_id)
        return Page(page_id, deleted=True) if read(self._engine, gone) else None

    def _stages_of(self, page_ids: list[str]) -> dict[str, Stage | None]:
        found: dict[str, Stage | None] = dict.fromkeys(page_ids)
        query = sa.select(usage.c.page_id, usage.c.state, usage.c.stage).where(usage.c.page_id.in_(page_ids))
        for row in read(self._engine, query):
            found[row.page_id] = Stage.DONE if row.state == "charged" else _stage_of(row)
        return found


def _page_of(row: sa.Row[tuple[object, ...]]) -> Page:
    # While the song is being posted, its row exists already, but the page must not show it yet.
    song = Song.model_validate_json(row.song) if row.song and row.state not in OPEN_STATES else None
    # The note is gone when the member was forgotten.
    note = json.loads(row.brief_order or "{}")
    width, height = note.get("picture_size", (0, 0))
    picture_key = song.picture_key if song else note.get("picture_key")
    return Page(
        row.page_id,
        song=song,
        stage=None if song else _stage_of(row),
        private=bool(row.private),
        # Charged without a song: the song existed and was deleted.
        deleted=song is None and row.state == "charged",
        language=_language_of(song) if song else note.get("language", "en"),
        created_at=row.made_at or row.created_at,
        picture_key=None if row.picture_gone else picture_key,
        picture_width=width,
        picture_height=height,
        spoiler=song.spoiler if song else bool(note.get("spoiler")),
    )


def _stage_of(row: sa.Row[tuple[object, ...]]) -> Stage | None:
    if row.state not in OPEN_STATES:
        return None
    return Stage(row.stage) if row.stage else Stage.QUEUED


def _language_of(song: Song) -> str:
    """Return the language of title and caption, as far as it is known."""
    wish = song.wish
    if wish is None:
        return "en"
    # The embedded captioner speaks our own languages only.
    return wish.locale if wish.locale and song.captioner != "palette" else wish.language
