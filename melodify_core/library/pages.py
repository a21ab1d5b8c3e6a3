"""The Pages port on the library: what a page shows and how far its song is, whichever process makes it.

Visitors are strangers, so pages use threads of their own: however many visitors come, jobs find theirs free.
"""

import asyncio
import json
import time
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

import sqlalchemy as sa
from pydantic import ValidationError

from melodify_core.errors import Unavailable
from melodify_core.library.database import read
from melodify_core.library.schema import gone_pages, guilds, members, songs, usage
from melodify_core.library.statements import OPEN_STATES
from melodify_core.library.stored_settings import read_settings
from melodify_core.models import GuildSettings, MemberSettings, Song, Stage
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


SHOWN = 12
# With more blocked or unnamed members' songs than this in a row, the start page shows fewer.
ROUNDS = 20
# As pydantic writes it. Quotes inside a text are escaped there, so that no text reads like this.
_AGREES = '%"start_page":true%'
_root = usage.alias("root")
_AGREED = (
    sa.select(
        *_FIELDS,
        songs.c.user_id,
        guilds.c.settings.label("rules"),
        members.c.settings.label("choice"),
        _root.c.brief_order.label("first_order"),
    )
    .select_from(
        songs.join(usage, usage.c.job_id == songs.c.job_id)
        .join(guilds, guilds.c.guild_id == songs.c.guild_id)
        .join(members, members.c.user_id == songs.c.user_id)
        .outerjoin(_root, _root.c.job_id == songs.c.root_id)
    )
    .where(
        members.c.settings.like(_AGREES),
        guilds.c.settings.like(_AGREES),
        guilds.c.left_at.is_(None),
        usage.c.page_id.is_not(None),
        usage.c.state == "charged",
        ~songs.c.private,
        # A take shows the picture of the member who sent it first.
        sa.or_(songs.c.root_id.is_(None), _root.c.user_id == songs.c.user_id),
    )
    .order_by(songs.c.created_at.desc(), songs.c.job_id)
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

    async def on_show(self) -> list[Page]:
        """Return the newest songs whose members and servers want them on the start page. Raises Unavailable."""
        return await self._off_loop(lambda: list(islice(self._agreed(), SHOWN)))

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

    def _agreed(self) -> Iterator[Page]:
        for skip in range(0, ROUNDS * SHOWN, SHOWN):
            rows = read(self._engine, _AGREED.offset(skip).limit(SHOWN))
            yield from (page for row in rows if _is_wanted(row) and (page := _readable(row)))
            if len(rows) < SHOWN:
                return

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


def _is_wanted(row: sa.Row[tuple[object, ...]]) -> bool:
    """Return whether the member and the server of a row of _AGREED want the song to be shown."""
    choice, rules = read_settings(MemberSettings, row.choice), read_settings(GuildSettings, row.rules)
    agreed = choice.start_page and rules.start_page
    # Of a take, the first song's order says whose the picture is. Orders of earlier versions do not say it.
    orders = [json.loads(text or "{}") for text in (row.brief_order, row.first_order or row.brief_order)]
    own = all(order.get("place", {}).get("borrowed") is False for order in orders)
    return agreed and choice.named and row.user_id not in rules.blocked_users and own


def _readable(row: sa.Row[tuple[object, ...]]) -> Page | None:
    """Return the row's page; a record that cannot be read hides no other."""
    try:
        return _page_of(row)
    except ValidationError:
        return None


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
