"""Which limits apply to an order, and whether they leave room for it. The arithmetic is in usage."""

import asyncio
import time
from collections.abc import Collection
from typing import TYPE_CHECKING

from melodify_core.config.settings import Limits
from melodify_core.models import Job
from melodify_core.usage import guild_rules, limits
from melodify_core.usage.quota import Quota, quota_of

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from melodify_core.library import Guilds, Library


class Admission:
    """Decides whether one more song is within the limits of the host and of the server.

    `price` is what a song is expected to cost, in dollars.
    """

    def __init__(self, host: Limits, library: "Library", guilds: "Guilds", price: float) -> None:
        self.price = price
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
        limits.check(effective, standing, now, user_id, role_ids, self.price)

    def standing_of(self, job: Job, effective: Limits, now: float, connection: "Connection") -> limits.Standing:
        """Return what counts against the limits `effective`, and whether the job was accepted before."""
        return self._library.standing_of(
            job.user_id, job.place.counts_in, now - limits.DAY_S, connection, limits=effective, job_id=job.job_id
        )

    def check_job(
        self, job: Job, effective: Limits, standing: limits.Standing, role_ids: Collection[int], now: float
    ) -> None:
        """Raise Rejected when the limits `effective` leave no room for the job. `standing` is that of `standing_of`."""
        limits.check(effective, standing, now, job.user_id, role_ids, self.price)

    async def quota(self, user_id: int, guild_id: int | None, role_ids: Collection[int]) -> Quota:
        """Return what the member has left."""
        now = time.time()
        standing = await asyncio.to_thread(self._library.standing_of, user_id, guild_id, now - limits.DAY_S)
        effective = await asyncio.to_thread(self.limits_in, guild_id, role_ids, None)
        money = await asyncio.to_thread(self._library.money, now - limits.DAY_S, user_id)
        return quota_of(effective, standing, now, user_id, role_ids, self.price, money)
