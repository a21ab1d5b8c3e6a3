"""Stories: a song's page is reached from Discord, while the song is made and afterwards, and goes with the song."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import Any

import discord
import pytest
from aiohttp import ClientSession
from simcord.actors import MemberActor

from bot.web.serving import listening
from melodify_core.bootstrap import Services
from melodify_core.config.settings import Web
from melodify_core.media.worker_pool import WorkerPool
from melodify_core.storage.layout import video_key
from tests.loopback import free_port
from tests.stories import PICTURE, SONG_S, World, answer_of, story_settings, world
from tests.story.pressing import a_press, button, choices_of, choose, page_of

PORT = free_port()
PUBLIC = f"http://127.0.0.1:{PORT}"


@pytest.fixture(scope="module")
async def bot(pool: WorkerPool, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    web = Web(public_url=PUBLIC, port=PORT)
    # One at a time: the second waits.
    work = {"jobs": 1, "poll_s": 0.1}
    settings = story_settings(tmp_path_factory.mktemp("page"), web=web.model_dump(mode="json"), work=work)
    async with listening(web) as port:

        def show(services: Services) -> AbstractAsyncContextManager[object]:
            return port.serving(services.pages, services.storage, services.songs)

        async with world(settings, pool, show) as here:
            yield here


@pytest.fixture
async def here(bot: World) -> World:
    return bot.corner()


@pytest.fixture
async def web() -> AsyncIterator[ClientSession]:
    async with ClientSession() as session:
        yield session


async def fetched(web: ClientSession, url: str) -> tuple[int, str]:
    async with web.get(url) as answer:
        return answer.status, await answer.text() if answer.content_type == "text/html" else answer.content_type


async def test_the_song_s_message_opens_its_page_with_sound_and_picture(here: World, web: ClientSession) -> None:
    await here.post(here.mention, PICTURE)
    await here.songs_done()
    [song] = here.songs()
    link = page_of(song)
    assert link.startswith(f"{PUBLIC}/s/")
    status, html = await fetched(web, link)
    assert status == 200
    assert str(song.embeds[0].title) in html
    assert await fetched(web, f"{link}/song.mp3") == (200, "audio/mpeg")
    assert await fetched(web, f"{link}/picture.jpg") == (200, "image/jpeg")
    assert 'class="roll"' in html
    async with web.get(f"{link}/notes.json") as answer:
        voices = await answer.json()
    assert len(voices) >= 2
    assert all(voice["name"] and voice["notes"] for voice in voices)
    # What is done has one button: the song's own.
    [status_line] = here.said(here.channel)
    assert status_line.components == []


async def test_the_page_is_there_while_the_song_is_made_and_turns_into_the_song(
    here: World, web: ClientSession
) -> None:
    await here.post(here.mention, PICTURE)
    await here.until("🎼")
    [status_line] = here.said(here.channel)
    link = page_of(status_line)
    status, html = await fetched(web, link)
    assert status == 200
    assert "Your song is being made" in html
    async with web.get(f"{link}/events") as answer:
        events = (await answer.text()).split("\n\n")
    assert events[0].startswith("event: stage\ndata: ")
    assert events[-2] == "event: end\ndata: "
    assert "<audio" in (await fetched(web, link))[1]
    await here.songs_done()


async def test_another_take_that_waits_has_its_page_from_the_first_line_on(here: World) -> None:
    await here.post(here.mention, PICTURE)
    await here.songs_done()
    [song] = here.songs()
    await here.post(here.mention, PICTURE)
    async with asyncio.timeout(SONG_S):
        while "🎼" not in here.said(here.channel)[-1].content:
            await asyncio.sleep(0.01)
    await here.member.click(song, custom_id=button("another", song))
    line = here.said(*here.channel.threads)[-1]
    assert "⏳" in line.content
    assert page_of(line).startswith(f"{PUBLIC}/s/")
    await here.songs_done()


async def test_a_private_song_has_no_page(here: World, web: ClientSession) -> None:
    del web
    await here.command(private=True)
    await here.songs_done()
    assert len(here.songs(here.dms)) == 1
    assert [page_of(message) for message in here.said(here.dms)] == ["", ""]


async def test_a_link_unfolds_with_a_video_that_is_made_when_it_is_asked_for(here: World, web: ClientSession) -> None:
    await here.post(here.mention, PICTURE)
    await here.songs_done()
    [song] = here.songs()
    link = page_of(song)
    page = await here.services.pages.page(link.rpartition("/")[2])
    assert page is not None
    assert page.song is not None
    key = video_key(page.song.job_id)
    html = (await fetched(web, link))[1]
    assert f'<meta property="og:video" content="{link}/song.mp4">' in html
    assert '<meta property="og:video:width" content="320">' in html
    assert '<meta property="og:video:height" content="336">' in html
    assert await here.services.storage.find(key) is None
    answers = await asyncio.gather(*(fetched(web, f"{link}/song.mp4") for _ in range(3)))
    assert answers == [(200, "video/mp4")] * 3
    async with web.get(f"{link}/song.mp4", headers={"Range": "bytes=4-7"}) as part:
        assert (part.status, await part.read()) == (206, b"ftyp")


async def test_a_video_that_somebody_asked_for_is_the_page_s_and_a_like_leaves_the_link(
    here: World, web: ClientSession
) -> None:
    await here.post(here.mention, PICTURE)
    await here.songs_done()
    [song] = here.songs()
    link = page_of(song)
    await here.member.click(song, label="🎬 Video")
    await here.member.click(song, label="♥ Like")
    assert page_of(here.songs()[0]) == link
    page = await here.services.pages.page(link.rpartition("/")[2])
    assert page is not None
    assert page.song is not None
    kept = await here.services.storage.load(video_key(page.song.job_id))
    async with web.get(f"{link}/song.mp4") as answer:
        assert (answer.content_type, await answer.read()) == ("video/mp4", kept)


async def test_of_a_song_whose_picture_is_gone_no_video_is_made(here: World, web: ClientSession) -> None:
    await here.post(here.mention, PICTURE)
    await here.songs_done()
    link = page_of(here.songs()[0])
    page = await here.services.pages.page(link.rpartition("/")[2])
    assert page is not None
    assert page.picture_key is not None
    await here.services.storage.delete(page.picture_key)
    assert (await fetched(web, f"{link}/song.mp4"))[0] == 404


async def test_whoever_is_forgotten_takes_the_page_along(here: World, web: ClientSession) -> None:
    await here.post(here.mention, PICTURE)
    await here.songs_done()
    link = page_of(here.songs()[0])
    assert (await fetched(web, link))[0] == 200
    await here.services.members.forget(here.member.id)
    await asyncio.sleep(1.1)  # the page is remembered for a second
    for rest in ("", "/song.mp3", "/picture.jpg"):
        status, html = await fetched(web, f"{link}{rest}")
        assert status == 410
        assert "deleted" in html


async def test_the_start_page_shows_a_song_once_member_and_server_agree_and_until_one_does_not(
    here: World, web: ClientSession
) -> None:
    role = here.guild.create_role("moderators", permissions=discord.Permissions(manage_guild=True))
    moderator = here.guild.add_member(here.env.create_user("mod"), roles=[role])
    await here.post(here.mention, PICTURE)
    await here.songs_done()
    link = f'href="{page_of(here.songs()[0]).removeprefix(PUBLIC)}"'

    async def shows() -> bool:
        await asyncio.sleep(1.1)  # what is shown is remembered for a second
        # A connection that stays open would keep the simulator waiting.
        async with web.get(f"{PUBLIC}/", headers={"Connection": "close"}) as answer:
            return link in await answer.text()

    async def answer(asker: MemberActor, command: str, **options: Any) -> str:
        result = await asker.slash(here.channel, command, **options)
        assert result.ephemeral
        return answer_of(result)

    said = await answer(here.member, "melodify-me", **{"start-page": True})
    assert "shows your songs from servers that agree" in said
    said = await answer(moderator, "melodify-admin start-page", on=True)
    assert "of members who have allowed it with" in said
    assert "Songs on the website's start page: yes" in said
    assert await shows()
    await answer(moderator, "melodify-admin block", member=here.member.user)
    assert not await shows()
    await answer(moderator, "melodify-admin unblock", member=str(here.member.id))
    said = await answer(here.member, "melodify-me", named=False)
    assert "because you do not want to be named" in said
    assert not await shows()
    await here.services.members.forget(here.member.id)
    assert not (await here.services.members.settings_of(here.member.id)).start_page


async def test_the_menu_has_the_link_to_the_page(bot: World) -> None:
    here = bot.corner(locale="ko")
    await here.post(here.mention, PICTURE)
    await here.songs_done()
    [song] = here.songs()
    assert choices_of(song) == ["자세히", "링크", "삭제"]
    payload, result = a_press(here, here.member, song, button("menu", song), "ko")
    payload["data"] |= {"component_type": 3, "values": ["page"]}
    await here.emit("INTERACTION_CREATE", payload)
    async with asyncio.timeout(SONG_S):
        while not result.followups:
            await asyncio.sleep(0.01)
    [link] = result.followups
    assert link.ephemeral
    assert f"<{page_of(song)}>" in link.content
    [row] = link.components
    assert (row["components"][-1]["label"], row["components"][-1]["url"]) == ("🔗 페이지 열기", page_of(song))


async def test_the_link_of_a_song_from_before_pages_were_switched_off_says_so(here: World) -> None:
    await here.post(here.mention, PICTURE)
    await here.songs_done()
    [song] = here.songs()
    settings = here.services.settings
    here.client.services = replace(here.services, settings=settings.model_copy(update={"web": Web()}))
    try:
        assert "has no page" in (await choose(here.member, song, "page")).content
    finally:
        here.client.services = replace(here.services, settings=settings)
