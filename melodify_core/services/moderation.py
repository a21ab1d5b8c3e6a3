"""What a server's moderators may do beside setting rules: look, cancel, give back; and what becomes of left servers."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from melodify_core.errors import MelodifyError, Rejected
from melodify_core.jobs.completion import apologise_for
from melodify_core.models import AcceptedOrder, GuildSettings, Language
from melodify_core.observability.log_context import log_context
from melodify_core.ports import Delivery
from melodify_core.usage.guild_rules import Edit
from melodify_core.usage.limits import DAY_S

if TYPE_CHECKING:
    from melodify_core.library import Guilds, JobBook, Library, ServerDay

log = logging.getLogger(__name__)
LISTED = 25
# Cancels a job as a moderator; returns a language when nobody else will speak to its asker: see Studio.cancel.
Cancel = Callable[[str], Awaitable[Language | None]]
# Forgets a job whose asker was told that it is cancelled: see Studio.told.
Told = Callable[[str], Awaitable[None]]


class Moderation:
    """The servers' affairs. Methods raise Unavailable while the database is away."""

    def __init__(self, guilds: "Guilds", book: "JobBook", library: "Library", delivery: Delivery) -> None:
        self._guilds = guilds
        self._book = book
        self._library = library
        self._delivery = delivery

    async def settings_of(self, guild_id: int) -> GuildSettings:
        """Return what is set in the server."""
        return await asyncio.to_thread(self._guilds.settings_of, guild_id)

    async def change(self, guild_id: int, edit: Edit) -> GuildSettings:
        """Change what is set; return the new settings. Raises Rejected (rule.*) for what contradicts itself."""
        return await asyncio.to_thread(self._guilds.change, guild_id, edit, time.time())

    async def day(self, guild_id: int) -> "ServerDay":
        """Return the server's figures of the last 24 hours."""
        return await asyncio.to_thread(self._book.server_day, guild_id, time.time() - DAY_S)

    async def open_jobs(self, guild_id: int) -> list[AcceptedOrder]:
        """Return the server's jobs that wait or run, the oldest first: as many as a list shows."""
        return await asyncio.to_thread(self._book.open_in, guild_id, LISTED)

    async def reset_quota(self, user_id: int, guild_id: int) -> int:
        """Give a member back what was used in the server; return how many songs that were."""
        return await asyncio.to_thread(self._library.reset_usage, user_id, guild_id)

    async def cancel(self, guild_id: int, job_id: str, cancel: Cancel, told: Told) -> None:
        """Cancel a job of the server, and tell its asker. Raises Rejected("job.too_late") for any other."""
        accepted = await asyncio.to_thread(self._library.accepted_order, job_id)
        if accepted is None or accepted.place is None or accepted.place.guild_id != guild_id:
            raise Rejected("job.too_late")
        if await cancel(job_id) is None:
            return  # whoever works on it will say so
        await self.tell_cancelled(accepted, told)

    async def tell_cancelled(self, accepted: AcceptedOrder, told: Told) -> None:
        """Tell the asker of a job that is cancelled and had not begun. Where that fails, its turn in the queue does."""
        with log_context(accepted.job_id, accepted.place.guild_id if accepted.place else None):
            try:
                await apologise_for(accepted, Rejected("job.cancelled"), self._delivery)
            except MelodifyError as error:
                log.warning("job %s: its asker is not told yet that it is cancelled: %s", accepted.job_id, error)
                return
            await told(accepted.job_id)

    async def leave(self, guild_id: int) -> None:
        """Note that the bot is not in the server any more: its settings stay for a while."""
        await asyncio.to_thread(self._guilds.leave, guild_id, time.time())

    async def come_back(self, guild_id: int) -> None:
        """Note that the bot is in the server again: what was set there holds on."""
        await asyncio.to_thread(self._guilds.come_back, guild_id)

    async def set_in(self) -> list[int]:
        """Return the servers in which something is set, and which the bot has not left as far as is known."""
        return await asyncio.to_thread(self._guilds.present)

    async def clear_left(self, before: float, cancel: Cancel, told: Told) -> int:
        """End the jobs and the settings of the servers that were left before the unix time; return how many."""
        left = await asyncio.to_thread(self._guilds.left_before, before)
        for guild_id in left:
            for accepted in await asyncio.to_thread(self._book.open_in, guild_id):
                try:
                    await self.cancel(guild_id, accepted.job_id, cancel, told)
                except Rejected as error:
                    log.info("job %s of server %d, which was left: %s", accepted.job_id, guild_id, error)
            await asyncio.to_thread(self._guilds.erase, guild_id)
            log.info("server %d was left: its settings are erased", guild_id)
        return len(left)
