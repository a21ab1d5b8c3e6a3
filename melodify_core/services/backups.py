"""Copies of the SQLite database: makes one beside the running process, proves that one is whole, and restores one.

The files of the songs are not in it, and PostgreSQL has tools of its own.
"""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path

from melodify_core.config.settings import Settings
from melodify_core.errors import Misconfigured

# Every database of Melodify has it, from its first version on.
TABLE = "usage"
TABLES = (TABLE, "songs")
JOURNALS = ("-wal", "-shm", "-journal")
DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
Rows = dict[str, int]


def backup(settings: Settings, target: Path) -> str:
    """Copy the SQLite database consistently, also while a process runs on it; return a sentence.

    The copy has its name only after it was compared with the original. Raises Misconfigured for PostgreSQL, for a
    target that exists, for a database that is empty or damaged, and when the copy cannot be written; then nothing is
    left of it.
    """
    source = _source(settings)
    if os.path.lexists(target):
        raise Misconfigured(f"{target} exists already.")
    if not target.parent.is_dir():
        raise Misconfigured(f"{target} cannot be written: there is no folder {target.parent}.")
    part = target.with_name(f"{target.name}.part")
    try:
        # What a backup that was killed has left is begun anew.
        part.unlink(missing_ok=True)
    except OSError as error:
        raise Misconfigured(f"{target} cannot be written: {error}.") from error
    try:
        # For us alone, as the database itself.
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        expected = _copy(source, part)
        if verified(part) != expected:
            raise Misconfigured(f"The copy of {source} does not hold what the database holds. Nothing was kept.")
        _write_through(part)
        part.rename(target)
        _write_through(target.parent)
    except (OSError, sqlite3.Error) as error:
        raise Misconfigured(f"{target} cannot be written: {error}.") from error
    finally:
        part.unlink(missing_ok=True)
    return (
        f"{source} was copied to {target} and compared with it: {_sizes(expected)}. "
        f"Pictures and songs are not in it: copy {settings.folder.path} too."
    )


def _source(settings: Settings) -> Path:
    from melodify_core.library import database_path

    if not settings.database.url.startswith("sqlite"):
        raise Misconfigured("`melodify backup` copies SQLite databases. For PostgreSQL use pg_dump.")
    source = database_path(settings.database.url)
    if not source.is_file():
        raise Misconfigured(f"There is no database at {source}.")
    return source


def verify(file: Path) -> str:
    """Return a sentence on a copy that is whole. Raises Misconfigured for any other file."""
    return f"{file} is a complete copy: {_sizes(verified(file))}."


def restore(settings: Settings, copy: Path, now: datetime) -> str:
    """Put a copy in the database's place, and what was there aside; return a sentence.

    Whenever it is interrupted, there is a whole database. Raises Misconfigured for PostgreSQL, for a copy that is not
    whole, while a process runs on the database, and when nothing can be written.
    """
    from melodify_core.jobs.workers import only_process
    from melodify_core.library import database_path, lock_file

    if not settings.database.url.startswith("sqlite"):
        raise Misconfigured("`melodify restore` restores SQLite databases. For PostgreSQL use pg_restore.")
    target = database_path(settings.database.url)
    rows = verified(copy)
    part, aside = target.with_name(f"{target.name}.part"), target.with_name(f"{target.name}.{now:%Y%m%d-%H%M%S}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with only_process(lock_file(settings.database.url)):
            part.unlink(missing_ok=True)
            part.touch(0o600)
            shutil.copyfile(copy, part)
            if verified(part) != rows:
                raise Misconfigured(f"{copy} could not be read a second time. Nothing was changed.")
            _write_through(part)
            kept = _set_aside(target, aside)
            part.rename(target)
            _write_through(target.parent)
    except OSError as error:
        raise Misconfigured(f"{target} cannot be written: {error}.") from error
    finally:
        part.unlink(missing_ok=True)
    return f"{copy} was restored as {target}: {_sizes(rows)}." + (f" What was there is {aside}." if kept else "")


def _set_aside(database: Path, aside: Path) -> bool:
    """Give the database a second name beside its own; return whether there was one.

    Until the copy takes its first name, the database keeps it and is whole. Its journals must be gone by then, because
    SQLite would apply what is in them to the copy: the database takes it up before.
    """
    if database.exists():
        for suffix in ("-wal", "-journal"):
            journal = database.with_name(database.name + suffix)
            if journal.exists():
                shutil.copy2(journal, aside.with_name(aside.name + suffix))
        _take_up_journal(database)
    for suffix in JOURNALS:
        database.with_name(database.name + suffix).unlink(missing_ok=True)
    if not database.exists():
        return False
    try:
        os.link(database, aside)
    except OSError:  # a file system without hard links
        shutil.copy2(database, aside)
    return True


def _take_up_journal(database: Path) -> None:
    """Write what is in the journals into the database. One that is damaged stays as it is."""
    address = f"{database.absolute().as_uri()}?mode=rw"
    try:
        with closing(sqlite3.connect(address, uri=True, isolation_level=None)) as connection:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
            busy = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    except sqlite3.Error as error:
        if error.sqlite_errorcode & 0xFF in DAMAGED:
            return
        raise Misconfigured(f"{database} cannot be written: {error}.") from error
    if busy:
        raise Misconfigured(f"Another program reads {database}. Stop it first.")


def verified(file: Path) -> Rows:
    """Return how many rows each table of a copy has. Raises Misconfigured for what is no whole database of ours."""
    try:
        if not file.is_file():
            raise Misconfigured(f"There is no copy at {file}.")
        # A file alone is read without making others beside it: its folder may be read-only.
        with _read_only(file, immutable=not file.with_name(f"{file.name}-wal").exists()) as copy:
            sound = str(copy.execute("PRAGMA quick_check(1)").fetchone()[0])
            rows = _rows(copy)
    except (OSError, sqlite3.Error) as error:
        raise Misconfigured(f"{file} is not a complete copy: {error}.") from error
    if sound != "ok":
        raise Misconfigured(f"{file} is damaged: {' '.join(sound.split())}.")
    if missing := [table for table in TABLES if table not in rows]:
        raise Misconfigured(f"{file} is not a complete copy of a Melodify database: it has no table {missing[0]}.")
    return rows


def _copy(source: Path, part: Path) -> Rows:
    """Copy one moment of the database; return how many rows its tables had at that moment."""
    from melodify_core.library import SCHEMA

    with _read_only(source) as live, closing(sqlite3.connect(part)) as copy:
        # The copy reads within this transaction, and so do the counts: others may write meanwhile.
        live.execute("BEGIN")
        rows = _rows(live)
        if not rows:
            raise Misconfigured(SCHEMA["empty"])
        if TABLE not in rows:
            raise Misconfigured(f"{source} is no database of Melodify: it has no table {TABLE}.")
        live.backup(copy)
        # One file, without others beside it that would have to be copied too.
        copy.execute("PRAGMA journal_mode=DELETE")
    return rows


@contextmanager
def _read_only(file: Path, *, immutable: bool = False) -> Iterator[sqlite3.Connection]:
    # As an address: in a plain one, # and ? would end the name, and % would begin an escape.
    address = f"{file.absolute().as_uri()}?mode=ro{'&immutable=1' if immutable else ''}"
    with closing(sqlite3.connect(address, uri=True, isolation_level=None)) as connection:
        yield connection


def _rows(connection: sqlite3.Connection) -> Rows:
    found = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").fetchall()
    names = [str(name) for (name,) in found if not str(name).startswith("sqlite_")]
    return {name: _count(connection, name) for name in names}


def _count(connection: sqlite3.Connection, table: str) -> int:
    quoted = table.replace('"', '""')
    return int(connection.execute(f'SELECT count(*) FROM "{quoted}"').fetchone()[0])  # noqa: S608 - the table's own name


def _write_through(path: Path) -> None:
    """Wait until a file or folder is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sizes(rows: Rows) -> str:
    return f"{len(rows)} tables, {sum(rows.values())} rows, {rows[TABLE]} of them orders"
