"""Keeps the count in the Like button up to date, with few edits when many members press at the same time."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from weakref import WeakValueDictionary


@dataclass(slots=True, weakref_slot=True)
class _Button:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    shown: int | None = None


class LikeCounts:
    """Shows the counts of each song one after the other, so that an older count never overwrites a newer one."""

    def __init__(self) -> None:
        # A button is forgotten when nobody waits to show its count.
        self._buttons: WeakValueDictionary[str, _Button] = WeakValueDictionary()

    async def show(
        self, job_id: str, count: Callable[[], Awaitable[int]], edit: Callable[[int], Awaitable[object]]
    ) -> None:
        """Edit the button to the present count, unless another caller has shown that count meanwhile."""
        button = self._buttons.setdefault(job_id, _Button())
        async with button.lock:
            likes = await count()
            if likes != button.shown:
                button.shown = None
                await edit(likes)
                button.shown = likes
