"""Accepts, cancels and locates orders. How songs are made is in jobs."""

import asyncio
import hashlib
import logging
import time
from collections.abc import Callable, Collection
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from melodify_core.config.settings import Limits, Settings
from melodify_core.errors import MelodifyError, Rejected, Unavailable
from melodify_core.jobs.workflow import labels_of
from melodify_core.media.picture import MEMORY_MB, PictureLimits, prepare
from melodify_core.media.worker_pool import WorkerPool
from melodify_core.models import CancelResult, Forecast, Job, Order, Picture, Place, Stage
from melodify_core.observability import metrics
from melodify_core.observability.log_context import log_context
from melodify_core.pages import new_page_id
from melodify_core.ports import Storage
from melodify_core.services.admission import Admission
from melodify_core.storage.layout import picture_key, tidy
from melodify_core.threads import finished, unbroken
from melodify_core.usage.picture_turns import PictureTurns

if TYPE_CHECKING:
    from melodify_core.jobs.engine import Engine
    from melodify_core.library import Library

log = logging.getLogger(__name__)
MEBIBYTE = 1024 * 1024
# The database accepts one order at a time. Limit the orders that wait for it: each holds a thread and a connection.
ADMITTED_AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class Receipt:
    """The result of an order: its job, and its position in the queue."""

    job_id: str
    forecast: Forecast
    repeated: bool = False
    page_id: str | None = None  # of the song's web page; None for a repeat, or where the song has no page


@dataclass(frozen=True, slots=True)
class OpenSong:
    """A song that is not finished: where its status message is, and when it starts; None for one that has started."""

    job_id: str
    place: Place | None
    forecast: Forecast | None


@dataclass(frozen=True, slots=True)
class QueueReport:
    """What waits and runs in all servers, a member's own songs among it, and when the next order would start."""

    waiting: int
    running: int
    own: tuple[OpenSong, ...]
    next_song: Forecast  # position 0: at once


class Studio:
    """Accepts orders, cancels them, and tells their positions in the queue."""

    def __init__(
        self,
        settings: Settings,
        library: "Library",
        engine: "Engine",
        storage: Storage,
        pool: WorkerPool,
        admission: Admission,
    ) -> None:
        self._settings = settings
        self._library = library
        self._engine = engine
        self._storage = storage
        self._pool = pool
        self._admission = admission
        self._salt = salt_of(settings)
        self._admissions = asyncio.Semaphore(ADMITTED_AT_ONCE)
        limits = settings.limits
        self._picture_turns = PictureTurns(limits.refused_pictures_per_minute, limits.exempt_users)

    async def admit(self, user_id: int, guild_id: int | None = None, role_ids: Collection[int] = ()) -> None:
        """Raise Rejected when the limits leave no room for one more song of the member. Reserve nothing."""
        await asyncio.to_thread(self._admission.check, user_id, guild_id, role_ids)

    def picture_turn(self, user_id: int) -> AbstractAsyncContextManager[None]:
        """Return what waits for the member's turn; a caller fetches and submits the picture within it.

        Entering raises Rejected("limit.pictures") after too many of the member's pictures were refused in a minute.
        """
        return self._picture_turns.turn(user_id)

    async def submit(self, order: Order) -> Receipt:
        """Accept the order: store its picture, check the limits, queue its job. A repeat gets the first receipt.

        Raises Rejected (picture.*, limit.*) and Unavailable; then nothing is stored and nothing counts.
        """
        try:
            with log_context(order.job_id, order.place.guild_id, Stage.QUEUED):
                receipt = await self._submit(order)
        except MelodifyError as error:
            metrics.orders.labels(error.code).inc()
            raise
        metrics.orders.labels("repeated" if receipt.repeated else "accepted").inc()
        return receipt

    async def _submit(self, order: Order) -> Receipt:
        # The limits were checked at `admit`, and are checked again in the transaction that accepts the order.
        limits = await asyncio.to_thread(self._limits_for, order)
        if limits is None:
            return await self._receipt(order.job_id, repeated=True)
        checked = await self._prepared(order)
        job = job_of(order, checked, self._settings, paged=bool(self._settings.web.public_url))
        try:
            await self._storage.save(job.picture_key, checked.jpeg, "image/jpeg", labels_of(job, self._salt))
            async with self._admissions:
                return await finished(self._accept, job, limits, order.role_ids)
        except BaseException as error:
            # An interruption comes here too: nothing may be left of an order that was not accepted.
            if not await unbroken(self._undo(job)) or not isinstance(error, Unavailable):
                raise
            # The database accepted it, and became unavailable before its answer arrived.
            return replace(await self._receipt(order.job_id, repeated=False), page_id=job.page_id)

    async def _prepared(self, order: Order) -> Picture:
        """Return the checked picture; one that is refused or slow counts against its sender."""
        cpu_s: list[float] = []
        try:
            checked = await prepare_picture(order.picture, self._settings, self._pool, cpu_s.append)
        except Rejected:
            self._picture_turns.count(order.user_id, sum(cpu_s), refused=True)
            raise
        self._picture_turns.count(order.user_id, sum(cpu_s), refused=False)
        return checked

    async def _undo(self, job: Job) -> bool:
        """Delete the picture of an order that was not accepted; return whether it was accepted all the same."""
        try:
            if await asyncio.to_thread(self._library.state, job.job_id) is not None:
                return True
        except Unavailable as error:
            # If unsure, keep the picture: an orphaned file is deleted later, but a job without its picture fails.
            log.warning("job %s may have been accepted or not, its picture is kept: %s", job.job_id, error)
            return False
        await tidy(self._storage, job.picture_key)
        return False

    def _limits_for(self, order: Order) -> Limits | None:
        """Return the limits of the order, None for a repeat."""
        with self._library.reading() as connection:
            if self._library.state(order.job_id, connection) is not None:
                return None
            return self._admission.limits_in(order.place.counts_in, order.role_ids, connection)

    def _accept(self, job: Job, limits: Limits, role_ids: Collection[int]) -> Receipt:
        """Check the limits, write the usage row and queue the job in one transaction, unless it is a repeat."""
        now = time.time()
        # Keep this transaction short, because all other orders wait for its end: other queries go before or after it.
        with self._library.transaction() as connection:
            standing = self._admission.standing_of(job, limits, now, connection)
            if not standing.known:
                self._library.check_parent(job, connection)
                price = self._admission.check_job(job, limits, standing, role_ids, now)
                turn = self._library.reserve(connection, job, now, price)
                self._engine.enqueue(connection, job, turn)
        forecast = self._forecast(job.job_id) or Forecast(0, None)
        return Receipt(job.job_id, forecast, standing.known, None if standing.known else job.page_id)

    async def _receipt(self, job_id: str, *, repeated: bool) -> Receipt:
        forecast = await asyncio.to_thread(self._forecast, job_id)
        return Receipt(job_id, forecast or Forecast(0, None), repeated)

    def _forecast(self, job_id: str) -> Forecast | None:
        """Return the position of a waiting job, None for one that does not wait any more."""
        position, running, typical_s = self._library.outlook(job_id)
        if position == 0:
            return None
        return Forecast.at(position, typical_s, running, self._settings.work.jobs)

    async def cancel(self, job_id: str, user_id: int, *, moderator: bool = False) -> CancelResult:
        """Cancel the job for the member; return who informs the asker.

        If that is the caller, it calls `confirm_cancelled` afterwards.

        Raises Rejected: job.not_yours for another member's, job.cancelled for one that was cancelled before,
        job.too_late for one that has ended otherwise or is unknown.
        """
        accepted = await asyncio.to_thread(self._library.accepted_order, job_id)
        if accepted is None:
            raise Rejected("job.too_late")
        if accepted.user_id != user_id and not moderator:
            raise Rejected("job.not_yours")
        with log_context(job_id, accepted.place.guild_id if accepted.place else None):
            if await finished(self._library.cancel_queued, job_id, time.time()):
                return CancelResult(caller_informs_asker=True, language=accepted.language)
            if not await finished(self._library.request_cancel, job_id):
                cancelled = await asyncio.to_thread(self._library.cancelled, [job_id])
                raise Rejected("job.cancelled" if cancelled else "job.too_late")
            self._engine.interrupt(job_id)
            return CancelResult(caller_informs_asker=False, language=accepted.language)

    async def cancel_as_moderator(self, job_id: str) -> CancelResult:
        """Cancel a job of any member; see `cancel`."""
        return await self.cancel(job_id, 0, moderator=True)

    async def confirm_cancelled(self, job_id: str) -> None:
        """Remove a job that was cancelled while it waited, after its asker was informed.

        If this is never called, or the picture cannot be deleted, the worker does the rest when the job's turn comes.
        """
        if await tidy(self._storage, picture_key(job_id)):
            await self._engine.dequeue(job_id)

    async def queue_for(self, user_id: int) -> QueueReport:
        """Return the queue as the member sees it. Raises Unavailable."""
        return await asyncio.to_thread(self._queue_for, user_id)

    def _queue_for(self, user_id: int) -> QueueReport:
        waiting, running = self._library.waiting_orders(), self._library.running()
        typical_s, at_once = self._library.typical_s(), self._settings.work.jobs
        own = [
            OpenSong(order.job_id, order.place, Forecast.at(position, typical_s, running, at_once))
            for position, order in enumerate(waiting, start=1)
            if order.user_id == user_id
        ]
        started = self._library.running_orders(user_id)
        own[:0] = [OpenSong(order.job_id, order.place, None) for order in started]
        after_all = Forecast.at(len(waiting) + 1, typical_s, running, at_once)
        at_once_free = not waiting and running < at_once
        return QueueReport(len(waiting), running, tuple(own), Forecast(0) if at_once_free else after_all)

    async def is_known(self, job_id: str) -> bool:
        """Return whether the order was ever accepted, as far back as records are kept. Raises Unavailable."""
        return await asyncio.to_thread(self._library.state, job_id) is not None

    async def open_jobs(self) -> int:
        """Return how many jobs wait or run, in all processes."""
        return await asyncio.to_thread(self._library.open_jobs)

    async def idle(self, timeout_s: float) -> None:
        """Wait until no job is waiting or running. Raises TimeoutError."""
        async with asyncio.timeout(timeout_s):
            # A job may end in another thread of the engine: there is no event to wait for.
            while self._engine.running or await self.open_jobs():  # noqa: ASYNC110
                await asyncio.sleep(0.05)


async def prepare_picture(
    data: bytes, settings: Settings, pool: WorkerPool, spent: Callable[[float], None] = lambda _: None
) -> Picture:
    """Return the checked picture; `spent` gets the seconds of CPU. Raises Rejected."""
    bounds = PictureLimits(
        max_bytes=settings.picture.max_megabytes * MEBIBYTE,
        max_pixels=settings.picture.max_megapixels * 1_000_000,
        longest_side=settings.picture.longest_side,
    )
    try:
        deadline_s = settings.picture.deadline_s
        return await pool.run(deadline_s, prepare, data, bounds, memory_mb=MEMORY_MB, spent=spent)
    except Unavailable as error:
        # The worker process hung or died on this picture.
        raise Rejected("picture.too_slow" if error.code == "provider.too_slow" else "picture.broken") from error


def job_of(order: Order, checked: Picture, settings: Settings, *, paged: bool = False) -> Job:
    """Return the job of an order. If the wish has no seed, it derives from the job id and the picture.

    With `paged`, the job gets a page on the web, unless it is private or from an age-restricted channel.
    """
    public, several = not (order.private or order.place.adult), len(settings.players) > 1
    digest = hashlib.sha256(f"{order.job_id} {checked.sha256}".encode()).digest()
    seed = order.wish.seed if order.wish.seed is not None else int.from_bytes(digest[:4]) >> 1
    return Job(
        job_id=order.job_id,
        user_id=order.user_id,
        place=order.place,
        wish=order.wish,
        private=order.private,
        picture_key=picture_key(order.job_id),
        picture_sha256=checked.sha256,
        picture_width=checked.width,
        picture_height=checked.height,
        seed=seed,
        brief=order.brief,
        parent_id=order.parent_id,
        parent_link=order.parent_link,
        page_id=new_page_id() if paged and public else None,
        spoiler=order.spoiler,
        composers=settings.players if several else (),
        composer=settings.players[0],
        asks=several and settings.fallback == "ask",
        parent_wish=order.parent_wish,
        named=order.named,
        notifies=order.notifies,
    )


def salt_of(settings: Settings) -> bytes:
    """Return the salt of the members' pseudonyms: the one in the settings, else one derived from the bot's token."""
    secret = settings.privacy.salt or settings.discord.token
    return hashlib.sha256(b"melodify " + (secret.get_secret_value().encode() if secret else b"")).digest()
