"""The requests that are acknowledged and not yet orders. Synchronous; callers run it off the event loop.

Every method raises Unavailable("database.unavailable") while the database is away.
"""

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa

from melodify_core.library.database import changing, on_sqlite, read
from melodify_core.library.schema import requests

# Both databases support the clause, SQLAlchemy only in two dialects. The owner of a request may write it again.
_BEGIN = (
    "INSERT INTO requests (request_id, user_id, created_at, record, owner, leased_until, tries) "
    "VALUES (:request_id, :user_id, :created_at, :record, :owner, {clock} + :lease_s, 0) "
    "ON CONFLICT (request_id) DO UPDATE SET record = excluded.record WHERE requests.owner = excluded.owner"
)
# The database's clock in unix seconds: the clocks of the machines that share it may differ.
_CLOCKS = {
    "sqlite": "(julianday('now') - 2440587.5) * 86400.0",
    "postgresql": "CAST(EXTRACT(EPOCH FROM clock_timestamp()) AS DOUBLE PRECISION)",
}


@dataclass(frozen=True, slots=True)
class ClaimedRequest:
    """A request whose process has died, and how many processes had claimed it before."""

    request_id: str
    record: str = field(repr=False)
    tries: int


# A change within a transaction. It returns whether it changed anything.
Change = Callable[[sa.Connection], bool]


class RequestBook:
    """The table of requests. A change is made by `apply`, with others in one transaction."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        # Only one process uses an SQLite file, so that requests of other owners belong to dead processes.
        self._is_only_process = on_sqlite(engine)
        clock = _CLOCKS[engine.dialect.name]
        self._begin = sa.text(_BEGIN.format(clock=clock))
        self._now = sa.literal_column(clock, sa.Float)

    def apply(self, changes: Sequence[Change]) -> list[bool]:
        """Make the changes, all or none, and return what each returned.

        They survive a crash of this process at once, and one of the machine a moment later.
        """
        with changing(self._engine, durable=False) as connection:
            if not self._is_only_process:
                connection.execute(sa.text("SET LOCAL synchronous_commit TO OFF"))
            return [change(connection) for change in changes]

    def begin(self, request_id: str, user_id: int, record: str, owner: str, lease_s: float) -> Change:
        """Return the change that writes the request; it is False where another process owns the request."""
        row = {
            "request_id": request_id,
            "user_id": user_id,
            "created_at": time.time(),
            "record": record,
            "owner": owner,
            "lease_s": lease_s,
        }
        return lambda connection: connection.execute(self._begin, row).rowcount == 1

    @staticmethod
    def note(request_id: str, record: str, owner: str) -> Change:
        """Return the change that updates the request's record; it is False where `owner` does not own it any more."""
        mine = sa.and_(requests.c.request_id == request_id, requests.c.owner == owner)
        return lambda connection: connection.execute(requests.update().where(mine).values(record=record)).rowcount == 1

    @staticmethod
    def end(request_id: str, owner: str) -> Change:
        """Return the change that deletes a request that was answered: by orders or by a refusal."""
        mine = sa.and_(requests.c.request_id == request_id, requests.c.owner == owner)
        return lambda connection: connection.execute(requests.delete().where(mine)).rowcount == 1

    def renew(self, request_ids: Collection[str], owner: str, lease_s: float) -> None:
        """Extend the lease of the requests, so that no other process claims them."""
        mine = sa.and_(requests.c.request_id.in_(request_ids), requests.c.owner == owner)
        with changing(self._engine, durable=False) as connection:
            connection.execute(requests.update().where(mine).values(leased_until=self._now + lease_s))

    def claim(self, owner: str, lease_s: float, most: int) -> list[ClaimedRequest]:
        """Take over the oldest requests of dead processes."""
        dead = requests.c.owner != owner
        if not self._is_only_process:
            dead = sa.and_(dead, requests.c.leased_until < self._now)
        found = sa.select(requests.c.request_id).where(dead).order_by(requests.c.created_at).limit(most)
        taken = (
            requests.update()
            .where(dead, requests.c.request_id.in_(found))
            .values(owner=owner, leased_until=self._now + lease_s, tries=requests.c.tries + 1)
            .returning(requests.c.request_id, requests.c.record, requests.c.tries, requests.c.created_at)
        )
        if not read(self._engine, found):
            return []  # the usual case: nothing to write
        with changing(self._engine) as connection:
            rows = sorted(connection.execute(taken).all(), key=lambda row: float(row.created_at))
        return [ClaimedRequest(row.request_id, row.record, row.tries) for row in rows]
