"""The composition root: builds everything in the right order, and closes it again. Nothing else builds services."""

import asyncio
import gc
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from melodify_core.config.settings import Settings
from melodify_core.errors import Misconfigured
from melodify_core.jobs.completion import fail_unreadable_job, post
from melodify_core.jobs.context import JobContext, PaidWork, PlainStep, Underway
from melodify_core.jobs.queue_positions import QueuePositions
from melodify_core.jobs.workflow import make_song
from melodify_core.media.worker_pool import WorkerPool
from melodify_core.models import Order
from melodify_core.observability.health import Health
from melodify_core.observability.log_context import trace_job
from melodify_core.ports import Delivery, Ledger, Storage
from melodify_core.providers import Providers, check_providers, longest_call_s, open_providers, price_of
from melodify_core.services.admission import Admission
from melodify_core.services.members import MemberService
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
    from melodify_core.library import FileWatch, Guilds, Library, LibraryPages, Notes

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
FILE_S = 15.0


@dataclass(frozen=True, slots=True)
class Services:
    """What a process is made of, for those who speak to members: orders go to the studio, the rest to the others."""

    settings: Settings
    studio: Studio
    songs: SongService
    members: MemberService
    moderation: Moderation
    guilds: "Guilds"
    pages: "LibraryPages"
    storage: Storage
    journal: RequestJournal
    notes: "Notes"


@dataclass(frozen=True, slots=True)
class _Ground:
    """What everything else stands on: the database, the engine on it, and the providers."""

    settings: Settings
    database: "sa.Engine"
    jobs_database: "sa.Engine"  # the running jobs' own connections
    library: "Library"
    engine: "Engine"
    providers: Providers
    pool: WorkerPool
    slot: "Slot | None"  # this worker's, on PostgreSQL
    file: "FileWatch | None"  # on SQLite


@asynccontextmanager
async def open_services(
    settings: Settings,
    delivery: Delivery,
    pool: WorkerPool | None = None,
    *,
    role: Role = ALONE,
    providers: Providers | None = None,
    health: Health | None = None,
) -> AsyncIterator[Services]:
    """Yield the running services; on exit running jobs get `settings.work.drain_s` seconds to end, paid calls theirs.

    `health` gets their checks. Raises Misconfigured when a provider, the storage or the database cannot be used.
    """
    async with AsyncExitStack() as stack:
        ground = await _open_ground(stack, settings, pool, providers, role)
        underway = Underway()
        stack.push_async_callback(ground.engine.drain, settings.work.drain_s, underway, longest_call_s(settings))
        maintenance: Maintenance | None = None
        if role.works:
            maintenance = await _start_jobs(stack, ground, delivery, underway, role)
        else:
            await ground.engine.connect()
        # All that is loaded by now stays: a collector that walks through it blocks the loop for 95 ms each time.
        gc.freeze()
        stack.callback(gc.unfreeze)
        services = _services(stack, ground, delivery)
        await _start_periodic(stack, ground, services, delivery, role)
        if health is not None:
            _add_checks(health, services, maintenance, ground.file)
        yield services


async def _open_ground(
    stack: AsyncExitStack,
    settings: Settings,
    pool: WorkerPool | None,
    providers: Providers | None,
    role: Role,
) -> _Ground:
    # Two seconds of imports that `render` and `check` do without.
    from melodify_core.jobs.engine import Engine
    from melodify_core.library import FileWatch, Library, Readings, connect, connect_jobs, database_path, on_sqlite

    if pool is None:
        pool = WorkerPool(settings.work.processes)
        stack.push_async_callback(asyncio.to_thread, pool.close)
    database = await asyncio.to_thread(connect, settings.database.url)
    stack.callback(database.dispose)
    jobs_database = connect_jobs(database)
    stack.callback(jobs_database.dispose)
    slot = await _take_slot(stack, settings, database, role)
    library = Library(database, salt_of(settings))
    await asyncio.to_thread(library.create_schema)
    if providers is None:
        memory = Readings(library, settings.openai.memory_hours, settings.openai.memory_entries)
        providers = await stack.enter_async_context(open_providers(settings, pool, memory))
        await check_providers(providers)
    engine = Engine(database, settings.work, slot.name if slot else "local", jobs_database)
    file = FileWatch(database_path(settings.database.url)) if on_sqlite(database) else None
    return _Ground(settings, database, jobs_database, library, engine, providers, pool, slot, file)


async def _take_slot(stack: AsyncExitStack, settings: Settings, database: "sa.Engine", role: Role) -> "Slot | None":
    """Take what only one process may hold: the file's lock on SQLite, a worker's slot on PostgreSQL."""
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


async def _start_jobs(
    stack: AsyncExitStack, ground: _Ground, delivery: Delivery, underway: Underway, role: Role
) -> "Maintenance":
    """Start the queues, and the maintenance of the jobs."""
    from melodify_core.jobs.engine import JobHandler
    from melodify_core.jobs.maintenance import Maintenance, Takeover, run_periodic
    from melodify_core.jobs.workers import DeadWorkerDetector

    context = _job_context(ground, delivery, underway)
    fail_unreadable = partial(fail_unreadable_job, context=context)
    handler = JobHandler(partial(make_song, context=context), partial(post, context=context), fail_unreadable)
    await ground.engine.launch(handler)
    maintenance = Maintenance(
        ground.settings, ground.library, ground.engine, ground.providers.storage, fail_unreadable, context.paid.spool
    )
    tasks = maintenance.periodic_tasks()
    if (slot := ground.slot) is not None:
        every_s = ground.settings.database.takeover_s
        detector = DeadWorkerDetector(slot.database, slot.number, every_s)
        tasks += Takeover(slot, detector, ground.engine, role.lost).periodic_tasks(every_s)
    await stack.enter_async_context(run_periodic(*tasks))
    return maintenance


def _job_context(ground: _Ground, delivery: Delivery, underway: Underway) -> JobContext:
    from melodify_core.library import Cap, Library, ProviderGate

    settings = ground.settings
    caps = {
        name: Cap(chosen.calls, chosen.calls_per_minute, 2 * chosen.deadline_s)
        for name, chosen in (("openai", settings.openai), ("lyria", settings.lyria), ("pipeline", settings.pipeline))
    }
    return JobContext(
        providers=ground.providers,
        delivery=delivery,
        ledger=Library(ground.jobs_database, salt_of(settings), settings.limits),
        pool=ground.pool,
        song=settings.song,
        salt=salt_of(settings),
        paid=PaidWork(
            ProviderGate(ground.jobs_database, caps, settings.work.patience_s),
            Spool(spool_folder(settings)),
            underway,
        ),
    )


def spool_folder(settings: Settings) -> Path:
    """Return where paid takes are kept until they are stored: beside the files of the embedded storage."""
    return settings.folder.path.parent / "spool"


def _services(stack: AsyncExitStack, ground: _Ground, delivery: Delivery) -> Services:
    from melodify_core.library import Guilds, JobBook, LibraryPages, MemberBook, Notes, RequestBook, Songbook

    settings, database, library, engine = ground.settings, ground.database, ground.library, ground.engine
    storage, salt = ground.providers.storage, salt_of(settings)
    guilds, songbook, pages = Guilds(database), Songbook(database), LibraryPages(database)
    stack.push_async_callback(asyncio.to_thread, pages.close)
    admission = Admission(settings.limits, library, guilds, price_of(settings))
    studio = Studio(settings, library, engine, storage, ground.pool, admission)
    moderation = Moderation(
        guilds, JobBook(database), library, delivery, studio.cancel_as_moderator, studio.confirm_cancelled
    )
    return Services(
        settings=settings,
        studio=studio,
        songs=SongService(songbook, storage, ground.pool),
        members=MemberService(
            MemberBook(database), songbook, engine, storage, salt, admission, moderation.cancel_and_tell
        ),
        moderation=moderation,
        guilds=guilds,
        pages=pages,
        storage=storage,
        journal=RequestJournal(RequestBook(database)),
        notes=Notes(database),
    )


async def _start_periodic(
    stack: AsyncExitStack, ground: _Ground, services: Services, delivery: Delivery, role: Role
) -> None:
    """Start what is done again and again beside the jobs' own maintenance."""
    from melodify_core.jobs.maintenance import PeriodicTask, run_periodic

    if role.serves:
        positions = QueuePositions(ground.library, delivery, ground.settings.work.jobs)
        await stack.enter_async_context(run_periodic(PeriodicTask("positions", POSITIONS_S, positions.show)))
    if role.works:
        clear = partial(clear_left, services)
        await stack.enter_async_context(run_periodic(PeriodicTask("left servers", LEFT_S, clear)))
    if ground.file is not None:
        await stack.enter_async_context(run_periodic(PeriodicTask("database file", FILE_S, ground.file.watch)))


async def clear_left(services: Services) -> None:
    """End what is kept of servers that the bot has left, after their days of grace."""
    before = time.time() - services.settings.retention.left_server_days * DAY_S
    await services.moderation.clear_left(before)


def _add_checks(
    health: Health, services: Services, maintenance: "Maintenance | None", file: "FileWatch | None"
) -> None:
    async def check_database() -> None:
        if file is not None:
            file.check()
        await services.studio.open_jobs()

    health.add("database", check_database)
    # A question to Cloud Storage is a call that is paid for: once a minute will do.
    health.add("storage", services.storage.check, every_s=60.0)
    if maintenance is not None:
        health.add("maintenance", maintenance.check_pulse)


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
        async with open_providers(local, pool) as providers:
            checked = await prepare_picture(order.picture, settings, pool)
            job = job_of(order, checked)
            await storage.save(job.picture_key, checked.jpeg, "image/jpeg")
            context = JobContext(
                providers=replace(providers, storage=storage),
                delivery=delivery,
                ledger=ledger,
                pool=pool,
                song=settings.song,
                salt=salt_of(settings),
            )
            with trace_job(job):
                await make_song(job, PlainStep(), context)
            key = midi_key(job.job_id)
            return await storage.load(key) if await storage.find(key) else None
