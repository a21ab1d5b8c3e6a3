"""Stories: what the asker alone is told, and how songs name and notify them."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

import discord
import pytest

from melodify_core.media.worker_pool import WorkerPool
from tests.stories import PICTURE, World, command_payload, pings_of, story_settings, world
from tests.story.pressing import button, only, press

NO_PICTURE = ("picture.png", b"no picture")
TWO = {"songs_per_minute": 0, "songs_per_hour": 2}


@pytest.fixture(scope="module")
async def bot(pool: WorkerPool, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """A bot to which every song seems to take long: the simulated clock is in the past."""
    settings = story_settings(tmp_path_factory.mktemp("asker"), limits=TWO, discord={"notify_after_s": 60})
    async with world(settings, pool) as here:
        yield here


@pytest.fixture
def here(bot: World) -> World:
    return bot.corner()


async def one_song(here: World, **options: Any) -> discord.Message:
    await here.command(**options)
    await here.songs_done()
    return here.songs()[-1]


@pytest.mark.parametrize(
    ("locale", "image", "words"),
    [("en-US", NO_PICTURE, "does not look like a picture"), ("ko", NO_PICTURE, "사진이 아닌 것 같아요")],
)
async def test_only_the_asker_sees_why_a_command_was_refused_in_their_own_language(
    here: World, locale: str, image: tuple[str, bytes], words: str
) -> None:
    payload = command_payload(here.env, here.member, here.channel, {"image": image}, locale=locale)
    await here.emit("INTERACTION_CREATE", payload)
    await here.songs_done()
    [answer] = here.whispered()
    assert words in answer
    assert here.said() == []
    assert here.orders() == 0


async def test_only_the_asker_sees_a_limit(here: World) -> None:
    await one_song(here)
    await one_song(here)
    await here.command()
    [refusal] = here.whispered()
    assert "all your songs for this hour" in refusal
    assert len(here.said(here.channel)) == 2
    assert len(here.songs()) == 2


async def test_who_asks_where_songs_are_denied_alone_learns_so(bot: World) -> None:
    here = bot.corner(denied=("attach_files",))
    await here.command()
    [refusal] = here.whispered()
    assert "Attach Files" in refusal
    assert here.said() == []


async def test_of_several_pictures_the_good_ones_become_songs_and_the_asker_alone_hears_of_the_bad(here: World) -> None:
    message = await here.post("", PICTURE, NO_PICTURE)
    await here.member.context_menu(here.channel, "Melodify", message)
    await here.songs_done()
    assert len(here.songs()) == 1
    [refusal] = here.whispered()
    assert refusal.startswith("Picture 2: That does not look like a picture.")
    assert not any("does not look like" in each.content for each in here.said())


@pytest.mark.parametrize("way", ["command", "post"])
async def test_who_asked_and_nobody_else_is_notified_of_a_song_that_took_long(here: World, way: str) -> None:
    if way == "post":
        await here.post(f"{here.mention} for <@{here.env.backend.bot_user.id}>", PICTURE)
    else:
        await here.command(hint="@everyone dance")
    await here.songs_done()
    [song] = here.songs()
    assert song.content == f"<@{here.member.id}>, your song is ready."
    assert pings_of(here, song) == [here.member.id]
    assert not song.mention_everyone


async def test_in_a_korean_server_the_notice_is_korean(bot: World) -> None:
    here = bot.corner(locale="ko")
    song = await one_song(here)
    assert song.content == f"<@{here.member.id}> 님, 노래가 완성됐어요."


async def test_who_presses_another_take_is_notified_and_not_the_first_asker(here: World) -> None:
    first = await one_song(here)
    other = here.guild.add_member(here.env.create_user("other"))
    await press(here, other, first, button("another", first))
    await here.songs_done()
    assert pings_of(here, here.songs()[1]) == [other.id]


CHOICES: Mapping[str, tuple[bool, str, bool]] = {
    "the server is quiet": (False, "server", False),
    "the member is quiet": (True, "off", False),
    "the server is quiet and the member is not": (False, "on", True),
}


@pytest.mark.parametrize(("server", "member", "notified"), CHOICES.values(), ids=CHOICES)
async def test_server_and_member_choose_who_is_notified(here: World, server: bool, member: str, notified: bool) -> None:
    manage = here.guild.create_role("manage", permissions=discord.Permissions(manage_guild=True))
    moderator = here.guild.add_member(here.env.create_user("moderator"), roles=[manage])
    try:
        told = await moderator.slash(here.channel, "melodify-admin notify", on=server)
        assert told.response is not None
        assert f"slow song is ready: {'yes' if server else 'no'}" in told.response.content
        await here.member.slash(here.channel, "melodify-me", notify=member)
        assert pings_of(here, await one_song(here)) == ([here.member.id] if notified else [])
        await here.member.slash(here.channel, "melodify-me", notify="server")
        assert (await here.services.members.settings_of(here.member.id)).notify is None
    finally:
        await moderator.slash(here.channel, "melodify-admin notify", on=True)


async def test_a_private_song_notifies_nobody_and_its_answer_ends_in_the_direct_messages(here: World) -> None:
    await here.command(private=True)
    [note] = here.whispered()
    assert "on its way to your DMs" in note
    await here.songs_done()
    [song] = here.songs(here.dms)
    assert song.content == ""
    link = f"https://discord.com/channels/@me/{here.dms.id}/{song.id}"
    assert here.whispered() == [f"🤫 **{song.embeds[0].title}** is in your DMs: {link}"]
    assert song.embeds[0].image.url == "attachment://picture.jpg"


async def test_a_private_song_that_fails_says_so_where_it_was_asked_for(here: World) -> None:
    await here.command(private=True)
    here.env.inject_error("POST", f"/channels/{here.dms.id}/messages", status=413, code=40005)
    await here.songs_done()
    [note] = here.whispered()
    assert "does not fit" in note


async def test_a_member_who_does_not_want_to_be_named_is_not(here: World) -> None:
    shown = await here.member.slash(here.channel, "melodify-me")
    assert only(shown).content.startswith("Your songs name you")
    assert "with one of its options: `named`, `notify`." in only(shown).content
    assert "website" not in only(shown).content  # there is none here
    named = await one_song(here)
    changed = await here.member.slash(here.channel, "melodify-me", named=False)
    assert only(changed).content.startswith("New songs and all lists of songs leave your name out")
    assert "options" not in only(changed).content
    unnamed = await one_song(here)
    assert f"<@{here.member.id}>" in named.content
    assert str(here.member.id) not in f"{unnamed.content} {unnamed.embeds[0].description}"
    reader = here.guild.add_member(here.env.create_user("reader"))
    listed = await reader.slash(here.channel, "songs", whose="server")
    assert str(here.member.id) not in str(only(listed).embeds[0].description)
    await here.member.slash(here.channel, "melodify-me", named=True)
    listed = await reader.slash(here.channel, "songs", whose="server")
    assert str(only(listed).embeds[0].description).count(f"<@{here.member.id}>") == 2


async def test_what_a_member_has_chosen_is_forgotten_with_the_member(here: World) -> None:
    await here.member.slash(here.channel, "melodify-me", named=False)
    await here.services.members.forget(here.member.id)
    assert (await here.services.members.settings_of(here.member.id)).named
