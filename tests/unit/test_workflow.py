import asyncio
from pathlib import Path

import pytest

from melodify_core.errors import Refused, Rejected, Unavailable
from melodify_core.models import (
    Stage,
)
from melodify_core.workshop import Workshop
from tests.fakes import FarPlayer, Line, LinkingFolder


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
    assert line.files() == {"1.jpg", "1.mid", "1.mp3"}


@pytest.mark.parametrize(
    ("part", "error", "code", "left"),
    [
        ("reader", Refused("provider.refused"), "provider.refused", set()),
        ("desk", Rejected("discord.forbidden"), "discord.forbidden", set()),
        # These were nobody's fault who asked: `melodify jobs retry` needs the picture.
        ("player", Unavailable("provider.unavailable"), "provider.unavailable", {"1.jpg"}),
        ("player", ZeroDivisionError("a bug"), "internal", {"1.jpg"}),
    ],
)
async def test_a_failure_is_refunded_apologised_for_and_leaves_at_most_the_picture(
    line: Line, part: str, error: BaseException, code: str, left: set[str]
) -> None:
    getattr(line, part).error = error
    await line.run()
    assert line.desk.songs == []
    assert line.desk.apologies == [code]
    assert line.book.lines == ["start 1", "refund 1"]
    assert line.files() == left


async def test_what_the_providers_were_paid_is_noted_and_stands_in_the_song(line: Line) -> None:
    await line.run()
    assert [bill.provider for bill in line.book.bills] == ["reader", "player"]
    assert line.desk.songs[0].dollars == pytest.approx(0.75)


async def test_a_take_that_was_kept_before_a_crash_is_not_paid_again(line: Line) -> None:
    crash = line.desk.error = asyncio.CancelledError()
    with pytest.raises(asyncio.CancelledError):
        await line.run()
    assert crash is not None
    assert line.player.calls == 1
    line.desk.error = None
    await line.run()
    assert line.player.calls == 1
    assert len(line.desk.songs) == 1


async def test_work_done_elsewhere_is_ordered_and_then_collected(line: Line) -> None:
    far = FarPlayer()
    line.player = far
    await line.run()
    assert far.orders == ["1"]
    assert far.calls == 1
    assert line.desk.stages[1:4] == [Stage.COMPOSING, "provisioning", Stage.MASTERING]
    assert len(line.desk.songs) == 1


async def test_a_song_too_large_for_discord_is_given_as_a_link(line: Line) -> None:
    line.desk.largest = 1000
    line.storage = LinkingFolder(line.folder)
    await line.run()
    assert [song.title for song in line.desk.songs] == ["Amber Dusk"]
    assert line.desk.links == ["https://example.org/songs/1.mp3?as=Amber Dusk.mp3"]


async def test_without_links_a_song_too_large_is_apologised_for(line: Line) -> None:
    line.desk.largest = 1000
    await line.run()
    assert line.desk.apologies == ["song.too_large"]
    assert line.book.lines == ["start 1", "refund 1"]


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
