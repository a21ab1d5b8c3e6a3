"""Keeps the place in the queue up to date in the status messages of those who wait."""

import asyncio
import secrets
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from melodify_core.models import AcceptedOrder, Forecast, Stage
from melodify_core.observability.log_context import log_context
from melodify_core.ports import Delivery

if TYPE_CHECKING:
    from melodify_core.library import Library

# Near the front every step is told, further back each halving: hundreds of edits a round would be all that Discord lets
# us do.
NEAR = 5
LEASE_S = 30.0  # how long the others wait for the one that tells all


class QueuePositions:
    """What each waiting job's status message says.

    Of several processes that take orders from one database, one tells all; the others follow what it has told, and go
    on from there when it is gone.
    """

    def __init__(
        self, library: "Library", delivery: Delivery, at_once: int, clock: Callable[[], float] = time.time
    ) -> None:
        """`at_once` jobs start together."""
        self._library = library
        self._delivery = delivery
        self._at_once = at_once
        self._clock = clock
        self._shown: dict[str, int] = {}
        self._name = secrets.token_hex(8)
        self._leads_until = 0.0

    async def show(self) -> None:
        """Tell those whose place has changed enough. A job that is seen for the first time was told when it came."""
        waiting = await asyncio.to_thread(self._library.waiting_orders)
        typical_s = await asyncio.to_thread(self._library.typical_s) if waiting else None
        running = await asyncio.to_thread(self._library.running) if waiting else 0
        leads = bool(waiting) and await self._leads()
        shown: dict[str, int] = {}
        for position, order in enumerate(waiting, start=1):
            told = self._shown.get(order.job_id, position)
            shown[order.job_id] = told
            if worth_telling(told, position):
                shown[order.job_id] = position
                if leads and (leads := await self._leads()):
                    await self._tell(order, Forecast.at(position, typical_s, running, self._at_once))
        self._shown = shown

    async def _tell(self, order: AcceptedOrder, forecast: Forecast) -> None:
        # Before it many others may have been told, one after the other; who makes it may be another process.
        if order.place is None or await asyncio.to_thread(self._library.state, order.job_id) != "waiting":
            return
        with log_context(order.job_id, order.place.guild_id, Stage.QUEUED):
            await self._delivery.show_position(order.job_id, order.place, order.language, forecast, order.page_id)

    async def _leads(self) -> bool:
        """Return whether this process tells all; one that does says so anew from time to time."""
        now = self._clock()
        if self._leads_until - LEASE_S / 2 <= now:
            leads = await asyncio.to_thread(self._library.lease, "positions", self._name, now, LEASE_S)
            self._leads_until = now + LEASE_S if leads else 0.0
        return self._leads_until > now


def worth_telling(told: int, position: int) -> bool:
    """Return whether the new place is worth an edit."""
    return position != told and (position <= NEAR or position * 2 <= told)
