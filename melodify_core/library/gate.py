"""Limits the calls to a provider over all processes: those that run now, and those of the last minute."""

import asyncio
import logging
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
from melodify_core.threads import finished

log = logging.getLogger(__name__)

MINUTE_S = 60.0
POLL_S = 0.25
# A slot that is not freed is missing for minutes. A result must not wait longer than this for it.
LEAVE_PAUSES_S = (0.5, 1.0, 0.0)


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
    async def __call__(self, provider: str, job_id: str, *, begun: bool = False) -> AsyncIterator[None]:
        """Hold a slot; see `enter` and `leave`."""
        try:
            await self.enter(provider, job_id, begun=begun)
            yield
        finally:
            await self.leave(provider, job_id)

    async def enter(self, provider: str, job_id: str, *, begun: bool = False) -> None:
        """Wait for a slot and take it. A job that holds one already, from before a crash for example, keeps it.

        Work that has `begun` elsewhere is counted, and never waits. Raises Unavailable("provider.busy") when no slot
        frees up in time.
        """
        if cap := self._cap(provider):
            await self._wait(provider, cap, _ticket(provider, job_id), begun=begun)

    async def leave(self, provider: str, job_id: str) -> None:
        """Free the job's slot, if it holds one. Never raises: the result of the call must not be lost with it."""
        if self._cap(provider) is None:
            return
        for pause_s in LEAVE_PAUSES_S:
            try:
                await finished(self._free, _ticket(provider, job_id))
            except Unavailable as error:
                log.warning("job %s: its slot at %s could not be freed, trying again: %s", job_id, provider, error)
                await asyncio.sleep(pause_s)
            else:
                return
        log.warning("job %s: its slot at %s stays taken until it expires", job_id, provider)

    def _cap(self, provider: str) -> Cap | None:
        cap = self._caps.get(provider)
        return cap if cap is not None and (cap.calls or cap.per_minute) else None

    async def _wait(self, provider: str, cap: Cap, ticket: str, *, begun: bool) -> None:
        try:
            async with asyncio.timeout(self._patience_s):
                # Another process may free a slot: there is no event to wait for.
                while not await self._entered(provider, cap, ticket, begun=begun):  # noqa: ASYNC110
                    await asyncio.sleep(POLL_S * random.uniform(0.5, 1.5))
        except TimeoutError as error:
            raise Unavailable("provider.busy") from error

    async def _entered(self, provider: str, cap: Cap, ticket: str, *, begun: bool) -> bool:
        try:
            return await finished(self._enter, provider, cap, ticket, begun)
        except Unavailable as error:
            # A caller that waits for a slot can wait for the database too.
            log.warning("could not ask for a slot at %s, trying again: %s", provider, error)
            return False

    def _enter(self, provider: str, cap: Cap, ticket: str, begun: bool) -> bool:
        now = self._clock()
        mine = calls.c.provider == provider
        ours = calls.update().where(calls.c.id == ticket)
        count = sa.select(sa.func.count()).select_from(calls)
        with transaction(self._engine) as connection:
            connection.execute(calls.delete().where(mine, _is_over(now, cap)))
            if connection.execute(ours.where(calls.c.until > now).values(until=now + cap.longest_s)).rowcount:
                return True
            # An earlier call of this job still counts among those of the last minute.
            connection.execute(ours.values(id=secrets.token_hex(16)))
            running = connection.scalar(count.where(mine, calls.c.until > now)) or 0
            recent = connection.scalar(count.where(mine, calls.c.started_at > now - MINUTE_S)) or 0
            full = (cap.calls and running >= cap.calls) or (cap.per_minute and recent >= cap.per_minute)
            if full and not begun:
                return False
            row = {"id": ticket, "provider": provider, "started_at": now, "until": now + cap.longest_s}
            connection.execute(calls.insert().values(**row))
        return True

    def _free(self, ticket: str) -> None:
        with transaction(self._engine) as connection:
            connection.execute(calls.update().where(calls.c.id == ticket).values(until=self._clock()))


def _is_over(now: float, cap: Cap) -> sa.ColumnElement[bool]:
    """Return which calls count no more: old ones, and those of a clock that was ahead, which would count for ever."""
    old = sa.and_(calls.c.until <= now, calls.c.started_at <= now - MINUTE_S)
    return sa.or_(old, calls.c.started_at > now + MINUTE_S, calls.c.until > now + cap.longest_s + MINUTE_S)


def _ticket(provider: str, job_id: str) -> str:
    return f"{provider}:{job_id}"
