"""The database goes away while songs are made: stopped, full, locked, not to be written. Jobs wait, and go on."""

import asyncio
import gc
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, cast

import pytest
import sqlalchemy as sa

from melodify_core.bootstrap import Services, open_services
from melodify_core.config.settings import Settings
from melodify_core.errors import Unavailable
from melodify_core.jobs.maintenance import UNSTARTED_S
from melodify_core.library import Readings, connect
from melodify_core.media.worker_pool import WorkerPool
from melodify_core.models import Job, Order, Place, Posted, Wish
from melodify_core.observability.health import Health
from melodify_core.providers import Providers
from melodify_core.storage.folder import FolderStorage
from tests.briefs import BRIEF
from tests.discord_server import Discord, little_discord
from tests.fakes import RecordingDelivery
from tests.postgres import fresh_database, postgres_server, start_again, stop
from tests.process.crash import Proving
from tests.process.crash_worker import Player, Reader
from tests.process.workers import all_done
from tests.stories import a_picture

AWAY_S = 5.0
JOBS = 12
pytestmark = pytest.mark.timeout(400)  # the periodic tasks have their own pace
LIMITS = dict.fromkeys(("songs_per_minute", "songs_per_hour", "songs_per_day", "waiting_per_user"), 0)


@pytest.fixture
async def discord() -> AsyncIterator[Discord]:
    async with little_discord() as world:
        yield world


async def test_postgresql_that_is_stopped_for_five_seconds_costs_no_job(tmp_path: Path, discord: Discord) -> None:
    # A server of its own: nobody else's tests shall lose theirs.
    with postgres_server() as server, fresh_database(server) as url:
        proving = Proving(url, tmp_path, discord)
        workers = [await proving.start([], stays=True)]
        await proving.until_ready(workers[0], 1)
        workers.append(await proving.start(proving.orders(JOBS), stays=True))
        await proving.until_ready(workers[1], 2)
        try:
            await asyncio.to_thread(stop, server)
            await asyncio.sleep(AWAY_S)
            await asyncio.to_thread(start_again, server)
            # On a quiet machine three would do: twice the periodic task that requeues unstarted jobs, and the jobs.
            await all_done(url, JOBS, 8 * UNSTARTED_S)
            assert [worker.returncode for worker in workers] == [None, None]
        finally:
            for worker in workers:
                if worker.returncode is None:
                    worker.kill()
                await worker.wait()
        result = proving.settle()
    assert result.jobs == result.songs + result.apologies == JOBS
    assert result.lost == result.doubled == result.unsettled == []


class Announcing(RecordingDelivery):
    """A delivery that says when the first job is at work, and what has been posted."""

    def __init__(self) -> None:
        super().__init__()
        self.working = asyncio.Event()
        self.on_posted: Callable[[], None] = lambda: None

    async def deliver(self, *args: Any) -> Posted:
        posted = await super().deliver(*args)
        self.on_posted()
        return posted

    async def show_stage(self, job: Job, *args: object) -> None:
        await super().show_stage(job, *args)  # type: ignore[arg-type]  # as it came
        self.working.set()


@pytest.fixture
async def world(tmp_path: Path, pool: WorkerPool) -> AsyncIterator[tuple[Services, Announcing, Path]]:
    path = tmp_path / "melodify.db"
    settings = Settings.model_validate(
        {"database": {"url": f"sqlite:///{path}"}, "limits": LIMITS, "work": {"poll_s": 0.1}}
    )
    log, delivery = tmp_path / "calls.log", Announcing()
    parts: tuple[Any, ...] = (Reader(log), Player(log, delay_s=0.5), FolderStorage(tmp_path / "files"))
    async with open_services(settings, cast("Any", delivery), pool, providers=Providers(*parts)) as services:
        yield services, delivery, path


async def an_order(services: Services, job_id: str) -> None:
    await services.studio.submit(
        Order(job_id, 1, Place(channel_id=10, guild_id=20), a_picture(size=(64, 48)), Wish(seconds=10))
    )


async def test_jobs_wait_for_a_database_that_somebody_else_has_locked(
    world: tuple[Services, Announcing, Path],
) -> None:
    services, delivery, path = world
    await an_order(services, "1")
    await delivery.working.wait()
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        await asyncio.sleep(3)
        other.execute("ROLLBACK")
    await services.studio.idle(60)
    assert len(delivery.songs) == 1
    assert delivery.apologies == []


@pytest.fixture
def no_collection() -> Iterator[None]:
    """A cancelled call must not wait for the garbage collection to release the file."""
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("no_collection")
async def test_jobs_wait_while_the_disk_is_full_and_new_orders_are_refused_in_a_sentence(
    world: tuple[Services, Announcing, Path],
) -> None:
    services, delivery, path = world
    await an_order(services, "1")
    await delivery.working.wait()
    # SQLite's own way of saying "disk full", for every connection from now on.
    with closing(sqlite3.connect(path)) as other:
        pages = other.execute("PRAGMA page_count").fetchone()[0]

    def full(connection: Any, _record: Any, _proxy: Any = None) -> None:
        connection.execute(f"PRAGMA max_page_count={pages}")

    def roomy(connection: Any, _record: Any, _proxy: Any = None) -> None:
        connection.execute("PRAGMA max_page_count=1073741823")

    sa.event.listen(sa.engine.Engine, "checkout", full)
    try:
        with pytest.raises(Unavailable, match=r"database\.unavailable"):
            await fill(services, path)
        await asyncio.sleep(1)
    finally:
        sa.event.remove(sa.engine.Engine, "checkout", full)
        sa.event.listen(sa.engine.Engine, "checkout", roomy)
    try:
        await services.studio.idle(90)
    finally:
        sa.event.remove(sa.engine.Engine, "checkout", roomy)
    assert "1" in {song.job_id for song in delivery.songs}
    assert delivery.apologies == []


async def test_a_song_that_was_posted_in_the_moment_the_file_refuses_to_be_written_stays_posted(
    world: tuple[Services, Announcing, Path],
) -> None:
    services, delivery, path = world
    refuses = asyncio.Event()

    def checkout(connection: Any, _record: Any, _proxy: Any = None) -> None:
        connection.execute(f"PRAGMA query_only={refuses.is_set():d}")

    delivery.on_posted = refuses.set
    sa.event.listen(sa.engine.Engine, "checkout", checkout)
    try:
        await an_order(services, "1")
        await asyncio.wait_for(refuses.wait(), 30)
        await asyncio.sleep(1.5)
        with closing(sqlite3.connect(path)) as other:
            assert other.execute("SELECT state FROM usage").fetchall() == [("running",)]
        refuses.clear()
        await services.studio.idle(60)
    finally:
        sa.event.remove(sa.engine.Engine, "checkout", checkout)
    assert [song.job_id for song in delivery.songs] == ["1"]
    assert delivery.apologies == []
    with closing(sqlite3.connect(path)) as other:
        assert other.execute("SELECT state FROM usage").fetchall() == [("charged",)]


@pytest.mark.parametrize("replaced", [False, True])
async def test_a_file_that_is_deleted_or_replaced_under_the_process_is_named_within_a_minute(
    tmp_path: Path, pool: WorkerPool, replaced: bool, caplog: pytest.LogCaptureFixture
) -> None:
    path, health = tmp_path / "melodify.db", Health()
    settings = Settings.model_validate({"database": {"url": f"sqlite:///{path}"}})
    log, delivery = tmp_path / "calls.log", Announcing()
    parts: tuple[Any, ...] = (Reader(log), Player(log), FolderStorage(tmp_path / "files"))
    async with open_services(settings, cast("Any", delivery), pool, providers=Providers(*parts), health=health):
        assert (await health.state())["database"]
        for file in tmp_path.glob("melodify.db*"):
            file.unlink()
        if replaced:
            with closing(sqlite3.connect(path)) as other:
                other.execute("CREATE TABLE usage (job_id)")
        async with asyncio.timeout(60):
            while (await health.state())["database"] or "was deleted or replaced" not in caplog.text:
                await asyncio.sleep(0.5)
    assert str(path) in caplog.text
    assert caplog.text.count("was deleted or replaced") == 1


async def fill(services: Services, path: Path) -> None:
    """Write until nothing more fits: first readings, then orders."""
    long = BRIEF.model_copy(update={"arrangement": "x" * 300, "soundscape": "y" * 300, "caption": "z" * 300})
    engine = connect(f"sqlite:///{path}")
    try:
        for number in range(500):
            await Readings(engine, 1, 1000).remember(str(number), long)
    except Unavailable:
        pass
    else:
        pytest.fail("the disk was never full")
    finally:
        engine.dispose()
    # Ids that are no multiples of eight: the player refuses those.
    for number in range(1001, 3000, 8):
        await an_order(services, str(number))
