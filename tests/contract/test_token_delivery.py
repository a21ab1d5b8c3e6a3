"""What a worker without a gateway posts through an interaction's token, by real REST against a server on loopback."""

import logging
from collections.abc import AsyncIterator

import discord
import pytest
from discord.http import Route

from bot.cli.worker import rest_client
from bot.client import use_proxies
from bot.posts.delivery import DiscordDelivery
from bot.posts.status_messages import StatusBoard
from melodify_core.config.settings import Settings
from melodify_core.errors import Rejected, Unavailable
from melodify_core.models import Job, Place, Posted, Stage
from tests.discord_server import BOT, CHANNEL_ID, GUILD_ID, TOKEN, Discord, Fault, little_discord
from tests.jobs import a_job, a_song

# As long as Discord's own are, and made of the same signs.
SECRET = "aW50ZXJhY3Rpb246" + "x1_-" * 40


@pytest.fixture
async def world() -> AsyncIterator[Discord]:
    async with little_discord() as world:
        world.tokens.add(SECRET)
        yield world


@pytest.fixture
async def client(world: Discord, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[discord.Client]:
    monkeypatch.setattr(Route, "BASE", Route.BASE)  # holds for the whole process: given back afterwards
    settings = Settings.model_validate({"discord": {"api_url": world.api_url}})
    use_proxies(settings)
    async with rest_client(settings) as client:
        await client.login(TOKEN)
        yield client


@pytest.fixture
def delivery(client: discord.Client) -> DiscordDelivery:
    return DiscordDelivery(client, StatusBoard(client))


def a_job_abroad(world: Discord, *, private: bool = False) -> Job:
    status = world.status_message(CHANNEL_ID, "1")
    place = Place(channel_id=int(CHANNEL_ID), guild_id=int(GUILD_ID), status_id=int(status["id"]), token=SECRET)
    return a_job(str(1 << 60), 4000, place=place, private=private)


def shown(world: Discord, job: Job) -> dict[str, object]:
    return world.messages[str(job.place.status_id)]


async def test_status_and_song_come_with_the_token_alone(world: Discord, delivery: DiscordDelivery) -> None:
    job = a_job_abroad(world)
    await delivery.show_stage(job, Stage.COMPOSING)
    assert "Composing" in str(shown(world, job)["content"])
    posted = await delivery.deliver(job, a_song(job.job_id), b"sound", b"picture")
    assert posted == Posted(channel_id=int(CHANNEL_ID), message_id=job.place.status_id or 0)
    assert [song["id"] for song in world.songs()] == [str(job.place.status_id)]
    assert shown(world, job)["author"] == BOT


async def test_a_repeat_after_a_restart_is_one_song_still(world: Discord, client: discord.Client) -> None:
    job = a_job_abroad(world)
    for _ in range(2):
        await DiscordDelivery(client, StatusBoard(client)).deliver(job, a_song(job.job_id), b"sound", b"picture")
    assert len(world.songs()) == 1
    assert world.threads == []


async def test_a_song_that_is_cancelled_in_the_last_moment_makes_room_for_the_apology(
    world: Discord, delivery: DiscordDelivery
) -> None:
    job = a_job_abroad(world)
    await delivery.deliver(job, a_song(job.job_id), b"sound", b"picture")
    await delivery.delete_posted_song(job)
    await delivery.apologise(job, Rejected("job.cancelled"))
    assert world.songs() == []
    assert "Cancelled" in str(shown(world, job)["content"])
    assert not shown(world, job)["embeds"]


async def test_nothing_leads_to_a_song_that_only_the_asker_sees(world: Discord, delivery: DiscordDelivery) -> None:
    job = a_job_abroad(world, private=True)
    assert await delivery.deliver(job, a_song(job.job_id), b"sound", b"picture") == Posted()
    assert len(world.songs()) == 1


async def test_a_dead_token_is_in_no_line_of_any_log(
    world: Discord, delivery: DiscordDelivery, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "bot")
    world.tokens.clear()
    job = a_job_abroad(world)
    await delivery.show_stage(job, Stage.COMPOSING)
    # Where the direct messages are closed too, the song stays in the list.
    world.faults.append(Fault("POST", "/users/@me/channels", 403, times=100))
    assert await delivery.deliver(job, a_song(job.job_id), b"sound", b"picture") == Posted()
    assert world.songs() == []
    assert caplog.records
    assert not [record for record in caplog.records if SECRET in caplog.handler.format(record)]
    assert SECRET not in f"{job!r} {job.place!r} {job}"


async def test_a_discord_that_is_away_may_be_asked_again(delivery: DiscordDelivery, world: Discord) -> None:
    job = a_job_abroad(world)
    Route.BASE = "http://127.0.0.1:1/api/v10"
    with pytest.raises(Unavailable) as raised:
        await delivery.deliver(job, a_song(job.job_id), b"sound", b"picture")
    assert SECRET not in f"{raised.value} {raised.value.__cause__}"
