"""Short texts that an installation stores about itself. Synchronous; callers run it off the event loop.

Every method raises Unavailable("database.unavailable") while the database is away.
"""

import sqlalchemy as sa

from melodify_core.library.database import read, transaction
from melodify_core.library.schema import notes


class Notes:
    """Short texts by name."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def text(self, name: str) -> str | None:
        """Return the note; None where there is none."""
        rows = read(self._engine, sa.select(notes.c.text).where(notes.c.name == name))
        return str(rows[0].text) if rows else None

    def write(self, name: str, text: str) -> None:
        """Write the note, and replace an earlier one of that name."""
        with transaction(self._engine) as connection:
            connection.execute(notes.delete().where(notes.c.name == name))
            connection.execute(notes.insert().values(name=name, text=text))
