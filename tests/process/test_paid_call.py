"""A real `melodify run`, stopped and killed while it pays for a call that outlasts `drain_s`: the books know each call.

The call lasts three times as long as `drain_s`, as 60 s do with the default of 20: only the scale is another.
"""

import asyncio
import signal
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.discord_server import Discord, little_discord
from tests.pictures import sunset
from tests.process.running import melodify, until
from tests.sounds import chords, wav
from tests.vertex_server import Lyria, vertex_server

TIMES = 10
DRAIN_S = 0.6
CALL_S = 3 * DRAIN_S
PRICE = 0.06
pytestmark = pytest.mark.timeout(400)  # ten starts


@pytest.fixture
async def world() -> AsyncIterator[Discord]:
    async with little_discord() as world:
        yield world


@pytest.fixture
async def lyria() -> AsyncIterator[Lyria]:
    async with vertex_server(wav(chords(1.5))) as lyria:
        lyria.delay_s = CALL_S
        yield lyria


def variables(lyria: Lyria, budget: float = 100.0) -> dict[str, str]:
    free = dict.fromkeys((f"MELODIFY_LIMITS__SONGS_PER_{window}" for window in ("MINUTE", "HOUR", "DAY")), "0")
    return free | {
        "MELODIFY_COMPOSER": "lyria",
        "MELODIFY_LYRIA__DEADLINE_S": str(3 * CALL_S),
        "MELODIFY_VERTEX__PROJECT": "melodify-test",
        "MELODIFY_VERTEX__ENDPOINT": lyria.url,
        "MELODIFY_WORK__DRAIN_S": str(DRAIN_S),
        "MELODIFY_LIMITS__WAITING_PER_USER": "0",
        "MELODIFY_LIMITS__DOLLARS_PER_DAY": str(budget),
    }


def booked(folder: Path) -> list[tuple[float, bool]]:
    """Return the dollars of each call in the books, and whether its bill is known."""
    with closing(sqlite3.connect(folder / "data" / "melodify.db")) as database:
        rows = database.execute("SELECT dollars, billed FROM costs ORDER BY id").fetchall()
    return [(dollars, bool(billed)) for dollars, billed in rows]


async def until_asked(lyria: Lyria, times: int) -> None:
    await until(lambda: len(lyria.asked) == times)


async def test_ten_stops_in_the_middle_of_a_call_pay_for_no_call_twice(
    world: Discord, lyria: Lyria, tmp_path: Path
) -> None:
    for number in range(1, TIMES + 1):
        async with melodify(world, tmp_path, **variables(lyria)) as process:
            await world.connected()
            await world.post_picture(sunset())
            await until_asked(lyria, number)
            process.send_signal(signal.SIGTERM)
            assert await asyncio.wait_for(process.wait(), 40) == 0
        world.sockets.clear()
        assert lyria.made == number
    async with melodify(world, tmp_path, **variables(lyria)) as process:
        await until(lambda: len(world.songs()) == TIMES)
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 40) == 0
    assert len(lyria.asked) == TIMES
    assert booked(tmp_path) == [(PRICE, True)] * TIMES
    assert len(world.songs()) == TIMES


async def test_ten_kills_in_the_middle_of_a_call_leave_each_call_in_the_books(
    world: Discord, lyria: Lyria, tmp_path: Path
) -> None:
    for number in range(1, TIMES + 1):
        async with melodify(world, tmp_path, **variables(lyria)) as process:
            if number == 1:
                await world.connected()
                await world.post_picture(sunset())
            await until_asked(lyria, number)
            assert booked(tmp_path) == [(PRICE, False)] * number
            process.kill()
            await process.wait()
    async with melodify(world, tmp_path, **variables(lyria)) as process:
        await until(world.songs)
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 40) == 0
    assert len(lyria.asked) == TIMES + 1
    assert booked(tmp_path) == [(PRICE, False)] * TIMES + [(PRICE, True)]
    assert len(world.songs()) == 1


async def test_calls_that_were_killed_use_the_budget_up(world: Discord, lyria: Lyria, tmp_path: Path) -> None:
    two_calls = variables(lyria, budget=2 * PRICE + 0.01)
    for number in (1, 2):
        async with melodify(world, tmp_path, **two_calls) as process:
            if number == 1:
                await world.connected()
                await world.post_picture(sunset())
            await until_asked(lyria, number)
            process.kill()
            await process.wait()
    async with melodify(world, tmp_path, **two_calls) as process:
        await until(lambda: any("budget for today is used up" in edit for edit in world.edits))
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 40) == 0
    assert len(lyria.asked) == len(booked(tmp_path)) == 2
    assert world.songs() == []
