"""The questions and changes that the studio needs, one method each. Synchronous; callers run it off the event loop.

Every method raises Unavailable("database.unavailable") while the database is away.
"""

import json
import time
from collections.abc import Collection
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa

from melodify_core.library.database import changing, open_schema, read, reading, transaction
from melodify_core.library.schema import costs, readings, songs, usage
from melodify_core.library.songbook import erase_songs
from melodify_core.library.statements import (
    ALL_OPEN,
    DROP_SONG,
    END,
    END_CANCELLED,
    FATE,
    GUILD_OPEN,
    GUILD_RESERVED,
    GUILD_USE,
    KEEP_SONG,
    LATEST_TIMES,
    MEMBER_USE,
    OPEN_STATES,
    OUTLOOK,
    PLACE_SONG,
    REACH,
    RESERVE,
    RESERVED,
    RUNNING,
    SONG_KNOWN,
    SPEND,
    SPENT,
    START,
    STATE,
    queued_since,
)
from melodify_core.limits import Standing
from melodify_core.models import Asked, Bill, Brief, Job, Place, Posted, Song, Stage, UsageState
from melodify_core.pseudonym import alias_of
from melodify_core.settings import Limits

# What retention deletes of an ended job, each after its own days.
Kept = Literal["record", "picture", "song"]
# Whose rows are that belonged to somebody who had themselves forgotten.
NOBODY = 0


@dataclass(frozen=True, slots=True)
class Queue:
    """How many jobs wait and run, and since when the oldest of those that wait does, in unix seconds."""

    waiting: int
    running: int
    oldest_at: float


class Library:
    """The ledger of jobs and the songs."""

    def __init__(self, engine: sa.Engine, salt: bytes = b"") -> None:
        """`salt` is that of the members' pseudonyms: limits hold for who had themselves forgotten."""
        self._engine = engine
        self._salt = salt

    def create_schema(self) -> None:
        """See that the tables are there. Raises Misconfigured."""
        open_schema(self._engine)

    def transaction(self) -> AbstractContextManager[sa.Connection]:
        """A transaction that stands alone from its first line on: what it reads stays true."""
        return transaction(self._engine)

    def reading(self) -> AbstractContextManager[sa.Connection]:
        """A connection for several questions in a row."""
        return reading(self._engine)

    def standing_of(
        self,
        user_id: int,
        guild_id: int | None,
        since: float,
        connection: sa.Connection | None = None,
        *,
        limits: Limits | None = None,
        job_id: str | None = None,
    ) -> Standing:
        """Return what counts against the limits of a member in a server, of the server and of all, since the unix time.

        With `limits`, what none of them needs is not asked: a busy server has many songs a day. With `job_id`,
        `known` says whether that job was accepted before.
        """
        times = {"since": since, "user": user_id, "alias": alias_of(user_id, self._salt), "guild": guild_id}
        rows = self._all(MEMBER_USE, connection, times | {"its_job": job_id})
        mine = [row for row in rows if row.job_id != job_id]
        here = guild_id is not None
        asks_day = here and (limits is None or bool(limits.songs_per_guild_day))
        asks_guild = here and (limits is None or bool(limits.waiting_per_guild))
        asks_all = limits is None or bool(limits.waiting)
        pays_all = limits is None or bool(limits.dollars_per_day)
        pays_guild = here and (limits is None or bool(limits.dollars_per_guild_day))
        return Standing(
            known=len(mine) < len(rows),
            used_at=tuple(row.created_at for row in mine),
            waiting=sum(row.state in OPEN_STATES for row in mine),
            guild_used_at=tuple(row.created_at for row in self._all(GUILD_USE, connection, times)) if asks_day else (),
            guild_waiting=self._count(GUILD_OPEN, connection, times) if asks_guild else 0,
            all_waiting=self._count(ALL_OPEN, connection) if asks_all else 0,
            reserved=self._dollars(RESERVED, connection, times) if pays_all else 0.0,
            guild_reserved=self._dollars(GUILD_RESERVED, connection, times) if pays_guild else 0.0,
            spent=self._spending(sa.true(), since, connection) if pays_all else (),
            guild_spent=self._spending(usage.c.guild_id == guild_id, since, connection) if pays_guild else (),
        )

    def _spending(
        self, whose: sa.ColumnElement[bool], since: float, connection: sa.Connection | None
    ) -> tuple[tuple[float, float], ...]:
        # By the minute: a budget of a day needs no more, and a busy day has many payments.
        minute = sa.func.floor(costs.c.created_at / 60) * 60
        query = (
            sa.select(minute.label("at"), sa.func.sum(costs.c.dollars).label("dollars"))
            .select_from(costs.join(usage, usage.c.job_id == costs.c.job_id))
            .where(costs.c.created_at > since, whose)
            .group_by(minute)
            .order_by(minute)
        )
        return tuple((float(row.at), float(row.dollars)) for row in self._all(query, connection))

    def reserve(self, connection: sa.Connection, job: Job, now: float, dollars: float = 0.0) -> int:
        """Write the usage row of an accepted order; return its turn in the queue, the least is the first.

        `dollars` is what the job is expected to cost.
        """
        note = {
            "place": job.place.model_dump(mode="json"),
            "language": job.wish.language,
            "picture_key": job.picture_key,
            "picture_size": (job.picture_width, job.picture_height),
        }
        values = {
            "job_id": job.job_id,
            "user_id": job.user_id,
            "guild_id": job.place.counts_in,
            "page_id": job.page_id,
            "created_at": now,
            "state": "waiting",
            "reserved": dollars,
            "brief_order": json.dumps(note),
            "its_second": int(now),
            "its_member": job.user_id,
        }
        return int(connection.execute(RESERVE, values).scalar_one())

    def state(self, job_id: str, connection: sa.Connection | None = None) -> UsageState | None:
        """Return where the job stands, None when it was never accepted."""
        rows = self._all(STATE, connection, {"its_job": job_id})
        return rows[0].state if rows else None

    def asked(self, job_id: str) -> Asked | None:
        """Return what is known of an accepted order."""
        rows = self._all(sa.select(usage).where(usage.c.job_id == job_id))
        if not rows:
            return None
        return asked_of(rows[0])

    def waiting(self) -> list[str]:
        """Return the ids of the jobs that wait, the next to start first."""
        query = sa.select(usage.c.job_id).where(usage.c.state == "waiting")
        query = query.order_by(usage.c.turn, usage.c.created_at)
        return [row.job_id for row in self._all(query)]

    def waiting_orders(self) -> list[Asked]:
        """Return the jobs that wait, the next to start first."""
        query = sa.select(usage).where(usage.c.state == "waiting").order_by(usage.c.turn, usage.c.created_at)
        return [asked_of(row) for row in self._all(query)]

    def running(self) -> int:
        """Return how many jobs run, in all processes."""
        return self._count(RUNNING)

    def typical_s(self) -> float | None:
        """Return the median seconds from start to song of the latest jobs, None before there are any."""
        return _median([row.ended_at - row.started_at for row in self._all(LATEST_TIMES)])

    def outlook(self, job_id: str) -> tuple[int, int, float | None]:
        """Return the job's place in the queue, `running` and `typical_s` at once.

        The place 1 is the next to start, 0 is no longer waiting.
        """
        rows = self._all(OUTLOOK, None, {"its_job": job_id})
        return rows[0].position, rows[0].running, _median([row.took_s for row in rows if row.took_s is not None])

    def open_jobs(self) -> int:
        """Return how many jobs are waiting or running."""
        query = sa.select(sa.func.count()).select_from(usage).where(usage.c.state.in_(OPEN_STATES))
        return int(self._all(query)[0][0])

    def queue(self) -> Queue:
        """Return what waits and runs in all processes."""
        query = (
            sa.select(usage.c.state, sa.func.count().label("jobs"), sa.func.min(queued_since).label("oldest"))
            .where(usage.c.state.in_(OPEN_STATES))
            .group_by(usage.c.state)
        )
        rows = {row.state: row for row in self._all(query)}
        waiting, running = rows.get("waiting"), rows.get("running")
        return Queue(waiting.jobs if waiting else 0, running.jobs if running else 0, waiting.oldest if waiting else 0.0)

    def open_since(self, before: float) -> list[str]:
        """Return the open jobs that were accepted, or queued again, before the unix time, the oldest first."""
        query = (
            sa.select(usage.c.job_id)
            .where(usage.c.state.in_(OPEN_STATES), queued_since < before)
            .order_by(queued_since)
        )
        return [row.job_id for row in self._all(query)]

    def start(self, job_id: str, now: float) -> bool:
        """Note that the job runs; False when it was cancelled before."""
        with changing(self._engine, surely=False) as connection:
            connection.execute(START, {"its_job": job_id, "now": now})
            return self.state(job_id, connection) != "withdrawn"

    def reach(self, job_id: str, stage: Stage) -> None:
        """Note how far the job is, for those who look at its page."""
        with changing(self._engine, surely=False) as connection:
            connection.execute(REACH, {"its_job": job_id, "its_stage": stage.value})

    def spend(self, job_id: str, bill: Bill, now: float) -> None:
        """Note what a provider was paid for the job."""
        with self._changing() as connection:
            connection.execute(SPEND, {"job_id": job_id, "created_at": now, **bill.model_dump()})

    def spent(self, job_id: str) -> float:
        """Return the dollars paid for the job so far."""
        return float(self._all(SPENT, None, {"its_job": job_id})[0][0] or 0)

    def refund(self, job_id: str, now: float, code: str = "") -> None:
        """Take the job off its member's limits; once charged it stays charged."""
        self._end(job_id, "refunded", now, outcome=code)

    def end_cancelled(self, job_id: str, now: float) -> None:
        """End a job that its asker cancelled: it counts if something was paid for it."""
        with self._changing() as connection:
            if connection.execute(END_CANCELLED, {"its_job": job_id, "now": now}).rowcount:
                connection.execute(DROP_SONG, {"its_job": job_id})

    def waive(self, user_id: int, guild_id: int) -> int:
        """Give a member back what was used in a server; return how many songs that were."""
        used = (usage.c.user_id == user_id, usage.c.guild_id == guild_id, ~usage.c.waived)
        with self._changing() as connection:
            return connection.execute(usage.update().where(*used).values(waived=True)).rowcount

    def withdraw(self, job_id: str, now: float) -> bool:
        """End a job that has not begun; False when it has."""
        change = (
            usage.update()
            .where(usage.c.job_id == job_id, usage.c.state == "waiting")
            .values(state="withdrawn", ended_at=now, cancelled=True)
        )
        with self._changing() as connection:
            return connection.execute(change).rowcount == 1

    def request_cancel(self, job_id: str) -> bool:
        """Ask whoever works on the job to stop; False when nobody does."""
        change = usage.update().where(usage.c.job_id == job_id, usage.c.state == "running").values(cancelled=True)
        with self._changing() as connection:
            return connection.execute(change).rowcount == 1

    def cancelled(self, job_ids: Collection[str]) -> set[str]:
        """Return those of the jobs that shall stop."""
        query = sa.select(usage.c.job_id).where(usage.c.job_id.in_(job_ids), usage.c.cancelled)
        return {row.job_id for row in self._all(query)} if job_ids else set()

    def write_down(self, job: Job, song: Song, now: float) -> bool:
        """Note the song before it is posted: who presses a button under it finds it. False for a cancelled job.

        Until it is kept it is its member's alone.
        """
        values = _row_of(job, song, Posted(direct=True), now)
        # What a power failure takes is written again by the step that posts.
        with changing(self._engine, surely=False) as connection:
            fate = connection.execute(FATE, {"its_job": job.job_id}).first()
            if fate is None or fate.state == "charged":
                return True
            if fate.cancelled:
                return False
            if fate.state in OPEN_STATES and connection.scalar(SONG_KNOWN, {"its_job": job.job_id}) is None:
                connection.execute(KEEP_SONG, values)
        return True

    def keep(self, job: Job, song: Song, posted: Posted, now: float) -> bool:
        """Write down where the song was posted and charge its usage row, in one transaction. A repeat changes nothing.

        False for a job that was cancelled before: then nothing is kept.
        """
        values = _row_of(job, song, posted, now)
        with self._changing() as connection:
            # First what locks the job's row: of two workers that both think it theirs, one sees the other's song.
            fate = connection.execute(FATE, {"its_job": job.job_id}).first()
            if fate is not None and fate.state == "charged":
                return True  # and if its song is not there any more, its member has deleted it
            if fate is not None and fate.cancelled:
                return False
            self._end(job.job_id, "charged", now, connection)
            if not connection.execute(PLACE_SONG, {"its_job": job.job_id, **values}).rowcount:
                connection.execute(KEEP_SONG, values)
        return True

    def song(self, job_id: str) -> Song | None:
        """Return the song of a job."""
        rows = self._all(sa.select(songs.c.song).where(songs.c.job_id == job_id))
        return Song.model_validate_json(rows[0].song) if rows else None

    def kept_of(self, kind: Kept, before: float, limit: int) -> list[str]:
        """Return ended jobs from before the unix time of which that kind is still kept, the oldest first."""
        query = (
            sa.select(usage.c.job_id)
            .where(usage.c.state.not_in(OPEN_STATES), usage.c.created_at < before, ~usage.c[f"{kind}_gone"])
            .order_by(usage.c.created_at)
            .limit(limit)
        )
        return [row.job_id for row in self._all(query)]

    def mark_gone(self, kind: Kept, job_ids: Collection[str]) -> None:
        """Note that retention has deleted that kind of these jobs; a song is then in no list any more."""
        with self._changing() as connection:
            connection.execute(usage.update().where(usage.c.job_id.in_(job_ids)).values({f"{kind}_gone": True}))
            if kind == "song":
                erase_songs(connection, job_ids, time.time())

    def drop_aliases(self, before: float) -> None:
        """Make nobody's what the forgotten have used, once it counts no more."""
        old = (usage.c.user_id < NOBODY, usage.c.created_at < before)
        with self._changing() as connection:
            connection.execute(usage.update().where(*old).values(user_id=NOBODY, guild_id=None))

    def recall(self, question: str, since: float) -> Brief | None:
        """Return the reading that was remembered for the question after the unix time `since`."""
        query = sa.select(readings.c.brief).where(readings.c.question == question, readings.c.created_at > since)
        rows = self._all(query)
        return Brief.model_validate_json(rows[0].brief) if rows else None

    def remember(self, question: str, brief: Brief, now: float, entries: int) -> None:
        """Remember a reading, and forget the oldest of more than `entries`."""
        kept = sa.select(readings.c.question).order_by(readings.c.created_at.desc()).limit(entries)
        row = {"question": question, "created_at": now, "brief": brief.model_dump_json()}
        with self.transaction() as connection:
            connection.execute(readings.delete().where(readings.c.question == question))
            connection.execute(readings.insert().values(**row))
            connection.execute(readings.delete().where(readings.c.question.not_in(kept)))

    def _end(
        self, job_id: str, state: UsageState, now: float, connection: sa.Connection | None = None, outcome: str = ""
    ) -> None:
        change = {"its_job": job_id, "its_state": state, "now": now, "its_outcome": outcome or None}
        if connection is not None:
            connection.execute(END, change)
            return
        with self._changing() as own:
            # A song that was not posted in the end is nobody's.
            if own.execute(END, change).rowcount:
                own.execute(DROP_SONG, {"its_job": job_id})

    def _changing(self) -> AbstractContextManager[sa.Connection]:
        return changing(self._engine)

    def _all(
        self,
        query: sa.Select[Any],
        connection: sa.Connection | None = None,
        values: dict[str, Any] | None = None,
    ) -> list[sa.Row[Any]]:
        return read(self._engine, query, connection, values)

    def _dollars(self, query: sa.Select[Any], connection: sa.Connection | None, values: dict[str, Any]) -> float:
        return float(self._all(query, connection, values)[0][0] or 0)

    def _count(
        self, query: sa.Select[Any], connection: sa.Connection | None = None, values: dict[str, Any] | None = None
    ) -> int:
        return int(self._all(query, connection, values)[0][0])


def _median(seconds: list[float]) -> float | None:
    return sorted(seconds)[len(seconds) // 2] if seconds else None


def _row_of(job: Job, song: Song, posted: Posted, now: float) -> dict[str, Any]:
    return {
        "job_id": job.job_id,
        "user_id": job.user_id,
        # What nobody in the server can see is no song of the server's.
        "guild_id": None if posted.direct else job.place.guild_id,
        "channel_id": posted.channel_id,
        "message_id": posted.message_id,
        "private": job.private,
        "created_at": now,
        "song": song.model_dump_json(),
        "parent_id": job.parent_id,
        "asked_in": job.place.channel_id,
    }


def asked_of(row: sa.Row[Any]) -> Asked:
    """Return what a usage row tells of its order."""
    note = json.loads(row.brief_order or "{}")
    return Asked(
        job_id=row.job_id,
        user_id=row.user_id,
        state=row.state,
        place=Place.model_validate(note["place"]) if "place" in note else None,
        language=note.get("language", "en"),
        picture_key=note.get("picture_key", f"pictures/{row.job_id}.jpg"),
    )
