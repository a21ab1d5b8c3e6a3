"""How many calls a provider gets, counted over all processes: those that run, and those of the last minute."""

import asyncio
import random
import secrets
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import sqlalchemy as sa

from melodify_core.errors import Unavailable
from melodify_core.library.database import transaction
from melodify_core.library.schema import calls

MINUTE_S = 60.0
LOOK_S = 0.25


@dataclass(frozen=True, slots=True)
class Cap:
    """What a provider can take. 0 is no cap."""

    calls: int  # at once
    per_minute: int
    longest_s: float  # a call that is older belongs to a process that died


class ProviderGate:
    """Lets calls through as the caps allow."""

    def __init__(
        self, engine: sa.Engine, caps: Mapping[str, Cap], patience_s: float, clock: Callable[[], float] = time.time
    ) -> None:
        self._engine = engine
        self._caps = caps
        self._patience_s = patience_s
        self._clock = clock

    @asynccontextmanager
    async def __call__(self, provider: str) -> AsyncIterator[None]:
        """Wait for a place, and hold it. Raises Unavailable("provider.busy") when none frees up in time."""
        cap = self._caps.get(provider)
        if cap is None or not (cap.calls or cap.per_minute):
            yield
            return
        ticket = secrets.token_hex(16)
        await self._wait(provider, cap, ticket)
        try:
            yield
        finally:
            await asyncio.shield(asyncio.to_thread(self._leave, ticket))

    async def _wait(self, provider: str, cap: Cap, ticket: str) -> None:
        try:
            async with asyncio.timeout(self._patience_s):
                # A place frees up in another process: there is no event to wait for.
                while not await asyncio.to_thread(self._enter, provider, cap, ticket):  # noqa: ASYNC110
                    await asyncio.sleep(LOOK_S * random.uniform(0.5, 1.5))
        except TimeoutError as error:
            raise Unavailable("provider.busy") from error

    def _enter(self, provider: str, cap: Cap, ticket: str) -> bool:
        now = self._clock()
        mine = calls.c.provider == provider
        count = sa.select(sa.func.count()).select_from(calls)
        with transaction(self._engine) as connection:
            connection.execute(calls.delete().where(mine, calls.c.until <= now, calls.c.started_at <= now - MINUTE_S))
            running = connection.scalar(count.where(mine, calls.c.until > now)) or 0
            recent = connection.scalar(count.where(mine, calls.c.started_at > now - MINUTE_S)) or 0
            if (cap.calls and running >= cap.calls) or (cap.per_minute and recent >= cap.per_minute):
                return False
            row = {"id": ticket, "provider": provider, "started_at": now, "until": now + cap.longest_s}
            connection.execute(calls.insert().values(**row))
        return True

    def _leave(self, ticket: str) -> None:
        with transaction(self._engine) as connection:
            connection.execute(calls.update().where(calls.c.id == ticket).values(until=self._clock()))
