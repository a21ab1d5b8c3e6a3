"""What every storage promises, run on each adapter."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from melodify_core.errors import Unavailable
from melodify_core.models import Stored
from melodify_core.ports import Storage
from melodify_core.storage.folder import FolderStorage
from melodify_core.storage.gcs import GcsStorage
from melodify_core.storage.measured import MeasuredStorage
from tests.contract.storage_keys import HOSTILE
from tests.gcs_server import gcs_server, settings_of

KEY = "songs/123.mp3"


@pytest.fixture(scope="module")
def gcs() -> Iterator[str]:
    with gcs_server() as url:
        yield url


@pytest.fixture(params=["folder", "measured", "gcs"])
async def storage(request: pytest.FixtureRequest, tmp_path: Path, gcs: str) -> AsyncIterator[Storage]:
    storage: Storage
    match request.param:
        case "folder":
            storage = FolderStorage(tmp_path / "files")
        case "measured":
            storage = MeasuredStorage(FolderStorage(tmp_path / "files"))
        case "gcs":
            storage = GcsStorage(settings_of(gcs))
        case other:
            raise LookupError(other)
    yield storage
    await storage.close()


@pytest.mark.parametrize("data", [b"", b"\0\r\n\xff", os.urandom(3 * 1024 * 1024)], ids=["empty", "bytes", "3 MiB"])
async def test_what_was_saved_is_loaded(storage: Storage, data: bytes) -> None:
    await storage.save(KEY, data, "audio/mpeg")
    assert await storage.load(KEY) == data


async def test_a_save_whose_caller_is_cancelled_is_over_when_the_caller_hears_of_it(storage: Storage) -> None:
    for moment in range(10):
        key, data = f"songs/{moment}.mp3", os.urandom(1 << 20)
        saving = asyncio.create_task(storage.save(key, data, "audio/mpeg"))
        await asyncio.sleep(0.001 * moment)
        saving.cancel()
        with suppress(asyncio.CancelledError):
            await saving
        await storage.delete(key)
        await asyncio.sleep(0.1)
        assert await storage.find(key) is None, moment


PARTS = [(0, 4), (3, 4), (0, 10), (6, 100), (9, 1), (10, 5), (4000, 1)]


@pytest.mark.parametrize(("start", "length"), PARTS)
async def test_a_part_is_read_as_far_as_the_key_goes(storage: Storage, start: int, length: int) -> None:
    await storage.save(KEY, b"0123456789", "audio/mpeg")
    assert await storage.read(KEY, start, length) == b"0123456789"[start : start + length]


async def test_parts_put_together_are_the_whole(storage: Storage) -> None:
    whole, size = os.urandom(700_001), 256 * 1024
    await storage.save(KEY, whole, "audio/mpeg")
    assert b"".join([await storage.read(KEY, start, size) for start in range(0, len(whole), size)]) == whole


async def test_no_part_of_an_empty_key_is_read(storage: Storage) -> None:
    await storage.save(KEY, b"", "audio/mpeg")
    assert await storage.read(KEY, 0, 1) == b""


async def test_no_part_of_a_key_that_is_not_there_can_be_read(storage: Storage) -> None:
    with pytest.raises(Unavailable, match=r"storage\.unavailable"):
        await storage.read(KEY, 0, 1)


async def test_type_and_size_are_found_without_loading(storage: Storage) -> None:
    await storage.save("takes/1", b"RIFF", "audio/x-wav", {"job": "1", "user": "ab" * 32})
    assert await storage.find("takes/1") == Stored("audio/x-wav", 4)


async def test_a_second_save_replaces_the_first_with_its_type(storage: Storage) -> None:
    await storage.save(KEY, b"a longer first", "audio/wav")
    await storage.save(KEY, b"second", "audio/mpeg")
    assert await storage.load(KEY) == b"second"
    assert await storage.find(KEY) == Stored("audio/mpeg", 6)


async def test_keys_do_not_share_their_bytes(storage: Storage) -> None:
    keys = ["songs/1.mp3", "songs/1", "songs/11.mp3", "pictures/1.mp3", "songs/1.mp3.type"]
    for key in keys:
        await storage.save(key, key.encode(), "audio/mpeg")
    assert [await storage.load(key) for key in keys] == [key.encode() for key in keys]


async def test_a_key_that_is_not_there_is_not_found_and_cannot_be_loaded(storage: Storage) -> None:
    with pytest.raises(Unavailable, match=r"storage\.unavailable"):
        await storage.load(KEY)
    assert await storage.find(KEY) is None


async def test_a_deleted_key_is_gone_and_may_be_deleted_again(storage: Storage) -> None:
    await storage.delete(KEY)
    await storage.save(KEY, b"song", "audio/mpeg")
    await storage.delete(KEY)
    await storage.delete(KEY)
    with pytest.raises(Unavailable):
        await storage.load(KEY)


async def test_concurrent_saves_of_one_key_leave_one_of_them_whole(storage: Storage) -> None:
    bodies = [bytes([number]) * (100_000 + number) for number in range(12)]
    await asyncio.gather(*(storage.save(KEY, body, f"audio/{body[0]}") for body in bodies))
    kept = await storage.load(KEY)
    assert kept in bodies
    assert await storage.find(KEY) == Stored(f"audio/{kept[0]}", len(kept))


async def test_a_reader_never_sees_half_a_save(storage: Storage) -> None:
    bodies = [bytes([number]) * 300_000 for number in range(6)]
    await storage.save(KEY, bodies[0], "audio/mpeg")

    async def write() -> None:
        for body in bodies:
            await storage.save(KEY, body, "audio/mpeg")

    writing = asyncio.create_task(write())
    seen = [await storage.load(KEY)]
    while not writing.done():
        seen.append(await storage.load(KEY))
    await writing
    assert all(body in bodies for body in seen)


@pytest.mark.parametrize("key", HOSTILE)
async def test_a_key_of_another_form_is_refused(storage: Storage, key: str) -> None:
    attempts = (
        storage.save(key, b"x", "text/plain"),
        storage.load(key),
        storage.read(key, 0, 1),
        storage.find(key),
        storage.delete(key),
        storage.link(key, "x.mp3"),
    )
    for attempt in attempts:
        with pytest.raises(Unavailable, match=r"storage\.unavailable"):
            await attempt


async def test_it_can_be_checked_and_says_its_name(storage: Storage) -> None:
    await storage.check()
    assert storage.name in ("folder", "gcs")
