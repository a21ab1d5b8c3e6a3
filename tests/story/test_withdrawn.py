"""Stories: what a member takes back while a song is being made: a picture, a song, a name."""

from collections.abc import AsyncIterator
from contextlib import closing

import pytest

from melodify_core.errors import Rejected
from melodify_core.media.worker_pool import WorkerPool
from melodify_core.models import Order, Place
from tests.stories import World, a_picture, story_settings, world
from tests.story.pressing import button, files_of, job_of, only, press


@pytest.fixture(scope="module")
async def bot(pool: WorkerPool, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """A bot that takes its time to compose."""
    async with world(story_settings(tmp_path_factory.mktemp("withdrawn")), pool, composing_s=1.0) as here:
        yield here


@pytest.fixture
async def here(bot: World) -> World:
    """A corner with one song in it."""
    here = bot.corner()
    await here.command()
    await here.songs_done()
    return here


async def an_open_take(here: World) -> str:
    """Let another member order a take of the song; return its job, which is not finished."""
    other = here.guild.add_member(here.env.create_user("other"))
    [song] = here.songs()
    await press(here, other, song, button("another", song))
    with closing(here.database()) as database:
        [job_id] = database.execute("SELECT job_id FROM usage WHERE user_id = ?", (other.id,)).fetchone()
    return str(job_id)


@pytest.mark.parametrize("label", ["Delete stored data only", "Delete stored data and posts"])
async def test_no_song_comes_of_a_picture_whose_member_is_forgotten_meanwhile(here: World, label: str) -> None:
    [song] = here.songs()
    take = await an_open_take(here)
    result = await here.member.slash(here.channel, "forget-me")
    assert result.response is not None
    await here.member.click(result.response, label=label)
    assert [each.id for each in here.songs()] == ([song.id] if label.endswith("only") else [])
    assert files_of(here, take) == []
    assert "Cancelled. There will be no song." in [line.content for line in here.said()]


async def test_a_song_of_the_picture_that_failed_and_could_be_tried_again_loses_it_too(here: World) -> None:
    take = await an_open_take(here)
    await here.songs_done()
    with closing(here.database()) as database, database:
        database.execute("UPDATE usage SET state = 'refunded' WHERE job_id = ?", (take,))
        database.execute("DELETE FROM songs WHERE job_id = ?", (take,))
    assert f"{take}.jpg" in files_of(here, take)
    await here.services.members.forget(here.member.id)
    assert files_of(here, take) == []


async def test_of_a_picture_that_is_being_forgotten_no_further_song_is_accepted(here: World) -> None:
    parent = job_of(here.songs()[0])
    other = here.guild.add_member(here.env.create_user("other"))
    place = Place(channel_id=here.channel.id, guild_id=here.guild.id)
    order = Order(str(other.id), other.id, place, a_picture(), parent_id=parent)
    with closing(here.database()) as database, database:
        database.execute("UPDATE usage SET picture_gone = 1 WHERE job_id = ?", (parent,))
    with pytest.raises(Rejected, match=r"song\.picture_gone"):
        await here.studio.submit(order)
    await here.services.members.forget(here.member.id)
    with pytest.raises(Rejected, match=r"song\.gone"):
        await here.studio.submit(order)
    assert files_of(here, order.job_id) == []


async def test_a_name_that_is_withdrawn_while_the_song_is_made_is_not_shown(here: World) -> None:
    await here.command()
    await here.member.slash(here.channel, "melodify-me", named=False)
    await here.songs_done()
    named, unnamed = (song.content for song in here.songs())
    assert named == f"For <@{here.member.id}>"
    assert str(here.member.id) not in unnamed


async def test_a_take_of_a_song_that_is_deleted_meanwhile_has_no_dead_link(here: World) -> None:
    [song] = here.songs()
    take = await an_open_take(here)
    asked = only(await press(here, here.member, song, button("delete", song)))
    await here.member.click(asked, label="Yes, delete it")
    await here.songs_done()
    [posted] = here.songs()
    assert job_of(posted) == take
    assert "Another take" in str(posted.embeds[0].description)
    assert str(song.id) not in str(posted.embeds[0].description)
