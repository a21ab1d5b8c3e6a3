"""Whose picture may be opened: one of a member at a time, and none for a while after several that were refused."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from melodify_core.errors import Rejected
from melodify_core.usage.limits import MINUTE_S

# So many seconds of a worker's time count like one refused picture, whether one picture took them or several.
SLOW_S = 2.0
_MANY = 1000


@dataclass(slots=True)
class _Member:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    waiting: int = 0
    tries: list[tuple[float, float]] = field(default_factory=list)  # unix seconds, and how much it counts


class PictureTurns:
    """The members' turns in this process. It remembers a minute."""

    def __init__(self, per_minute: int, exempt: Collection[int] = (), clock: Callable[[], float] = time.time) -> None:
        """`per_minute` pictures of a minute may be refused, or take SLOW_S each; 0 is no limit."""
        self._per_minute = per_minute
        self._exempt = exempt
        self._clock = clock
        self._members: dict[int, _Member] = {}

    @asynccontextmanager
    async def turn(self, user_id: int) -> AsyncIterator[None]:
        """Wait for the member's earlier pictures. Raises Rejected("limit.pictures") after too many refused ones."""
        member = self._members.setdefault(user_id, _Member())
        member.waiting += 1
        try:
            async with member.lock:
                self._check(user_id, member)
                yield
        finally:
            member.waiting -= 1
            self._forget()

    def count(self, user_id: int, cpu_s: float, *, refused: bool) -> None:
        """Count a picture by what it took, and one that was refused as one at least."""
        weight = max(1.0 if refused else 0.0, cpu_s / SLOW_S)
        if weight:
            self._members.setdefault(user_id, _Member()).tries.append((self._clock(), weight))

    def _check(self, user_id: int, member: _Member) -> None:
        if not self._per_minute or user_id in self._exempt:
            return
        self._drop_old(member)
        total = 0.0
        for at, weight in reversed(member.tries):
            total += weight
            if total >= self._per_minute:
                raise Rejected("limit.pictures", retry_at=int(at + MINUTE_S) + 1)

    def _drop_old(self, member: _Member) -> None:
        now = self._clock()
        # None is ahead, unless the clock was set back.
        member.tries = [(at, weight) for at, weight in member.tries if now - MINUTE_S < at <= now]

    def _forget(self) -> None:
        """Forget the members who have none, when there are many."""
        if len(self._members) < _MANY:
            return
        for user_id, member in tuple(self._members.items()):
            self._drop_old(member)
            if not member.waiting and not member.tries:
                del self._members[user_id]
