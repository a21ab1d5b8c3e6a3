"""Stories: a song is cancelled by its asker, by a moderator, by the wrong person, too late, and after a restart."""

from collections.abc import AsyncIterator
from contextlib import closing

import discord
import pytest

from melodify_core.media.worker_pool import WorkerPool
from tests.stories import World, story_settings, world


@pytest.fixture(scope="module")
async def bot(pool: WorkerPool, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    # One job at a time, and each is long: there is time to press a button.
    settings = story_settings(
        tmp_path_factory.mktemp("cancel"), song={"default_seconds": 120}, work={"jobs": 1, "poll_s": 0.1, "drain_s": 0}
    )
    async with world(settings, pool, composes=True) as here:
        yield here


@pytest.fixture
def here(bot: World) -> World:
    return bot.corner()


def status_of(here: World) -> discord.Message:
    return here.said(here.channel)[0]


def states(here: World) -> list[str]:
    with closing(here.database()) as database:
        rows = database.execute("SELECT state FROM usage WHERE user_id = ?", (here.member.id,))
        return [str(row[0]) for row in rows]


async def test_a_running_song_stops_at_once_and_does_not_count(here: World) -> None:
    await here.command()
    await here.until("🎼")
    result = await here.member.click(status_of(here), label="Cancel")
    assert result.followups
    await here.songs_done()
    assert here.songs() == []
    assert "Cancelled" in status_of(here).content
    assert states(here) == ["refunded"]
    assert status_of(here).components == []


async def test_a_waiting_song_is_withdrawn(bot: World, here: World) -> None:
    other = bot.corner()
    await other.command()
    await other.until("🎼")
    await here.command()
    await here.member.click(status_of(here), label="Cancel")
    assert "Cancelled" in status_of(here).content
    assert states(here) == ["withdrawn"]
    await other.member.click(status_of(other), label="Cancel")
    await here.songs_done()
    assert here.songs() == []


async def test_somebody_else_may_not_cancel_and_a_moderator_may(here: World) -> None:
    await here.command()
    await here.until("🎼")
    stranger = here.guild.add_member(here.env.create_user("stranger"))
    await stranger.click(status_of(here), label="Cancel")
    assert states(here) == ["running"]
    role = here.guild.create_role("moderators", permissions=discord.Permissions(manage_messages=True))
    moderator = here.guild.add_member(here.env.create_user("moderator"), roles=[role])
    await moderator.click(status_of(here), label="Cancel")
    await here.songs_done()
    assert states(here) == ["refunded"]
