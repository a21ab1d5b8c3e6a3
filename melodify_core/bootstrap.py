"""Opens everything in the right order and closes it again: database, place among the workers, providers, engine."""

import asyncio
import gc
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from melodify_core.config.settings import Settings
from melodify_core.errors import Misconfigured
from melodify_core.jobs.context import JobContext, PlainStep, Underway
from melodify_core.jobs.queue_positions import QueuePositions
from melodify_core.jobs.workflow import SongLine, make_song
from melodify_core.media.worker_pool import WorkerPool
from melodify_core.models import Order
from melodify_core.ports import Delivery, Ledger
from melodify_core.providers import Adapters, check_adapters, longest_call_s, open_adapters
from melodify_core.services.members import Members
from melodify_core.services.moderation import Moderation
from melodify_core.services.request_journal import RequestJournal
from melodify_core.services.songs import SongService
from melodify_core.storage.layout import midi_key
from melodify_core.storage.spool import Spool
from melodify_core.studio import Studio, job_of, prepare_picture, salt_of
from melodify_core.threads import finished
from melodify_core.usage.limits import DAY_S

if TYPE_CHECKING:
    import sqlalchemy as sa  # only its name, for the checker

    from melodify_core.jobs.engine import Engine
    from melodify_core.jobs.maintenance import Maintenance
    from melodify_core.jobs.workers import Slot
    from melodify_core.library import Library

ONE_PROCESS = (
    "Several processes need PostgreSQL: set database.url to postgresql://user:password@host/name, "
    "or use `melodify run` alone."
)


@dataclass(frozen=True, slots=True)
class Role:
    """What a process is for."""

    works: bool = True  # it makes songs
    serves: bool = True  # it takes orders
    # Called when another process has taken this worker's place: it must stop at once.
    lost: Callable[[], None] = lambda: None


ALONE = Role()
# An edit of each waiting status message at most so often.
POSITIONS_S = 10.0
LEFT_S = 3600.0


@asynccontextmanager
async def open_studio(
    settings: Settings,
    delivery: Delivery,
    pool: WorkerPool | None = None,
    *,
    role: Role = ALONE,
    adapters: Adapters | None = None,
) -> AsyncIterator[Studio]:
    """Yield the running studio; on exit running jobs get `settings.work.drain_s` seconds to end, and paid calls theirs.

    Raises Misconfigured when a provider, the storage or the database cannot be used.
    """
    # Two seconds of imports that `render` and `check` do without.
    from melodify_core.jobs.engine import Engine
    from melodify_core.jobs.maintenance import PeriodicTask, run_periodic
    from melodify_core.library import (
        Guilds,
        JobBook,
        Library,
        LibraryPages,
        MemberBook,
        Notes,
        Readings,
        RequestBook,
        Songbook,
        connect,
        connect_jobs,
    )

    async with AsyncExitStack() as stack:
        if pool is None:
            pool = WorkerPool(settings.work.processes)
            stack.push_async_callback(asyncio.to_thread, pool.close)
        database = await asyncio.to_thread(connect, settings.database.url)
        stack.callback(database.dispose)
        jobs_database = connect_jobs(database)
        stack.callback(jobs_database.dispose)
        slot = await _take_place(stack, settings, database, role)
        library = Library(database, salt_of(settings))
        await asyncio.to_thread(library.create_schema)
        if adapters is None:
            memory = Readings(library, settings.openai.memory_hours, settings.openai.memory_entries)
            adapters = await stack.enter_async_context(open_adapters(settings, pool, memory))
            await check_adapters(adapters)
        engine = Engine(database, settings.work, slot.name if slot else "local", jobs_database)
        underway = Underway()
        stack.push_async_callback(engine.drain, settings.work.drain_s, underway, longest_call_s(settings))
        maintenance: Maintenance | None = None
        if role.works:
            context = _job_context(settings, adapters, delivery, pool, jobs_database, underway)
            await engine.launch(SongLine(context))
            maintenance = await _start_maintenance(stack, settings, library, engine, context, slot, role)
        else:
            await engine.connect()
        if role.serves:
            positions = QueuePositions(library, delivery, settings.work.jobs)
            await stack.enter_async_context(run_periodic(PeriodicTask("positions", POSITIONS_S, positions.show)))
        # All that is loaded by now stays: a collector that walks through it blocks the loop for 95 ms each time.
        gc.freeze()
        stack.callback(gc.unfreeze)
        songbook, storage = Songbook(database), adapters.storage
        songs = SongService(songbook, storage, pool)
        members = Members(MemberBook(database), songbook, engine, storage, salt_of(settings))
        pages = LibraryPages(database)
        stack.push_async_callback(asyncio.to_thread, pages.close)
        guilds = Guilds(database)
        moderation = Moderation(guilds, JobBook(database), library, delivery)
        studio = Studio(
            settings,
            library,
            engine,
            storage,
            pool,
            songbook,
            guilds,
            members,
            songs,
            pages,
            moderation,
            Notes(database),
            RequestJournal(RequestBook(database)),
            maintenance,
        )
        if role.works:
            await stack.enter_async_context(
                run_periodic(PeriodicTask("left servers", LEFT_S, partial(clear_left, studio)))
            )
        yield studio


async def clear_left(studio: Studio) -> None:
    """End what is kept of servers that the bot has left, after their days of grace."""
    before = time.time() - studio.settings.retention.left_server_days * DAY_S
    await studio.moderation.clear_left(before, studio.cancel_as_moderator, studio.told)


async def _take_place(stack: AsyncExitStack, settings: Settings, database: "sa.Engine", role: Role) -> "Slot | None":
    """Take this process's place: the file's lock on SQLite, a worker's slot on PostgreSQL."""
    from melodify_core.jobs.workers import Slot, only_process
    from melodify_core.library import lock_file, on_sqlite

    if on_sqlite(database):
        if not (role.works and role.serves):
            raise Misconfigured(ONE_PROCESS)
        stack.enter_context(only_process(lock_file(settings.database.url)))
        return None
    if not role.works:
        return None
    taken: list[Slot] = []

    def release() -> None:
        for slot in taken:
            slot.release()

    # Also what is taken in the very moment in which the start is broken off.
    stack.push_async_callback(asyncio.to_thread, release)
    await finished(lambda: taken.append(Slot.take(database)))
    return taken[0]


def _job_context(
    settings: Settings,
    adapters: Adapters,
    delivery: Delivery,
    pool: WorkerPool,
    database: "sa.Engine",
    underway: Underway,
) -> JobContext:
    from melodify_core.library import Cap, Library, ProviderGate

    caps = {
        "openai": Cap(settings.openai.calls, settings.openai.calls_per_minute, 2 * settings.openai.deadline_s),
        "lyria": Cap(settings.lyria.calls, settings.lyria.calls_per_minute, 2 * settings.lyria.deadline_s),
        "pipeline": Cap(settings.pipeline.calls, settings.pipeline.calls_per_minute, 2 * settings.pipeline.deadline_s),
    }
    return JobContext(
        captioner=adapters.captioner,
        composer=adapters.composer,
        storage=adapters.storage,
        delivery=delivery,
        ledger=Library(database, salt_of(settings), settings.limits),
        pool=pool,
        song=settings.song,
        salt=salt_of(settings),
        gate=ProviderGate(database, caps, settings.work.patience_s),
        spool=Spool(spool_folder(settings)),
        underway=underway,
    )


def spool_folder(settings: Settings) -> Path:
    """Return where paid takes lie until they are stored: beside the files of the embedded storage."""
    return settings.folder.path.parent / "spool"


async def _start_maintenance(
    stack: AsyncExitStack,
    settings: Settings,
    library: "Library",
    engine: "Engine",
    context: JobContext,
    slot: "Slot | None",
    role: Role,
) -> "Maintenance":
    from melodify_core.jobs.maintenance import Maintenance, Takeover, run_periodic
    from melodify_core.jobs.workers import DeadWorkerDetector

    line = SongLine(context)
    maintenance = Maintenance(settings, library, engine, context.storage, line.fail_unreadable_job, context.spool)
    tasks = maintenance.periodic_tasks()
    if slot is not None:
        every_s = settings.database.takeover_s
        tasks += Takeover(
            slot, DeadWorkerDetector(slot.database, slot.number, every_s), engine, role.lost
        ).periodic_tasks(every_s)
    await stack.enter_async_context(run_periodic(*tasks))
    return maintenance


def migrate(settings: Settings) -> str:
    """Make or update all tables, ours and the engine's; return a sentence that says so. Raises Misconfigured."""
    from melodify_core.jobs.engine import make_tables
    from melodify_core.library import connect, upgrade

    database = connect(settings.database.url)
    try:
        upgrade(database)
        make_tables(database)
        return f"The tables of {database.url} are up to date."
    finally:
        database.dispose()


async def make_one(order: Order, settings: Settings, delivery: Delivery, ledger: Ledger) -> bytes | None:
    """Make one song at once, without queue, database and limits; files in between are gone afterwards.

    Return its score as a MIDI file, None where the composer writes none or there was no song. The delivery gets the
    song or the apology. Raises Rejected for the picture and Misconfigured.
    """
    from melodify_core.storage.folder import FolderStorage

    # One song is one piece of work at a time.
    with closing(WorkerPool(1)) as pool, tempfile.TemporaryDirectory(prefix="melodify-") as folder:
        storage = FolderStorage(Path(folder))
        # Whatever storage is set: what one command makes is that command's own.
        local = settings.model_copy(update={"storage": "folder"})
        async with open_adapters(local, pool) as adapters:
            checked = await prepare_picture(order.picture, settings, pool)
            job = job_of(order, checked)
            await storage.save(job.picture_key, checked.jpeg, "image/jpeg")
            context = JobContext(
                captioner=adapters.captioner,
                composer=adapters.composer,
                storage=storage,
                delivery=delivery,
                ledger=ledger,
                pool=pool,
                song=settings.song,
                salt=salt_of(settings),
            )
            await make_song(job, PlainStep(), context)
            key = midi_key(job.job_id)
            return await storage.load(key) if await storage.find(key) else None
