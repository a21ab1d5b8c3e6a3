"""Workers killed with SIGKILL, a few times on each database. `make bench-crash` does it some hundred times."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast

import pytest

from tests.discord_server import Discord, little_discord
from tests.process import asking
from tests.process.asking import Asking
from tests.process.asking_discord import AskingDiscord
from tests.process.crash import Proving, prove

pytestmark = pytest.mark.timeout(600)  # many starts, of which each may take its time


@pytest.fixture
async def discord() -> AsyncIterator[Discord]:
    async with little_discord() as world:
        yield world


async def test_no_job_is_lost_doubled_or_paid_twice_by_kills(
    database_url: str, tmp_path: Path, discord: Discord
) -> None:
    proving = Proving(database_url, tmp_path, discord)
    result = await prove(proving, boundaries=0, random_kills=3)
    print(result)
    assert result.kills == 3
    assert result.jobs == result.songs + result.apologies == 6
    assert result.lost == result.doubled == result.repeated == result.unsettled == result.unbooked == []


@pytest.mark.parametrize("boundary", [5, 9, 14, 20])
async def test_a_kill_at_a_boundary_changes_nothing(tmp_path: Path, discord: Discord, boundary: int) -> None:
    proving = Proving(f"sqlite:///{tmp_path}/melodify.db", tmp_path, discord)
    assert await proving.live(boundary=boundary)
    assert not await proving.live()
    result = proving.settle()
    assert result.jobs == result.songs + result.apologies
    # The first song starts at once: the kill may come before the second order is accepted.
    assert result.jobs in (1, 2)
    assert result.lost == result.doubled == result.repeated == result.unsettled == result.unbooked == []


async def test_no_acknowledged_request_is_lost_doubled_or_left_open_by_kills(database_url: str, tmp_path: Path) -> None:
    async with little_discord(AskingDiscord()) as world:
        outcome = await asking.prove(Asking(database_url, tmp_path, cast("AskingDiscord", world)), kills=4)
    print(outcome)
    print((tmp_path / "errors.log").read_text())
    assert outcome.acknowledged > 0
    assert outcome.refused == 0  # also a press comes too early for no song that can be seen
    assert outcome.lost == outcome.doubled == outcome.open_lines == outcome.unsettled == outcome.unbooked == []
