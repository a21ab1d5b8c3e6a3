"""The Memory port on the library: readings that were paid for, kept for some hours."""

import asyncio
import time

import sqlalchemy as sa

from melodify_core.library.database import read, transaction
from melodify_core.library.schema import readings
from melodify_core.models import Brief


class Readings:
    """Remembers up to `entries` readings for `hours` hours."""

    def __init__(self, engine: sa.Engine, hours: int, entries: int) -> None:
        self._engine = engine
        self._lifetime_s = hours * 3600
        self._entries = entries

    async def recall(self, key: str) -> Brief | None:
        """Return the reading unless it is too old."""
        since = time.time() - self._lifetime_s
        query = sa.select(readings.c.brief).where(readings.c.question == key, readings.c.created_at > since)
        rows = await asyncio.to_thread(read, self._engine, query)
        return Brief.model_validate_json(rows[0].brief) if rows else None

    async def remember(self, key: str, brief: Brief) -> None:
        """Remember the reading, and forget the oldest beyond `entries`."""
        await asyncio.to_thread(self._remember, key, brief)

    def _remember(self, key: str, brief: Brief) -> None:
        kept = sa.select(readings.c.question).order_by(readings.c.created_at.desc()).limit(self._entries)
        row = {"question": key, "created_at": time.time(), "brief": brief.model_dump_json()}
        with transaction(self._engine) as connection:
            connection.execute(readings.delete().where(readings.c.question == key))
            connection.execute(readings.insert().values(**row))
            connection.execute(readings.delete().where(readings.c.question.not_in(kept)))
