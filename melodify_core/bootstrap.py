"""The composition root: builds all objects in the right order, and closes them. Nothing else builds services."""

import asyncio
import gc
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from melodify_core.config.settings import Settings
from melodify_core.errors import Misconfigured
from melodify_core.jobs.completion import fail_unreadable_job, post
from melodify_core.jobs.context import JobContext, PlainStep
from melodify_core.jobs.paid_calls import PaidWork, UnrepeatableCalls
from melodify_core.jobs.queue_positions import QueuePositions
from melodify_core.jobs.workflow import make_song
from melodify_core.media.worker_pool import WorkerPool
from melodify_core.models import Order
from melodify_core.observability.health import Health
from melodify_core.observability.log_context import trace_job
from melodify_core.ports import Delivery, Ledger, Storage
from melodify_core.providers import (
    Providers,
    check_providers,
    least_price_of,
    longest_call_s,
    open_providers,
    price_of,
)
from melodify_core.services.admission import Admission
from melodify_core.services.members import MemberService
from melodify_core.services.moderation import Moderation
from melodify_core.services.request_journal import RequestJournal
from melodify_core.services.second_choice import SecondChoice
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

    works: bool = True  # whether it makes songs
    serves: bool = True  # whether it accepts orders
    # Called when another process has taken this worker's slot: this one must stop at once.
    on_slot_lost: Callable[[], None] = lambda: None


SINGLE_PROCESS = Role()
POSITIONS_S = 10.0
LEFT_SERVER_CHECK_S = 3600.0
FILE_S = 15.0


@dataclass(frozen=True, slots=True)
class Services:
    """The services of a process. All are built once, by `open_services`."""

    settings: Settings
    studio: Studio
    songs: SongService
    second_choice: SecondChoice
    members: MemberService
    moderation: Moderation
    guilds: "Guilds"
    pages: "LibraryPages"
    storage: Storage
    journal: RequestJournal
    notes: "Notes"


@dataclass(frozen=True, slots=True)
class _Infrastructure:
    """What all services share: the database, the engine on it, and the providers."""

    settings: Settings
    database: "sa.Engine"
    jobs_database: "sa.Engine"  # the connections of running jobs
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
    role: Role = SINGLE_PROCESS,
    providers: Providers | None = None,
    health: Health | None = None,
) -> AsyncIterator[Services]:
    """Yield the running services.

    On exit, running jobs get `settings.work.drain_s` seconds to end; paid calls get their provider's deadline. `health`
    gets the services' checks. Raises Misconfigured when a provider, the storage or the database cannot be used.
    """
    async with AsyncExitStack() as stack:
        infra = await _open_infrastructure(stack, settings, pool, providers, role)
        unrepeatable = UnrepeatableCalls()
        stack.push_async_callback(infra.engine.drain, settings.work.drain_s, unrepeatable, longest_call_s(settings))
        maintenance: Maintenance | None = None
        if role.works:
            maintenance = await _start_jobs(stack, infra, delivery, unrepeatable, role)
        else:
            await infra.engine.connect()
        # These objects live until the end. Unless frozen, each full collection would block the loop for 95 ms.
        gc.freeze()
        stack.callback(gc.unfreeze)
        services = _services(stack, infra, delivery)
        await _start_periodic(stack, infra, services, delivery, role)
        if health is not None:
            _add_checks(health, services, maintenance, infra.file)
        yield services


async def _open_infrastructure(
    stack: AsyncExitStack,
    settings: Settings,
    pool: WorkerPool | None,
    providers: Providers | None,
    role: Role,
) -> _Infrastructure:
    # Imported here: `render` and `check` do not need them, and the imports take two seconds.
    from melodify_core.jobs.engine import Engine
    from melodify_core.library import FileWatch, Library, Readings, connect, connect_jobs, database_path, on_sqlite

    if pool is None:
        pool = WorkerPool(settings.work.processes, settings.work.idle_s)
        stack.push_async_callback(asyncio.to_thread, pool.close)
    database = await asyncio.to_thread(connect, settings.database.url)
    stack.callback(database.dispose)
    jobs_database = connect_jobs(database)
    stack.callback(jobs_database.dispose)
    slot = await _take_slot(stack, settings, database, role)
    library = Library(database, salt_of(settings))
    await asyncio.to_thread(library.create_schema)
    if providers is None:
        memory = Readings(database, settings.openai.memory_hours, settings.openai.memory_entries)
        providers = await stack.enter_async_context(open_providers(settings, pool, memory))
        await check_providers(providers)
    engine = Engine(database, settings.work, slot.name if slot else "local", jobs_database)
    file = FileWatch(database_path(settings.database.url)) if on_sqlite(database) else None
    return _Infrastructure(settings, database, jobs_database, library, engine, providers, pool, slot, file)


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

    # Register the release first: a start that is cancelled during `take` must still release the slot.
    stack.push_async_callback(asyncio.to_thread, release)
    await finished(lambda: taken.append(Slot.take(database)))
    return taken[0]


async def _start_jobs(
    stack: AsyncExitStack, infra: _Infrastructure, delivery: Delivery, unrepeatable: UnrepeatableCalls, role: Role
) -> "Maintenance":
    """Start the queues and the maintenance."""
    from melodify_core.jobs.engine import JobHandler
    from melodify_core.jobs.maintenance import Maintenance, Takeover, run_periodic
    from melodify_core.jobs.workers import DeadWorkerDetector

    context = _job_context(infra, delivery, unrepeatable)
    fail_unreadable = partial(fail_unreadable_job, context=context)
    handler = JobHandler(partial(make_song, context=context), partial(post, context=context), fail_unreadable)
    await infra.engine.launch(handler)
    maintenance = Maintenance(
        infra.settings, infra.library, infra.engine, infra.providers.storage, fail_unreadable, context.paid.spool
    )
    tasks = maintenance.periodic_tasks()
    if (slot := infra.slot) is not None:
        every_s = infra.settings.database.takeover_s
        detector = DeadWorkerDetector(slot.database, slot.number, every_s)
        tasks += Takeover(slot, detector, infra.engine, role.on_slot_lost).periodic_tasks(every_s)
    await stack.enter_async_context(run_periodic(*tasks))
    return maintenance


def _job_context(infra: _Infrastructure, delivery: Delivery, unrepeatable: UnrepeatableCalls) -> JobContext:
    from melodify_core.library import Cap, Library, ProviderGate

    settings = infra.settings
    caps = {
        name: Cap(chosen.calls, chosen.calls_per_minute, 2 * chosen.deadline_s)
        for name, chosen in (
            ("openai", settings.openai),
            ("lyria", settings.lyria),
            ("gemini", settings.gemini),
            ("elevenlabs", settings.elevenlabs),
            ("acestep", settings.acestep),
            ("pipeline", settings.pipeline),
        )
    }
    return JobContext(
        providers=infra.providers,
        delivery=delivery,
        ledger=Library(infra.jobs_database, salt_of(settings), settings.limits),
        pool=infra.pool,
        song=settings.song,
        salt=salt_of(settings),
        paid=PaidWork(
            ProviderGate(infra.jobs_database, caps, settings.work.patience_s),
            Spool(spool_folder(settings)),
            unrepeatable,
        ),
    )


def spool_folder(settings: Settings) -> Path:
    """Return where paid takes are kept until they are stored: beside the files of the embedded storage."""
    return settings.folder.path.parent / "spool"


def _services(stack: AsyncExitStack, infra: _Infrastructure, delivery: Delivery) -> Services:
    from melodify_core.library import Guilds, JobBook, LibraryPages, MemberBook, Notes, RequestBook, Songbook

    settings, database, library, engine = infra.settings, infra.database, infra.library, infra.engine
    storage, salt = infra.providers.storage, salt_of(settings)
    guilds, songbook, pages = Guilds(database), Songbook(database), LibraryPages(database)
    stack.push_async_callback(asyncio.to_thread, pages.close)
    admission = Admission(
        settings.limits, library, guilds, partial(price_of, settings), partial(least_price_of, settings)
    )
    studio = Studio(settings, library, engine, storage, infra.pool, admission)
    moderation = Moderation(
        guilds, JobBook(database), library, delivery, studio.cancel_as_moderator, studio.confirm_cancelled
    )
    return Services(
        settings=settings,
        studio=studio,
        songs=SongService(songbook, storage, infra.pool),
        second_choice=SecondChoice(library, JobBook(database), engine, storage),
        members=MemberService(
            MemberBook(database), songbook, engine, storage, salt, admission, moderation.cancel_and_inform
        ),
        moderation=moderation,
        guilds=guilds,
        pages=pages,
        storage=storage,
        journal=RequestJournal(RequestBook(database)),
        notes=Notes(database),
    )


async def _start_periodic(
    stack: AsyncExitStack, infra: _Infrastructure, services: Services, delivery: Delivery, role: Role
) -> None:
    """Start the periodic tasks besides the maintenance of the jobs."""
    from melodify_core.jobs.maintenance import PeriodicTask, run_periodic

    tasks = []
    if role.serves:
        positions = QueuePositions(infra.library, delivery, infra.settings.work.jobs)
        tasks.append(PeriodicTask("positions", POSITIONS_S, positions.show))
    if role.works:
        tasks.append(PeriodicTask("left servers", LEFT_SERVER_CHECK_S, partial(erase_left_servers, services)))
    if infra.file is not None:
        tasks.append(PeriodicTask("database file", FILE_S, infra.file.watch))
    await stack.enter_async_context(run_periodic(*tasks))


async def erase_left_servers(services: Services) -> None:
    """Cancel the jobs and erase the settings of servers left more than `retention.left_server_days` ago."""
    before = time.time() - services.settings.retention.left_server_days * DAY_S
    await services.moderation.erase_left_servers(before)


def _add_checks(
    health: Health, services: Services, maintenance: "Maintenance | None", file: "FileWatch | None"
) -> None:
    async def check_database() -> None:
        if file is not None:
            file.check()
        await services.studio.open_jobs()

    health.add("database", check_database)
    # Cloud Storage bills each call: once a minute is enough.
    health.add("storage", services.storage.check, every_s=60.0)
    if maintenance is not None:
        health.add("maintenance", maintenance.check_maintenance)


def migrate(settings: Settings) -> str:
    """Create or update all tables, ours and the engine's; return a sentence for the host. Raises Misconfigured."""
    from melodify_core.jobs.engine import make_tables
    from melodify_core.library import connect, upgrade

    database = connect(settings.database.url)
    try:
        upgrade(database)
        make_tables(database)
        return f"The tables of {database.url} are up to date."
    finally:
        database.dispose()


async def make_one(
    order: Order, settings: Settings, delivery: Delivery, ledger: Ledger, pool: WorkerPool
) -> bytes | None:
    """Make one song at once, without queue, database and limits; delete all intermediate files.

    The delivery gets the song or the apology. Return the score as a MIDI file, or None when there is no song or its
    composer writes no score. Raises Rejected for an invalid picture, and Misconfigured.
    """
    from melodify_core.storage.folder import FolderStorage

    with tempfile.TemporaryDirectory(prefix="melodify-") as folder:
        storage = FolderStorage(Path(folder))
        # Ignore the configured storage: this song's files are in the temporary folder.
        local = settings.model_copy(update={"storage": "folder"})
        async with open_providers(local, pool) as providers:
            checked = await prepare_picture(order.picture, settings, pool)
            job = job_of(order, checked, settings)
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
