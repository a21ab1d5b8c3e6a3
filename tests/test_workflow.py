import asyncio
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from melodify_core.errors import MelodifyError, Refused, Rejected, Unavailable
from melodify_core.models import Brief, Job, Picture, Posted, RawTake, Song, Stage, Wish
from melodify_core.settings import SongSettings
from melodify_core.storage.folder import FolderStorage
from melodify_core.workflow import Parts, make_song, plain_step
from melodify_core.workshop import Workshop
from tests.jobs import a_job
from tests.pictures import sunset
from tests.sounds import chords, wav
from tests.test_brief import BRIEF


@dataclass
class Reader:
    """A captioner that says one Brief, or fails."""

    error: BaseException | None = None
    name: str = "reader"

    async def caption(self, picture: Picture, wish: Wish) -> Brief:
        del picture, wish
        if self.error is not None:
            raise self.error
        return BRIEF


@dataclass
class Player:
    """A composer that plays one chord, or fails, or takes for ever."""

    error: BaseException | None = None
    for_ever: bool = False
    calls: int = 0
    name: str = "player"

    async def compose(self, job_id: str, brief: Brief, wish: Wish, seed: int) -> RawTake:
        del job_id, brief, wish, seed
        self.calls += 1
        if self.error is not None:
            raise self.error
        if self.for_ever:
            await asyncio.sleep(3600)
        return RawTake(wav(chords(3)), "audio/wav", bpm=90, key="E", mode="minor", instruments=("organ",))


@dataclass
class Desk:
    """A delivery that writes down what it was told."""

    error: BaseException | None = None
    deaf: bool = False
    stages: list[Stage] = field(default_factory=list)
    songs: list[Song] = field(default_factory=list)
    apologies: list[str] = field(default_factory=list)

    async def show_stage(self, job: Job, stage: Stage) -> None:
        del job
        self.stages.append(stage)

    async def deliver(self, job: Job, song: Song, audio: bytes, picture: bytes) -> Posted:
        del job
        assert audio
        assert picture
        if self.error is not None:
            raise self.error
        self.songs.append(song)
        return Posted(channel_id=1, message_id=2)

    async def apologise(self, job: Job, error: MelodifyError) -> None:
        del job
        if self.deaf:
            raise Unavailable("discord.unavailable")
        self.apologies.append(error.code)


@dataclass
class Book:
    """A ledger on paper."""

    lines: list[str] = field(default_factory=list)

    def start(self, job_id: str) -> None:
        self.lines.append(f"start {job_id}")

    def refund(self, job_id: str) -> None:
        self.lines.append(f"refund {job_id}")

    def keep(self, job: Job, song: Song, posted: Posted, now: float) -> None:
        del song, posted, now
        self.lines.append(f"keep {job.job_id}")


@dataclass
class Line:
    """The straight line with all its parts."""

    folder: Path
    workshop: Workshop
    reader: Reader = field(default_factory=Reader)
    player: Player = field(default_factory=Player)
    desk: Desk = field(default_factory=Desk)
    book: Book = field(default_factory=Book)
    song: SongSettings = SongSettings()

    async def run(self) -> None:
        storage = FolderStorage(self.folder)
        await storage.save("pictures/1.jpg", sunset(), "image/jpeg")
        parts = Parts(self.reader, self.player, storage, self.desk, self.book, self.workshop, self.song)
        await make_song(a_job("1"), plain_step, parts)

    def files(self) -> set[str]:
        return {path.name for path in self.folder.rglob("*") if path.is_file() and path.suffix in ("", ".jpg", ".mp3")}


@pytest.fixture
def line(tmp_path: Path, workshop: Workshop) -> Line:
    return Line(tmp_path, workshop)


async def test_a_picture_becomes_a_delivered_song(line: Line) -> None:
    await line.run()
    (song,) = line.desk.songs
    assert (song.title, song.bpm, song.key, song.mode) == ("Amber Dusk", 90, "E", "minor")
    assert song.instruments == ("organ",)
    assert (song.captioner, song.composer) == ("reader", "player")
    assert song.duration_s == pytest.approx(3, abs=0.1)
    assert line.desk.stages == [Stage.LOOKING, Stage.COMPOSING, Stage.MASTERING, Stage.DELIVERING]
    assert line.book.lines == ["start 1", "keep 1"]
    assert line.desk.apologies == []


async def test_picture_and_song_are_kept_and_the_raw_take_is_not(line: Line) -> None:
    await line.run()
    assert line.files() == {"1.jpg", "1.mp3"}


@pytest.mark.parametrize(
    ("part", "error", "code"),
    [
        ("reader", Refused("provider.refused"), "provider.refused"),
        ("player", Unavailable("provider.unavailable"), "provider.unavailable"),
        ("player", ZeroDivisionError("a bug"), "internal"),
        ("desk", Rejected("discord.forbidden"), "discord.forbidden"),
    ],
)
async def test_a_failure_is_refunded_apologised_for_and_leaves_no_file(
    line: Line, part: str, error: BaseException, code: str
) -> None:
    getattr(line, part).error = error
    await line.run()
    assert line.desk.songs == []
    assert line.desk.apologies == [code]
    assert line.book.lines == ["start 1", "refund 1"]
    assert line.files() == set()


async def test_a_composer_that_never_answers_is_given_up(line: Line) -> None:
    line.player.for_ever = True
    line.song = SongSettings(compose_deadline_s=0.1)
    await line.run()
    assert line.desk.apologies == ["provider.too_slow"]


async def test_an_apology_that_cannot_arrive_still_refunds(line: Line) -> None:
    line.reader.error = Refused("provider.refused")
    line.desk.deaf = True
    await line.run()
    assert line.book.lines == ["start 1", "refund 1"]
    assert line.files() == set()


async def test_a_cancelled_job_is_neither_refunded_nor_apologised_for(line: Line) -> None:
    line.player.for_ever = True
    task = asyncio.create_task(line.run())
    async with asyncio.timeout(20):
        while not line.player.calls:
            await asyncio.sleep(0.02)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert line.book.lines == ["start 1"]
    assert line.desk.apologies == []
