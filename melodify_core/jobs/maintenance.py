"""Periodic tasks besides the jobs: cancellations, dead workers, stuck jobs, old files. Each has its own interval."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from contextvars import Context
from dataclasses import dataclass

from melodify_core.config.settings import Settings
from melodify_core.errors import MelodifyError, Unavailable
from melodify_core.jobs.engine import Engine
from melodify_core.jobs.orphaned_files import delete_orphaned_files, delete_orphaned_takes
from melodify_core.jobs.workers import DeadWorkerDetector, Slot, executor_id
from melodify_core.library import Library, RetainedKind
from melodify_core.observability import metrics
from melodify_core.observability.log_context import log_context
from melodify_core.ports import Storage
from melodify_core.storage.layout import making_keys, song_keys, tidy
from melodify_core.storage.spool import Spool
from melodify_core.threads import finished

log = logging.getLogger(__name__)
DAY_S = 24 * 3600.0
BATCH = 200
# An open job that is older than this and that no worker will continue is orphaned: its usage row and the engine's
# record are written in one transaction.
ORPHANED_S = 120.0
UNSTARTED_S = 30.0
SWEEP_S = 6 * 3600.0  # all files are listed: Cloud Storage bills a call for each thousand
QUEUE_S = 10.0
MONEY_S = 15.0
MAINTENANCE_LATE_S = 6 * QUEUE_S


@dataclass(frozen=True, slots=True)
class PeriodicTask:
    """Work that is repeated at an interval."""

    name: str
    every_s: float
    work: Callable[[], Awaitable[None]]
    first_s: float | None = None  # the pause before the first time; None: every_s


@asynccontextmanager
async def run_periodic(*periodic: PeriodicTask) -> AsyncIterator[None]:
    """Run the tasks in the background until the block ends. A task that fails is retried after its interval."""
    for each in periodic:
        # Count from the start, so that a task that never succeeds is overdue too.
        metrics.maintenance_every_seconds.labels(each.name).set(each.every_s)
        metrics.maintenance_done.labels(each.name).set(time.time())
    # The tasks get a new context, because they belong to the process and not to what opened the services. They are not
    # started by `create_task`: the simulated Discord waits for all tasks of a handler, and these never end.
    tasks = [asyncio.Task(_repeat(each), name=each.name, context=Context()) for each in periodic]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _repeat(task: PeriodicTask) -> None:
    pause_s = task.every_s if task.first_s is None else task.first_s
    while True:
        await asyncio.sleep(pause_s)
        pause_s = task.every_s
        try:
            await task.work()
            metrics.maintenance_done.labels(task.name).set(time.time())
        except MelodifyError as error:
            log.warning("the periodic task %s failed, it runs again in %g s: %s", task.name, pause_s, error)
        except Exception:  # the task must go on: the database may be restarting
            log.exception("the periodic task %s failed, it runs again in %g s", task.name, pause_s)


class Maintenance:
    """The periodic tasks of one process that makes songs."""

    def __init__(
        self,
        settings: Settings,
        library: Library,
        engine: Engine,
        storage: Storage,
        fail_unreadable_job: Callable[[str], Awaitable[None]],
        spool: Spool | None = None,
    ) -> None:
        self._settings = settings
        self._library = library
        self._engine = engine
        self._storage = storage
        self._fail_unreadable_job = fail_unreadable_job
        self._spool = spool
        self.stuck: tuple[str, ...] = ()
        self._measured_at = time.monotonic()
        self._next_sweep = 0.0

    def periodic_tasks(self) -> list[PeriodicTask]:
        """Return the tasks of every worker."""
        return [
            PeriodicTask("cancellations", 1.0, self.stop_cancelled),
            PeriodicTask("orphaned jobs", ORPHANED_S, self.fail_orphaned_jobs),
            PeriodicTask("unstarted jobs", UNSTARTED_S, self.requeue_unstarted),
            PeriodicTask("stuck jobs", 60.0, self.notice_stuck),
            PeriodicTask("queue", QUEUE_S, self.measure_queue),
            PeriodicTask("money", MONEY_S, self.measure_money),
            PeriodicTask("retention", 3600.0, self.forget_old, first_s=60.0),
        ]

    async def stop_cancelled(self) -> None:
        """Stop the jobs of this process that were cancelled, also through another one."""
        active = self._engine.active
        if active:
            for job_id in await asyncio.to_thread(self._library.cancelled, active):
                self._engine.interrupt(job_id)

    async def fail_orphaned_jobs(self) -> None:
        """End the jobs that are open in the ledger, and that no worker will continue."""
        candidates = await asyncio.to_thread(self._library.open_since, time.time() - ORPHANED_S)
        for job_id in sorted(await self._engine.dead(candidates)) if candidates else ():
            await self._log(job_id, "job %s is orphaned: it is refunded and its asker gets an apology", job_id)
            await self._fail_unreadable_job(job_id)

    async def requeue_unstarted(self) -> None:
        """Queue again what this process took off the queue, but could not start."""
        if number := await self._engine.requeue_unstarted():
            log.warning("%d jobs were taken off the queue, but not started: they are queued again", number)

    async def notice_stuck(self) -> None:
        """Log which jobs are open for too long, and count them."""
        before = time.time() - self._settings.work.stuck_minutes * 60
        stuck = tuple(await asyncio.to_thread(self._library.open_since, before))
        for job_id in set(stuck) - set(self.stuck):
            await self._log(
                job_id, "job %s is open for more than %d minutes", job_id, self._settings.work.stuck_minutes
            )
        self.stuck = stuck
        metrics.stuck_jobs.set(len(stuck))

    async def _log(self, job_id: str, sentence: str, *values: object) -> None:
        """Log an error in the context of the job."""
        accepted = await asyncio.to_thread(self._library.accepted_order, job_id)
        with log_context(job_id, accepted.place.guild_id if accepted and accepted.place else None):
            log.error(sentence, *values)

    async def measure_queue(self) -> None:
        """Measure how many jobs wait and run, and for how long the oldest waits."""
        queue = await asyncio.to_thread(self._library.queue)
        self._measured_at = time.monotonic()
        metrics.queue_jobs.labels("waiting").set(queue.waiting)
        metrics.queue_jobs.labels("running").set(queue.running)
        metrics.queue_oldest_seconds.set(max(time.time() - queue.oldest_at, 0.0) if queue.waiting else 0.0)

    async def measure_money(self) -> None:
        """Measure what was spent in the last day and what is reserved."""
        money = await asyncio.to_thread(self._library.money, time.time() - DAY_S)
        metrics.day_dollars.labels("spent").set(money.spent)
        metrics.day_dollars.labels("reserved").set(money.reserved)

    async def check_maintenance(self) -> None:
        """Raise Unavailable when `measure_queue` last succeeded too long ago."""
        if time.monotonic() - self._measured_at > MAINTENANCE_LATE_S:
            raise Unavailable("database.unavailable")

    async def forget_old(self) -> None:
        """Delete records, pictures, takes and songs after their days, and orphaned files after one."""
        retention, now = self._settings.retention, time.time()
        await self._delete("picture", now - retention.picture_days * DAY_S, self._delete_pictures)
        if retention.song_days:
            await self._delete("song", now - retention.song_days * DAY_S, self._delete_songs)
        await asyncio.to_thread(self._library.drop_aliases, now - DAY_S)
        if self._spool is not None:
            await delete_orphaned_takes(self._spool, self._library, now - DAY_S)
        await self._delete("record", now - retention.record_days * DAY_S, self._delete_records)
        if time.monotonic() >= self._next_sweep:
            await self._sweep(now - DAY_S)

    async def _sweep(self, before: float) -> None:
        try:
            await delete_orphaned_files(self._storage, self._library, before)
        except MelodifyError as error:
            log.warning("orphaned files are not deleted, they are looked for again at the next turn: %s", error)
        else:
            self._next_sweep = time.monotonic() + SWEEP_S

    async def _delete(
        self, kind: RetainedKind, before: float, delete: Callable[[list[str]], Awaitable[list[str]]]
    ) -> None:
        """Delete that kind of old jobs in batches; `delete` returns the jobs for which it succeeded."""
        while job_ids := await asyncio.to_thread(self._library.expired, kind, before, BATCH):
            gone = await delete(job_ids)
            await asyncio.to_thread(self._library.mark_gone, kind, gone)
            if len(gone) < len(job_ids):
                log.warning(
                    "the %s of %d jobs was not deleted: trying again at the next turn", kind, len(job_ids) - len(gone)
                )
                return  # the next batch would contain the same jobs

    async def _delete_records(self, job_ids: list[str]) -> list[str]:
        await self._engine.forget(job_ids)
        return job_ids

    async def _delete_pictures(self, job_ids: list[str]) -> list[str]:
        return await self._delete_files(job_ids, making_keys)

    async def _delete_songs(self, job_ids: list[str]) -> list[str]:
        return await self._delete_files(job_ids, song_keys)

    async def _delete_files(self, job_ids: list[str], keys: Callable[[str], tuple[str, ...]]) -> list[str]:
        return [job_id for job_id in job_ids if await tidy(self._storage, *keys(job_id))]


class Takeover:
    """Keeps this worker's slot, and takes over the jobs of dead workers. Only on PostgreSQL."""

    def __init__(
        self, slot: Slot, detector: DeadWorkerDetector, engine: Engine, on_slot_lost: Callable[[], None]
    ) -> None:
        """`on_slot_lost` is called when another process has this worker's slot: this one must stop at once."""
        self._slot = slot
        self._detector = detector
        self._engine = engine
        self._on_slot_lost = on_slot_lost

    def periodic_tasks(self, every_s: float) -> list[PeriodicTask]:
        """Return the tasks of a worker that shares the database with others."""
        return [
            PeriodicTask("slot", min(every_s, 5.0) / 2, self.keep_slot),
            PeriodicTask("takeover", every_s, self.take_over_jobs),
        ]

    async def keep_slot(self) -> None:
        """Check that the slot is ours; take it again after a restart of the database."""
        # Wait for the thread even when cancelled: a stop releases the slot next.
        if not await finished(self._slot.hold):
            log.critical("another worker has slot %d: this one stops now", self._slot.number)
            self._on_slot_lost()

    async def take_over_jobs(self) -> None:
        """Take over the jobs of workers whose slot was found free twice."""
        owners = await self._engine.owners()
        for slot in await asyncio.to_thread(self._detector.dead, owners, time.monotonic()):
            if taken_over := await self._detector.take_over_jobs(slot, self._engine.take_over_jobs):
                log.warning("worker %s is dead: %d jobs of it go on here", executor_id(slot), taken_over)
