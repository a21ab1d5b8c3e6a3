"""The maintenance beside the jobs: which job is orphaned and which only waits, and what retention deletes."""

import asyncio
import logging
import os
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from melodify_core.config.settings import Settings, Work
from melodify_core.errors import Unavailable
from melodify_core.jobs.context import Step
from melodify_core.jobs.engine import Engine, JobHandler
from melodify_core.jobs.maintenance import DAY_S, MAINTENANCE_LATE_S, ORPHANED_S, Maintenance
from melodify_core.library import Library, connect
from melodify_core.models import Bill, Job, PendingPost
from melodify_core.observability.log_context import LogContext, current
from melodify_core.storage.folder import FolderStorage
from tests.jobs import a_job, a_song


@dataclass
class Away:
    """Jobs whose songs all have to wait until it can be posted."""

    handed_over: asyncio.Event = field(default_factory=asyncio.Event)

    async def make(self, job: Job, step: Step) -> None:
        await step.defer_post(PendingPost(job=job, song=a_song(job.job_id)))
        self.handed_over.set()

    async def post(self, pending: PendingPost, step: Step) -> None:
        del pending
        await step.pause(3600)

    async def fail_unreadable(self, job_id: str) -> None:
        raise AssertionError(job_id)


@dataclass
class House:
    """One process's maintenance over a real engine, and the jobs that it failed."""

    library: Library
    engine: Engine
    storage: FolderStorage
    jobs: Away
    failed: list[str] = field(default_factory=list)

    async def fail_unreadable(self, job_id: str) -> None:
        self.failed.append(job_id)

    @property
    def maintenance(self) -> Maintenance:
        return Maintenance(Settings(), self.library, self.engine, self.storage, self.fail_unreadable)

    def reserve(self, job: Job, ago_s: float, *, queued: bool = False) -> None:
        with self.library.transaction() as connection:
            turn = self.library.reserve(connection, job, time.time() - ago_s)
            if queued:
                self.engine.enqueue(connection, job, turn)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    database = connect(f"sqlite:///{tmp_path}/melodify.db")
    library = Library(database)
    library.create_schema()
    engine, jobs = Engine(database, Work(poll_s=0.05)), Away()
    await engine.launch(JobHandler(jobs.make, jobs.post, jobs.fail_unreadable))
    yield House(library, engine, FolderStorage(tmp_path / "files"), jobs)
    await engine.drain(0.0)
    database.dispose()


async def test_a_song_that_waits_to_be_posted_hears_that_another_process_has_cancelled_it(house: House) -> None:
    house.reserve(a_job("1"), 0, queued=True)
    await house.jobs.handed_over.wait()
    house.library.start("1", time.time())
    async with asyncio.timeout(20):
        while "1-post" not in house.engine._posting:
            await asyncio.sleep(0.02)
        await house.maintenance.stop_cancelled()
        assert house.engine.active == {"1"}
        assert house.library.request_cancel("1")
        await house.maintenance.stop_cancelled()
        while house.engine.active:
            await asyncio.sleep(0.02)


async def test_a_song_that_waits_to_be_posted_is_not_taken_for_lost(house: House) -> None:
    house.reserve(a_job("1"), ORPHANED_S + 1, queued=True)
    house.reserve(a_job("2"), ORPHANED_S + 1)
    async with asyncio.timeout(20):
        await house.jobs.handed_over.wait()
        # The job's own record ends a moment later: then only its post is alive.
        while "1" in house.engine.running:
            await asyncio.sleep(0.02)
        while await house.engine.owners() == set():
            await asyncio.sleep(0.02)
    await asyncio.sleep(0.5)
    await house.maintenance.fail_orphaned_jobs()
    assert house.failed == ["2"]


async def test_what_could_not_be_deleted_is_deleted_at_the_next_turn(house: House, tmp_path: Path) -> None:
    picture_days = Settings().retention.picture_days
    for job_id in ("1", "2"):
        house.reserve(a_job(job_id), (picture_days + 1) * DAY_S)
        house.library.refund(job_id, time.time())
        await house.storage.save(f"pictures/{job_id}.jpg", b"picture", "image/jpeg")
    # A folder behind a link is not opened: the storage is unavailable.
    shelf, elsewhere = tmp_path / "files" / "pictures", tmp_path / "elsewhere"
    shelf.rename(elsewhere)
    shelf.symlink_to(elsewhere)
    await house.maintenance.forget_old()
    assert len(list(elsewhere.glob("?.jpg"))) == 2
    shelf.unlink()
    elsewhere.rename(shelf)
    await house.maintenance.forget_old()
    assert await house.storage.find("pictures/1.jpg") is None
    assert await house.storage.find("pictures/2.jpg") is None


def aged(folder: Path, hours: float) -> None:
    """Let all files of the folder be so old."""
    then = time.time() - hours * 3600
    for path in folder.rglob("*"):
        if path.is_file():
            os.utime(path, (then, then))


async def test_what_an_order_that_was_cut_off_has_left_goes_after_a_day(house: House, tmp_path: Path) -> None:
    folder = tmp_path / "files"
    house.reserve(a_job("3"), 0)
    for job_id in ("1", "3"):
        await house.storage.save(f"pictures/{job_id}.jpg", b"picture", "image/jpeg")
    (folder / "pictures" / ".cut.tmp").touch()
    await house.storage.save(f"owners/{house.library.identity()}", b"mark", "text/plain")
    aged(folder, 25)
    await house.storage.save("pictures/2.jpg", b"picture", "image/jpeg")
    await house.maintenance.forget_old()
    assert sorted(path.name for path in (folder / "pictures").iterdir()) == [
        *(".2.jpg.type", ".3.jpg.type"),
        *("2.jpg", "3.jpg"),
    ]


async def test_what_nobody_owns_is_looked_for_again_where_the_storage_was_away(
    house: House, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await house.storage.save("pictures/1.jpg", b"picture", "image/jpeg")
    await house.storage.save(f"owners/{house.library.identity()}", b"mark", "text/plain")
    aged(tmp_path / "files", 25)
    shelf, elsewhere = tmp_path / "files" / "pictures", tmp_path / "elsewhere"
    shelf.rename(elsewhere)
    shelf.symlink_to(elsewhere)
    maintenance = house.maintenance
    await maintenance.forget_old()
    assert "looked for again" in caplog.text
    shelf.unlink()
    elsewhere.rename(shelf)
    await maintenance.forget_old()
    assert await house.storage.find("pictures/1.jpg") is None
    # All files are listed some times a day, not every hour.
    await house.storage.save("pictures/1.jpg", b"picture", "image/jpeg")
    aged(tmp_path / "files", 25)
    await maintenance.forget_old()
    assert await house.storage.find("pictures/1.jpg") is not None


async def test_the_line_of_a_stuck_job_says_which_one_and_in_which_server(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    house.reserve(a_job("7"), Settings().work.stuck_minutes * 60 + 1)
    contexts: list[LogContext | None] = []

    def note(_record: logging.LogRecord) -> bool:
        contexts.append(current.get())
        return True

    with caplog.filtering(note):  # type: ignore[arg-type]  # a filter may be a function
        await house.maintenance.notice_stuck()
    assert caplog.messages == ["job 7 is open for more than 30 minutes"]
    assert contexts == [LogContext("7", 20, None)]


async def test_what_is_reserved_is_measured_beside_what_was_spent(house: House) -> None:
    with house.library.transaction() as connection:
        house.library.reserve(connection, a_job("8"), time.time(), 0.10)
    house.library.book("8", "call", Bill(provider="vertex", model="m", dollars=0.06), time.time())
    await house.maintenance.measure_money()
    measured = {
        kind: REGISTRY.get_sample_value("melodify_day_dollars", {"kind": kind}) for kind in ("spent", "reserved")
    }
    assert measured == {"spent": pytest.approx(0.06), "reserved": pytest.approx(0.04)}


async def test_who_has_not_seen_the_queue_for_long_has_no_pulse(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.monotonic()
    maintenance = house.maintenance
    monkeypatch.setattr(time, "monotonic", lambda: now + MAINTENANCE_LATE_S + 2)
    with pytest.raises(Unavailable):
        await maintenance.check_maintenance()
    await maintenance.measure_queue()
    await maintenance.check_maintenance()
