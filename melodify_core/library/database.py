"""The connection to the database, SQLite or PostgreSQL, and its schema. The other modules know the tables."""

import os
import sqlite3
import stat
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import sqlalchemy as sa
from sqlalchemy.engine.interfaces import DBAPIConnection

from melodify_core.errors import Misconfigured, Unavailable

if TYPE_CHECKING:
    from alembic.config import Config

# alembic is imported where it is used: it takes a sixth of a second, and most commands never look at the schema.
BUSY_TIMEOUT_MS = 30_000  # as DBOS sets it for connections of its own
VERSION_TABLE = "melodify_version"
MIGRATIONS = Path(__file__).parent / "migrations"
# The schema of the versions before this table was kept: usage and songs.
UNVERSIONED = "0001"
ADMISSION = 0x6D656C6F6469  # one number for one lock: "melodi" in ASCII
CONNECTIONS = 20
PRIVATE = 0o600
# On PostgreSQL: the connections that a process's jobs share, and those that their engine always holds: one to listen
# on, and one with the lock of its background jobs.
JOB_CONNECTIONS = 2
ENGINE_CONNECTIONS = 2
# SQLite's primary result codes for a file that cannot be used now. A missing table is not among them.
TRANSIENT_ERRORS = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
}
QUERY_CANCELED = "57014"  # PostgreSQL: by a time limit or by hand, so it is not retried
CONNECT_S = 10
PING_AFTER_IDLE_S = 1.0
RETURNED = "melodify.returned"  # on a pooled connection: when, by the monotonic clock
# On Python 3.12 and newer, DBOS asks SQLite for unixepoch('subsec'), in columns' defaults too. An older SQLite, such as
# Debian 12's, answers NULL. A database that was made so may come back to an older Python.
KNOWS_SUBSEC = (3, 42)
DURABLE = "melodify.durable"  # on a pooled connection: its last transaction waited for the disk
State = Literal["empty", "old", "current", "newer"]
# What is wrong with a schema, and how to fix it.
SCHEMA: dict[State, str] = {
    "empty": "The database has no tables yet: run `melodify migrate`.",
    "old": "The database has the schema of an older Melodify: stop all its processes, then run `melodify migrate`.",
    "newer": "The database was made by a newer Melodify than this one: install that one, or set another database.url.",
}


def connect(url: str) -> sa.Engine:
    """Return an engine on the database of `url`. Raises Misconfigured when it cannot be used."""
    return _connect_sqlite(url) if url.startswith("sqlite") else _connect_postgres(url)


def _address(url: str) -> sa.URL:
    """Return the parts of `url`. Raises Misconfigured, without them: one may be a password."""
    try:
        return sa.make_url(url)
    except (ValueError, sa.exc.ArgumentError) as error:
        raise Misconfigured(
            "database.url cannot be read as user:password@host:port/name; in a password write @ as %40, : as %3A,"
            " / as %2F and [ as %5B."
        ) from error


def connect_jobs(engine: sa.Engine) -> sa.Engine:
    """Return the engine for the jobs of this process, so that they do not hold up members' orders.

    On PostgreSQL, jobs get a few connections of their own. When 32 jobs ended at the same moment with a connection and
    a thread each, all of them competed with an order for the interpreter, and the order took a second. A thread that
    waits for a connection does not compete. On SQLite all threads take turns anyway.
    """
    return engine if on_sqlite(engine) else _postgres(engine.url, JOB_CONNECTIONS + ENGINE_CONNECTIONS, 0)


def _connect_sqlite(url: str) -> sa.Engine:
    path = database_path(url)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _make_private(path)
        engine = sa.create_engine(url, hide_parameters=True)
        sa.event.listen(engine, "connect", _prepare_sqlite)
        sa.event.listen(engine, "handle_error", _mark_disconnected)
        sa.event.listen(engine, "invalidate", _rollback_on_invalidate)
        _serialize_access(engine)
        with engine.connect() as connection:
            connection.exec_driver_sql("SELECT 1")
    # A TypeError names a word after the question mark of the address that SQLite does not know.
    except (OSError, TypeError, ValueError, sa.exc.DatabaseError) as error:
        reason = getattr(error, "strerror", None) or getattr(error, "orig", error)
        raise Misconfigured(f"database.url: {path} cannot be used: {reason}.") from error
    return engine


def _make_private(path: Path) -> None:
    """Make the database readable by its owner only: it holds members' orders and the tokens to answer them.

    SQLite gives the files that it creates beside a database the same mode.
    """
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, PRIVATE))
    for file in (path, *(path.with_name(path.name + ending) for ending in ("-wal", "-shm", ".lock"))):
        # The file is missing or on a read-only disk: then there is nothing to change.
        with suppress(OSError):
            found = file.stat()
            if stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid() and found.st_mode & 0o077:
                file.chmod(found.st_mode & PRIVATE)


def _connect_postgres(url: str) -> sa.Engine:
    address = _address(url).set(drivername="postgresql+psycopg")
    engine = _postgres(address, CONNECTIONS, CONNECTIONS)
    try:
        with engine.connect() as connection:
            connection.execute(sa.text("SELECT 1"))
    except (ValueError, sa.exc.DBAPIError) as error:
        engine.dispose()
        reason = " ".join(str(getattr(error, "orig", error)).split())[:300]
        raise Misconfigured(f"database.url: {address.render_as_string()} cannot be used: {reason}.") from error
    return engine


def _postgres(address: sa.URL, connections: int, more: int) -> sa.Engine:
    engine = sa.create_engine(
        address,
        hide_parameters=True,  # a record may hold a token, which must not get into an error's text
        pool_size=connections,
        max_overflow=more,
        connect_args={"connect_timeout": CONNECT_S, "keepalives_idle": 15, "keepalives_interval": 5},
    )
    sa.event.listen(engine, "handle_error", _mark_disconnected)
    _replace_dead_connections(engine)
    return engine


def _replace_dead_connections(engine: sa.Engine) -> None:
    """Ping a pooled connection before it is used, and replace it when a restart of the database has killed it.

    `pool_pre_ping` would also ping a connection that was used a moment ago: that took a fifth of an order's time.
    """

    def remember(_connection: object, record: sa.pool.ConnectionPoolEntry) -> None:
        record.info[RETURNED] = time.monotonic()

    def ask(connection: DBAPIConnection, record: sa.pool.ConnectionPoolEntry, _proxy: object) -> None:
        # A new connection was never returned to the pool.
        idle_s = time.monotonic() - record.info[RETURNED] if RETURNED in record.info else 0.0
        if idle_s < PING_AFTER_IDLE_S:
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            raise sa.exc.InvalidatePoolError from error

    sa.event.listen(engine, "checkin", remember)
    sa.event.listen(engine, "checkout", ask)


def database_path(url: str) -> Path:
    """Return the file of an SQLite address."""
    return Path(_address(url).database or "")


def lock_file(url: str) -> Path:
    """Return the file beside an SQLite database that its one process holds."""
    path = database_path(url)
    return path.with_name(f"{path.name}.lock")


def on_sqlite(engine: sa.Engine) -> bool:
    """Return whether the database is a file of one process."""
    return engine.dialect.name == "sqlite"


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    # Writers queue for the lock instead of failing half way; readers never wait (WAL).
    connection.isolation_level = "IMMEDIATE"
    connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
    # Steps whose records a power failure takes are done again, and find what they did before: see `_durable`.
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute("PRAGMA foreign_keys=ON")
    if sqlite3.sqlite_version_info < KNOWS_SUBSEC:
        connection.create_function("unixepoch", 1, lambda _modifier: round(time.time(), 3))
    try:
        connection.execute("PRAGMA journal_mode=WAL")
    except sqlite3.OperationalError:
        connection.execute("SELECT 1")  # a read-only database raises when it is written to


def _mark_disconnected(context: sa.engine.ExceptionContext) -> None:
    """Treat a database that cannot work now, because it is full for example, as disconnected.

    The job engine retries a lost connection for as long as it takes. It records any other error as the result of the
    step whose result it could not write: the post of a song would be deleted.
    """
    error = context.original_exception
    if isinstance(error, sqlite3.OperationalError):
        context.is_disconnect = error.sqlite_errorcode & 0xFF in TRANSIENT_ERRORS
    elif isinstance(context.sqlalchemy_exception, sa.exc.OperationalError):
        context.is_disconnect = getattr(error, "sqlstate", None) != QUERY_CANCELED


def _rollback_on_invalidate(connection: sqlite3.Connection, _record: object, error: BaseException | None) -> None:
    """End the transaction of a connection that is discarded.

    Closing is not enough: as long as a cursor exists, perhaps in the traceback of the error, SQLite keeps the
    connection and its lock. The next garbage collection may be minutes away.
    """
    del error
    with suppress(sqlite3.Error):
        connection.rollback()


def _serialize_access(engine: sa.Engine) -> None:
    """Let one thread at a time use the file.

    SQLite allows one writer at a time anyway, and lets the others sleep and poll: with 20 threads, some waited a second
    for a write of half a millisecond. Here they queue. The lock is reentrant, because a thread may hold a second
    connection.
    """
    turn = threading.RLock()
    sa.event.listen(engine, "checkout", lambda *_: turn.acquire())

    def checkin(connection: sqlite3.Connection | None, record: sa.pool.ConnectionPoolEntry) -> None:
        if record.info.pop(DURABLE, False) and connection is not None:
            connection.execute("PRAGMA synchronous=NORMAL")
        turn.release()

    sa.event.listen(engine, "checkin", checkin)


def _durable(connection: sa.Connection) -> None:
    """Write the next transaction, and all before it, to SQLite's disk before it is committed.

    Orders, costs and charges must survive a power failure. That a job started, or what its steps returned, need not:
    otherwise every commit would wait for the disk, a dozen times per job, one after the other.
    """
    connection.info[DURABLE] = True
    connection.exec_driver_sql("PRAGMA synchronous=FULL")


@contextmanager
def transaction(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Open a transaction that excludes all others of its kind, in every process, so that what it reads stays true."""
    with reachable(), engine.begin() as connection:
        if on_sqlite(engine):
            _durable(connection)
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": ADMISSION})
        yield connection


@contextmanager
def changing(engine: sa.Engine, *, durable: bool = True) -> Iterator[sa.Connection]:
    """Open a transaction for changes that do not depend on what others do meanwhile.

    Without `durable` its changes may be lost in a power failure, and only then.
    """
    with reachable(), engine.begin() as connection:
        if on_sqlite(engine):
            if durable:
                _durable(connection)
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        yield connection


@contextmanager
def reading(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Open a connection for queries."""
    with reachable(), engine.connect() as connection:
        yield connection


def read(
    engine: sa.Engine,
    query: sa.Select[Any],
    connection: sa.Connection | None = None,
    values: dict[str, Any] | None = None,
) -> list[sa.Row[Any]]:
    """Return the rows for the bound values, read within the caller's transaction where there is one."""
    if connection is not None:
        return list(connection.execute(query, values or {}))
    with reading(engine) as own:
        return list(own.execute(query, values or {}))


@contextmanager
def reachable() -> Iterator[None]:
    """Raise Unavailable("database.unavailable") where the database is away, full or cannot be written."""
    try:
        yield
    except (sa.exc.OperationalError, sa.exc.InterfaceError, sa.exc.TimeoutError) as error:
        raise Unavailable("database.unavailable") from error
    except sa.exc.DBAPIError as error:
        if not error.connection_invalidated:
            raise
        raise Unavailable("database.unavailable") from error


def schema_state(engine: sa.Engine) -> State:
    """Return how the database's schema compares to this program's."""
    from alembic.script import ScriptDirectory

    script = ScriptDirectory.from_config(_config())
    with engine.connect() as connection:
        found = _version(connection)
    if found is None:
        return "empty"
    if found == script.get_current_head():
        return "current"
    return "old" if found in {revision.revision for revision in script.walk_revisions()} else "newer"


def upgrade(engine: sa.Engine) -> None:
    """Bring the schema up to date. Raises Misconfigured for one that a newer Melodify has made."""
    from alembic import command

    if schema_state(engine) == "newer":
        raise Misconfigured(SCHEMA["newer"])
    config = _config()
    try:
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            if _version(connection) == UNVERSIONED and not sa.inspect(connection).has_table(VERSION_TABLE):
                command.stamp(config, UNVERSIONED)
            command.upgrade(config, "head")
    except sa.exc.DBAPIError as error:
        reason = " ".join(str(error.orig).split())[:300]
        where = engine.url.database if on_sqlite(engine) else engine.url.render_as_string()
        raise Misconfigured(f"database.url: {where} cannot be migrated: {reason}.") from error


def open_schema(engine: sa.Engine) -> None:
    """Check that the schema is current; create or migrate it on SQLite. Raises Misconfigured."""
    state = schema_state(engine)
    if state == "newer":
        raise Misconfigured(SCHEMA["newer"])
    if state == "current":
        return
    if not on_sqlite(engine):
        raise Misconfigured(SCHEMA[state])
    upgrade(engine)


def _version(connection: sa.Connection) -> str | None:
    from alembic.runtime.migration import MigrationContext

    found = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE}).get_current_revision()
    if found is None and sa.inspect(connection).has_table("usage"):
        return UNVERSIONED
    return found


def _config() -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    return config
