"""Keeps the place in the queue up to date in the status messages of those who wait."""

import asyncio
from typing import TYPE_CHECKING

from melodify_core.models import Forecast, Stage
from melodify_core.observing import about
from melodify_core.ports import Delivery

if TYPE_CHECKING:
    from melodify_core.library import Library

# Near the front every step is told, further back each halving: hundreds of edits a round would be all that Discord lets
# us do.
NEAR = 5


class Positions:
    """What each waiting job's status message says."""

    def __init__(self, library: "Library", delivery: Delivery, at_once: int) -> None:
        """`at_once` jobs start together."""
        self._library = library
        self._delivery = delivery
        self._at_once = at_once
        self._shown: dict[str, int] = {}

    async def show(self) -> None:
        """Tell those whose place has changed enough. A job that is seen for the first time was told when it came."""
        waiting = await asyncio.to_thread(self._library.waiting_orders)
        typical_s = await asyncio.to_thread(self._library.typical_s) if waiting else None
        running = await asyncio.to_thread(self._library.running) if waiting else 0
        shown: dict[str, int] = {}
        for position, order in enumerate(waiting, start=1):
            told = self._shown.get(order.job_id, position)
            shown[order.job_id] = told
            if order.place is not None and worth_telling(told, position):
                shown[order.job_id] = position
                forecast = Forecast.at(position, typical_s, running, self._at_once)
                with about(order.job_id, order.place.guild_id, Stage.QUEUED):
                    await self._delivery.show_position(
                        order.job_id, order.place, order.language, forecast, order.page_id
                    )
        self._shown = shown


def worth_telling(told: int, position: int) -> bool:
    """Return whether the new place is worth an edit."""
    return position != told and (position <= NEAR or position * 2 <= told)
