"""Stories: a server's settings apply to every member who asks there."""

from collections.abc import AsyncIterator, Iterator
from contextlib import closing, contextmanager
from typing import Any

import discord
import pytest
from simcord.backend import serializers

from bot.discord_api.guild_settings import GuildSettingsCache
from melodify_core.errors import Unavailable
from melodify_core.media.worker_pool import WorkerPool
from melodify_core.models import GuildSettings
from tests.stories import PICTURE, World, answer_of, command_payload, story_settings, world


@pytest.fixture(scope="module")
async def bot(pool: WorkerPool, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    limits = {"songs_per_minute": 0, "songs_per_hour": 0, "waiting_per_user": 0}
    settings = story_settings(tmp_path_factory.mktemp("servers"), limits=limits, discord={"patience_s": 1})
    async with world(settings, pool) as here:
        yield here


async def a_server(bot: World, locale: str = "en-US", **changes: Any) -> World:
    """Return a new server whose moderators have set this."""
    here = bot.corner(locale=locale)
    await here.env.settle()
    settings = {name: value(here) if callable(value) else value for name, value in changes.items()}
    here.services.guilds.change(here.guild.id, lambda before: before.model_copy(update=settings), 0.0)
    return here


def this_channel(here: World) -> frozenset[int]:
    return frozenset({here.channel.id})


def another_channel(here: World) -> frozenset[int]:
    del here
    return frozenset({1234})


def the_member(here: World) -> frozenset[int]:
    return frozenset({here.member.id})


def wishes(here: World) -> list[tuple[str, str, int]]:
    """Return style, language and length of what was ordered, as the songs were stored with it."""
    query = """
        SELECT json_extract(song, '$.wish.style'), json_extract(song, '$.wish.language'),
          json_extract(song, '$.wish.seconds')
        FROM songs WHERE user_id = ?
    """
    with closing(here.database()) as database:
        return list(database.execute(query, (here.member.id,)))


def adult_places(here: World) -> list[bool]:
    """Return for each order of the member, in their sequence, whether its place was one for adults."""
    query = "SELECT json_extract(brief_order, '$.place.adult') FROM usage WHERE user_id = ? ORDER BY created_at"
    with closing(here.database()) as database:
        return [bool(row[0]) for row in database.execute(query, (here.member.id,))]


async def refusal(here: World) -> str:
    await here.songs_done()
    assert here.orders() == 0
    [answer] = here.told()
    return answer


async def test_a_picture_in_a_channel_that_the_moderators_have_watched_becomes_a_song(bot: World) -> None:
    here = await a_server(bot, watched_channels=this_channel)
    await here.post("", PICTURE)
    await here.songs_done()
    assert len(here.songs()) == 1


async def test_a_change_is_seen_at_once(bot: World) -> None:
    here = await a_server(bot)
    await here.post("", PICTURE)
    assert here.said() == []
    here.services.guilds.change(here.guild.id, lambda _: GuildSettings(watched_channels=this_channel(here)), 0.0)
    await here.post("", PICTURE)
    await here.songs_done()
    assert len(here.songs()) == 1


@pytest.mark.parametrize("way", ["command", "mention", "menu", "private"])
async def test_in_a_denied_channel_nothing_is_made(bot: World, way: str) -> None:
    here = await a_server(bot, denied_channels=this_channel)
    if way == "mention":
        await here.post(here.mention, PICTURE)
    elif way == "menu":
        await here.member.context_menu(here.channel, "Melodify", await here.post("", PICTURE))
    else:
        result = await here.command(private=way == "private")
        assert "not allowed in this channel" in answer_of(result)
    await here.songs_done()
    assert here.orders() == 0
    assert all("not allowed in this channel" in text for text in here.told())


async def test_a_thread_of_a_denied_channel_is_denied_too(bot: World) -> None:
    here = await a_server(bot)
    await here.command()
    await here.songs_done()
    here.services.guilds.change(here.guild.id, lambda _: GuildSettings(denied_channels=this_channel(here)), 0.0)
    result = await here.command(here.channel.threads[0])
    assert "not allowed in this channel" in answer_of(result)


async def test_where_channels_are_allowed_others_are_not_and_the_refusal_names_them(bot: World) -> None:
    here = await a_server(bot, allowed_channels=another_channel)
    await here.command()
    assert "<#1234>" in await refusal(here)


async def test_where_a_channel_is_allowed_songs_are_made(bot: World) -> None:
    here = await a_server(bot, allowed_channels=this_channel)
    await here.command()
    await here.songs_done()
    assert len(here.songs()) == 1


async def test_a_blocked_member_is_refused_in_korean_too(bot: World) -> None:
    here = await a_server(bot, blocked_users=the_member)
    await here.command()
    assert "You cannot make songs here" in await refusal(here)
    here = await a_server(bot, locale="ko", blocked_users=the_member)
    await here.post(here.mention, PICTURE)
    assert "곡을 요청할 수 없어요" in await refusal(here)


async def test_what_the_member_leaves_open_the_moderators_decide(bot: World) -> None:
    here = await a_server(bot, style="piano", seconds=15)
    await here.command()
    await here.songs_done()
    assert wishes(here) == [("piano", "en", 15)]


async def test_what_the_member_says_stands_above_it(bot: World) -> None:
    here = await a_server(bot, style="piano", seconds=30)
    await here.command(style="jazz", length=10)
    await here.songs_done()
    assert wishes(here) == [("jazz", "en", 10)]


async def test_public_answers_are_in_the_language_that_the_moderators_chose(bot: World) -> None:
    here = await a_server(bot, locale="en-US", language="ko")
    await here.command()
    await here.songs_done()
    assert "완성" in here.said(here.channel)[0].content
    assert wishes(here) == [("auto", "ko", 10)]


async def test_public_answers_are_in_the_server_s_own_language_whoever_asks(bot: World) -> None:
    here = await a_server(bot, locale="ko")
    await here.command()
    await here.songs_done()
    assert "완성" in here.said(here.channel)[0].content


async def test_a_community_that_speaks_english_is_answered_in_english(bot: World) -> None:
    here = await a_server(bot)
    payload = serializers.guild_create_payload(here.env.backend, here.env.backend.get_guild(here.guild.id))
    await here.emit("GUILD_UPDATE", dict(payload) | {"features": ["COMMUNITY"]})
    await here.emit(
        "INTERACTION_CREATE",
        command_payload(here.env, here.member, here.channel, {"image": PICTURE}, locale="ko"),
    )
    await here.songs_done()
    assert "is ready" in here.said(here.channel)[0].content


async def test_answers_for_the_asker_alone_are_in_the_asker_s_language(bot: World) -> None:
    here = await a_server(bot, language="ko")
    result = await here.command(private=True)
    assert result.response is not None
    assert "on its way to your DMs" in result.response.content
    await here.songs_done()
    assert len(here.songs(here.dms)) == 1


async def test_without_threads_the_song_comes_into_the_channel(bot: World) -> None:
    here = await a_server(bot, threads=False)
    await here.post(here.mention, PICTURE, PICTURE)
    await here.songs_done()
    assert len(here.songs(here.channel)) == 2
    assert here.channel.threads == []


@pytest.mark.parametrize("pictures", [1, 2])
async def test_a_thread_stays_open_as_long_as_the_moderators_want(bot: World, pictures: int) -> None:
    here = await a_server(bot, archive_minutes=4320)
    await here.post(here.mention, *[PICTURE] * pictures)
    await here.songs_done()
    [thread] = here.channel.threads
    metadata = here.env.backend.get_channel(thread.id).thread_metadata
    assert metadata is not None
    assert metadata.auto_archive_duration == 4320


async def test_sexual_pictures_pass_only_in_age_restricted_channels_of_servers_that_say_so(bot: World) -> None:
    adult = []
    for nsfw in ("never", "age_restricted"):
        here = await a_server(bot, nsfw=nsfw)
        channel = here.env.backend.get_channel(here.channel.id)
        for restricted in (False, True):
            payload = dict(serializers.channel_payload(here.env.backend, channel)) | {"nsfw": restricted}
            await here.emit("CHANNEL_UPDATE", payload)
            await here.command()
            await here.songs_done()
        adult += adult_places(here)
    assert adult == [False, False, False, True]


@contextmanager
def settings_away(here: World) -> Iterator[None]:
    """Take the servers' settings out of the database for a while."""
    with closing(here.database()) as database:
        database.execute("ALTER TABLE guilds RENAME TO away")
    try:
        yield
    finally:
        with closing(here.database()) as database:
            database.execute("ALTER TABLE away RENAME TO guilds")


async def test_while_the_database_is_away_the_last_known_settings_hold(bot: World) -> None:
    here = await a_server(bot, blocked_users=the_member)
    servers = GuildSettingsCache(here.services.guilds, cached_s=0)
    known = await servers.of(here.guild.id)
    assert known.blocked_users == {here.member.id}
    with settings_away(here):
        assert await servers.of(here.guild.id) == known
        with pytest.raises(Unavailable, match=r"database\.unavailable"):
            await servers.of(1)


async def test_a_message_that_is_none_of_our_business_asks_the_database_nothing(
    bot: World, caplog: pytest.LogCaptureFixture
) -> None:
    here, stranger = bot.corner(locale="en-US"), bot.corner(locale="en-US")
    await here.post("", PICTURE)
    with settings_away(here):
        await here.post("just words")
        await here.post("", PICTURE)
        assert "cannot be read" not in caplog.text
        await stranger.post("", PICTURE)
        assert "cannot be read" in caplog.text


async def test_a_message_that_cannot_concern_us_calls_no_listener(bot: World) -> None:
    here = bot.corner()
    heard = []

    async def listen(message: discord.Message) -> None:
        heard.append(message.content)

    here.client.add_listener(listen, "on_message")
    await here.post("just words")
    await here.post(here.mention)
    here.client.remove_listener(listen, "on_message")
    # Our own answer mentions nobody.
    assert heard == [here.mention]
