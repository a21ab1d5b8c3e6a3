"""Notices of new orders from process to process, on PostgreSQL. What a worker does with one is its engine's."""

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

import sqlalchemy as sa

if TYPE_CHECKING:
    import psycopg  # only its name, for the checker

log = logging.getLogger(__name__)

CHANNEL = "melodify_orders"
RETRY_S = 1.0


def announce_order(connection: sa.Connection) -> None:
    """Tell all workers of an order, once the caller's transaction is committed."""
    connection.execute(sa.text("SELECT pg_notify(:channel, '')"), {"channel": CHANNEL})


async def hear_orders(database: sa.Engine, on_listening: Callable[[bool], None], on_order: Callable[[], None]) -> None:
    """Call `on_order` for each notice, until it is cancelled; `on_listening` says whether notices arrive.

    A lost connection is replaced. It needs a connection of its own, and no thread while nothing happens.
    """
    while True:
        try:
            connection = await asyncio.to_thread(_listen, database)
            try:
                on_listening(True)
                await _hear(connection, on_order)
            finally:
                connection.close()
        # The driver's own error comes from a connection that breaks while it waits.
        except (sa.exc.SQLAlchemyError, database.dialect.loaded_dbapi.Error) as error:
            on_listening(False)
            log.info("notices of orders do not arrive, the queue is asked more often: %s", error)
            await asyncio.sleep(RETRY_S)


def _listen(database: sa.Engine) -> "psycopg.Connection":
    pooled = database.raw_connection()
    connection = cast("psycopg.Connection", pooled.driver_connection)
    # Take it out of the pool: its session is only for this.
    pooled.detach()
    connection.autocommit = True
    connection.execute(f"LISTEN {CHANNEL}")
    return connection


async def _hear(connection: "psycopg.Connection", on_order: Callable[[], None]) -> None:
    """Return never: raise the driver's error when the connection breaks."""
    loop, descriptor, arrived = asyncio.get_running_loop(), connection.fileno(), asyncio.Event()
    loop.add_reader(descriptor, arrived.set)
    try:
        while True:
            await arrived.wait()
            arrived.clear()
            if list(connection.notifies(timeout=0)):
                on_order()
    finally:
        loop.remove_reader(descriptor)
