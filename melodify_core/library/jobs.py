"""Jobs as the host sees them. Synchronous; callers run it off the event loop.

Every method raises Unavailable("database.unavailable") while the database is away.
"""

from dataclasses import dataclass

import sqlalchemy as sa

from melodify_core.library.database import read
from melodify_core.library.schema import usage
from melodify_core.models import UsageState


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


FIELDS = [usage.c[name] for name in JobRow.__dataclass_fields__]


class JobBook:
    """All jobs that are known."""

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

    def reopen(self, connection: sa.Connection, job_id: str) -> bool:
        """Let a refunded job wait again, within the caller's transaction; False when it is not refunded any more."""
        fresh = {
            "state": "waiting",
            "started_at": None,
            "ended_at": None,
            "cancelled": False,
            "outcome": None,
            "stage": None,
        }
        change = usage.update().where(usage.c.job_id == job_id, usage.c.state == "refunded").values(fresh)
        return connection.execute(change).rowcount == 1
