"""Keeps the positions in the status messages of waiting jobs up to date. The library computes them."""

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

# Up to this position, each change is shown; further back, only each halving. Hundreds of edits a round would use up
# all requests that Discord allows.
NEAR = 5
LEASE_S = 30.0  # how long the other processes wait for the one that edits the messages


class QueuePositions:
    """The positions that the status messages show.

    If several processes accept orders for one database, one of them edits all messages. The others note the same
    positions, so that one of them can continue when that process ends.
    """

    def __init__(
        self, library: "Library", delivery: Delivery, at_once: int, clock: Callable[[], float] = time.time
    ) -> None:
        """`at_once` is how many jobs run at the same time."""
        self._library = library
        self._delivery = delivery
        self._at_once = at_once
        self._clock = clock
        self._shown: dict[str, int] = {}
        self._name = secrets.token_hex(8)
        self._leads_until = 0.0

    async def show(self) -> None:
        """Edit the messages whose position has changed enough. The message of a new job shows its position already."""
        waiting = await asyncio.to_thread(self._library.waiting_orders)
        typical_s = await asyncio.to_thread(self._library.typical_s) if waiting else None
        running = await asyncio.to_thread(self._library.running) if waiting else 0
        leads = bool(waiting) and await self._leads()
        shown: dict[str, int] = {}
        for position, order in enumerate(waiting, start=1):
            before = self._shown.get(order.job_id, position)
            shown[order.job_id] = before
            if is_worth_showing(before, position):
                shown[order.job_id] = position
                if leads and (leads := await self._leads()):
                    await self._edit(order, Forecast.at(position, typical_s, running, self._at_once))
        self._shown = shown

    async def _edit(self, order: AcceptedOrder, forecast: Forecast) -> None:
        # The edits before this one may have taken long: the job may have started meanwhile.
        if order.place is None or await asyncio.to_thread(self._library.state, order.job_id) != "waiting":
            return
        with log_context(order.job_id, order.place.guild_id, Stage.QUEUED):
            await self._delivery.show_position(order.job_id, order.place, order.language, forecast, order.page_id)

    async def _leads(self) -> bool:
        """Return whether this process edits the messages; take or renew the lease for that."""
        now = self._clock()
        if self._leads_until - LEASE_S / 2 <= now:
            leads = await asyncio.to_thread(self._library.lease, "positions", self._name, now, LEASE_S)
            self._leads_until = now + LEASE_S if leads else 0.0
        return self._leads_until > now


def is_worth_showing(before: int, position: int) -> bool:
    """Return whether the new position is worth an edit."""
    return position != before and (position <= NEAR or position * 2 <= before)
