"""Jobs as the host sees them. Synchronous; callers run it off the event loop.

Every method raises Unavailable("database.unavailable") while the database is away.
"""

from collections import Counter
from dataclasses import dataclass

import sqlalchemy as sa

from melodify_core.library.database import read
from melodify_core.library.ledger import accepted_order_of
from melodify_core.library.schema import costs, usage
from melodify_core.library.statements import GUILD_RESERVED, OPEN_STATES, RESERVED
from melodify_core.models import AcceptedOrder, UsageState


@dataclass(frozen=True, slots=True)
class JobRow:
    """A job in the ledger. Times are unix seconds."""

    job_id: str
    user_id: int
    guild_id: int | None
    state: UsageState
    created_at: float
    started_at: float | None
    ended_at: float | None
    outcome: str | None
    queued_at: float | None  # when it was queued again


@dataclass(frozen=True, slots=True)
class ServerDay:
    """What became of a server's jobs since some time, and what is open now."""

    waiting: int
    running: int
    songs: int
    dollars: float
    reserved: float  # what open jobs are expected to cost beyond that
    failures: dict[str, int]  # jobs by the code of the error that ended them


@dataclass(frozen=True, slots=True)
class JobMoney:
    """What a job has cost, in dollars."""

    dollars: float
    unsettled: float  # of that, of calls that still run or whose end is not known
    reserved: float  # expected beyond that, while the job is open


FIELDS = [usage.c[name] for name in JobRow.__dataclass_fields__]


class JobBook:
    """Reads the jobs of all members."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def jobs(self, state: str | None, limit: int) -> list[JobRow]:
        """Return the newest jobs first, all or those in a state."""
        query = sa.select(*FIELDS).order_by(usage.c.created_at.desc()).limit(limit)
        if state is not None:
            query = query.where(usage.c.state == state)
        return [JobRow(**row._mapping) for row in read(self._engine, query)]  # noqa: SLF001 - the library's public name

    def job(self, job_id: str) -> JobRow | None:
        """Return the job, None for an unknown one."""
        rows = read(self._engine, sa.select(*FIELDS).where(usage.c.job_id == job_id))
        return JobRow(**rows[0]._mapping) if rows else None  # noqa: SLF001 - the library's public name

    def money(self, job_id: str) -> JobMoney:
        """Return what the job has cost."""
        mine = costs.c.job_id == job_id
        dollars = sa.select(sa.func.sum(costs.c.dollars)).where(mine)
        unsettled = dollars.where(~costs.c.billed)
        reserved = RESERVED.where(usage.c.job_id == job_id)
        [row] = read(self._engine, sa.select(*(each.scalar_subquery() for each in (dollars, unsettled, reserved))))
        return JobMoney(*(float(each or 0) for each in row))

    def open_in(self, guild_id: int, limit: int | None = None) -> list[AcceptedOrder]:
        """Return the server's jobs that wait or run, the oldest first; all of them without a limit."""
        query = sa.select(usage).where(usage.c.guild_id == guild_id, usage.c.state.in_(OPEN_STATES))
        return [accepted_order_of(row) for row in read(self._engine, query.order_by(usage.c.created_at).limit(limit))]

    def server_day(self, guild_id: int, since: float) -> ServerDay:
        """Return the server's figures since the unix time."""
        here = usage.c.guild_id == guild_id
        recent = sa.or_(usage.c.created_at > since, usage.c.state.in_(OPEN_STATES))
        counted = sa.func.count().label("jobs")
        grouped = sa.select(usage.c.state, usage.c.outcome, counted).where(here, recent)
        rows = read(self._engine, grouped.group_by(usage.c.state, usage.c.outcome))
        paid = sa.select(sa.func.sum(costs.c.dollars)).join_from(costs, usage, usage.c.job_id == costs.c.job_id)
        dollars = read(self._engine, paid.where(here, costs.c.created_at > since))[0][0]
        reserved = read(self._engine, GUILD_RESERVED, None, {"guild": guild_id})[0][0]
        jobs: Counter[str] = Counter()
        failures: Counter[str] = Counter()
        for row in rows:
            jobs[row.state] += row.jobs
            if row.state == "refunded" and row.outcome != "job.cancelled":
                failures[row.outcome or "internal"] += row.jobs
        return ServerDay(
            waiting=jobs["waiting"],
            running=jobs["running"],
            songs=jobs["charged"],
            dollars=float(dollars or 0),
            reserved=float(reserved or 0),
            failures=dict(failures),
        )

    def reopen(self, connection: sa.Connection, job_id: str, now: float) -> int | None:
        """Queue a refunded job again, within the caller's transaction, and return its turn in the queue.

        Return None when it is not refunded any more.
        """
        fresh = {
            "state": "waiting",
            "queued_at": now,
            "turn": int(now),
            "started_at": None,
            "ended_at": None,
            "cancelled": False,
            "outcome": None,
            "stage": None,
        }
        change = usage.update().where(usage.c.job_id == job_id, usage.c.state == "refunded").values(fresh)
        return int(now) if connection.execute(change).rowcount == 1 else None
