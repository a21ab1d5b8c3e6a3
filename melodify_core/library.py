"""The database: the usage ledger and the songs. Synchronous; callers run it off the event loop."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import sqlalchemy as sa

from melodify_core.errors import Misconfigured
from melodify_core.models import Job, Posted, Song

UsageState = Literal["waiting", "running", "charged", "refunded"]
OPEN_STATES = ("waiting", "running")
BUSY_TIMEOUT_MS = 30_000  # as DBOS sets it for connections of its own

_tables = sa.MetaData()
# One row per accepted order: it is reserved, then charged with a song or refunded.
_usage = sa.Table(
    "usage",
    _tables,
    sa.Column("job_id", sa.String(32), primary_key=True),
    sa.Column("user_id", sa.BigInteger, nullable=False),
    sa.Column("guild_id", sa.BigInteger),
    sa.Column("created_at", sa.Float, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Index("usage_by_user", "user_id", "created_at"),
    sa.Index("usage_by_state", "state", "created_at"),
)
_songs = sa.Table(
    "songs",
    _tables,
    sa.Column("job_id", sa.String(32), primary_key=True),
    sa.Column("user_id", sa.BigInteger, nullable=False),
    sa.Column("guild_id", sa.BigInteger),
    sa.Column("channel_id", sa.BigInteger, nullable=False),
    sa.Column("message_id", sa.BigInteger, nullable=False),
    sa.Column("private", sa.Boolean, nullable=False),
    sa.Column("created_at", sa.Float, nullable=False),
    sa.Column("song", sa.Text, nullable=False),
    sa.Index("songs_by_user", "user_id", "created_at"),
)


@dataclass(frozen=True, slots=True)
class Usage:
    """What counts against a member's limits: unix times of the last day, and how many jobs are open."""

    used_at: tuple[float, ...]
    waiting: int


def connect(url: str) -> sa.Engine:
    """Return an engine on the SQLite file of `url`, in WAL mode. Raises Misconfigured when it cannot be used."""
    path = database_path(url)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        engine = sa.create_engine(url)
        sa.event.listen(engine, "connect", _prepare_connection)
        with engine.connect() as connection:
            connection.exec_driver_sql("SELECT 1")
    except (OSError, sa.exc.OperationalError, sa.exc.DatabaseError) as error:
        reason = getattr(error, "strerror", None) or getattr(error, "orig", error)
        raise Misconfigured(f"database.url: {path} cannot be used: {reason}.") from error
    return engine


def database_path(url: str) -> Path:
    """Return the file of an SQLite address."""
    return Path(sa.make_url(url).database or "")


def _prepare_connection(connection: sqlite3.Connection, _record: object) -> None:
    # Writers queue for the lock instead of failing half way; readers never wait (WAL).
    connection.isolation_level = "IMMEDIATE"
    connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute("PRAGMA journal_mode=WAL")


class Library:
    """The questions and changes that the studio needs, one method each."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def create_schema(self) -> None:
        """Make the tables that are missing."""
        _tables.create_all(self._engine)

    @contextmanager
    def transaction(self) -> Iterator[sa.Connection]:
        """A transaction that holds the write lock from its first line on: what it reads stays true."""
        with self._engine.begin() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            yield connection

    def usage(self, user_id: int, since: float, connection: sa.Connection | None = None) -> Usage:
        """Return what counts for the member since the unix time `since`."""
        query = sa.select(_usage.c.created_at, _usage.c.state).where(
            _usage.c.user_id == user_id, _usage.c.created_at > since, _usage.c.state != "refunded"
        )
        rows = self._all(query, connection)
        return Usage(tuple(row.created_at for row in rows), sum(row.state in OPEN_STATES for row in rows))

    def reserve(self, connection: sa.Connection, job: Job, now: float) -> None:
        """Write the usage row of an accepted order."""
        values = {"job_id": job.job_id, "user_id": job.user_id, "guild_id": job.place.guild_id}
        connection.execute(_usage.insert().values(**values, created_at=now, state="waiting"))

    def state(self, job_id: str, connection: sa.Connection | None = None) -> UsageState | None:
        """Return where the job stands, None when it was never accepted."""
        rows = self._all(sa.select(_usage.c.state).where(_usage.c.job_id == job_id), connection)
        return rows[0].state if rows else None

    def position(self, job_id: str) -> int:
        """Return the job's place in the queue: 1 is the next to start, 0 is no longer waiting."""
        mine = sa.select(_usage.c.created_at).where(_usage.c.job_id == job_id, _usage.c.state == "waiting")
        query = sa.select(sa.func.count()).where(
            _usage.c.state == "waiting", _usage.c.created_at <= mine.scalar_subquery()
        )
        with self._engine.connect() as connection:
            return int(connection.scalar(query) or 0)

    def open_jobs(self) -> int:
        """Return how many jobs are waiting or running."""
        query = sa.select(sa.func.count()).where(_usage.c.state.in_(OPEN_STATES))
        with self._engine.connect() as connection:
            return int(connection.scalar(query) or 0)

    def start(self, job_id: str) -> None:
        """Note that the job runs."""
        self._move(job_id, "running")

    def refund(self, job_id: str) -> None:
        """Take the job off its member's limits; once charged it stays charged."""
        self._move(job_id, "refunded")

    def keep(self, job: Job, song: Song, posted: Posted, now: float) -> None:
        """Write the song down and charge its usage row, in one transaction. A repeat changes nothing."""
        values = {
            "job_id": job.job_id,
            "user_id": job.user_id,
            "guild_id": job.place.guild_id,
            "channel_id": posted.channel_id,
            "message_id": posted.message_id,
            "private": job.private,
            "created_at": now,
            "song": song.model_dump_json(),
        }
        with self.transaction() as connection:
            if connection.scalar(sa.select(_songs.c.job_id).where(_songs.c.job_id == job.job_id)) is None:
                connection.execute(_songs.insert().values(**values))
            self._move(job.job_id, "charged", connection)

    def song(self, job_id: str) -> Song | None:
        """Return the song of a job."""
        rows = self._all(sa.select(_songs.c.song).where(_songs.c.job_id == job_id))
        return Song.model_validate(json.loads(rows[0].song)) if rows else None

    def _move(self, job_id: str, state: UsageState, connection: sa.Connection | None = None) -> None:
        # Only open rows move: a late repeat can neither refund a charged job nor charge a refunded one.
        change = _usage.update().where(_usage.c.job_id == job_id, _usage.c.state.in_(OPEN_STATES)).values(state=state)
        if connection is not None:
            connection.execute(change)
            return
        with self._engine.begin() as own:
            own.execute(change)

    def _all(self, query: sa.Select[Any], connection: sa.Connection | None = None) -> list[sa.Row[Any]]:
        if connection is not None:
            return list(connection.execute(query))
        with self._engine.connect() as own:
            return list(own.execute(query))
