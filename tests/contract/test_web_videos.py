"""Videos of song pages: what starts one, for whom none is made, and what is not tried again."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest
from aiohttp import ClientSession

from bot.web import videos as videos_module
from melodify_core.errors import Unavailable
from melodify_core.library import Library, Songbook, connect, upgrade
from melodify_core.media.worker_pool import WorkerPool
from melodify_core.services import songs as songs_module
from melodify_core.services.songs import SongService
from melodify_core.storage.folder import FolderStorage
from tests.contract.web_pages import MemoryPages, serve, song_of, web_settings
from tests.jobs import POSTED, a_job, a_song
from tests.pictures import sunset
from tests.sounds import chords, wav

JOBS = ("1", "2", "3")


class Held(FolderStorage):
    """A folder that gives out songs only after a signal, and notes each that a video is begun for."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.free = asyncio.Event()
        self.begun: list[str] = []
        self.full = False

    async def load(self, key: str) -> bytes:
        if key.endswith(".mp3"):
            self.begun.append(key)
            await self.free.wait()
        return await super().load(key)

    async def save(self, key: str, data: bytes, content_type: str, labels: Mapping[str, str] | None = None) -> None:
        if self.full:
            raise Unavailable("storage.unavailable")
        await super().save(key, data, content_type, labels)


@dataclass
class Stage:
    """Pages of three songs without a video."""

    web: ClientSession
    storage: Held
    url: str = ""
    pages: MemoryPages = field(default_factory=MemoryPages)
    now: float = 0.0

    def video(self, job_id: str = "1") -> str:
        """Return the address of the video of a new page of the song."""
        song = song_of(job_id=job_id, picture_key=f"pictures/{job_id}.jpg", audio_key=f"songs/{job_id}.mp3")
        return f"{self.url}/s/{self.pages.add(song=song, picture_key=song.picture_key)}/song.mp4"

    async def status(self, url: str, method: str = "GET") -> int:
        """Ask, read the answer and return its status."""
        async with self.web.request(method, url) as answer:
            await answer.read()
            return answer.status

    def begin(self, url: str) -> "asyncio.Task[int]":
        """Return the request of a visitor who may leave."""
        return asyncio.create_task(self.status(url))

    async def begun(self, count: int) -> None:
        """Wait until so many videos were begun."""
        async with asyncio.timeout(10):
            while len(self.storage.begun) < count:
                await asyncio.sleep(0.01)


@pytest.fixture
def songbook(tmp_path: Path) -> Iterator[Songbook]:
    engine = connect(f"sqlite:///{tmp_path}/melodify.db")
    upgrade(engine)
    library = Library(engine)
    for job_id in JOBS:
        with library.transaction() as connection:
            library.reserve(connection, a_job(job_id), time.time())
        library.record_song(a_job(job_id), a_song(job_id), POSTED, time.time())
    yield Songbook(engine)
    engine.dispose()


@asynccontextmanager
async def staged(songbook: Songbook, pool: WorkerPool, folder: Path, **fields: int) -> AsyncIterator[Stage]:
    storage = Held(folder / "files")
    for job_id in JOBS:
        await storage.save(f"pictures/{job_id}.jpg", sunset(), "image/jpeg")
        await storage.save(f"songs/{job_id}.mp3", wav(chords(1)), "audio/wav")
    async with ClientSession(timeout=aiohttp.ClientTimeout(30)) as web:
        stage = Stage(web, storage)
        songs = SongService(songbook, storage, pool, clock=lambda: stage.now)
        async with serve(stage.pages, storage, web_settings(**fields), songs) as stage.url:
            yield stage


@pytest.fixture
async def here(songbook: Songbook, pool: WorkerPool, tmp_path: Path) -> AsyncIterator[Stage]:
    async with staged(songbook, pool, tmp_path) as stage:
        yield stage


async def gone(visitor: "asyncio.Task[int]") -> None:
    """Make the visitor leave, and wait until the server can know."""
    visitor.cancel()
    await asyncio.wait({visitor})
    await asyncio.sleep(0.2)


async def test_a_head_announces_a_video_and_makes_none(here: Stage) -> None:
    here.storage.free.set()
    url = here.video()
    async with here.web.head(url) as answer:
        assert (answer.status, answer.content_type) == (200, "video/mp4")
        assert (answer.headers["Accept-Ranges"], await answer.read()) == ("bytes", b"")
        assert "Content-Length" not in answer.headers
    assert here.storage.begun == []
    async with here.web.get(url) as answer:
        video = await answer.read()
    async with here.web.head(url) as answer:
        assert (answer.status, answer.headers["Content-Length"]) == (200, str(len(video)))


async def test_for_a_visitor_who_left_before_the_turn_none_is_made(here: Stage) -> None:
    first = here.begin(here.video("1"))
    await here.begun(1)
    leaving, staying = here.begin(here.video("2")), here.begin(here.video("3"))
    await asyncio.sleep(0.2)
    await gone(leaving)
    here.storage.free.set()
    assert (await first, await staying) == (200, 200)
    assert here.storage.begun == ["songs/1.mp3", "songs/3.mp3"]
    assert await here.storage.find("songs/2.mp4") is None


async def test_a_video_that_was_begun_is_kept_though_its_visitor_left_and_the_next_waits_for_its_end(
    here: Stage,
) -> None:
    leaving = here.begin(here.video("1"))
    await here.begun(1)
    await gone(leaving)
    following = here.begin(here.video("2"))
    await asyncio.sleep(0.2)
    assert here.storage.begun == ["songs/1.mp3"]
    here.storage.free.set()
    assert await following == 200
    assert await here.storage.find("songs/1.mp4") is not None
    assert await here.status(here.video("1")) == 200
    assert here.storage.begun == ["songs/1.mp3", "songs/2.mp3"]


async def test_a_video_that_nobody_waits_for_any_more_is_broken_off(
    here: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(videos_module, "LEFT_S", 0.3)
    leaving = here.begin(here.video("1"))
    await here.begun(1)
    following = here.begin(here.video("2"))
    await gone(leaving)
    await here.begun(2)
    here.storage.free.set()
    assert await following == 200
    assert await here.storage.find("songs/1.mp4") is None
    assert await here.status(here.video("1")) == 200


async def test_a_video_is_finished_for_a_visitor_who_comes_back(here: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(videos_module, "LEFT_S", 0.3)
    leaving = here.begin(here.video("1"))
    await here.begun(1)
    await gone(leaving)
    again = here.begin(here.video("1"))
    await asyncio.sleep(0.5)
    here.storage.free.set()
    assert await again == 200
    assert here.storage.begun == ["songs/1.mp3"]


async def test_a_video_that_is_too_large_is_tried_once_an_hour(here: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(songs_module, "SMALL_VIDEO", 1000)
    here.storage.free.set()
    url = here.video()
    assert [await here.status(url, method) for method in ("GET", "GET", "HEAD", "GET")] == [404] * 4
    assert here.storage.begun == ["songs/1.mp3"]
    here.now += 3601
    assert await here.status(url) == 404
    assert here.storage.begun == ["songs/1.mp3"] * 2


async def test_a_video_whose_picture_is_gone_is_not_looked_for_again(here: Stage) -> None:
    here.storage.free.set()
    await here.storage.delete("pictures/1.jpg")
    url = here.video()
    assert await here.status(url) == 404
    await here.storage.save("pictures/1.jpg", sunset(), "image/jpeg")
    assert await here.status(url) == 404
    here.now += 3601
    assert await here.status(url) == 200


async def test_a_video_that_cannot_be_made_is_not_tried_at_each_request(here: Stage) -> None:
    here.storage.free.set()
    await here.storage.save("pictures/1.jpg", b"no picture", "image/jpeg")
    url = here.video()
    assert [await here.status(url) for _ in range(3)] == [503] * 3
    assert here.storage.begun == ["songs/1.mp3"]


async def test_a_video_that_could_not_be_stored_is_made_again_after_a_while(here: Stage) -> None:
    here.storage.free.set()
    here.storage.full = True
    url = here.video()
    assert [await here.status(url) for _ in range(3)] == [503] * 3
    assert here.storage.begun == ["songs/1.mp3"]
    here.storage.full, here.now = False, here.now + 31
    assert await here.status(url) == 200


async def test_whoever_waits_for_a_video_takes_a_place_among_the_streams(
    songbook: Songbook, pool: WorkerPool, tmp_path: Path
) -> None:
    async with staged(songbook, pool, tmp_path, streams_per_address=2) as here:
        waiting = [here.begin(here.video(job_id)) for job_id in ("1", "2")]
        await asyncio.sleep(0.2)
        assert await here.status(here.video("3")) == 429
        here.storage.free.set()
        assert [await visitor for visitor in waiting] == [200, 200]


async def test_a_stop_breaks_off_a_video(songbook: Songbook, pool: WorkerPool, tmp_path: Path) -> None:
    async with staged(songbook, pool, tmp_path) as here:
        leaving = here.begin(here.video("1"))
        await here.begun(1)
        await gone(leaving)
    assert not [task for task in asyncio.all_tasks() if task.get_name() == "video of a page"]
