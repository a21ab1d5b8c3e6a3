"""Two hundred orders at one moment against a budget for seven songs, with a provider that is slow, fails or hangs."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import grpc
import pytest

from melodify_core.bootstrap import open_services
from melodify_core.config.settings import Lyria, Settings
from melodify_core.errors import Rejected
from melodify_core.media.worker_pool import WorkerPool
from melodify_core.models import Order, Place, Wish
from tests.fakes import RecordingDelivery
from tests.sounds import chords, wav
from tests.stories import a_picture
from tests.vertex_server import Fault, vertex_server

ORDERS = 200
SONGS = 7
PICTURE = a_picture(size=(64, 48))
# What each call meets, and what is posted in the end.
PROVIDERS: dict[str, tuple[Fault | None, int]] = {
    "slow": (None, SONGS),
    "failing": (Fault(grpc.StatusCode.INTERNAL, after=True), 0),
    "hanging": (Fault(), 0),
    "hanging up": (Fault(cut=True), 0),
}


@pytest.mark.slow
@pytest.mark.parametrize(("fault", "songs"), PROVIDERS.values(), ids=PROVIDERS)
async def test_never_more_calls_begin_than_the_budget_pays(
    tmp_path: Path, pool: WorkerPool, fault: Fault | None, songs: int
) -> None:
    async with vertex_server(wav(chords(1.5))) as lyria:
        lyria.delay_s = 0.2
        delivery = RecordingDelivery()
        async with open_services(settings_at(tmp_path, lyria.url), delivery, pool) as services:
            lyria.faults = [fault] * 1000 if fault else []

            async def order(number: int) -> str:
                place = Place(channel_id=10, guild_id=20)
                wish = Wish(seconds=10)
                try:
                    await services.studio.submit(Order(str(number), number, place, PICTURE, wish))
                except Rejected as error:
                    return error.code
                return "accepted"

            told = await asyncio.gather(*map(order, range(1, ORDERS + 1)))
            await services.studio.idle(60)
            # What comes later finds the budget as it is.
            late = [await order(ORDERS + number) for number in (1, 2)]
            await services.studio.idle(60)
            quota = await services.members.quota(1, 20, ())
    assert (told.count("accepted"), told.count("limit.budget")) == (SONGS, ORDERS - SONGS)
    assert late == ["limit.budget"] * 2
    assert len(lyria.asked) <= SONGS
    assert booked(tmp_path) == [0.06] * SONGS
    assert len(delivery.songs) == songs
    assert len(delivery.apologies) == SONGS - songs
    assert quota.refusal is not None
    assert quota.refusal.code == "limit.budget"


def booked(folder: Path) -> list[float]:
    """Return the dollars of each call in the books."""
    with closing(sqlite3.connect(folder / "melodify.db")) as database:
        return [row[0] for row in database.execute("SELECT dollars FROM costs")]


def settings_at(folder: Path, url: str) -> Settings:
    return Settings.model_validate(
        {
            "database": {"url": f"sqlite:///{folder}/melodify.db"},
            "folder": {"path": folder / "files"},
            "composer": "lyria",
            "lyria": {"deadline_s": 1.5, "calls": 4},
            "vertex": {"project": "melodify-test", "endpoint": url},
            "limits": {"dollars_per_day": 0.45, "waiting": 0, "waiting_per_guild": 0},
            "work": {"poll_s": 0.05, "drain_s": 5},
        }
    )


async def test_who_cancels_in_the_middle_of_a_paid_call_has_had_it(tmp_path: Path, pool: WorkerPool) -> None:
    async with vertex_server(wav(chords(1.5))) as lyria:
        lyria.faults = [Fault()]
        settings = settings_at(tmp_path, lyria.url).model_copy(update={"lyria": Lyria(deadline_s=6)})
        async with open_services(settings, RecordingDelivery(), pool) as services:
            await services.studio.submit(Order("1", 7, Place(channel_id=10, guild_id=20), PICTURE, Wish(seconds=10)))
            async with asyncio.timeout(30):
                while not lyria.asked:
                    await asyncio.sleep(0.02)
            await services.studio.cancel("1", 7)
            await services.studio.idle(30)
            quota = await services.members.quota(7, 20, ())
    assert booked(tmp_path) == [0.06]
    assert quota.money.spent == pytest.approx(0.06)
    assert [each.left - each.limit for each in quota.allowances] == [-1] * 3
