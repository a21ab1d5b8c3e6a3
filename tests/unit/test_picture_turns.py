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
    await asyncio.sleep(0)  # the first begins; since Python 3.12 wait_for begins at once
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


async def test_pictures_count_by_the_time_they_take() -> None:
    clock = Clock()
    turns = PictureTurns(3, clock=clock)
    turns.count(1, 3.9, refused=False)
    turns.count(1, 0.1, refused=True)
    await _enter(turns, 1)
    clock.now += 20
    turns.count(1, 0.2, refused=False)
    with pytest.raises(Rejected) as caught:
        await _enter(turns, 1)
    assert caught.value.values == {"retry_at": 1061}


async def test_many_pictures_that_are_nearly_slow_count_together() -> None:
    turns = PictureTurns(3)
    for _ in range(3):
        await _enter(turns, 1)
        turns.count(1, 1.9, refused=False)
    turns.count(1, 0.4, refused=False)
    with pytest.raises(Rejected):
        await _enter(turns, 1)


async def test_ordinary_pictures_do_not_count_up_to_a_limit() -> None:
    turns = PictureTurns(6)
    for _ in range(40):
        turns.count(1, 0.25, refused=False)
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


async def test_a_clock_that_is_set_back_keeps_nobody_waiting() -> None:
    clock = Clock()
    turns = PictureTurns(1, clock=clock)
    turns.count(1, 0.0, refused=True)
    clock.now -= 500.0
    async with turns.turn(1):
        pass
