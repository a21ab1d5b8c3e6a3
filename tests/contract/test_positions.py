"""Members who wait see when their position in the queue has changed."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from melodify_core.jobs.queue_positions import LEASE_S, QueuePositions, is_worth_showing
from melodify_core.library import Library, connect, upgrade
from melodify_core.models import Forecast
from tests.fakes import RecordingDelivery
from tests.jobs import a_job


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    engine = connect(f"sqlite:///{tmp_path}/melodify.db")
    upgrade(engine)
    yield Library(engine)
    engine.dispose()


def waits(library: Library, job_id: str, user_id: int, **changes: object) -> None:
    with library.transaction() as connection:
        library.reserve(connection, a_job(job_id, user_id, **changes), time.time())


async def test_a_place_is_told_when_it_has_changed_and_only_then(library: Library) -> None:
    delivery = RecordingDelivery()
    positions = QueuePositions(library, cast("Any", delivery), 2)
    for number in range(1, 5):
        waits(library, str(number), number)
    await positions.show()
    await positions.show()
    assert delivery.positions == []
    library.start("1", time.time())
    await positions.show()
    assert delivery.positions == [("2", 1), ("3", 2), ("4", 3)]
    await positions.show()
    assert len(delivery.positions) == 3


async def test_a_first_song_goes_before_a_second_and_both_are_told(library: Library) -> None:
    delivery = RecordingDelivery()
    positions = QueuePositions(library, cast("Any", delivery), 2)
    waits(library, "1", 1)
    waits(library, "2", 1)
    await positions.show()
    waits(library, "3", 2)
    assert library.outlook("3")[0] == 2
    assert library.outlook("2")[0] == 3
    await positions.show()
    assert delivery.positions == [("2", 3)]


async def test_whoever_waits_keeps_the_way_to_the_page(library: Library) -> None:
    delivery = RecordingDelivery()
    positions = QueuePositions(library, cast("Any", delivery), 2)
    for job_id, page_id in (("1", None), ("2", "p" * 22), ("3", None)):
        waits(library, job_id, int(job_id), page_id=page_id)
    await positions.show()
    library.start("1", time.time())
    await positions.show()
    assert (delivery.positions, delivery.pages) == ([("2", 1), ("3", 2)], ["p" * 22, None])


async def test_of_several_processes_one_tells_all_and_another_goes_on_when_it_is_gone(library: Library) -> None:
    now = time.time()
    deliveries = RecordingDelivery(), RecordingDelivery()
    one, other = (QueuePositions(library, cast("Any", delivery), 2, lambda: now) for delivery in deliveries)
    for number in range(1, 6):
        waits(library, str(number), number)
    for started in ("1", "2"):
        for positions in (one, other):
            await positions.show()
        library.start(started, time.time())
    for positions in (one, other):
        await positions.show()
    assert deliveries[0].positions == [("2", 1), ("3", 2), ("4", 3), ("5", 4), ("3", 1), ("4", 2), ("5", 3)]
    assert deliveries[1].positions == []
    library.start("3", time.time())
    now += LEASE_S + 1
    await other.show()
    await one.show()
    assert deliveries[1].positions == [("4", 1), ("5", 2)]
    assert len(deliveries[0].positions) == 7


async def test_a_round_that_takes_long_keeps_the_others_out_and_tells_nobody_who_has_begun(library: Library) -> None:
    now, late = time.time(), RecordingDelivery()

    class Slow(RecordingDelivery):
        async def show_position(self, job_id: str, *args: Any) -> None:
            nonlocal now
            await super().show_position(job_id, *args)
            now += 0.6 * LEASE_S
            library.start("4", now)
            await other.show()

    delivery = Slow()
    one, other = (QueuePositions(library, cast("Any", each), 2, lambda: now) for each in (delivery, late))
    for number in range(1, 6):
        waits(library, str(number), number)
    for positions in (one, other):
        await positions.show()
    library.start("1", time.time())
    await one.show()
    assert delivery.positions == [("2", 1), ("3", 2), ("5", 4)]
    assert late.positions == []


@pytest.mark.parametrize(
    ("shown", "position", "worth"),
    [(5, 4, True), (4, 4, False), (90, 80, False), (90, 45, True), (11, 6, False), (6, 5, True), (3, 4, True)],
)
def test_far_back_only_a_halving_is_worth_an_edit(shown: int, position: int, *, worth: bool) -> None:
    assert is_worth_showing(shown, position) is worth


@pytest.mark.parametrize(
    ("position", "running", "rounds"),
    [(1, 0, 0), (2, 0, 0), (1, 1, 0), (1, 2, 1), (2, 2, 1), (3, 2, 2), (3, 0, 1), (1, 6, 1), (6, 6, 1), (7, 6, 2)],
)
def test_a_job_starts_when_as_many_have_ended_as_are_before_it(position: int, running: int, rounds: int) -> None:
    before = time.time()
    forecast = Forecast.at(position, 100.0, running, 2)
    assert forecast.starts_at is not None
    assert (forecast.starts_at - before) // 50 in (rounds * 2 - 1, rounds * 2)  # whole seconds, rounded down
    assert Forecast.at(position, None, running, 2).starts_at is None
