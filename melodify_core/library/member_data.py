"""The songs, jobs and requests of one member. Synchronous; callers run it off the event loop.

Every method raises Unavailable("database.unavailable") while the database is away.
"""

import json
import logging
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

import sqlalchemy as sa
from pydantic import ValidationError

from melodify_core.library.database import changing, read, transaction
from melodify_core.library.ledger import NOBODY
from melodify_core.library.schema import likes, members, readings, requests, songs, usage
from melodify_core.library.songbook import ENTRY, LIKES, entry_of, erase_songs, posts_of
from melodify_core.library.statements import OPEN_STATES
from melodify_core.library.stored_settings import read_settings, written_settings
from melodify_core.models import Brief, Entry, MemberSettings, Song, SongPosts

log = logging.getLogger(__name__)
# Newest songs first, or most liked songs first.
SortOrder = Literal["newest", "liked"]


@dataclass(frozen=True, slots=True)
class SongListPage:
    """Some songs of a list, how long the list is, and those of the songs' members who do not want to be named."""

    entries: tuple[Entry, ...]
    total: int
    unnamed: frozenset[int] = frozenset()


class MemberBook:
    """Reads a member's data, and erases it on request."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def own_songs(self, user_id: int, sort: SortOrder, skip: int, limit: int) -> SongListPage:
        """Return some of the member's songs, private ones too."""
        return self._page(songs.c.user_id == user_id, sort, skip, limit)

    def public_songs(
        self, guild_id: int, asked_in: Collection[int], sort: SortOrder, skip: int, limit: int
    ) -> SongListPage:
        """Return some of a server's songs: those that were asked for in one of these channels and are not private."""
        whose = sa.and_(songs.c.guild_id == guild_id, ~songs.c.private, songs.c.asked_in.in_(asked_in))
        page = self._page(whose, sort, skip, limit)
        return replace(page, unnamed=self._unnamed({entry.user_id for entry in page.entries}))

    def settings_of(self, user_id: int, connection: sa.Connection | None = None) -> MemberSettings:
        """Return what the member has chosen; the defaults where nothing is."""
        return read_settings(MemberSettings, self._settings_text(user_id, connection))

    def _settings_text(self, user_id: int, connection: sa.Connection | None = None) -> str:
        rows = read(self._engine, sa.select(members.c.settings).where(members.c.user_id == user_id), connection)
        return str(rows[0].settings) if rows else "{}"

    def change_settings(self, user_id: int, edit: Callable[[MemberSettings], MemberSettings]) -> MemberSettings:
        """Change what the member has chosen, in one transaction; return the new settings."""
        with transaction(self._engine) as connection:
            before = self._settings_text(user_id, connection)
            changed = edit(read_settings(MemberSettings, before))
            text = written_settings(before, changed)
            found = connection.execute(members.update().where(members.c.user_id == user_id).values(settings=text))
            if found.rowcount == 0:
                connection.execute(members.insert().values(user_id=user_id, settings=text))
        return changed

    def _unnamed(self, user_ids: Collection[int]) -> frozenset[int]:
        query = sa.select(members.c.user_id, members.c.settings).where(members.c.user_id.in_(user_ids))
        chosen = {row.user_id: read_settings(MemberSettings, row.settings) for row in read(self._engine, query)}
        return frozenset(user_id for user_id, settings in chosen.items() if not settings.named)

    def _page(self, whose: sa.ColumnElement[bool], sort: SortOrder, skip: int, limit: int) -> SongListPage:
        newest = songs.c.created_at.desc()
        by = (LIKES.desc(), newest) if sort == "liked" else (newest,)
        rows = read(self._engine, sa.select(*ENTRY).where(whose).order_by(*by).offset(skip).limit(limit))
        total = read(self._engine, sa.select(sa.func.count()).select_from(songs).where(whose))
        return SongListPage(tuple(_readable(rows)), int(total[0][0]))

    def posted(self, user_id: int) -> list[SongPosts]:
        """Return what was posted for the member's songs, also for those that cannot be read any more."""
        rows = read(self._engine, sa.select(*ENTRY).where(songs.c.user_id == user_id))
        return [posts_of(row) for row in rows]

    def takes_of_pictures(self, user_id: int) -> list[SongPosts]:
        """Return the songs that other members had made of the member's pictures."""
        # Of a song that was deleted, only its order is known.
        own = (
            sa.select(usage.c.job_id)
            .where(usage.c.user_id == user_id)
            .union(sa.select(songs.c.job_id).where(songs.c.user_id == user_id))
        )
        query = sa.select(*ENTRY).where(songs.c.root_id.in_(own), songs.c.user_id != user_id)
        return [posts_of(row) for row in read(self._engine, query)]

    def open_takes(self, job_ids: Collection[str]) -> list[str]:
        """Return the jobs that wait or run to make another song of the pictures of these."""
        return self._takes(job_ids, usage.c.state.in_(OPEN_STATES))

    def failed_takes(self, job_ids: Collection[str]) -> list[str]:
        """Return the jobs that failed to make another song of the pictures of these, and may be tried again."""
        return self._takes(job_ids, sa.and_(usage.c.state == "refunded", ~usage.c.picture_gone))

    def _takes(self, job_ids: Collection[str], which: sa.ColumnElement[bool]) -> list[str]:
        takes = (which, usage.c.brief_order.like('%"root_id": "%'))
        rows = read(self._engine, sa.select(usage.c.job_id, usage.c.brief_order).where(*takes))
        return [row.job_id for row in rows if json.loads(row.brief_order).get("root_id") in job_ids]

    def drop_pictures(self, job_ids: Collection[str]) -> None:
        """Note that the pictures of these jobs are deleted: their pages show none, and nobody can order a take."""
        # Excludes the acceptance of an order, which sees either this or is seen by `open_takes`.
        with transaction(self._engine) as connection:
            connection.execute(usage.update().where(usage.c.job_id.in_(job_ids)).values(picture_gone=True))

    def open_jobs(self, user_id: int) -> list[str]:
        """Return the member's jobs that wait or run."""
        query = sa.select(usage.c.job_id).where(usage.c.user_id == user_id, usage.c.state.in_(OPEN_STATES))
        return [row.job_id for row in read(self._engine, query)]

    def has_open_request(self, user_id: int, now: float) -> bool:
        """Return whether a living process serves a request of the member that is no order yet."""
        alive = sa.and_(requests.c.user_id == user_id, requests.c.leased_until > now)
        return bool(read(self._engine, sa.select(requests.c.request_id).where(alive).limit(1)))

    def jobs(self, user_id: int) -> list[str]:
        """Return all the member's jobs that are still known as such."""
        known = sa.union(
            sa.select(usage.c.job_id).where(usage.c.user_id == user_id),
            sa.select(songs.c.job_id).where(songs.c.user_id == user_id),
        )
        return [row.job_id for row in read(self._engine, sa.select(known.subquery().c.job_id))]

    def forget(self, user_id: int, alias: int, now: float, counts_since: float) -> int:
        """Erase the member in one transaction; return how many songs went.

        Usage that still counts for limits and budgets moves to the alias, older rows move to NOBODY.
        """
        mine = usage.c.user_id == user_id
        with changing(self._engine) as connection:
            own = connection.execute(sa.select(songs.c.job_id, songs.c.song).where(songs.c.user_id == user_id)).all()
            # Also the cached readings that these songs were made from.
            for row in own:
                brief = _brief_of(row.song)
                if brief is not None:
                    connection.execute(readings.delete().where(readings.c.brief == brief.model_dump_json()))
            erase_songs(connection, [row.job_id for row in own], now)
            connection.execute(likes.delete().where(likes.c.user_id == user_id))
            connection.execute(requests.delete().where(requests.c.user_id == user_id))
            connection.execute(members.delete().where(members.c.user_id == user_id))
            plain = {"brief_order": None, "page_id": None}
            connection.execute(
                usage.update().where(mine, usage.c.created_at > counts_since).values(user_id=alias, **plain)
            )
            connection.execute(usage.update().where(mine).values(user_id=NOBODY, guild_id=None, **plain))
        return len(own)


def _readable(rows: Iterable[sa.Row[tuple[object, ...]]]) -> Iterator[Entry]:
    """Yield the entries; a record that cannot be read hides no other."""
    for row in rows:
        try:
            yield entry_of(row)
        except ValidationError as error:
            log.warning("song %s cannot be read, lists leave it out: %s", row.job_id, error.errors(include_input=False))


def _brief_of(song: str) -> Brief | None:
    try:
        return Song.model_validate_json(song).brief
    except ValidationError:
        # A record that cannot be read any more must not keep a member from being forgotten.
        return None
