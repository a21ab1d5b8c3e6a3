"""The requests that are acknowledged and not yet orders. Synchronous; callers run it off the event loop.

Every method raises Unavailable("database.unavailable") while the database is away.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa

from melodify_core.library.database import changing, on_sqlite
from melodify_core.library.schema import requests

# Both databases know the clause, SQLAlchemy only in two dialects. Whoever wrote the request may write it again.
_BEGIN = sa.text(
    "INSERT INTO requests (request_id, user_id, created_at, record, owner, leased_until, tries) "
    "VALUES (:request_id, :user_id, :created_at, :record, :owner, :leased_until, 0) "
    "ON CONFLICT (request_id) DO UPDATE SET record = excluded.record WHERE requests.owner = excluded.owner"
)


@dataclass(frozen=True, slots=True)
class ClaimedRequest:
    """A request whose process has died, and how many processes had claimed it before."""

    request_id: str
    record: str = field(repr=False)
    tries: int


# Something to do within one transaction; it says whether there was something to be done.
Change = Callable[[sa.Connection], bool]


class RequestBook:
    """The table of requests. A change is made by `apply`, with others in one transaction."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        # Only one process uses an SQLite file: whatever another has left is left by a dead one.
        self._alone = on_sqlite(engine)

    def apply(self, changes: Sequence[Change]) -> list[bool]:
        """Make the changes, all or none; return what each says.

        They outlive the death of this process at once, that of the machine a moment later.
        """
        with changing(self._engine, surely=False) as connection:
            if not self._alone:
                connection.execute(sa.text("SET LOCAL synchronous_commit TO OFF"))
            return [change(connection) for change in changes]

    @staticmethod
    def begin(request_id: str, user_id: int, record: str, owner: str, now: float, leased_until: float) -> Change:
        """Write the request down; False where another process has it already."""
        row = {
            "request_id": request_id,
            "user_id": user_id,
            "created_at": now,
            "record": record,
            "owner": owner,
            "leased_until": leased_until,
        }
        return lambda connection: connection.execute(_BEGIN, row).rowcount == 1

    @staticmethod
    def note(request_id: str, record: str, owner: str) -> Change:
        """Write down how far the request is; False where it is ours no more."""
        mine = sa.and_(requests.c.request_id == request_id, requests.c.owner == owner)
        return lambda connection: connection.execute(requests.update().where(mine).values(record=record)).rowcount == 1

    @staticmethod
    def end(request_id: str, owner: str) -> Change:
        """Delete the request: it has become orders, or its refusal was told."""
        mine = sa.and_(requests.c.request_id == request_id, requests.c.owner == owner)
        return lambda connection: connection.execute(requests.delete().where(mine)).rowcount == 1

    def renew(self, request_ids: Collection[str], owner: str, leased_until: float) -> None:
        """Keep the requests from other processes for longer."""
        mine = sa.and_(requests.c.request_id.in_(request_ids), requests.c.owner == owner)
        with changing(self._engine, surely=False) as connection:
            connection.execute(requests.update().where(mine).values(leased_until=leased_until))

    def claim(self, owner: str, now: float, leased_until: float, most: int) -> list[ClaimedRequest]:
        """Take over the oldest requests of dead processes."""
        dead = requests.c.owner != owner
        if not self._alone:
            dead = sa.and_(dead, requests.c.leased_until < now)
        found = sa.select(requests.c.request_id).where(dead).order_by(requests.c.created_at).limit(most)
        taken = (
            requests.update()
            .where(dead, requests.c.request_id.in_(found))
            .values(owner=owner, leased_until=leased_until, tries=requests.c.tries + 1)
            .returning(requests.c.request_id, requests.c.record, requests.c.tries, requests.c.created_at)
        )
        with changing(self._engine) as connection:
            rows = sorted(connection.execute(taken).all(), key=lambda row: float(row.created_at))
        return [ClaimedRequest(row.request_id, row.record, row.tries) for row in rows]
