"""What every storage promises, run on each adapter, and what only the folder has: a disk, links, permissions."""

import asyncio
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Protocol

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from melodify_core.errors import Misconfigured, Unavailable
from melodify_core.ports import Storage
from melodify_core.storage.folder import FolderStorage

KEY = "songs/123.mp3"


class TypedStorage(Storage, Protocol):
    """Every adapter can also say what type a key was saved with; only the tests and the song page ask."""

    async def content_type(self, key: str) -> str: ...


# --- the contract: add an adapter by its name here and in the fixture -----------------------------------------------


@pytest.fixture(params=["folder"])
async def storage(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[TypedStorage]:
    match request.param:
        case "folder":
            yield FolderStorage(tmp_path / "files")
        case other:
            raise LookupError(other)


@pytest.mark.parametrize("data", [b"", b"\0\r\n\xff", os.urandom(3 * 1024 * 1024)], ids=["empty", "bytes", "3 MiB"])
async def test_what_was_saved_is_loaded(storage: TypedStorage, data: bytes) -> None:
    await storage.save(KEY, data, "audio/mpeg")
    assert await storage.load(KEY) == data


async def test_the_content_type_is_kept(storage: TypedStorage) -> None:
    await storage.save("takes/1", b"RIFF", "audio/x-wav")
    assert await storage.content_type("takes/1") == "audio/x-wav"


async def test_a_second_save_replaces_the_first_with_its_type(storage: TypedStorage) -> None:
    await storage.save(KEY, b"a longer first", "audio/wav")
    await storage.save(KEY, b"second", "audio/mpeg")
    assert await storage.load(KEY) == b"second"
    assert await storage.content_type(KEY) == "audio/mpeg"


async def test_keys_do_not_share_their_bytes(storage: TypedStorage) -> None:
    keys = ["songs/1.mp3", "songs/1", "songs/11.mp3", "pictures/1.mp3", "songs/1.mp3.type"]
    for key in keys:
        await storage.save(key, key.encode(), "audio/mpeg")
    assert [await storage.load(key) for key in keys] == [key.encode() for key in keys]


async def test_a_key_that_is_not_there_is_unavailable(storage: TypedStorage) -> None:
    with pytest.raises(Unavailable, match=r"storage\.unavailable"):
        await storage.load(KEY)
    with pytest.raises(Unavailable, match=r"storage\.unavailable"):
        await storage.content_type(KEY)


async def test_a_deleted_key_is_gone_and_may_be_deleted_again(storage: TypedStorage) -> None:
    await storage.delete(KEY)
    await storage.save(KEY, b"song", "audio/mpeg")
    await storage.delete(KEY)
    await storage.delete(KEY)
    with pytest.raises(Unavailable):
        await storage.load(KEY)


async def test_concurrent_saves_of_one_key_leave_one_of_them_whole(storage: TypedStorage) -> None:
    bodies = [bytes([number]) * (100_000 + number) for number in range(12)]
    await asyncio.gather(*(storage.save(KEY, body, f"audio/{body[0]}") for body in bodies))
    kept = await storage.load(KEY)
    assert kept in bodies
    assert await storage.content_type(KEY) == f"audio/{kept[0]}"


async def test_a_reader_never_sees_half_a_save(storage: TypedStorage) -> None:
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


# --- the folder -----------------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "files"


def files_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir())


HOSTILE = [
    "../secret",
    "songs/../../secret",
    "songs/..",
    "songs/.",
    "songs/",
    "/etc/passwd",
    "songs//x",
    "songs/a/b",
    "songs\\..\\x",
    "songs/.x.type",
    "songs/x\0",
    "songs/x\n",
    "Songs/x",
    "songs",
    "",
    "songs/" + "x" * 129,
    "songs/가",
    "songs/%2e%2e",
    "songs/\udc80",
]


@pytest.mark.parametrize("key", HOSTILE)
async def test_a_key_of_another_form_is_refused_and_touches_nothing(folder: Path, key: str) -> None:
    storage = FolderStorage(folder)
    for attempt in (storage.save(key, b"x", "text/plain"), storage.load(key), storage.delete(key)):
        with pytest.raises(Unavailable):
            await attempt
    assert not folder.exists()


@given(key=st.one_of(st.text(max_size=40), st.from_regex(r"\A[a-z]{0,3}/[./a-z~\\-]{0,12}\Z")))
@settings(max_examples=150, deadline=None)
def test_no_key_at_all_writes_outside_the_folder(tmp_path_factory: pytest.TempPathFactory, key: str) -> None:
    outer = tmp_path_factory.mktemp("outer")
    storage = FolderStorage(outer / "files")
    try:
        asyncio.run(storage.save(key, b"data", "text/plain"))
    except Unavailable:
        assert files_in(outer) == []
        return
    shelf, name = key.split("/")
    assert files_in(outer) == sorted([f"files/{key}", f"files/{shelf}/.{name}.type"])
    assert asyncio.run(storage.load(key)) == b"data"


async def test_a_link_in_the_place_of_a_shelf_leads_nowhere(tmp_path: Path, folder: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "123.mp3").write_bytes(b"secret")
    folder.mkdir()
    (folder / "songs").symlink_to(outside)
    storage = FolderStorage(folder)
    await storage.check()
    for attempt in (storage.load(KEY), storage.save(KEY, b"mine", "audio/mpeg"), storage.delete(KEY)):
        with pytest.raises(Unavailable):
            await attempt
    assert (outside / "123.mp3").read_bytes() == b"secret"
    assert files_in(outside) == ["123.mp3"]


async def test_a_link_in_the_place_of_a_file_is_not_read_and_is_replaced(tmp_path: Path, folder: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"secret")
    (folder / "songs").mkdir(parents=True)
    (folder / KEY).symlink_to(secret)
    storage = FolderStorage(folder)
    with pytest.raises(Unavailable):
        await storage.load(KEY)
    await storage.save(KEY, b"mine", "audio/mpeg")
    assert await storage.load(KEY) == b"mine"
    assert secret.read_bytes() == b"secret"


async def test_a_pipe_or_a_folder_in_the_place_of_a_file_does_not_hang(folder: Path) -> None:
    (folder / "songs" / "folder").mkdir(parents=True)
    os.mkfifo(folder / "songs" / "pipe")
    for key in ("songs/folder", "songs/pipe"):
        with pytest.raises(Unavailable):
            await asyncio.wait_for(FolderStorage(folder).load(key), 5)


async def test_files_are_for_their_owner_only(folder: Path) -> None:
    before = os.umask(0)
    try:
        await FolderStorage(folder).save(KEY, b"song", "audio/mpeg")
    finally:
        os.umask(before)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in [folder, *folder.rglob("*")]}
    assert modes == {"files": 0o700, "songs": 0o700, "123.mp3": 0o600, ".123.mp3.type": 0o600}


@pytest.mark.parametrize("place", ["itself", "parent", "shelf"])
async def test_a_file_in_the_place_of_a_folder_makes_saving_unavailable(folder: Path, place: str) -> None:
    blocked = {"itself": folder, "parent": folder.parent / "file", "shelf": folder / "songs"}[place]
    blocked.parent.mkdir(exist_ok=True)
    blocked.write_bytes(b"in the way")
    storage = FolderStorage(blocked / "files" if place == "parent" else folder)
    with pytest.raises(Unavailable):
        await storage.save(KEY, b"song", "audio/mpeg")
    assert blocked.read_bytes() == b"in the way"


FULL_DISK = """
import asyncio, resource, sys
from pathlib import Path
from melodify_core.errors import Unavailable
from melodify_core.storage.folder import FolderStorage
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
try:
    asyncio.run(FolderStorage(Path(sys.argv[1])).save("songs/123.mp3", bytes(100_000), "audio/wav"))
except Unavailable as error:
    print(error)
"""


async def test_a_save_that_the_disk_cuts_short_leaves_the_old_file_and_nothing_else(folder: Path) -> None:
    storage = FolderStorage(folder)
    await storage.save(KEY, b"old", "audio/mpeg")
    # A limit on the size of files cuts the write short in the kernel, as a full disk does, and binds root too.
    run = subprocess.run([sys.executable, "-c", FULL_DISK, folder], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "storage.unavailable"
    assert files_in(folder) == ["songs/.123.mp3.type", KEY]
    assert (await storage.load(KEY), await storage.content_type(KEY)) == (b"old", "audio/mpeg")


SAVE_FOR_EVER = """
import asyncio, itertools, sys
from pathlib import Path
from melodify_core.storage.folder import FolderStorage
async def run():
    storage = FolderStorage(Path(sys.argv[1]))
    for number in itertools.count():
        await storage.save("songs/123.mp3", bytes([number % 256]) * 2_000_000, "audio/mpeg")
        print("saved", flush=True)
asyncio.run(run())
"""


async def test_a_killed_process_leaves_a_whole_file_and_no_more_than_clearing_removes(folder: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", SAVE_FOR_EVER, folder], stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        unfinished: list[Path] = []
        while not unfinished:  # kill it in the middle of a write
            unfinished = list(folder.glob("songs/*.tmp"))
        process.send_signal(signal.SIGKILL)
    storage = FolderStorage(folder)
    kept = await storage.load(KEY)
    assert kept == bytes([kept[0]]) * 2_000_000
    for path in folder.glob("songs/.*.tmp"):
        os.utime(path, (0, 0))
    await storage.check()
    assert files_in(folder) == ["songs/.123.mp3.type", KEY]


async def test_clearing_spares_what_is_young_or_not_ours(folder: Path) -> None:
    storage = FolderStorage(folder)
    await storage.save("songs/x.tmp", b"a song with an odd name", "audio/mpeg")
    minutes, hours = time.time() - 50 * 60, time.time() - 70 * 60
    for name, touched in {"songs/.new.tmp": minutes, "songs/.old.tmp": hours, ".old.tmp": hours}.items():
        (folder / name).touch()
        os.utime(folder / name, (touched, touched))
    os.utime(folder / "songs/x.tmp", (0, 0))
    await storage.check()
    assert files_in(folder) == ["songs/.new.tmp", "songs/.x.tmp.type", "songs/x.tmp"]


async def test_checking_makes_the_folder_and_leaves_it_empty(folder: Path) -> None:
    await FolderStorage(folder / "deep" / "er").check()
    assert list((folder / "deep" / "er").iterdir()) == []


@pytest.mark.parametrize("path", ["file", "file/below", "/proc/melodify", "/sys/kernel"])
async def test_a_folder_that_cannot_be_made_or_written_names_its_setting(tmp_path: Path, path: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Misconfigured, match=r"^folder\.path: .+ cannot be written \(.+\)\.$"):
        await FolderStorage(tmp_path / path).check()


READ_ONLY = """
import asyncio, concurrent.futures.thread, os, sys
from pathlib import Path
from melodify_core.errors import Misconfigured, Unavailable
from melodify_core.storage.folder import FolderStorage
os.chdir(sys.argv[1])
if os.getuid() == 0:
    try:
        os.setgid(65534)
        os.setuid(65534)
    except PermissionError:
        pass  # a root without capabilities: permissions bind it
async def run():
    storage = FolderStorage(Path("."))
    key = "songs/123.mp3"
    for attempt in (storage.save(key, b"x", "audio/mpeg"), storage.delete(key), storage.check()):
        try:
            await attempt
        except (Unavailable, Misconfigured) as error:
            print(type(error).__name__)
asyncio.run(run())
"""


async def test_a_plain_user_without_the_right_to_write_is_told_so(folder: Path) -> None:
    await FolderStorage(folder).save(KEY, b"song", "audio/mpeg")
    for path in (folder, folder / "songs"):
        path.chmod(0o555)
    # The child gives up root when it has it: permissions do not bind root.
    command = [sys.executable, "-c", READ_ONLY, str(folder)]
    # It is not measured for coverage: the measurement would want to write as well.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    for path in (folder, folder / "songs"):
        path.chmod(0o700)
    assert (run.stdout.split(), run.stderr) == (["Unavailable", "Unavailable", "Misconfigured"], "")
    assert files_in(folder) == ["songs/.123.mp3.type", KEY]


async def test_file_work_leaves_the_event_loop_free(folder: Path) -> None:
    storage = FolderStorage(folder)
    longest, last = 0.0, time.monotonic()

    async def tick() -> None:
        nonlocal longest, last
        while True:
            await asyncio.sleep(0.001)
            longest, last = max(longest, time.monotonic() - last), time.monotonic()

    ticking = asyncio.create_task(tick())
    await asyncio.gather(*(storage.save(f"songs/{number}", bytes(8_000_000), "audio/wav") for number in range(8)))
    ticking.cancel()
    assert longest < 0.25


async def test_no_descriptor_is_left_open(folder: Path) -> None:
    storage = FolderStorage(folder)
    await storage.check()
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(20):
        await storage.save(KEY, b"song", "audio/mpeg")
        await storage.load(KEY)
        await storage.content_type(KEY)
        await storage.delete(KEY)
        with pytest.raises(Unavailable):
            await storage.load(KEY)
    assert len(list(Path("/proc/self/fd").iterdir())) <= before + 1
