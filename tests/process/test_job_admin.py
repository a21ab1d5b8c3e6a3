"""`melodify jobs` and `melodify backup`, as the host uses them beside a running process."""

import asyncio
import json
import os
import shutil
import signal
import sqlite3
import stat
import sys
import time
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
import sqlalchemy as sa
from prometheus_client import REGISTRY

from bot.cli.jobs import jobs
from melodify_core.bootstrap import Services, open_services
from melodify_core.config.settings import Settings
from melodify_core.errors import Misconfigured, Unavailable
from melodify_core.library import Library, connect, database_path
from melodify_core.media.worker_pool import WorkerPool
from melodify_core.models import Bill, Job, Order, Place
from melodify_core.services.backups import backup, restore, verify
from melodify_core.services.job_admin import JobAdmin, open_job_admin
from tests.breaking import sqlite_error
from tests.fakes import RecordingDelivery as Delivery
from tests.jobs import a_job
from tests.pictures import sunset
from tests.stories import story_settings


class Failing(Delivery):
    """A delivery that shows stages until the test lets it fail."""

    failing = False

    async def show_stage(self, job: Job, *args: object) -> None:
        if self.failing:
            raise Unavailable("provider.unavailable")
        await super().show_stage(job, *args)  # type: ignore[arg-type]  # as it came


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return story_settings(tmp_path)


@pytest.fixture
def delivery() -> Failing:
    return Failing()


@pytest.fixture
async def services(settings: Settings, delivery: Failing, pool: WorkerPool) -> AsyncIterator[Services]:
    async with open_services(settings, delivery, pool) as services:
        yield services


async def an_order(services: Services, job_id: str) -> None:
    await services.studio.submit(Order(job_id, 1, Place(channel_id=10, guild_id=20), sunset()))
    await services.studio.idle(60)


async def reached(admin: JobAdmin, job_id: str, state: str) -> None:
    async with asyncio.timeout(20):
        while (await admin.show(job_id)).row.state != state:
            await asyncio.sleep(0.02)


def counted(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, {"provider": "folder", **labels}) or 0.0


async def test_the_storage_is_measured_like_the_other_providers(services: Services) -> None:
    asked = counted("melodify_provider_seconds_count")
    failed = counted("melodify_provider_errors_total", code="storage.unavailable")
    await an_order(services, "61")
    assert counted("melodify_provider_seconds_count") > asked
    assert counted("melodify_provider_errors_total", code="storage.unavailable") == failed
    with pytest.raises(Unavailable):
        await services.storage.load("songs/62.mp3")
    assert counted("melodify_provider_errors_total", code="storage.unavailable") == failed + 1


async def test_jobs_are_listed_and_shown(
    services: Services, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    await an_order(services, "71")
    assert await jobs(settings, "list", None, None, as_json=True) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["job_id"], row["state"], row["guild_id"], row["outcome"]) == ("71", "charged", 20, None)
    await jobs(settings, "list", None, "refunded", as_json=False)
    assert capsys.readouterr().out == "No jobs.\n"
    await jobs(settings, "list", None, None, as_json=False)
    assert "charged" in capsys.readouterr().out
    await jobs(settings, "show", "71", None, as_json=True)
    shown = json.loads(capsys.readouterr().out)
    assert shown["steps"] == ["caption", "compose", "master", "deliver"]
    assert (shown["dollars"], shown["unsettled"], shown["reserved"]) == (0.0, 0.0, 0.0)
    with pytest.raises(Misconfigured, match="Job 72 is not known here"):
        await jobs(settings, "show", "72", None, as_json=False)


async def test_what_is_reserved_and_what_is_not_settled_stand_beside_what_was_spent(
    services: Services, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    await an_order(services, "75")
    database = connect(settings.database.url)
    library = Library(database)
    with library.transaction() as connection:
        library.reserve(connection, a_job("76"), time.time(), 0.10)
    library.book("76", "call", Bill(provider="vertex", model="m", dollars=0.06), time.time())
    await jobs(settings, "show", "76", None, as_json=True)
    shown = json.loads(capsys.readouterr().out)
    assert (shown["dollars"], shown["unsettled"], shown["reserved"]) == (0.06, 0.06, 0.04)
    await jobs(settings, "list", None, None, as_json=False)
    assert "Last 24 hours: $0.06 spent, $0.04 reserved for open jobs." in capsys.readouterr().out
    library.refund("76", time.time())
    database.dispose()


async def test_a_job_that_failed_because_something_was_away_is_tried_again(
    services: Services, delivery: Failing, settings: Settings
) -> None:
    delivery.failing = True
    await an_order(services, "81")
    async with open_job_admin(settings) as admin:
        assert (await admin.show("81")).row.outcome == "provider.unavailable"
        delivery.failing = False
        assert "waits again" in await admin.retry("81")
        await services.studio.idle(60)
        file = await admin.show("81")
        assert (file.row.state, file.row.outcome) == ("charged", None)
        with pytest.raises(Misconfigured, match="only a failed job"):
            await admin.retry("81")
    assert len(delivery.songs) == 1
    assert delivery.apologies == ["provider.unavailable"]


async def test_a_try_that_the_database_breaks_off_can_be_made_again(
    services: Services, delivery: Failing, settings: Settings
) -> None:
    delivery.failing = True
    await an_order(services, "83")
    delivery.failing = False
    refused: list[str] = []

    def full(_cursor: object, statement: str, _parameters: object, _context: object) -> None:
        if statement.startswith("INSERT") and "workflow_status" in statement and not refused:
            refused.append(statement)
            raise sqlite_error(sqlite3.SQLITE_FULL, "database or disk is full")

    async with open_job_admin(settings) as admin:
        sa.event.listen(admin._library._engine, "do_execute", full)
        with pytest.raises(Unavailable):
            await admin.retry("83")
        assert refused
        assert (await admin.show("83")).row.state == "refunded"
        assert "waits again" in await admin.retry("83")
        await services.studio.idle(60)
        assert (await admin.show("83")).row.state == "charged"
    assert len(delivery.songs) == 1


async def test_the_asker_of_a_waiting_job_that_the_host_cancels_is_told_so(
    delivery: Failing, pool: WorkerPool, tmp_path: Path
) -> None:
    settings = story_settings(tmp_path, work={"jobs": 1, "poll_s": 0.1})
    async with open_services(settings, delivery, pool) as services, open_job_admin(settings) as admin:
        for job_id, seconds in (("103", 120), ("104", 10)):
            order = Order(job_id, int(job_id), Place(channel_id=10, guild_id=20), sunset())
            await services.studio.submit(replace(order, wish=order.wish.model_copy(update={"seconds": seconds})))
            if job_id == "103":
                await reached(admin, "103", "running")
        assert "had not begun" in await admin.cancel("104")
        assert "is told to stop" in await admin.cancel("103")
        await services.studio.idle(60)
        async with asyncio.timeout(20):
            while len(delivery.apologies) < 2:
                await asyncio.sleep(0.05)
        assert delivery.apologies == ["job.cancelled"] * 2
        assert (await admin.show("104")).row.state == "withdrawn"
    assert [path.name for path in (settings.folder.path / "pictures").iterdir()] == []


async def test_a_job_whose_picture_is_gone_cannot_be_tried_again(
    services: Services, delivery: Failing, settings: Settings
) -> None:
    delivery.failing = True
    await an_order(services, "91")
    (settings.folder.path / "pictures" / "91.jpg").unlink()
    async with open_job_admin(settings) as admin:
        with pytest.raises(Misconfigured, match="its picture or its record is gone"):
            await admin.retry("91")
        assert (await admin.show("91")).row.state == "refunded"


async def test_a_running_job_is_cancelled_from_another_process(services: Services, settings: Settings) -> None:
    order = Order("101", 1, Place(channel_id=10, guild_id=20), sunset())
    long = order.wish.model_copy(update={"seconds": 120})
    await services.studio.submit(Order(order.job_id, order.user_id, order.place, order.picture, long))
    async with open_job_admin(settings) as admin:
        await reached(admin, "101", "running")
        assert "is told to stop" in await admin.cancel("101")
        await services.studio.idle(60)
        assert (await admin.show("101")).row.outcome == "job.cancelled"
        with pytest.raises(Misconfigured, match="has ended already"):
            await admin.cancel("101")


async def test_a_backup_is_whole_while_the_process_writes(
    services: Services, settings: Settings, tmp_path: Path
) -> None:
    await an_order(services, "111")
    target = tmp_path / "copy.db"
    working = asyncio.create_task(an_order(services, "112"))
    assert "was copied" in await asyncio.to_thread(backup, settings, target)
    await working
    with closing(sqlite3.connect(target)) as copy:
        assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert copy.execute("SELECT state FROM usage WHERE job_id = '111'").fetchone() == ("charged",)
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    with pytest.raises(Misconfigured, match="exists already"):
        backup(settings, target)
    with pytest.raises(Misconfigured) as refused:
        backup(settings, tmp_path / "nowhere" / "copy.db")
    assert str(refused.value).endswith(f"cannot be written: there is no folder {tmp_path / 'nowhere'}.")
    assert not list(tmp_path.glob("*.part"))


def a_database(tmp_path: Path, name: str = "melodify.db", orders: int = 3) -> Settings:
    """Make a database of that many orders; return the settings that name it."""
    url = "sqlite:///" + quote(str(tmp_path / name), safe="/#")
    engine = connect(url)
    Library(engine).create_schema()
    with engine.begin() as connection:
        for number in range(orders):
            row = {"job_id": str(number), "user_id": 1, "created_at": 2.0, "state": "charged"}
            connection.execute(sa.insert(sa.table("usage", *map(sa.column, row))), row)
    engine.dispose()
    return Settings.model_validate({"database": {"url": url}})


@pytest.mark.parametrize("name", ["a#b.db", "50%20 off?.db", "달빛 노래.db", "a?mode=memory.db", "a'b;c&d=e.db"])
def test_a_backup_holds_what_the_database_holds_whatever_its_name(tmp_path: Path, name: str) -> None:
    settings, target = a_database(tmp_path, name), tmp_path / f"copy of {name}"
    assert "3 of them orders" in backup(settings, target)
    with closing(sqlite3.connect(target)) as copy:
        assert copy.execute("SELECT count(*) FROM usage").fetchone() == (3,)
    assert "is a complete copy" in verify(target)
    assert [path.name for path in tmp_path.glob("copy of *")] == [target.name]


def test_a_backup_of_a_database_without_our_tables_is_refused(tmp_path: Path) -> None:
    sqlite3.connect(tmp_path / "empty.db").close()
    settings = Settings.model_validate({"database": {"url": f"sqlite:///{tmp_path}/empty.db"}})
    (tmp_path / "empty.db").touch()
    with pytest.raises(Misconfigured, match="has no tables yet: run `melodify migrate`"):
        backup(settings, tmp_path / "copy.db")
    with closing(sqlite3.connect(tmp_path / "empty.db")) as other:
        other.execute("CREATE TABLE other (x)")
        other.commit()
    with pytest.raises(Misconfigured, match="no database of Melodify"):
        backup(settings, tmp_path / "copy.db")
    assert {path.name for path in tmp_path.iterdir()} == {"empty.db"}


def test_a_copy_without_one_of_our_tables_is_not_proven(tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    backup(a_database(tmp_path), copy)
    with closing(sqlite3.connect(copy)) as database:
        database.execute("DROP TABLE songs")
        database.commit()
    with pytest.raises(Misconfigured, match="no table songs"):
        verify(copy)


def test_a_name_that_no_file_can_have_is_a_sentence(tmp_path: Path) -> None:
    settings = a_database(tmp_path)
    for length in (251, 300):
        with pytest.raises(Misconfigured, match="cannot be written"):
            backup(settings, tmp_path / ("a" * length))
        with pytest.raises(Misconfigured, match=r"no copy|not a complete copy"):
            verify(tmp_path / ("a" * length))
    assert {path.name for path in tmp_path.iterdir()} == {"melodify.db"}


def test_a_copy_that_is_not_whole_is_not_proven(tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    backup(a_database(tmp_path, orders=2000), copy)
    whole = copy.read_bytes()
    files = {
        "cut.db": whole[: len(whole) // 2],
        "spoilt.db": whole[:8192] + bytes(8192) + whole[16384:],
        "text.db": b"not a database at all" * 100,
        "nothing.db": b"",
    }
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(Misconfigured, match=name):
            verify(tmp_path / name)
    os.mkfifo(tmp_path / "pipe.db")
    for name in ("pipe.db", "none.db"):
        with pytest.raises(Misconfigured, match="There is no copy"):
            verify(tmp_path / name)
    assert "2000 of them orders" in verify(copy)


def test_a_backup_of_nothing_or_of_postgresql_is_a_sentence(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="There is no database"):
        backup(settings, tmp_path / "copy.db")
    elsewhere = settings.model_copy(
        update={"database": settings.database.model_copy(update={"url": "postgresql://melodify@localhost/melodify"})}
    )
    with pytest.raises(Misconfigured, match="pg_dump"):
        backup(elsewhere, tmp_path / "copy.db")


NOW = datetime(2026, 11, 28, 19, 30, tzinfo=UTC)
LATER = NOW + timedelta(minutes=1)


def test_a_copy_is_restored_and_what_was_there_keeps_another_name(tmp_path: Path) -> None:
    settings = a_database(tmp_path)
    path, copy = tmp_path / "melodify.db", tmp_path / "copy.db"
    backup(settings, copy)
    with closing(sqlite3.connect(path)) as database:
        database.execute("DELETE FROM usage")
        database.commit()
    journal = path.with_name("melodify.db-wal")
    journal.write_bytes(b"of another database")
    said = restore(settings, copy, NOW)
    assert "3 of them orders" in said
    assert str(tmp_path / "melodify.db.20261128-193000") in said
    assert path.read_bytes() == copy.read_bytes()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not journal.exists()
    assert (tmp_path / "melodify.db.20261128-193000-wal").read_bytes() == b"of another database"
    with closing(sqlite3.connect(tmp_path / "melodify.db.20261128-193000")) as database:
        assert database.execute("SELECT count(*) FROM usage").fetchone() == (0,)


def rows_of(database: Path) -> int:
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("PRAGMA quick_check").fetchone() == ("ok",)
        return int(connection.execute("SELECT count(*) FROM usage").fetchone()[0])


def as_a_killed_bot_left_it(source: Path, database: Path) -> None:
    """Copy a database whose last row, the fourth, is in its journal only."""
    database.parent.mkdir(parents=True)
    with closing(sqlite3.connect(source)) as writing:
        writing.execute("PRAGMA journal_mode=WAL")
        writing.execute("PRAGMA wal_autocheckpoint=0")
        columns = ", ".join(name for (name,) in writing.execute("SELECT name FROM pragma_table_info('usage')"))
        others = columns.replace("job_id", "'fourth'")
        writing.execute(f"INSERT INTO usage ({columns}) SELECT {others} FROM usage LIMIT 1")  # noqa: S608 - our columns
        writing.commit()
        for suffix in ("", "-wal", "-shm"):
            shutil.copyfile(f"{source}{suffix}", f"{database}{suffix}")


def restore_killed(settings: Settings, copy: Path, after: int) -> bool:
    """Restore in a process that is killed before its `after`th act on a file; return whether it was."""
    if child := os.fork():
        return os.WIFSIGNALED(os.waitpid(child, 0)[1])
    try:
        left = iter(range(after))

        def kill(event: str, _: object) -> None:
            if event in {"open", "os.rename", "os.link", "os.remove", "sqlite3.connect"} and next(left, None) is None:
                os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(kill)
        restore(settings, copy, NOW)
    finally:
        os._exit(0)


def test_a_restore_that_is_killed_at_any_step_leaves_the_old_or_the_new_database_whole(tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    backup(a_database(tmp_path, "earlier.db", orders=2), copy)
    a_database(tmp_path)
    as_a_killed_bot_left_it(tmp_path / "melodify.db", tmp_path / "left" / "melodify.db")
    found = []
    for after in range(100):
        folder = tmp_path / str(after)
        shutil.copytree(tmp_path / "left", folder)
        settings = Settings.model_validate({"database": {"url": f"sqlite:///{folder}/melodify.db"}})
        killed = restore_killed(settings, copy, after)
        found.append(rows_of(folder / "melodify.db"))
        if not killed:
            break
        # What was begun can be done again.
        assert "2 of them orders" in restore(settings, copy, LATER)
        assert rows_of(folder / "melodify.db") == 2
    assert len(found) > 10
    # The old one with the row of its journal, and then the new one.
    assert found == sorted(found, reverse=True)
    assert set(found) == {4, 2}
    assert rows_of(tmp_path / str(len(found) - 1) / "melodify.db.20261128-193000") == 4


def test_a_damaged_database_does_not_hinder_a_restore(tmp_path: Path) -> None:
    settings = a_database(tmp_path)
    path, copy = tmp_path / "melodify.db", tmp_path / "copy.db"
    backup(settings, copy)
    path.write_bytes(b"not a database at all" * 100)
    restore(settings, copy, NOW)
    assert rows_of(path) == 3
    assert (tmp_path / "melodify.db.20261128-193000").read_bytes() == b"not a database at all" * 100


def test_a_copy_is_restored_where_nothing_was(tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    backup(a_database(tmp_path), copy)
    settings = story_settings(tmp_path / "elsewhere" / "deep")
    assert "What was there" not in restore(settings, copy, NOW)
    assert verify(database_path(settings.database.url)) == verify(copy).replace(
        str(copy), str(database_path(settings.database.url))
    )


@pytest.mark.usefixtures("services")
async def test_nothing_is_restored_under_a_running_process(settings: Settings, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    await asyncio.to_thread(backup, settings, copy)
    before = database_path(settings.database.url).stat().st_ino
    with pytest.raises(Misconfigured, match="Another Melodify process"):
        await asyncio.to_thread(restore, settings, copy, NOW)
    assert database_path(settings.database.url).stat().st_ino == before


def test_what_is_no_whole_copy_is_not_restored(settings: Settings, tmp_path: Path) -> None:
    mine = a_database(tmp_path)
    before = (tmp_path / "melodify.db").read_bytes()
    for name, data in {"cut.db": before[: len(before) // 2], "text.db": b"not a database at all" * 100}.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(Misconfigured, match=name):
            restore(mine, tmp_path / name, NOW)
    elsewhere = settings.model_copy(
        update={"database": settings.database.model_copy(update={"url": "postgresql://melodify@localhost/melodify"})}
    )
    with pytest.raises(Misconfigured, match="pg_restore"):
        restore(elsewhere, tmp_path / "cut.db", NOW)
    assert (tmp_path / "melodify.db").read_bytes() == before
    assert not (tmp_path / "melodify.db.part").exists()
