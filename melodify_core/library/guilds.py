"""The settings of Discord servers. Synchronous; callers run it off the event loop.

Every method raises Unavailable("database.unavailable") while the database is away.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass

import sqlalchemy as sa

from melodify_core.library.database import read, transaction
from melodify_core.library.schema import guilds
from melodify_core.library.statements import GUILD_SETTINGS
from melodify_core.library.stored_settings import read_settings, written_settings
from melodify_core.models import GuildSettings


@dataclass(frozen=True, slots=True)
class ServerRules:
    """What is set in a server, and since when, in unix seconds; 0 where nothing was ever set."""

    settings: GuildSettings
    changed_at: float = 0.0


class Guilds:
    """The settings of all servers, and which of them the bot has left."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        # Counts this process's changes, so that a cache of settings knows when to read them again.
        self.generation = 0

    def settings_of(self, guild_id: int, connection: sa.Connection | None = None) -> GuildSettings:
        """Return what is set in the server; the defaults where nothing is."""
        rows = read(self._engine, GUILD_SETTINGS, connection, {"guild": guild_id})
        return read_settings(GuildSettings, rows[0].settings) if rows else GuildSettings()

    def rules_of(self, guild_ids: Collection[int]) -> dict[int, ServerRules]:
        """Return what is set in each of some hundred servers."""
        query = sa.select(guilds.c.guild_id, guilds.c.settings, guilds.c.changed_at)
        rows = read(self._engine, query.where(guilds.c.guild_id.in_(guild_ids)))
        rules = {number: ServerRules(GuildSettings()) for number in guild_ids}
        return rules | {
            row.guild_id: ServerRules(read_settings(GuildSettings, row.settings), row.changed_at) for row in rows
        }

    def change(self, guild_id: int, edit: Callable[[GuildSettings], GuildSettings], now: float) -> GuildSettings:
        """Change the server's settings in one transaction; return the new ones. What `edit` raises changes nothing."""
        with transaction(self._engine) as connection:
            rows = read(self._engine, GUILD_SETTINGS, connection, {"guild": guild_id})
            before = rows[0].settings if rows else "{}"
            changed = edit(read_settings(GuildSettings, before))
            values = {"settings": written_settings(before, changed), "changed_at": now}
            found = connection.execute(guilds.update().where(guilds.c.guild_id == guild_id).values(values))
            if found.rowcount == 0:
                connection.execute(guilds.insert().values(guild_id=guild_id, **values))
        self.generation += 1
        return changed

    def leave(self, guild_id: int, now: float) -> None:
        """Note that the bot is not in the server any more; a second time changes nothing."""
        with transaction(self._engine) as connection:
            known = connection.scalar(sa.select(guilds.c.guild_id).where(guilds.c.guild_id == guild_id))
            if known is None:
                fresh = {"settings": GuildSettings().model_dump_json(), "changed_at": now}
                connection.execute(guilds.insert().values(guild_id=guild_id, left_at=now, **fresh))
                return
            stays = (guilds.c.guild_id == guild_id, guilds.c.left_at.is_(None))
            connection.execute(guilds.update().where(*stays).values(left_at=now))

    def come_back(self, guild_id: int) -> None:
        """Note that the bot is in the server again."""
        with transaction(self._engine) as connection:
            connection.execute(guilds.update().where(guilds.c.guild_id == guild_id).values(left_at=None))

    def present(self) -> list[int]:
        """Return the servers that have a row here and that the bot has not left."""
        return [
            row.guild_id for row in read(self._engine, sa.select(guilds.c.guild_id).where(guilds.c.left_at.is_(None)))
        ]

    def left_before(self, before: float) -> list[int]:
        """Return the servers that the bot has left before the unix time."""
        query = sa.select(guilds.c.guild_id).where(guilds.c.left_at < before)
        return [row.guild_id for row in read(self._engine, query)]

    def erase(self, guild_id: int) -> None:
        """Forget what was set in the server."""
        with transaction(self._engine) as connection:
            connection.execute(guilds.delete().where(guilds.c.guild_id == guild_id))
        self.generation += 1
