"""Gives each worker its own slot, and finds dead workers. On SQLite there is one process, which locks a file.

On PostgreSQL workers hold numbered slots by session locks. Such a lock ends with its connection, so a killed worker's
slot is free at once. A restart of the database also frees every slot, although all workers live: that is why a worker
counts as dead only when its slot was found free twice, some time apart, in the same run of the database.
"""

import asyncio
import fcntl
import logging
import os
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from melodify_core.errors import Misconfigured, Running
from melodify_core.threads import unbroken

log = logging.getLogger(__name__)

SLOTS = 64
# The first of each lock's two numbers, "melo" in ASCII: it keeps our locks apart from those of other programs.
LOCKS = 0x6D656C6F
PREFIX = "worker-"
_HELD = sa.text(
    "SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database "
    "WHERE datname = current_database() AND locktype = 'advisory' AND granted AND classid = :a AND objid = :b"
)


@contextmanager
def only_process(lock_file: Path) -> Iterator[None]:
    """Hold the lock beside the database: two processes with one database would post every song twice."""
    try:
        descriptor = os.open(lock_file, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise Misconfigured(f"database.url: {lock_file} cannot be written ({error.strerror}).") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise Running(
            f"Another Melodify process uses the database beside {lock_file}. Stop it, or set another database.url."
        ) from error
    try:
        yield
    finally:
        os.close(descriptor)


def executor_id(slot: int) -> str:
    """Return the engine's name for the worker of a slot."""
    return f"{PREFIX}{slot}"


def slot_of(name: str) -> int | None:
    """Return the slot of a worker by its name, None for another name."""
    number = name.removeprefix(PREFIX)
    return int(number) if name.startswith(PREFIX) and number.isdigit() else None


class Slot:
    """One slot, held by a connection of its own. Synchronous; callers run it off the event loop."""

    def __init__(self, database: sa.Engine, number: int, connection: sa.Connection) -> None:
        self.number = number
        self.database = database
        self._connection: sa.Connection | None = connection

    @classmethod
    def take(cls, database: sa.Engine) -> "Slot":
        """Take the lowest free slot. Raises Misconfigured when all are taken."""
        connection = _session(database)
        for number in range(SLOTS):
            if _try_lock(connection, number):
                return cls(database, number, connection)
        connection.close()
        raise Misconfigured(f"All {SLOTS} worker slots of the database are taken: stop a worker first.")

    @property
    def name(self) -> str:
        """The engine's name for this worker."""
        return executor_id(self.number)

    def hold(self) -> bool:
        """Check that the slot is still ours; after a restart of the database, take it again.

        Return False when another process has it.

        Raises what SQLAlchemy raises while the database is unavailable.
        """
        if self._connection is not None:
            try:
                self._connection.execute(sa.text("SELECT 1"))
                return True
            except sa.exc.SQLAlchemyError:
                self._connection.invalidate()
                self._connection.close()
                self._connection = None
        connection = _session(self.database)
        if not _try_lock(connection, self.number):
            connection.close()
            return False
        self._connection = connection
        return True

    def release(self) -> None:
        """Free the slot."""
        if self._connection is not None:
            _unlock(self._connection, self.number)
            self._connection = None


@dataclass(frozen=True, slots=True)
class FreeSlotSeen:
    """A slot that was found free: when, and in which run of the database."""

    at: float
    database_started: str


class DeadWorkerDetector:
    """Finds dead workers. `dead` is synchronous: call it off the event loop."""

    def __init__(self, database: sa.Engine, mine: int, apart_s: float) -> None:
        self._database = database
        self._mine = mine
        self._apart_s = apart_s
        self._seen: dict[int, FreeSlotSeen] = {}

    def dead(self, owners: set[str], now: float) -> list[int]:
        """Return the slots of those `owners` that are dead."""
        slots = {slot for owner in owners if (slot := slot_of(owner)) is not None} - {self._mine}
        with self._database.connect() as connection:
            started = str(connection.scalar(sa.text("SELECT pg_postmaster_start_time()")))
            free = {slot for slot in slots if _is_free(connection, slot)}
        self._seen = {
            slot: seen for slot, seen in self._seen.items() if slot in free and seen.database_started == started
        }
        found = [slot for slot in sorted(free) if slot in self._seen and now - self._seen[slot].at >= self._apart_s]
        for slot in free:
            self._seen.setdefault(slot, FreeSlotSeen(now, started))
        return found

    async def take_over_jobs(self, slot: int, take_over_jobs: Callable[[str], Awaitable[int]]) -> int:
        """Take over the jobs of a dead worker while its slot is locked: no new worker may take it meanwhile.

        When cancelled, it still runs to its end: a thread may be locking the slot, and the session must be closed.
        """
        return await unbroken(self._take_over_jobs(slot, take_over_jobs))

    async def _take_over_jobs(self, slot: int, take_over_jobs: Callable[[str], Awaitable[int]]) -> int:
        connection = await asyncio.to_thread(_session, self._database)
        try:
            if not await asyncio.to_thread(_try_lock, connection, slot):
                return 0
            return await take_over_jobs(executor_id(slot))
        finally:
            self._seen.pop(slot, None)
            await asyncio.to_thread(_unlock, connection, slot)


def _session(database: sa.Engine) -> sa.Connection:
    # Detach the connection from the pool: closing it must end the session, and with it the lock.
    connection = database.connect().execution_options(isolation_level="AUTOCOMMIT")
    connection.detach()
    return connection


def _unlock(connection: sa.Connection, slot: int) -> None:
    # The server ends a closed session some time later, and the slot must be free now.
    with suppress(sa.exc.SQLAlchemyError):
        connection.execute(sa.text("SELECT pg_advisory_unlock(:a, :b)"), {"a": LOCKS, "b": slot})
    connection.close()


def _try_lock(connection: sa.Connection, slot: int) -> bool:
    return bool(connection.scalar(sa.text("SELECT pg_try_advisory_lock(:a, :b)"), {"a": LOCKS, "b": slot}))


def _is_free(connection: sa.Connection, slot: int) -> bool:
    # Query the locks instead of trying to lock: two workers that check at once would each find the other's lock.
    return not connection.scalar(_HELD, {"a": LOCKS, "b": slot})
