"""What a server's moderators do with its jobs: list, cancel, reset quotas; and clean-up after the bot has left it."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from melodify_core.errors import MelodifyError, Rejected
from melodify_core.jobs.completion import apologise_for
from melodify_core.models import AcceptedOrder, CancelResult
from melodify_core.observability.log_context import log_context
from melodify_core.ports import Delivery
from melodify_core.usage.limits import DAY_S

if TYPE_CHECKING:
    from melodify_core.library import Guilds, JobBook, Library, ServerDay

log = logging.getLogger(__name__)
LISTED_JOBS = 25
# Cancels a job as a moderator: see Studio.cancel.
Cancel = Callable[[str], Awaitable[CancelResult]]
# Removes a cancelled job after its asker was informed: see Studio.confirm_cancelled.
Confirm = Callable[[str], Awaitable[None]]


class Moderation:
    """Manages the jobs of servers for their moderators. Methods raise Unavailable while the database is unavailable."""

    def __init__(
        self,
        guilds: "Guilds",
        book: "JobBook",
        library: "Library",
        delivery: Delivery,
        cancel: Cancel,
        confirm: Confirm,
    ) -> None:
        self._guilds = guilds
        self._book = book
        self._library = library
        self._delivery = delivery
        self._cancel = cancel
        self._confirm = confirm

    async def day(self, guild_id: int) -> "ServerDay":
        """Return the server's figures of the last 24 hours."""
        return await asyncio.to_thread(self._book.server_day, guild_id, time.time() - DAY_S)

    async def open_jobs(self, guild_id: int) -> list[AcceptedOrder]:
        """Return the server's jobs that wait or run, the oldest first: as many as one list shows."""
        return await asyncio.to_thread(self._book.open_in, guild_id, LISTED_JOBS)

    async def reset_quota(self, user_id: int, guild_id: int) -> int:
        """Reset what a member has used in the server; return how many songs that were."""
        return await asyncio.to_thread(self._library.reset_usage, user_id, guild_id)

    async def cancel(self, guild_id: int, job_id: str) -> None:
        """Cancel a job of the server, and inform its asker. Raises Rejected("job.too_late") for any other job."""
        accepted = await asyncio.to_thread(self._library.accepted_order, job_id)
        if accepted is None or accepted.place is None or accepted.place.guild_id != guild_id:
            raise Rejected("job.too_late")
        await self._cancel_and_inform(accepted)

    async def cancel_and_inform(self, job_id: str) -> None:
        """Cancel a job of any member, and inform its asker. Raises Rejected("job.too_late")."""
        accepted = await asyncio.to_thread(self._library.accepted_order, job_id)
        if accepted is None:
            raise Rejected("job.too_late")
        await self._cancel_and_inform(accepted)

    async def _cancel_and_inform(self, accepted: AcceptedOrder) -> None:
        if not (await self._cancel(accepted.job_id)).caller_informs_asker:
            return
        # If this fails, a worker informs the asker when the job's turn comes.
        with log_context(accepted.job_id, accepted.place.guild_id if accepted.place else None):
            try:
                await apologise_for(accepted, Rejected("job.cancelled"), self._delivery)
            except MelodifyError as error:
                log.warning("job %s is cancelled, a worker informs its asker later: %s", accepted.job_id, error)
                return
            await self._confirm(accepted.job_id)

    async def erase_left_servers(self, before: float) -> int:
        """Cancel the jobs and erase the settings of servers that the bot left before the unix time; return how many."""
        left = await asyncio.to_thread(self._guilds.left_before, before)
        for guild_id in left:
            for accepted in await asyncio.to_thread(self._book.open_in, guild_id):
                try:
                    await self.cancel(guild_id, accepted.job_id)
                except Rejected as error:
                    log.info("job %s of server %d, which was left, continues: %s", accepted.job_id, guild_id, error)
            await asyncio.to_thread(self._guilds.erase, guild_id)
            log.info("server %d was left: its settings are erased", guild_id)
        return len(left)
