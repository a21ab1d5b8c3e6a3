"""What is looked after beside the jobs: cancellations, dead workers, stuck jobs, old files. Each on its own clock."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from contextvars import Context
from dataclasses import dataclass

from melodify_core.config.settings import Settings
from melodify_core.errors import MelodifyError, Unavailable
from melodify_core.jobs.completion import tidy
from melodify_core.jobs.engine import Engine
from melodify_core.jobs.orphaned_files import drop_spooled, drop_unowned
from melodify_core.jobs.workers import Slot, Watch, executor_id
from melodify_core.library import Kept, Library
from melodify_core.observability import metrics
from melodify_core.observability.log_context import about
from melodify_core.ports import Storage
from melodify_core.storage.spool import Spool
from melodify_core.threads import finished

log = logging.getLogger(__name__)
DAY_S = 24 * 3600.0
BATCH = 200
# Between a usage row and its record in the engine lies one transaction: whoever is older and unknown is lost.
LOST_S = 120.0
LYING_S = 30.0
SWEEP_S = 6 * 3600.0  # all files are listed: on Cloud Storage a thousand of them is a call that is paid for
QUEUE_S = 10.0
MONEY_S = 15.0
PULSE_S = 6 * QUEUE_S


@dataclass(frozen=True, slots=True)
class Duty:
    """Something that is done again and again."""

    name: str
    every_s: float
    work: Callable[[], Awaitable[None]]
    first_s: float | None = None  # before the first time, where that is sooner


@asynccontextmanager
async def on_duty(*duties: Duty) -> AsyncIterator[None]:
    """Do the duties in the background until the block ends. One that fails is tried again at its next turn."""
    for duty in duties:
        # One that never succeeds is seen too: it is overdue since the start.
        metrics.duties_every_seconds.labels(duty.name).set(duty.every_s)
        metrics.duties_done.labels(duty.name).set(time.time())
    # Made by hand, in a context of their own: they are the process's, not part of what has opened the studio. The
    # simulated Discord waits for all that a handler has started by `create_task`, and these never end.
    tasks = [asyncio.Task(_repeat(duty), name=duty.name, context=Context()) for duty in duties]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _repeat(duty: Duty) -> None:
    pause_s = duty.every_s if duty.first_s is None else duty.first_s
    while True:
        await asyncio.sleep(pause_s)
        pause_s = duty.every_s
        try:
            await duty.work()
            metrics.duties_done.labels(duty.name).set(time.time())
        except MelodifyError as error:
            log.warning("%s: %s", duty.name, error)
        except Exception:  # a duty must outlive what befalls it once: the database may be restarting
            log.exception("%s failed, and is tried again", duty.name)


class Upkeep:
    """The duties of one process."""

    def __init__(
        self,
        settings: Settings,
        library: Library,
        engine: Engine,
        storage: Storage,
        bury: Callable[[str], Awaitable[None]],
        spool: Spool | None = None,
    ) -> None:
        self._settings = settings
        self._library = library
        self._engine = engine
        self._storage = storage
        self._bury = bury
        self._spool = spool
        self.stuck: tuple[str, ...] = ()
        self._looked_at = time.monotonic()
        self._next_sweep = 0.0

    def duties(self) -> list[Duty]:
        """Return what every worker does."""
        return [
            Duty("cancellations", 1.0, self.stop_cancelled),
            Duty("lost jobs", LOST_S, self.bury_lost),
            Duty("lying jobs", LYING_S, self.take_up_lying),
            Duty("stuck jobs", 60.0, self.notice_stuck),
            Duty("queue", QUEUE_S, self.measure_queue),
            Duty("money", MONEY_S, self.measure_money),
            Duty("retention", 3600.0, self.forget_old, first_s=60.0),
        ]

    async def stop_cancelled(self) -> None:
        """Stop the jobs of this process that were cancelled, also through another one."""
        in_hand = self._engine.in_hand
        if in_hand:
            for job_id in await asyncio.to_thread(self._library.cancelled, in_hand):
                self._engine.interrupt(job_id)

    async def bury_lost(self) -> None:
        """End the jobs that are open in the ledger and that no worker will ever take up."""
        candidates = await asyncio.to_thread(self._library.open_since, time.time() - LOST_S)
        for job_id in sorted(await self._engine.dead(candidates)) if candidates else ():
            await self._tell(job_id, "job %s is lost: it is open, and nobody will work on it", job_id)
            await self._bury(job_id)

    async def take_up_lying(self) -> None:
        """Go on with what this process took off the queue in the moment when the database went away."""
        if number := await self._engine.take_up_lying():
            log.warning("%d jobs were taken off the queue, but not begun: they are queued again", number)

    async def notice_stuck(self) -> None:
        """Say which jobs are open for too long."""
        before = time.time() - self._settings.work.stuck_minutes * 60
        stuck = tuple(await asyncio.to_thread(self._library.open_since, before))
        for job_id in set(stuck) - set(self.stuck):
            await self._tell(
                job_id, "job %s is open for more than %d minutes", job_id, self._settings.work.stuck_minutes
            )
        self.stuck = stuck
        metrics.stuck_jobs.set(len(stuck))

    async def _tell(self, job_id: str, sentence: str, *values: object) -> None:
        """Log it as a line of the job."""
        asked = await asyncio.to_thread(self._library.asked, job_id)
        with about(job_id, asked.place.guild_id if asked and asked.place else None):
            log.error(sentence, *values)

    async def measure_queue(self) -> None:
        """Show how many jobs wait and run, and how old the oldest is."""
        queue = await asyncio.to_thread(self._library.queue)
        self._looked_at = time.monotonic()
        metrics.queue_jobs.labels("waiting").set(queue.waiting)
        metrics.queue_jobs.labels("running").set(queue.running)
        metrics.queue_oldest_seconds.set(max(time.time() - queue.oldest_at, 0.0) if queue.waiting else 0.0)

    async def measure_money(self) -> None:
        """Show what was spent in the last day and what is reserved."""
        money = await asyncio.to_thread(self._library.money, time.time() - DAY_S)
        metrics.day_dollars.labels("spent").set(money.spent)
        metrics.day_dollars.labels("reserved").set(money.reserved)

    def see_pulse(self) -> None:
        """Raise Unavailable when the last look at the queue that succeeded is too long ago."""
        if time.monotonic() - self._looked_at > PULSE_S:
            raise Unavailable("database.unavailable")

    async def forget_old(self) -> None:
        """Delete records, pictures, takes and songs after their days, and what nobody owns after one."""
        retention, now = self._settings.retention, time.time()
        await self._delete("picture", now - retention.picture_days * DAY_S, self._delete_pictures)
        if retention.song_days:
            await self._delete("song", now - retention.song_days * DAY_S, self._delete_songs)
        await asyncio.to_thread(self._library.drop_aliases, now - DAY_S)
        if self._spool is not None:
            await drop_spooled(self._spool, self._library, now - DAY_S)
        await self._delete("record", now - retention.record_days * DAY_S, self._delete_records)
        if time.monotonic() >= self._next_sweep:
            await self._sweep(now - DAY_S)

    async def _sweep(self, before: float) -> None:
        try:
            await drop_unowned(self._storage, self._library, before)
        except MelodifyError as error:
            log.warning("what nobody owns is looked for again at the next turn: %s", error)
        else:
            self._next_sweep = time.monotonic() + SWEEP_S

    async def _delete(self, kind: Kept, before: float, delete: Callable[[list[str]], Awaitable[list[str]]]) -> None:
        """Have that kind deleted in batches; `delete` returns the jobs of which it is gone."""
        while job_ids := await asyncio.to_thread(self._library.kept_of, kind, before, BATCH):
            gone = await delete(job_ids)
            await asyncio.to_thread(self._library.mark_gone, kind, gone)
            if len(gone) < len(job_ids):
                log.warning("of %d jobs the %s could not be deleted", len(job_ids) - len(gone), kind)
                return  # they come first at the next turn, too

    async def _delete_records(self, job_ids: list[str]) -> list[str]:
        await self._engine.forget(job_ids)
        return job_ids

    async def _delete_pictures(self, job_ids: list[str]) -> list[str]:
        return await self._delete_files(job_ids, "pictures/{}.jpg", "takes/{}", "takes/{}.json")

    async def _delete_songs(self, job_ids: list[str]) -> list[str]:
        return await self._delete_files(job_ids, "songs/{}.mp3", "songs/{}.mid", "songs/{}.mp4")

    async def _delete_files(self, job_ids: list[str], *forms: str) -> list[str]:
        return [job_id for job_id in job_ids if await tidy(self._storage, *(form.format(job_id) for form in forms))]


class Takeover:
    """Keeps this worker's slot, and adopts the jobs of dead workers. Only on PostgreSQL."""

    def __init__(self, slot: Slot, watch: Watch, engine: Engine, lost: Callable[[], None]) -> None:
        """`lost` is called once when another process has this worker's slot: it must stop at once."""
        self._slot = slot
        self._watch = watch
        self._engine = engine
        self._lost = lost

    def duties(self, every_s: float) -> list[Duty]:
        """Return what a worker among others does."""
        return [Duty("slot", min(every_s, 5.0) / 2, self.keep_slot), Duty("takeover", every_s, self.adopt)]

    async def keep_slot(self) -> None:
        """See that the slot is ours, also after a restart of the database."""
        # To its end: at a stop the slot is given back next.
        if not await finished(self._slot.hold):
            log.critical("another worker has slot %d: this one stops", self._slot.number)
            self._lost()

    async def adopt(self) -> None:
        """Take over from workers whose slot was free twice."""
        owners = await self._engine.owners()
        for slot in await asyncio.to_thread(self._watch.dead, owners, time.monotonic()):
            if adopted := await self._watch.adopt(slot, self._engine.adopt):
                log.warning("worker %s is dead: %d jobs of it go on here", executor_id(slot), adopted)
