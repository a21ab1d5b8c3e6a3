"""Every Discord call of a job fails in every way, over real connections: the job still ends as promised.

The bot's REST client and delivery are real, and so is the studio; Discord is the tests' own server on loopback, and the
providers answer at once.
"""

import itertools
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

import pytest
import sqlalchemy as sa
from discord.http import Route

from bot.cli.worker import rest_client
from bot.posts.delivery import DiscordDelivery
from bot.posts.status_messages import StatusBoard
from melodify_core.bootstrap import Services, open_services
from melodify_core.config.settings import Settings
from melodify_core.library import connect
from melodify_core.library.schema import usage
from melodify_core.media.worker_pool import WorkerPool
from melodify_core.models import Order, Place, Wish
from melodify_core.providers import Providers
from melodify_core.storage.folder import FolderStorage
from tests.discord_server import CHANNEL_ID, DM_ID, GUILD_ID, TOKEN, Discord, Fault, job_of, little_discord
from tests.process.crash_worker import Player, Reader
from tests.stories import a_picture

Kind = int | Literal["cut before", "cut after"]
KINDS: tuple[Kind, ...] = (403, 404, 429, 500, 503, "cut before", "cut after")
CALLS = ("show a stage", "open a thread", "look for an earlier post", "post the song")
LIMITS = dict.fromkeys(("songs_per_minute", "songs_per_hour", "songs_per_day", "waiting_per_user"), 0)
PICTURE = a_picture(size=(64, 48))
_numbers = itertools.count(800_001, 8)  # the player refuses multiples of eight


@dataclass
class Stage:
    """A studio that posts to the loopback Discord."""

    services: Services
    discord: Discord
    url: str

    async def order(self, call: str, kind: Kind, times: int = 1, *, refused: bool = False) -> str:
        """Order a song whose call fails; return its job."""
        job_id = str(next(_numbers) - (1 if refused else 0))
        status = self.discord.status_message(CHANNEL_ID, job_id)["id"]
        method, path = {
            "show a stage": ("PATCH", f"/messages/{status}"),
            "open a thread": ("POST", f"/messages/{status}/threads"),
            "look for an earlier post": ("GET", f"/channels/{status}/messages"),
            "post the song": ("POST", f"/channels/{status}/messages"),
        }[call]
        self.discord.faults.append(Fault(method, path, kind, times))
        place = Place(channel_id=int(CHANNEL_ID), guild_id=int(GUILD_ID), status_id=int(status), threadable=True)
        await self.services.studio.submit(Order(job_id, int(job_id), place, PICTURE, Wish(seconds=10)))
        return job_id

    def songs(self) -> Counter[str]:
        """Return how often each job's song was posted."""
        return Counter(map(job_of, self.discord.songs()))

    def states(self) -> dict[str, str]:
        """Return what the ledger says of each job."""
        engine = connect(self.url)
        with engine.connect() as connection:
            states = {row.job_id: row.state for row in connection.execute(sa.select(usage.c.job_id, usage.c.state))}
        engine.dispose()
        return states


@pytest.fixture
async def stage(tmp_path: Path, pool: WorkerPool, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stage]:
    url = f"sqlite:///{tmp_path}/melodify.db"
    settings = Settings.model_validate(
        {"database": {"url": url}, "limits": LIMITS, "work": {"poll_s": 0.1, "jobs": 16}}
    )
    log = tmp_path / "calls.log"
    parts: tuple[Any, ...] = (Reader(log), Player(log), FolderStorage(tmp_path / "files"))
    async with little_discord() as world, rest_client(settings) as client:
        # What `use_proxies` does for a process, for this test alone.
        monkeypatch.setattr(Route, "BASE", world.api_url)
        await client.login(TOKEN)
        delivery = DiscordDelivery(client, StatusBoard(client))
        async with open_services(settings, cast("Any", delivery), pool, providers=Providers(*parts)) as services:
            yield Stage(services, world, url)


async def test_a_call_that_fails_once_in_any_way_costs_no_song_and_posts_none_twice(stage: Stage) -> None:
    # What Discord remembers for minutes is not what saves us: only the look for the earlier post.
    stage.discord.remembers_nonces = False
    jobs = {await stage.order(call, kind): (call, kind) for call in CALLS for kind in KINDS}
    await stage.services.studio.idle(120)
    assert all(fault.times == 0 for fault in stage.discord.faults)
    wrong = {jobs[job_id]: count for job_id in jobs if (count := stage.songs()[job_id]) != 1}
    assert wrong == {}
    assert set(stage.states().values()) == {"charged"}


@pytest.mark.slow
async def test_a_call_that_always_fails_still_ends_in_one_song_where_there_is_another_way(stage: Stage) -> None:
    gone: tuple[Kind, ...] = (403, 404)
    jobs = {await stage.order(call, kind, times=1000): (call, kind) for call in CALLS for kind in gone}
    jobs |= {await stage.order("show a stage", kind, times=1000): ("show a stage", kind) for kind in (500, 503)}
    await stage.services.studio.idle(120)
    assert {jobs[job_id]: count for job_id in jobs if (count := stage.songs()[job_id]) != 1} == {}
    assert set(stage.states().values()) == {"charged"}


async def test_where_the_channel_is_gone_the_song_comes_as_a_direct_message(stage: Stage) -> None:
    job_id = await stage.order("open a thread", 404, times=1000)
    stage.discord.faults += [
        Fault("GET", f"/channels/{CHANNEL_ID}/messages", 404, 1000),
        Fault("POST", f"/channels/{CHANNEL_ID}/messages", 404, 1000),
    ]
    await stage.services.studio.idle(60)
    assert [message["channel_id"] for message in stage.discord.songs()] == [DM_ID]
    assert stage.states() == {job_id: "charged"}


@pytest.mark.parametrize("kind", KINDS)
async def test_an_apology_arrives_once_whatever_happens_to_it(stage: Stage, kind: Kind) -> None:
    job_id = await stage.order("show a stage", kind, times=3, refused=True)
    await stage.services.studio.idle(60)
    said = [message["content"] for message in stage.discord.messages.values() if "does not count" in message["content"]]
    assert len(said) == 1
    assert stage.states() == {job_id: "refunded"}
    assert stage.discord.songs() == []
