"""The database: the usage ledger and the songs. Synchronous; callers run it off the event loop."""

import asyncio
import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import sqlalchemy as sa

from melodify_core.errors import Misconfigured
from melodify_core.models import Bill, Brief, Job, Posted, Song

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
# One row per paid call, also of those whose answer was of no use.
_costs = sa.Table(
    "costs",
    _tables,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("job_id", sa.String(32), nullable=False),
    sa.Column("created_at", sa.Float, nullable=False),
    sa.Column("provider", sa.String(32), nullable=False),
    sa.Column("model", sa.String(200), nullable=False),
    sa.Column("dollars", sa.Float, nullable=False),
    sa.Column("input_tokens", sa.Integer, nullable=False),
    sa.Column("output_tokens", sa.Integer, nullable=False),
    sa.Column("request_id", sa.String(200), nullable=False),
    sa.Index("costs_by_job", "job_id"),
    sa.Index("costs_by_time", "created_at"),
)
# Paid readings, so that the same question is not paid twice.
_readings = sa.Table(
    "readings",
    _tables,
    sa.Column("question", sa.String(64), primary_key=True),
    sa.Column("created_at", sa.Float, nullable=False),
    sa.Column("brief", sa.Text, nullable=False),
    sa.Index("readings_by_time", "created_at"),
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

    def spend(self, job_id: str, bill: Bill, now: float) -> None:
        """Note what a provider was paid for the job."""
        with self._engine.begin() as connection:
            connection.execute(_costs.insert().values(job_id=job_id, created_at=now, **bill.model_dump()))

    def spent(self, job_id: str) -> float:
        """Return the dollars paid for the job so far."""
        with self._engine.connect() as connection:
            return float(
                connection.scalar(sa.select(sa.func.sum(_costs.c.dollars)).where(_costs.c.job_id == job_id)) or 0
            )

    def recall(self, question: str, since: float) -> Brief | None:
        """Return the reading that was remembered for the question after the unix time `since`."""
        rows = self._all(
            sa.select(_readings.c.brief).where(_readings.c.question == question, _readings.c.created_at > since)
        )
        return Brief.model_validate_json(rows[0].brief) if rows else None

    def remember(self, question: str, brief: Brief, now: float, entries: int) -> None:
        """Remember a reading, and forget the oldest of more than `entries`."""
        kept = sa.select(_readings.c.question).order_by(_readings.c.created_at.desc()).limit(entries)
        with self.transaction() as connection:
            connection.execute(_readings.delete().where(_readings.c.question == question))
            connection.execute(
                _readings.insert().values(question=question, created_at=now, brief=brief.model_dump_json())
            )
            connection.execute(_readings.delete().where(_readings.c.question.not_in(kept)))

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


class Readings:
    """The Memory port on the library."""

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
