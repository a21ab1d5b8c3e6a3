"""What only the folder has: a disk, links, permissions."""

import asyncio
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from melodify_core.errors import Misconfigured, Unavailable
from melodify_core.models import Stored
from melodify_core.storage.folder import FolderStorage
from tests.contract.storage_keys import HOSTILE

KEY = "songs/123.mp3"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "files"


def files_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir())


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
        for attempt in (FolderStorage(folder).load(key), FolderStorage(folder).find(key)):
            with pytest.raises(Unavailable):
                await asyncio.wait_for(attempt, 5)


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
    assert (await storage.load(KEY), await storage.find(KEY)) == (b"old", Stored("audio/mpeg", 3))


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


async def test_clearing_with_a_time_takes_what_was_cut_off_before_it(folder: Path) -> None:
    storage = FolderStorage(folder)
    await storage.save(KEY, b"song", "audio/mpeg")
    for name, age_s in {"songs/.new.tmp": 10, "songs/.old.tmp": 90, ".old.tmp": 90}.items():
        (folder / name).touch()
        os.utime(folder / name, (time.time() - age_s,) * 2)
    await storage.clear(time.time() - 60)
    assert files_in(folder) == ["songs/.123.mp3.type", "songs/.new.tmp", KEY]


async def test_a_type_whose_key_is_gone_is_listed_and_deleted_and_nothing_else_is(folder: Path, tmp_path: Path) -> None:
    storage = FolderStorage(folder)
    for key in (KEY, "songs/1.mp3"):
        await storage.save(key, b"song", "audio/mpeg")
    (folder / "songs" / "1.mp3").unlink()
    (folder / "songs" / ".cut.tmp").touch()
    (folder / "songs" / "not ours.txt").touch()
    (folder / "songs" / "link").symlink_to(tmp_path / "elsewhere")
    (folder / "songs" / "folder").mkdir()
    found = {filed.key: filed async for page in storage.listed("songs") for filed in page}
    assert sorted(found) == ["songs/1.mp3", KEY]
    # Saved again, the type alone is no version of it any more.
    await storage.save("songs/1.mp3", b"again", "audio/mpeg")
    await storage.delete("songs/1.mp3", found["songs/1.mp3"].version)
    assert await storage.load("songs/1.mp3") == b"again"
    (folder / "songs" / "1.mp3").unlink()
    [alone] = [filed async for page in storage.listed("songs") for filed in page if filed.key != KEY]
    await storage.delete(alone.key, alone.version)
    assert not (folder / "songs" / ".1.mp3.type").exists()


async def test_a_list_that_is_cancelled_closes_its_files_when_its_thread_has_ended(folder: Path) -> None:
    storage = FolderStorage(folder, page=1)
    for number in range(50):
        await storage.save(f"songs/{number}.mp3", b"song", "audio/mpeg")

    async def read() -> None:
        async for _ in storage.listed("songs"):
            pass

    before = len(list(Path("/proc/self/fd").iterdir()))
    for wait_s in (0, 0.001, 0.003, 0.01):
        reading = asyncio.create_task(read())
        await asyncio.sleep(wait_s)
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
    await asyncio.sleep(0.1)
    assert len(list(Path("/proc/self/fd").iterdir())) <= before + 1


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
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(0.001)
            ticks += 1

    ticking = asyncio.create_task(tick())
    await asyncio.gather(*(storage.save(f"songs/{number}", bytes(8_000_000), "audio/wav") for number in range(8)))
    ticking.cancel()
    assert ticks > 8  # were the loop to write, it would turn once a file


async def test_no_descriptor_is_left_open(folder: Path) -> None:
    storage = FolderStorage(folder)
    await storage.check()
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(20):
        await storage.save(KEY, b"song", "audio/mpeg")
        await storage.load(KEY)
        await storage.find(KEY)
        await storage.delete(KEY)
        with pytest.raises(Unavailable):
            await storage.load(KEY)
    assert len(list(Path("/proc/self/fd").iterdir())) <= before + 1


async def test_a_folder_has_no_links(folder: Path) -> None:
    assert await FolderStorage(folder).link(KEY, "song.mp3") is None
