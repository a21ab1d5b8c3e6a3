"""Keeps the count in the Like button up to date, with few edits when many members press at the same time."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field


@dataclass(slots=True)
class _Button:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    waiting: int = 0
    shown: int | None = None


class LikeCounts:
    """Shows the counts of each song one after the other, so that an older count never overwrites a newer one."""

    def __init__(self) -> None:
        self._buttons: dict[str, _Button] = {}

    async def show(
        self, job_id: str, count: Callable[[], Awaitable[int]], edit: Callable[[int], Awaitable[object]]
    ) -> None:
        """Edit the button to the present count, unless another caller has shown that count meanwhile."""
        button = self._buttons.setdefault(job_id, _Button())
        button.waiting += 1
        try:
            async with button.lock:
                likes = await count()
                if likes != button.shown:
                    button.shown = None
                    await edit(likes)
                    button.shown = likes
        finally:
            button.waiting -= 1
            if not button.waiting:
                del self._buttons[job_id]
