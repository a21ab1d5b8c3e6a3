"""Orphaned files are deleted after a day, and no others."""

import logging
import os
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from melodify_core.errors import Unavailable
from melodify_core.jobs.orphaned_files import delete_orphaned_files, delete_orphaned_takes
from melodify_core.library import JobBook, Library, connect, upgrade
from melodify_core.library.schema import usage
from melodify_core.models import Bill, RawTake
from melodify_core.ports import Storage
from melodify_core.storage.folder import FolderStorage
from melodify_core.storage.gcs import GcsStorage
from melodify_core.storage.layout import keys_of, owner_of
from melodify_core.storage.spool import Spool
from tests.gcs_server import gcs_proxy, gcs_server, settings_of
from tests.jobs import POSTED, a_job, a_song

SOON = 60.0  # from now: everything is older than that
PICTURE, TAKE, NOTE, SONG, SCORE, VIDEO = range(6)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[sa.Engine]:
    engine = connect(f"sqlite:///{tmp_path}/melodify.db")
    upgrade(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def library(engine: sa.Engine) -> Library:
    return Library(engine)


@pytest.fixture(scope="module")
def gcs() -> Iterator[str]:
    with gcs_server() as url:
        yield url


@pytest.fixture(params=["folder", "gcs"])
async def storage(request: pytest.FixtureRequest, tmp_path: Path, gcs: str) -> AsyncIterator[Storage]:
    if request.param == "folder":
        yield FolderStorage(tmp_path / "files")
        return
    async with gcs_proxy(gcs) as proxy:
        storage = GcsStorage(settings_of(proxy.url), page=5)
        yield storage
        await storage.close()


@pytest.fixture
def folder(tmp_path: Path) -> FolderStorage:
    return FolderStorage(tmp_path / "files")


def accept(library: Library, job_id: str) -> None:
    with library.transaction() as connection:
        library.reserve(connection, a_job(job_id), time.time())


def keep(library: Library, job_id: str) -> None:
    accept(library, job_id)
    library.start(job_id, time.time())
    library.record_song(a_job(job_id), a_song(job_id), POSTED, time.time())


async def save_all(storage: Storage, job_id: str) -> None:
    for key in keys_of(job_id):
        await storage.save(key, b"bytes", "audio/mpeg")


async def kept(storage: Storage, job_id: str) -> list[int]:
    return [number for number, key in enumerate(keys_of(job_id)) if await storage.find(key)]


async def test_a_job_keeps_exactly_what_it_owns(storage: Storage, library: Library, engine: sa.Engine) -> None:
    everything = [PICTURE, TAKE, NOTE, SONG, SCORE, VIDEO]
    before_song, song = [PICTURE, TAKE, NOTE], [SONG, SCORE, VIDEO]
    owned = {
        "1": [],  # never accepted
        "2": everything,  # waits
        "3": everything,  # runs, or waits to be posted
        "4": everything,  # posted
        "5": song,  # posted, its picture's days are over
        "6": before_song,  # posted, and deleted by its member
        "7": before_song,  # failed: it may be tried again
        "8": [],  # failed, its picture's days are over
        "9": everything,  # failed, its picture's days are over, tried again
        "10": before_song,  # cancelled before it began
        "11": before_song,  # cancelled when it had cost something
        "12": everything,  # a song whose job is not known any more
        "22": [],  # never accepted, beside the digits of another
    }
    now = time.time()
    for job_id in ("2", "3", "7", "8", "9", "10", "11"):
        accept(library, job_id)
    for job_id in ("3", "11"):
        library.start(job_id, now)
    for job_id in ("4", "5", "6", "12"):
        keep(library, job_id)
    for job_id in ("7", "8", "9"):
        library.refund(job_id, now, "storage.unavailable")
    library.cancel_queued("10", now)
    library.book("11", "call", Bill(provider="lyria", model="m", dollars=0.06), now)
    library.end_cancelled("11", now)
    library.mark_gone("picture", ["5", "8", "9"])
    with library.transaction() as connection:
        assert JobBook(engine).reopen(connection, "9", now) is not None
        connection.execute(sa.text("DELETE FROM songs WHERE job_id = '6'"))
        connection.execute(sa.text("DELETE FROM usage WHERE job_id = '12'"))
    for job_id in owned:
        await save_all(storage, job_id)
    dropped = await delete_orphaned_files(storage, library, now + SOON)
    assert {job_id: await kept(storage, job_id) for job_id in owned} == owned
    assert dropped == 6 * len(owned) - sum(len(files) for files in owned.values())
    assert await delete_orphaned_files(storage, library, now + SOON) == 0


async def test_what_was_saved_since_stays_for_the_order_that_is_about_to_be_taken(
    storage: Storage, library: Library
) -> None:
    await save_all(storage, "1")
    assert await delete_orphaned_files(storage, library, time.time() - SOON) == 0
    assert len(await kept(storage, "1")) == 6


async def test_an_order_that_comes_back_between_the_look_and_the_deletion_keeps_its_picture(
    tmp_path: Path, library: Library
) -> None:
    class ComingBack(FolderStorage):
        async def delete(self, key: str, version: str | None = None) -> None:
            await self.save(key, b"again", "image/jpeg")
            await super().delete(key, version)

    storage = ComingBack(tmp_path / "files")
    await storage.save("pictures/1.jpg", b"first", "image/jpeg")
    await delete_orphaned_files(storage, library, time.time() + SOON)
    assert await storage.load("pictures/1.jpg") == b"again"


async def test_what_is_no_job_s_key_is_somebody_else_s(storage: Storage, library: Library) -> None:
    keys = ["pictures/cat.jpg", "pictures/1.png", "pictures/1.jpg.bak", "songs/1.wav", "songs/x1.mp3", "backups/1.jpg"]
    for key in keys:
        await storage.save(key, b"mine", "image/jpeg")
    assert await delete_orphaned_files(storage, library, time.time() + SOON) == 0
    assert [await storage.load(key) for key in keys] == [b"mine"] * len(keys)


async def test_where_two_databases_share_a_storage_neither_deletes_what_may_be_the_other_s(
    storage: Storage, library: Library, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    engine = connect(f"sqlite:///{tmp_path}/other.db")
    upgrade(engine)
    other = Library(engine)
    keep(library, "1")
    keep(other, "2")
    await save_all(storage, "1")
    assert await delete_orphaned_files(storage, library, time.time() + SOON) == 0
    await save_all(storage, "2")
    assert await delete_orphaned_files(storage, other, time.time() + SOON) == 0
    assert await delete_orphaned_files(storage, library, time.time() + SOON) == 0
    assert [len(await kept(storage, job_id)) for job_id in "12"] == [6, 6]
    assert caplog.text.count("another database") == 2
    # Without the mark of the other one, the first continues.
    await storage.delete(f"owners/{other.identity()}")
    assert await delete_orphaned_files(storage, library, time.time() + SOON) == 6
    engine.dispose()


async def test_in_its_first_day_a_mark_lets_another_database_leave_its_own(
    folder: FolderStorage, library: Library, tmp_path: Path
) -> None:
    await save_all(folder, "1")
    for file in (tmp_path / "files").rglob("*"):
        os.utime(file, (1, 1))  # the other's, which has run for years
    assert await delete_orphaned_files(folder, library, time.time() - SOON) == 0
    assert len(await kept(folder, "1")) == 6
    assert await delete_orphaned_files(folder, library, time.time() + SOON) == 6


def test_a_database_is_known_by_one_name(library: Library, engine: sa.Engine) -> None:
    assert library.identity() == library.identity() == Library(engine).identity()
    assert len(library.identity()) == 32


async def test_one_file_that_cannot_be_deleted_keeps_no_other(tmp_path: Path, library: Library) -> None:
    class Stubborn(FolderStorage):
        async def delete(self, key: str, version: str | None = None) -> None:
            if key == "takes/1":
                raise Unavailable("storage.unavailable")
            await super().delete(key, version)

    storage = Stubborn(tmp_path / "files")
    await save_all(storage, "1")
    assert await delete_orphaned_files(storage, library, time.time() + SOON) == 5
    assert await kept(storage, "1") == [TAKE]


async def test_the_database_is_asked_once_a_page(tmp_path: Path, library: Library, engine: sa.Engine) -> None:
    shelf = tmp_path / "files" / "pictures"
    shelf.mkdir(parents=True)
    row = {"user_id": 1, "created_at": 1.0, "state": "charged"}
    with engine.begin() as connection:
        connection.execute(usage.insert(), [{"job_id": str(number), **row} for number in range(3000)])
    for number in range(3010):
        (shelf / f"{number}.jpg").touch()
    asked: list[str] = []
    sa.event.listen(engine, "before_cursor_execute", lambda *args: asked.append(args[2]))
    assert await delete_orphaned_files(FolderStorage(tmp_path / "files"), library, time.time() + SOON) == 10
    # Two questions for each of four pages; the rest finds out which database this is.
    assert len(asked) <= 8 + 4


@pytest.mark.parametrize(
    ("key", "owner"),
    [
        ("pictures/123.jpg", "123"),
        ("takes/123", "123"),
        ("takes/123.json", "123"),
        ("songs/123.mp4", "123"),
        ("takes/123.jpg", None),
        ("songs/123", None),
        ("songs/abc.mp3", None),
        ("songs/\u0661.mp3", None),
        ("songs/.mp3", None),
        ("owners/123", None),
    ],
)
def test_a_key_tells_whose_it_is(key: str, owner: str | None) -> None:
    assert owner_of(key) == owner


async def test_a_take_that_waits_for_its_storage_stays_as_long_as_its_job_is_open(
    tmp_path: Path, library: Library
) -> None:
    folder = tmp_path / "spool"
    spool, take = Spool(folder), RawTake(b"sound", "audio/wav", midi=b"MThd")
    for job_id in ("1", "2", "3", "4"):
        spool.put(job_id, take)
    (folder / ".5.audio.77.1").touch()
    accept(library, "1")
    accept(library, "2")
    library.refund("2", time.time(), "storage.unavailable")
    now = time.time()
    for path in folder.iterdir():
        if not path.name.startswith("4."):
            os.utime(path, (now - 100, now - 100))
    await delete_orphaned_takes(spool, library, now - 60)
    assert sorted({path.name for path in folder.iterdir()}) == [
        f"{job_id}.{part}" for job_id in ("1", "4") for part in ("audio", "json", "midi")
    ]


async def test_nothing_is_logged_where_nothing_is_to_do(
    folder: FolderStorage, library: Library, caplog: pytest.LogCaptureFixture
) -> None:
    assert await delete_orphaned_files(folder, library, time.time()) == 0
    caplog.set_level(logging.INFO)
    assert await delete_orphaned_files(folder, library, time.time()) == 0
    assert caplog.messages == []
