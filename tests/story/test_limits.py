"""Stories: how often a member may ask."""

import re
from collections.abc import AsyncIterator

import pytest

from melodify_core.media.worker_pool import WorkerPool
from tests.stories import PICTURE, World, answer_of, story_settings, world


@pytest.fixture(scope="module")
async def bot(pool: WorkerPool, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    limits = {"songs_per_hour": 1, "waiting_per_user": 1}
    async with world(story_settings(tmp_path_factory.mktemp("limits"), limits=limits), pool) as here:
        yield here


@pytest.fixture
def here(bot: World) -> World:
    return bot.corner()


async def test_past_the_limit_the_refusal_says_when_the_next_song_is_possible(here: World) -> None:
    await here.command()
    await here.songs_done()
    result = await here.command()
    assert re.search(r"<t:\d{10}:R>", answer_of(result))
    assert here.orders() == 1


async def test_a_second_song_has_to_wait_for_the_first(here: World) -> None:
    await here.command()
    result = await here.command()
    assert "1 song in progress" in answer_of(result)
    await here.songs_done()
    assert len(here.songs()) == 1


async def test_the_limit_is_each_member_s_own(bot: World) -> None:
    for here in (bot.corner(), bot.corner()):
        await here.command()
        await here.songs_done()
        assert len(here.songs()) == 1


async def test_a_song_that_could_not_be_posted_does_not_count(here: World) -> None:
    place = f"/channels/{here.channel.id}/messages"
    here.env.inject_error("POST", f"{place}/*/threads", status=403, code=50013)
    here.env.inject_error("POST", place, status=413, code=40005)
    await here.command()
    await here.songs_done()
    assert here.songs() == []
    assert "does not fit" in here.said(here.channel)[0].content
    await here.command()
    await here.songs_done()
    assert len(here.songs()) == 1


async def test_a_refused_picture_does_not_count(here: World) -> None:
    await here.command(image=("picture.png", b"no picture"))
    await here.post(here.mention, PICTURE)
    await here.songs_done()
    assert len(here.songs()) == 1
