"""What every storage promises, run on each adapter."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from melodify_core.errors import Unavailable
from melodify_core.models import ListedFile, Stored
from melodify_core.ports import Storage
from melodify_core.storage.folder import FolderStorage
from melodify_core.storage.gcs import GcsStorage
from tests.contract.storage_keys import HOSTILE
from tests.gcs_server import GcsProxy, gcs_proxy, gcs_server, settings_of

KEY = "songs/123.mp3"


@pytest.fixture(scope="module")
def gcs() -> Iterator[str]:
    with gcs_server() as url:
        yield url


@pytest.fixture
async def proxy(gcs: str) -> AsyncIterator[GcsProxy]:
    async with gcs_proxy(gcs) as proxy:
        yield proxy


@pytest.fixture(params=["folder", "gcs"])
async def storage(request: pytest.FixtureRequest, tmp_path: Path, proxy: GcsProxy) -> AsyncIterator[Storage]:
    storage: Storage
    match request.param:
        case "folder":
            storage = FolderStorage(tmp_path / "files", page=4)
        case "gcs":
            storage = GcsStorage(settings_of(proxy.url), page=4)
        case other:
            raise LookupError(other)
    yield storage
    await storage.close()


async def listed(storage: Storage, shelf: str) -> list[ListedFile]:
    return [filed async for page in storage.listed(shelf) for filed in page]


@pytest.mark.parametrize("data", [b"", b"\0\r\n\xff", os.urandom(3 * 1024 * 1024)], ids=["empty", "bytes", "3 MiB"])
async def test_what_was_saved_is_loaded(storage: Storage, data: bytes) -> None:
    await storage.save(KEY, data, "audio/mpeg")
    assert await storage.load(KEY) == data


def counted(storage: Storage, name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(f"melodify_provider_{name}", {"provider": storage.name, **labels}) or 0.0


async def test_every_call_is_counted_and_so_is_its_error(storage: Storage) -> None:
    async def pages() -> None:
        assert [page async for page in storage.listed("songs")]

    calls: list[Callable[[], Awaitable[object]]] = [
        storage.check,
        lambda: storage.save(KEY, b"sound", "audio/mpeg"),
        lambda: storage.load(KEY),
    ]
    calls += [lambda: storage.read(KEY, 0, 1), lambda: storage.find(KEY), pages, lambda: storage.delete(KEY)]
    for call in calls:
        before = counted(storage, "seconds_count")
        await call()
        assert counted(storage, "seconds_count") > before
    failed = counted(storage, "errors_total", code="storage.unavailable")
    with pytest.raises(Unavailable):
        await storage.load("songs/nobody.mp3")
    assert counted(storage, "errors_total", code="storage.unavailable") == failed + 1


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


async def test_a_shelf_lists_each_of_its_keys_once_with_the_time_of_its_save(storage: Storage) -> None:
    keys = {f"songs/{number}.mp3" for number in range(11)}
    for key in (*keys, "pictures/1.jpg", "songs/1.mp3"):
        await storage.save(key, b"song", "audio/mpeg")
    found = await listed(storage, "songs")
    assert sorted(filed.key for filed in found) == sorted(keys)
    assert all(abs(filed.saved_at - time.time()) < 60 for filed in found)
    assert [filed.key for filed in await listed(storage, "pictures")] == ["pictures/1.jpg"]
    assert await listed(storage, "takes") == []


async def test_what_is_deleted_while_it_is_listed_hides_nothing_else(storage: Storage) -> None:
    keys = [f"songs/{number}.mp3" for number in range(20)]
    for key in keys:
        await storage.save(key, b"song", "audio/mpeg")
    seen = []
    async for page in storage.listed("songs"):
        for filed in page:
            seen.append(filed.key)
            await storage.delete(filed.key, filed.version)
    assert sorted(seen) == sorted(keys)
    assert await listed(storage, "songs") == []


async def test_a_list_may_be_left_at_any_time(storage: Storage) -> None:
    for number in range(9):
        await storage.save(f"songs/{number}.mp3", b"song", "audio/mpeg")
    pages = storage.listed("songs")
    await anext(pages)
    await pages.aclose()


async def test_a_version_that_was_saved_again_since_is_not_deleted(storage: Storage) -> None:
    await storage.save(KEY, b"first", "audio/mpeg")
    [first] = await listed(storage, "songs")
    await storage.save(KEY, b"second", "audio/mpeg")
    await storage.delete(KEY, first.version)
    assert await storage.load(KEY) == b"second"
    [second] = await listed(storage, "songs")
    await storage.delete(KEY, second.version)
    await storage.delete(KEY, second.version)
    assert await storage.find(KEY) is None


@pytest.mark.parametrize("shelf", ["..", "songs/..", "Songs", "", "/", "songs/a"])
async def test_a_shelf_of_another_form_is_refused(storage: Storage, shelf: str) -> None:
    with pytest.raises(Unavailable, match=r"storage\.unavailable"):
        await listed(storage, shelf)


async def test_clearing_touches_no_key(storage: Storage) -> None:
    await storage.clear(time.time() + 60)
    await storage.save(KEY, b"song", "audio/mpeg")
    await storage.clear(time.time() + 60)
    assert await storage.load(KEY) == b"song"
