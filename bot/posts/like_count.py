"""The count in the Like button. Many who press at once need few edits: each shows all presses up to then."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field


@dataclass(slots=True)
class _Label:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    waiting: int = 0
    shown: int | None = None


class LikeLabels:
    """Shows counts in turn, song by song, so that an older one never overwrites a newer one."""

    def __init__(self) -> None:
        self._labels: dict[str, _Label] = {}

    async def show(
        self, job_id: str, count: Callable[[], Awaitable[int]], edit: Callable[[int], Awaitable[object]]
    ) -> None:
        """Edit the label to the count as it is now, unless one of those who waited with us has shown that."""
        label = self._labels.setdefault(job_id, _Label())
        label.waiting += 1
        try:
            async with label.lock:
                likes = await count()
                if likes != label.shown:
                    label.shown = None
                    await edit(likes)
                    label.shown = likes
        finally:
            label.waiting -= 1
            if not label.waiting:
                del self._labels[job_id]
