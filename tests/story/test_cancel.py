"""Stories: a song is cancelled by its asker, by a moderator, by the wrong person, too late, and after a restart."""

import logging
from collections.abc import AsyncIterator
from contextlib import closing

import discord
import pytest

from melodify_core.media.worker_pool import WorkerPool
from tests.stories import World, story_settings, world
from tests.story.pressing import a_press


@pytest.fixture(scope="module")
async def bot(pool: WorkerPool, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    # One job at a time, and each is long: there is time to press a button.
    settings = story_settings(tmp_path_factory.mktemp("cancel"), work={"jobs": 1, "poll_s": 0.1, "drain_s": 0})
    async with world(settings, pool, composing_s=60) as here:
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


async def test_a_running_song_stops_at_once_and_does_not_count(here: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "melodify_core.jobs.workflow")
    await here.command()
    await here.until("🎼")
    result = await here.member.click(status_of(here), label="Cancel")
    assert result.followups
    await here.songs_done()
    assert here.songs() == []
    assert "Cancelled" in status_of(here).content
    assert states(here) == ["refunded"]
    assert status_of(here).components == []
    said = " ".join(record.getMessage() for record in caplog.records)
    assert "was cancelled" in said
    assert "apology" not in said


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


async def test_who_cancels_a_moment_later_hears_that_it_is_cancelled(bot: World, here: World) -> None:
    other = bot.corner()
    await other.command()
    await other.until("🎼")
    await here.command()
    status = status_of(here)
    pressed = str(status.components[0].children[0].custom_id)  # type: ignore[union-attr]
    presses = [a_press(here, here.member, status, pressed) for _ in range(2)]
    await here.emit("INTERACTION_CREATE", *(payload for payload, _ in presses))
    answers = {result.followups[0].content for _, result in presses if result.followups}
    assert answers == {"All right, I am cancelling this song.", "Cancelled. There will be no song."}
    await other.member.click(status_of(other), label="Cancel")
    await here.songs_done()


async def test_a_job_that_starts_while_it_is_cancelled_is_no_error_in_the_log(
    here: World, caplog: pytest.LogCaptureFixture
) -> None:
    del here  # its engine has been launched
    error = type("DBOSAwaitedWorkflowCancelledError", (Exception,), {})("DBOS Error 13: it was cancelled")
    for problem in (error, ValueError("a defect")):
        logging.getLogger("dbos").error("Exception encountered", exc_info=problem)
    assert [record.exc_info and record.exc_info[0] for record in caplog.records] == [ValueError]


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
