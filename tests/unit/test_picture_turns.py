import asyncio

import pytest

from melodify_core.errors import Rejected
from melodify_core.usage.picture_turns import PictureTurns


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


async def test_a_member_s_pictures_are_opened_one_after_the_other_and_others_go_on() -> None:
    turns, order, go_on = PictureTurns(0), list[str](), asyncio.Event()

    async def open_one(user_id: int, name: str) -> None:
        async with turns.turn(user_id):
            order.append(name)
            if name == "first":
                await go_on.wait()

    own = [asyncio.create_task(open_one(1, name)) for name in ("first", "second", "third")]
    await asyncio.wait_for(open_one(2, "another's"), 5)
    assert order == ["first", "another's"]
    go_on.set()
    await asyncio.gather(*own)
    assert order == ["first", "another's", "second", "third"]


async def test_a_turn_that_is_cancelled_or_fails_is_over() -> None:
    turns = PictureTurns(0)
    with pytest.raises(ValueError, match="no"):
        async with turns.turn(1):
            raise ValueError("no")
    async with turns.turn(1):
        waiting = asyncio.create_task(_enter(turns, 1))
        await asyncio.sleep(0)
        waiting.cancel()
    await asyncio.wait_for(_enter(turns, 1), 5)


async def test_after_several_refused_pictures_the_next_one_waits_for_the_minute_s_end() -> None:
    clock = Clock()
    turns = PictureTurns(3, clock=clock)
    for _ in range(3):
        await _enter(turns, 1)
        turns.count(1, 0.1, refused=True)
        clock.now += 10
    with pytest.raises(Rejected) as caught:
        await _enter(turns, 1)
    assert (caught.value.code, caught.value.values) == ("limit.pictures", {"retry_at": 1061})
    await _enter(turns, 2)
    clock.now = 1061
    await _enter(turns, 1)


async def test_a_slow_picture_counts_by_its_seconds_and_a_quick_one_not_at_all() -> None:
    turns = PictureTurns(3)
    for _ in range(20):
        turns.count(1, 1.9, refused=False)
    turns.count(1, 5.0, refused=False)
    await _enter(turns, 1)
    turns.count(1, 0.0, refused=True)
    with pytest.raises(Rejected):
        await _enter(turns, 1)


@pytest.mark.parametrize("turns", [PictureTurns(0), PictureTurns(1, {1})], ids=["no limit", "exempt"])
async def test_no_limit_is_none(turns: PictureTurns) -> None:
    for _ in range(9):
        turns.count(1, 30.0, refused=True)
        await _enter(turns, 1)


async def test_members_are_forgotten_when_there_are_many() -> None:
    clock = Clock()
    turns = PictureTurns(2, clock=clock)
    for user_id in range(5000):
        turns.count(user_id, 0.0, refused=True)
        clock.now += 1
    await _enter(turns, 9000)
    assert len(turns._members) < 100


async def _enter(turns: PictureTurns, user_id: int) -> None:
    async with turns.turn(user_id):
        pass
