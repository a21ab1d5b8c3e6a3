"""The finished songs: reading, liking, deleting. Synchronous; callers run it off the event loop.

Every method raises Unavailable("database.unavailable") while the database is away.
"""

import json
from collections.abc import Collection
from dataclasses import asdict
from typing import Any

import sqlalchemy as sa

from melodify_core.library.database import changing, read
from melodify_core.library.schema import gone_pages, likes, songs, usage
from melodify_core.models import Entry, Song, SongPosts

LIKES = (
    sa.select(sa.func.count())
    .select_from(likes)
    .where(likes.c.job_id == songs.c.job_id)
    .correlate(songs)
    .scalar_subquery()
    .label("likes")
)


def _of_order(column: sa.Column[Any]) -> sa.Label[Any]:
    """Return what is known of the song's order, where its member was not forgotten."""
    found = sa.select(column).where(usage.c.job_id == songs.c.job_id).correlate(songs)
    return found.scalar_subquery().label(column.name)


ENTRY = (songs, LIKES, _of_order(usage.c.brief_order), _of_order(usage.c.page_id))
MAX_VIDEOS = 100
MAX_TAKES = 20


class Songbook:
    """The songs of all members."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def entry(self, job_id: str) -> Entry | None:
        """Return a song with where it was posted; None where it does not exist any more."""
        rows = read(self._engine, sa.select(*ENTRY).where(songs.c.job_id == job_id))
        return entry_of(rows[0]) if rows else None

    def like(self, job_id: str, user_id: int, now: float) -> tuple[bool, int]:
        """Toggle a member's like; return whether the member likes the song now, and how many members do."""
        mine = (likes.c.job_id == job_id, likes.c.user_id == user_id)
        song = sa.select(songs.c.job_id).where(songs.c.job_id == job_id).with_for_update()
        with changing(self._engine) as connection:
            # Two quick presses wait for each other here: both would insert the same row.
            connection.execute(song)
            liked = connection.execute(likes.delete().where(*mine)).rowcount == 0
            if liked:
                connection.execute(likes.insert().values(job_id=job_id, user_id=user_id, created_at=now))
            count = connection.scalar(sa.select(sa.func.count()).select_from(likes).where(likes.c.job_id == job_id))
        return liked, int(count or 0)

    def note_video(self, job_id: str, channel_id: int, message_id: int) -> bool:
        """Remember a message with the song's video; False for a song that is not there any more."""
        with changing(self._engine) as connection:
            query = sa.select(songs.c.videos).where(songs.c.job_id == job_id).with_for_update()
            if (noted := connection.scalar(query)) is not None:
                newest = [*json.loads(noted), [channel_id, message_id]][-MAX_VIDEOS:]
                connection.execute(songs.update().where(songs.c.job_id == job_id).values(videos=json.dumps(newest)))
        return noted is not None

    def takes_of(self, job_id: str) -> list[SongPosts]:
        """Return where the song's direct takes were posted, the newest first."""
        query = sa.select(*ENTRY).where(songs.c.parent_id == job_id, songs.c.message_id != 0)
        return [posts_of(row) for row in read(self._engine, query.order_by(songs.c.created_at.desc()).limit(MAX_TAKES))]

    def erase(self, job_ids: Collection[str], now: float) -> None:
        """Delete the songs with their likes and pages. What was paid for them stays."""
        with changing(self._engine) as connection:
            erase_songs(connection, job_ids, now)


def erase_songs(connection: sa.Connection, job_ids: Collection[str], now: float) -> None:
    """Delete the songs within the caller's transaction."""
    paged = sa.select(usage.c.page_id).where(usage.c.job_id.in_(job_ids), usage.c.page_id.is_not(None))
    # Two who delete the same song wait for each other here: the second finds no page any more.
    for page_id in connection.scalars(paged.order_by(usage.c.job_id).with_for_update()).all():
        connection.execute(gone_pages.insert().values(page_id=page_id, at=now))
    connection.execute(usage.update().where(usage.c.job_id.in_(job_ids)).values(page_id=None))
    for table in (likes, songs):
        connection.execute(table.delete().where(table.c.job_id.in_(job_ids)))


def entry_of(row: sa.Row[tuple[object, ...]]) -> Entry:
    """Return the entry of a row of ENTRY."""
    return Entry(
        **asdict(posts_of(row)),
        song=Song.model_validate_json(row.song),
        user_id=row.user_id,
        private=row.private,
        created_at=row.created_at,
        likes=row.likes,
        asked_in=row.asked_in or 0,
        page_id=row.page_id,
    )


def posts_of(row: sa.Row[tuple[object, ...]]) -> SongPosts:
    """Return what was posted for the song of a row of ENTRY. The song itself is not read."""
    place = json.loads(row.brief_order or "{}").get("place", {})
    if place.get("token"):
        place = {}  # the bot is not there: the status message became the song
    return SongPosts(
        job_id=row.job_id,
        guild_id=row.guild_id,
        channel_id=row.channel_id,
        message_id=row.message_id,
        status_channel_id=place.get("channel_id") or 0,
        status_id=place.get("status_id") or 0,
        videos=tuple((channel_id, message_id) for channel_id, message_id in json.loads(row.videos)),
    )
