"""Which limits apply to an order, and whether they leave room for it. The arithmetic is in usage."""

import asyncio
import time
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

from melodify_core.config.settings import Limits
from melodify_core.errors import OVER_BUDGET, Rejected
from melodify_core.models import Job
from melodify_core.usage import guild_rules, limits
from melodify_core.usage.quota import Quota, quota_of

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from melodify_core.library import Guilds, Library


class Admission:
    """Decides whether one more song is within the limits of the host and of the server.

    `price` is what a song of so many seconds is expected to cost, in dollars, and `least` what it costs where a cheaper
    composer plays it, because the budget leaves no room for the first one.
    """

    def __init__(
        self,
        host: Limits,
        library: "Library",
        guilds: "Guilds",
        price: Callable[[int | None], float],
        least: Callable[[int | None], float],
    ) -> None:
        self._price = price
        self._least = least
        self._host = host
        self._library = library
        self._guilds = guilds

    def limits_in(self, guild_id: int | None, role_ids: Collection[int], connection: "Connection | None") -> Limits:
        """Return the limits of a member with these roles; in a server its moderators may have lowered them."""
        if guild_id is None:
            return self._host
        server = self._guilds.settings_of(guild_id, connection)
        return guild_rules.limits_in(self._host, server, guild_id, role_ids)

    def check(self, user_id: int, guild_id: int | None, role_ids: Collection[int]) -> None:
        """Raise Rejected when the limits leave no room for one more song of the member. Reserve nothing."""
        now = time.time()
        with self._library.reading() as connection:
            effective = self.limits_in(guild_id, role_ids, connection)
            standing = self._library.standing_of(user_id, guild_id, now - limits.DAY_S, connection, limits=effective)
        _check(effective, standing, now, user_id, role_ids, self._least(None))

    def standing_of(self, job: Job, effective: Limits, now: float, connection: "Connection") -> limits.Standing:
        """Return what counts against the limits `effective`, and whether the job was accepted before."""
        return self._library.standing_of(
            job.user_id, job.place.counts_in, now - limits.DAY_S, connection, limits=effective, job_id=job.job_id
        )

    def check_job(
        self, job: Job, effective: Limits, standing: limits.Standing, role_ids: Collection[int], now: float
    ) -> float:
        """Return the dollars to reserve. `standing` is that of `standing_of`.

        Raises Rejected when the limits `effective` leave no room for the job.
        """
        price, least = self._price(job.wish.seconds), self._least(job.wish.seconds)
        try:
            _check(effective, standing, now, job.user_id, role_ids, price)
        except Rejected as refusal:
            if refusal.code not in OVER_BUDGET or least >= price:
                raise
            _check(effective, standing, now, job.user_id, role_ids, least)
            return least
        return price

    async def quota(self, user_id: int, guild_id: int | None, role_ids: Collection[int]) -> Quota:
        """Return what the member has left."""
        now = time.time()
        standing = await asyncio.to_thread(self._library.standing_of, user_id, guild_id, now - limits.DAY_S)
        effective = await asyncio.to_thread(self.limits_in, guild_id, role_ids, None)
        money = await asyncio.to_thread(self._library.money, now - limits.DAY_S, user_id)
        price = self._least(None)
        return quota_of(_without_budgets(effective, price), standing, now, user_id, role_ids, price, money)


def _check(
    effective: Limits,
    standing: limits.Standing,
    now: float,
    user_id: int,
    role_ids: Collection[int],
    price: float,
) -> None:
    limits.check(_without_budgets(effective, price), standing, now, user_id, role_ids, price)


def _without_budgets(effective: Limits, price: float) -> Limits:
    """Return the limits of a song of this price: what costs nothing is possible when every budget is used up."""
    if price:
        return effective
    return effective.model_copy(update={"dollars_per_day": 0.0, "dollars_per_guild_day": 0.0})
