"""Several workers on one PostgreSQL: slots, takeover, and a database that goes away for a while."""

import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from melodify_core.bootstrap import Role, open_services
from melodify_core.config.settings import Settings
from melodify_core.errors import Misconfigured
from melodify_core.jobs.workers import SLOTS, DeadWorkerDetector, Slot, executor_id
from tests.discord_server import Discord, little_discord
from tests.process.crash import Proving
from tests.process.workers import all_done

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def engine(postgres_url: str) -> Iterator[sa.Engine]:
    engine = sa.create_engine(postgres_url, pool_size=SLOTS + 5)
    yield engine
    engine.dispose()


@pytest.fixture
async def discord() -> AsyncIterator[Discord]:
    async with little_discord() as world:
        yield world


async def test_a_dead_worker_s_jobs_go_on_in_the_others(postgres_url: str, tmp_path: Path, discord: Discord) -> None:
    proving = Proving(postgres_url, tmp_path, discord)
    workers = [await proving.start([], stays=True) for _ in range(2)]
    for worker in workers:
        await proving.until_ready(worker, len(workers))
    dying = await proving.start(proving.orders(8), stays=True)
    workers.append(dying)
    await proving.until_ready(dying, 3)
    dying.send_signal(signal.SIGKILL)
    try:
        await all_done(postgres_url, 8)
    finally:
        for worker in workers:
            if worker.returncode is None:
                worker.kill()
            await worker.wait()
    result = proving.settle()
    assert result.jobs == result.songs + result.apologies == 8
    assert result.lost == result.doubled == result.unsettled == []


def test_workers_take_the_lowest_free_slot_and_give_it_back(engine: sa.Engine) -> None:
    first, second = Slot.take(engine), Slot.take(engine)
    assert (first.number, second.number) == (0, 1)
    assert first.hold()
    first.release()
    third = Slot.take(engine)
    assert third.number == 0
    assert not first.hold()
    for slot in (second, third):
        slot.release()


def test_when_all_slots_are_taken_a_worker_says_so(engine: sa.Engine) -> None:
    slots = [Slot.take(engine) for _ in range(SLOTS)]
    with pytest.raises(Misconfigured, match="worker slots"):
        Slot.take(engine)
    for slot in slots:
        slot.release()


def test_a_worker_is_dead_when_its_slot_was_free_twice_some_time_apart(engine: sa.Engine) -> None:
    slot = Slot.take(engine)
    watch, owners = DeadWorkerDetector(engine, mine=5, apart_s=15.0), {slot.name, executor_id(5), "local"}
    assert watch.dead(owners, 100.0) == []
    slot.release()
    assert watch.dead(owners, 101.0) == []
    assert watch.dead(owners, 110.0) == []
    again = Slot.take(engine)
    assert watch.dead(owners, 117.0) == []  # it came back: the count begins anew
    again.release()
    assert watch.dead(owners, 118.0) == []
    assert watch.dead(owners, 134.0) == [0]


async def test_sqlite_serves_one_process_only(tmp_path: Path) -> None:
    settings = Settings.model_validate({"database": {"url": f"sqlite:///{tmp_path}/melodify.db"}})
    for role in (Role(works=False), Role(serves=False)):
        with pytest.raises(Misconfigured, match="need PostgreSQL"):
            async with open_services(settings, None, role=role):  # type: ignore[arg-type]  # never gets that far
                pytest.fail("opened")
