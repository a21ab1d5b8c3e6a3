"""What is done with finished songs while several ask at once."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from melodify_core.errors import Rejected
from melodify_core.library import Library, Songbook, connect, upgrade
from melodify_core.media.worker_pool import WorkerPool
from melodify_core.models import Entry
from melodify_core.services.songs import SongService
from melodify_core.storage.folder import FolderStorage
from tests.jobs import POSTED, a_job, a_song
from tests.pictures import sunset
from tests.sounds import chords, wav


class Held(FolderStorage):
    """A folder that loads songs only after a signal, and counts the callers that wait."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.free = asyncio.Event()
        self.waiting = 0
        self.most = 0

    async def load(self, key: str) -> bytes:
        if key == "songs/1.mp3":
            self.waiting += 1
            self.most = max(self.most, self.waiting)
            try:
                await self.free.wait()
            finally:
                self.waiting -= 1
        return await super().load(key)


@pytest.fixture
def songbook(tmp_path: Path) -> Iterator[Songbook]:
    engine = connect(f"sqlite:///{tmp_path}/melodify.db")
    upgrade(engine)
    library = Library(engine)
    with library.transaction() as connection:
        library.reserve(connection, a_job("1"), time.time())
    library.record_song(a_job("1"), a_song("1"), POSTED, time.time())
    yield Songbook(engine)
    engine.dispose()


async def asked_for(songs: SongService, entry: Entry) -> "asyncio.Task[object]":
    """Return the request for the video, which has come as far as it can."""
    task = asyncio.create_task(songs.video(entry, 10 << 20))
    await asyncio.sleep(0.2)
    return task


@pytest.mark.parametrize("gone", [0, 1], ids=["the one who videos", "one who waits"])
async def test_one_video_is_made_at_a_time_whoever_goes_away(
    songbook: Songbook, pool: WorkerPool, tmp_path: Path, gone: int
) -> None:
    storage = Held(tmp_path / "files")
    await storage.save("pictures/1.jpg", sunset(), "image/jpeg")
    await storage.save("songs/1.mp3", wav(chords(1)), "audio/wav")
    songs = SongService(songbook, storage, pool)
    entry = await songs.entry("1", 1)
    first = [await asked_for(songs, entry) for _ in range(3)]
    first[gone].cancel()
    await asyncio.sleep(0.2)
    late = await asked_for(songs, entry)
    assert storage.waiting == 1
    storage.free.set()
    videos = await asyncio.gather(*(task for task in (*first, late) if task is not first[gone]))
    assert storage.most == 1
    assert videos == [await storage.load("songs/1.mp4")] * 3


async def test_a_song_whose_files_are_just_being_deleted_is_gone_and_no_storage_is_blamed(
    songbook: Songbook, pool: WorkerPool, tmp_path: Path
) -> None:
    storage = Held(tmp_path / "files")
    await storage.save("pictures/1.jpg", sunset(), "image/jpeg")
    await storage.save("songs/1.mp3", wav(chords(1)), "audio/wav")
    songs = SongService(songbook, storage, pool)
    video = await asked_for(songs, await songs.entry("1", 1))
    await storage.delete("songs/1.mp3")  # its entry goes last
    storage.free.set()
    with pytest.raises(Rejected, match=r"song\.gone"):
        await video
