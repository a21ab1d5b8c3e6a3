"""Stories: what was there when the song was asked for is gone when it is made. One sentence, and nothing is charged."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import closing

import pytest
from simcord.backend import serializers

from melodify_core.media.worker_pool import WorkerPool
from tests.stories import PICTURE, SONG_S, World, a_picture, post_payload, story_settings, world

TWO = (("first.png", a_picture("gold")), ("second.png", a_picture("teal")))


@pytest.fixture(scope="module")
async def bot(pool: WorkerPool, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    limits = {"songs_per_minute": 0, "songs_per_hour": 0, "waiting_per_user": 0}
    settings = story_settings(tmp_path_factory.mktemp("gone"), limits=limits)
    async with world(settings, pool, composing_s=1.5) as here:
        yield here


@pytest.fixture
async def here(bot: World) -> World:
    return bot.corner()


def states(here: World) -> list[str]:
    with closing(here.database()) as database:
        query = "SELECT state FROM usage WHERE user_id = ? ORDER BY created_at"
        return [str(row[0]) for row in database.execute(query, (here.member.id,))]


async def in_the_works(here: World) -> None:
    await here.post(here.mention, PICTURE)
    await here.until("🎼")


async def the_song_in_the_direct_messages(here: World) -> None:
    await here.songs_done()
    [song] = here.songs(here.dms)
    assert "could not post your song where you asked" in song.content
    assert states(here) == ["charged"]
    # The list's link leads there: it is no song of the server's.
    page = await here.services.members.own_songs(here.member.id, "newest", 0)
    assert [(entry.guild_id, entry.message_id) for entry in page.entries] == [(None, song.id)]


async def test_where_automod_blocks_the_song_it_comes_as_a_direct_message(here: World) -> None:
    await in_the_works(here)
    [status] = here.said(here.channel)
    for where in (here.channel.id, status.id):  # the thread has the id of its message
        here.env.inject_error("POST", f"/channels/{where}/messages", status=400, code=200000, times=None)
    await the_song_in_the_direct_messages(here)
    here.env.backend.faults.clear()


async def test_where_discord_takes_the_song_nowhere_it_waits_in_the_list(here: World) -> None:
    await in_the_works(here)
    here.env.inject_error("POST", "/channels/*/messages", status=400, code=50035, times=None)
    await here.songs_done()
    here.env.backend.faults.clear()
    assert states(here) == ["charged"]
    assert "/songs" in here.said(here.channel)[0].content


async def test_a_deleted_post_changes_nothing(here: World) -> None:
    await in_the_works(here)
    await here.member.delete(here.channel.history()[0])
    await here.songs_done()
    assert len(here.songs(here.channel.threads[0])) == 1


async def test_a_post_that_is_deleted_before_the_answer_is_answered_all_the_same(here: World) -> None:
    post = await here.post("", PICTURE)
    payload = post_payload(here.env, post)
    here.env.backend.delete_message(here.channel.id, post.id)
    mentions = [serializers.user_payload(here.env.backend.bot_user)]
    await here.emit("MESSAGE_CREATE", payload | {"content": here.mention, "mentions": mentions})
    await here.songs_done()
    assert len(here.songs()) == 1


async def test_without_its_status_message_the_song_comes_into_the_channel(here: World) -> None:
    await in_the_works(here)
    here.env.backend.delete_message(here.channel.id, here.said(here.channel)[0].id)
    await here.songs_done()
    assert len(here.songs(here.channel)) == 1
    assert states(here) == ["charged"]


async def test_songs_whose_thread_is_deleted_come_as_direct_messages(here: World) -> None:
    await here.post(here.mention, *TWO)
    here.env.backend.delete_channel(here.channel.threads[0].id)
    await here.songs_done()
    assert len(here.songs(here.dms)) == 2
    assert states(here) == ["charged", "charged"]


async def test_songs_whose_thread_is_archived_are_posted_in_it(here: World) -> None:
    await here.post(here.mention, *TWO)
    [thread] = here.channel.threads
    # As Discord has it: nobody edits in an archived thread, and who sends opens it again.
    here.env.inject_error("PATCH", f"/channels/{thread.id}/messages/*", status=400, code=50083, times=None)
    await here.songs_done()
    assert len(here.songs(thread)) == 2


async def test_an_apology_finds_its_way_in_an_archived_thread(here: World) -> None:
    await here.post(here.mention, *TWO)
    [thread] = here.channel.threads
    here.env.inject_error("PATCH", f"/channels/{thread.id}/messages/*", status=400, code=50083, times=None)
    async with asyncio.timeout(SONG_S):
        while "running" not in states(here):
            await asyncio.sleep(0.01)
    for status in here.said(thread):
        await here.studio.cancel(job_of(here, status.id), here.member.id)
    await here.songs_done()
    assert any("Cancelled" in message.content for message in here.said(thread))


def job_of(here: World, status_id: int) -> str:
    with closing(here.database()) as database:
        query = "SELECT job_id FROM usage WHERE json_extract(brief_order, '$.place.status_id') = ?"
        return str(database.execute(query, (status_id,)).fetchone()[0])


async def test_a_song_whose_channel_is_deleted_comes_as_a_direct_message(here: World) -> None:
    await in_the_works(here)
    here.env.backend.delete_channel(here.channel.id)
    await the_song_in_the_direct_messages(here)


async def test_a_song_whose_server_is_gone_comes_as_a_direct_message(bot: World) -> None:
    here = bot.corner(locale="ko")
    await in_the_works(here)
    here.env.backend.remove_guild(here.guild.id)
    await here.songs_done()
    [song] = here.songs(here.dms)
    assert "요청한 곳에 올릴 수 없어서" in song.content


async def test_a_failed_song_whose_server_is_gone_is_told_in_the_direct_messages(bot: World) -> None:
    here = bot.corner(locale="ko")
    await in_the_works(here)
    status = here.said(here.channel)[0]
    here.env.backend.remove_guild(here.guild.id)
    await here.studio.cancel(job_of(here, status.id), here.member.id)
    await here.songs_done()
    assert [message.content for message in here.said(here.dms)] == ["취소했어요. 이 곡은 만들지 않아요."]
    assert states(here) == ["refunded"]


async def test_a_song_of_an_account_that_is_gone_costs_nothing(here: World) -> None:
    await in_the_works(here)
    here.env.backend.delete_channel(here.channel.id)
    # Invalid recipient: what Discord says of deleted accounts.
    here.env.inject_error("POST", "/users/@me/channels", status=400, code=50033, times=2)
    await here.songs_done()
    assert states(here) == ["refunded"]
    assert here.said(here.dms) == []


async def test_a_channel_that_vanishes_before_the_answer_costs_nothing(here: World) -> None:
    here.env.inject_error("POST", f"/channels/{here.channel.id}/messages", status=404, code=10003, times=None)
    await here.post(here.mention, PICTURE)
    await here.songs_done()
    assert states(here) == []


async def test_a_command_whose_channel_vanishes_before_the_answer_costs_nothing(here: World) -> None:
    here.env.inject_error("PATCH", "/webhooks/*/messages/@original", status=404, code=10008, times=None)
    try:
        await here.command()
        await here.songs_done()
    finally:
        here.env.backend.faults.clear()
    assert states(here) == []
