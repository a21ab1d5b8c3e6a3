"""Stories: a member looks at songs, plays one, asks what is left, and is forgotten."""

import time
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import discord
import pytest
from simcord import interactions as wire
from simcord.builders import ChannelHandle

from bot.i18n.messages import say
from bot.requests.definitions import sync_commands
from melodify_core.library import Library, connect
from melodify_core.media.worker_pool import WorkerPool
from tests.jobs import POSTED, a_job
from tests.jobs import a_song as a_finished_song
from tests.stories import PICTURE, World, a_picture, command_of, story_settings, world
from tests.story.pressing import button

# The commands that /help shows, and their keys in the catalogue.
HELPED = {
    "melodify": "melodify",
    "songs": "songs",
    "queue": "queue",
    "quota": "quota",
    "melodify-me": "me",
    "forget-me": "forget_me",
}


@pytest.fixture(scope="module")
async def bot(pool: WorkerPool, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    limits = {"songs_per_minute": 0, "songs_per_hour": 20, "waiting_per_user": 0}
    settings = story_settings(tmp_path_factory.mktemp("members"), limits=limits)
    async with world(settings, pool) as here:
        yield here


@pytest.fixture
def here(bot: World) -> World:
    return bot.corner()


async def a_song(here: World, **options: Any) -> None:
    await here.command(**options)
    await here.songs_done()


def files_of(here: World) -> list[str]:
    folder = here.services.settings.folder.path
    return sorted(path.name for path in Path(folder).rglob("*") if path.is_file())


async def korean(here: World, name: str) -> str:
    """Use a command as a member whose Discord is Korean; return the answer."""
    commands = here.env.backend.visible_commands(user_id=here.member.id, channel_id=here.channel.id)
    root = next(command for command in commands if command["name"] == name)
    data = {"id": root["id"], "name": root["name"], "type": 1, "options": []}
    number, payload = wire.base_payload(
        here.env.backend,
        type=2,
        channel_id=here.channel.id,
        guild_id=here.guild.id,
        user_id=here.member.id,
        data=data,
    )
    await here.emit("INTERACTION_CREATE", payload | {"locale": "ko"})
    answer = here.env.backend.interactions[int(payload["id"])]
    assert number
    assert answer.ephemeral
    assert answer.message_id
    message = here.env.backend.get_message(here.channel.id, answer.message_id)
    return str(message.content) + str(message.embeds)


async def test_a_member_without_songs_is_told_how_to_get_one(here: World) -> None:
    result = await here.member.slash(here.channel, "songs")
    assert result.ephemeral
    assert result.response is not None
    assert "/melodify" in str(result.response.embeds[0].description)
    assert result.response.components == []


async def test_own_songs_are_listed_with_their_posts_and_played_for_the_reader_alone(here: World) -> None:
    await a_song(here)
    result = await here.member.slash(here.channel, "songs")
    assert result.response is not None
    text = str(result.response.embeds[0].description)
    song = here.songs()[0]
    assert f"/{song.channel.id}/{song.id})" in text
    played = await here.member.select(result.response, job_ids(here))
    assert played.ephemeral
    sent = played.response
    assert sent is not None
    assert [file.filename[-4:] for file in sent.attachments] == [".mp3"]
    assert sent.content.startswith("🎧")


async def test_pages_turn_also_after_a_restart(bot: World, here: World) -> None:
    engine = connect(here.services.settings.database.url)
    for number in range(9):
        job = a_job(f"{here.member.id}{number}", here.member.id)
        Library(engine).record_song(job, a_finished_song(job.job_id), POSTED, time.time())
    engine.dispose()
    result = await here.member.slash(here.channel, "songs")
    assert result.response is not None
    assert "**8." in str(result.response.embeds[0].description)
    await bot.restart(bot.services.settings)
    here.client = bot.client
    await here.member.click(result.response, label="Next")
    again = here.env.backend.get_message(here.channel.id, result.response.id)
    assert "**9." in again.embeds[0]["description"]
    assert "Page 2 of 2" in again.embeds[0]["footer"]["text"]


async def test_the_server_s_list_hides_private_songs_and_channels_that_the_reader_cannot_see(here: World) -> None:
    await a_song(here)
    await a_song(here, private=True)
    reader = here.guild.add_member(here.env.create_user("reader"))
    role = here.guild.create_role("hidden from")
    blind = here.guild.add_member(here.env.create_user("blind"), roles=[role])
    hidden = here.guild.create_text_channel(
        "hidden", overwrites={role: discord.PermissionOverwrite(view_channel=False)}
    )
    await here.command(hidden)
    await here.songs_done()
    links = {str(here.songs()[0].id), str(here.songs(hidden, *hidden.threads)[0].id)}
    for member, seen in ((reader, 2), (blind, 1)):
        result = await member.slash(here.channel, "songs", whose="server", order="liked")
        assert result.response is not None
        text = str(result.response.embeds[0].description)
        assert sum(link in text for link in links) == seen
        assert "private" not in text


async def test_songs_of_archived_threads_stay_in_the_list_and_those_of_private_ones_never_come_there(
    here: World,
) -> None:
    await here.post(here.mention, PICTURE, ("second.png", a_picture("teal")))
    await here.songs_done()
    [thread] = here.channel.threads
    await here.command(thread)
    await here.songs_done()
    secret = await channel_of(here).create_thread(name="secret", type=discord.ChannelType.private_thread)
    await secret.add_user(discord.Object(here.member.id))
    await here.command(ChannelHandle(here.env, here.guild, here.env.backend.channels[secret.id]))
    await here.songs_done()
    for each in channel_of(here).threads:
        await each.edit(archived=True)
    result = await here.member.slash(here.channel, "songs", whose="server")
    assert result.response is not None
    assert str(result.response.embeds[0].description).count("Open") == 3
    played = await here.member.select(result.response, job_ids(here)[:1])
    assert played.response is not None
    assert played.response.content.startswith("🎧")


def channel_of(here: World) -> discord.TextChannel:
    channel = here.client.get_channel(here.channel.id)
    assert isinstance(channel, discord.TextChannel)
    return channel


async def test_a_song_of_somebody_else_is_not_played_from_a_forged_menu(here: World) -> None:
    await a_song(here, private=True)
    private_id = next(iter(job_ids(here)))
    stranger = here.guild.add_member(here.env.create_user("stranger"))
    heard = await here.services.members.own_songs(stranger.id, "newest", 0)
    assert heard.total == 0
    with pytest.raises(Exception, match=r"song\.gone"):
        await here.services.members.play(private_id, stranger.id, here.guild.id, {here.channel.id}, 10**7)


def job_ids(here: World) -> list[str]:
    with closing(here.database()) as database:
        query = "SELECT job_id FROM usage WHERE user_id = ?"
        return [str(row[0]) for row in database.execute(query, (here.member.id,))]


async def test_the_quota_costs_nothing_and_speaks_both_languages(here: World) -> None:
    await a_song(here)
    result = await here.member.slash(here.channel, "quota")
    assert result.ephemeral
    assert result.response is not None
    assert "This hour: 19 of 20 songs left." in result.response.content
    assert "20곡 중 19곡" in await korean(here, "quota")
    assert here.orders() == 1


async def test_help_has_every_command_to_click_in_both_languages(here: World) -> None:
    result = await here.member.slash(here.channel, "help")
    assert result.ephemeral
    assert result.response is not None
    text = result.response.content
    assert len(text) < 1900
    for name, key in HELPED.items():
        command_id = command_of(here.env, here.member, here.channel, name)["id"]
        assert f"</{name}:{command_id}>" in text
        assert f"</{say('ko', f'command.{key}.name')}:{command_id}>" in await korean(here, "help")
    for words in ("up to 4 in one message", "`private`", "The menu has Details and Delete", "AVIF"):
        assert words in text


async def test_help_names_the_watched_channels_that_the_reader_sees(bot: World) -> None:
    result = await bot.corner().member.slash(bot.channel, "help")
    assert result.response is not None
    assert f"every picture that is posted in <#{bot.channel.id}> becomes a song." in result.response.content
    elsewhere = bot.corner(locale="ko")
    result = await elsewhere.member.slash(elsewhere.channel, "help")
    assert result.response is not None
    assert "In this server" not in result.response.content


async def test_commands_that_were_registered_before_are_found_again(here: World) -> None:
    tree, notes = here.client.tree, here.services.notes
    ids = await sync_commands(tree, 1, notes)
    calls = len(here.env.http_requests)
    assert await sync_commands(tree, 1, notes) == ids
    assert ids["queue"] == int(command_of(here.env, here.member, here.channel, "queue")["id"])
    assert len(here.env.http_requests) == calls


async def test_the_queue_shows_the_member_s_songs_and_when_a_new_one_would_start(here: World) -> None:
    result = await here.member.slash(here.channel, "queue")
    assert result.ephemeral
    assert result.response is not None
    assert result.response.content == "Nothing is waiting.\nA new song would start right away."
    await here.command(length=120)
    await here.command(length=120)
    [first, second] = [status for status in here.said(here.channel) if status.components]
    result = await here.member.slash(here.channel, "queue")
    assert result.response is not None
    lines = result.response.content.splitlines()
    link = f"https://discord.com/channels/{here.guild.id}/{here.channel.id}"
    assert {line.rpartition(" ")[2] for line in lines[:2]} == {f"{link}/{first.id}", f"{link}/{second.id}"}
    assert lines[2].startswith("In all servers: ")
    assert lines[3].startswith("A new song ")
    assert "내 노래: " in await korean(here, "queue")
    await here.songs_done()


async def test_the_queue_promises_no_song_to_a_member_who_has_none_left(here: World) -> None:
    with closing(here.database()) as database, database:
        query = "INSERT INTO usage (job_id, user_id, guild_id, created_at, state) VALUES (?, ?, ?, ?, 'charged')"
        own = (here.member.id, here.guild.id, time.time() - 60)
        database.executemany(query, [(f"9{here.member.id}{number}"[-19:], *own) for number in range(20)])
    result = await here.member.slash(here.channel, "queue")
    assert result.response is not None
    assert "right away" not in result.response.content
    assert "all your songs for" in result.response.content


async def test_the_queue_of_others_is_counted_but_not_shown(here: World) -> None:
    await here.command(length=120)
    other = here.guild.add_member(here.env.create_user("patient"))
    result = await other.slash(here.channel, "queue")
    assert result.response is not None
    assert "Yours" not in result.response.content
    assert "in progress" in result.response.content
    await here.songs_done()


async def test_who_asks_to_be_forgotten_is_and_their_running_song_is_cancelled(here: World) -> None:
    await a_song(here)
    known = job_ids(here)
    assert any(known[0] in name for name in files_of(here))
    await here.command(length=120)
    result = await here.member.slash(here.channel, "forget-me")
    assert result.ephemeral
    assert result.response is not None
    await here.member.click(result.response, label="Delete stored data only")
    answer = here.env.backend.get_message(here.channel.id, result.response.id)
    assert "Deleted 1 song with" in answer.content
    assert "from 2 requests" in answer.content
    assert job_ids(here) == []
    assert not any(known[0] in name for name in files_of(here))
    with closing(here.database()) as database:
        workflows = "SELECT count(*) FROM workflow_status WHERE workflow_uuid = ?"
        assert database.execute(workflows, (known[0],)).fetchone() == (0,)
        everything = "\n".join(database.iterdump())
    assert str(here.member.id) not in everything
    # Its messages belong to the channel.
    assert len(here.songs()) == 1
    quota = await here.member.slash(here.channel, "quota")
    assert quota.response is not None
    assert "19 of 20" in quota.response.content


async def test_with_the_posts_song_video_status_message_and_thread_go_too(here: World) -> None:
    await a_song(here)
    [song] = here.songs()
    await here.member.click(song, custom_id=button("video", song))
    result = await here.member.slash(here.channel, "forget-me")
    assert result.response is not None
    await here.member.click(result.response, label="Delete stored data and posts")
    answer = here.env.backend.get_message(here.channel.id, result.response.id)
    assert "Deleted 3 messages." in answer.content
    assert "Could not delete" not in answer.content
    assert here.songs() == []
    assert here.said() == []
    assert here.channel.threads == []
    empty = await here.member.slash(here.channel, "songs")
    assert empty.response is not None
    assert "no songs yet" in str(empty.response.embeds[0].description)


async def test_a_video_that_was_posted_long_after_its_song_goes_too(here: World) -> None:
    await a_song(here)
    [song] = here.songs()
    await talk(here, song)
    result = await here.member.click(song, custom_id=button("video", song))
    assert result.followups
    await talk(here, song)
    await forgotten(here, "Delete stored data and posts")
    [thread] = here.channel.threads  # members wrote there, so it stays
    assert [message for message in here.said(thread) if message.attachments] == []


async def talk(here: World, song: discord.Message) -> None:
    """Fill the song's thread."""
    for _ in range(101):
        here.env.backend.create_message(song.channel.id, here.member.id, "talk")
    await here.env.settle()


async def test_posts_of_a_song_that_cannot_be_read_go_too(here: World) -> None:
    await a_song(here)
    await a_song(here)
    with closing(here.database()) as database, database:
        query = "UPDATE songs SET song = '{}' WHERE job_id = (SELECT min(job_id) FROM songs WHERE user_id = ?)"
        database.execute(query, (here.member.id,))
    listed = await here.member.slash(here.channel, "songs")
    assert listed.response is not None
    assert "**1." in str(listed.response.embeds[0].description)
    answer = await forgotten(here, "Delete stored data and posts")
    assert "Deleted 4 messages." in answer
    assert here.songs() == []


async def a_take_of_another_s(here: World) -> str:
    """Let another member order a take of the member's song; return its job."""
    await a_song(here)
    [song] = here.songs()
    other = here.guild.add_member(here.env.create_user("other"))
    await other.click(song, custom_id=button("another", song))
    await here.songs_done()
    [_, take] = here.songs()
    await other.click(take, custom_id=button("video", take))
    return button("x", take).rpartition(":")[2]


async def forgotten(here: World, label: str) -> str:
    result = await here.member.slash(here.channel, "forget-me")
    assert result.response is not None
    await here.member.click(result.response, label=label)
    return str(here.env.backend.get_message(here.channel.id, result.response.id).content)


async def test_another_s_song_of_a_forgotten_member_s_picture_loses_the_picture(here: World) -> None:
    take = await a_take_of_another_s(here)
    mp3 = Path(here.services.settings.folder.path) / "songs" / f"{take}.mp3"
    assert b"APIC" in mp3.read_bytes()
    assert "Removed your pictures from 1 song" in await forgotten(here, "Delete stored data only")
    assert [name for name in files_of(here) if take in name and name[-4:] in (".jpg", ".mp4")] == []
    assert b"APIC" not in mp3.read_bytes()
    with closing(here.database()) as database:
        assert database.execute("SELECT picture_gone FROM usage WHERE job_id = ?", (take,)).fetchone() == (1,)


async def test_with_the_posts_another_s_song_of_the_picture_is_deleted(here: World) -> None:
    take = await a_take_of_another_s(here)
    assert "Deleted 1 song that others" in await forgotten(here, "Delete stored data and posts")
    assert here.songs() == []
    assert not any(take in name for name in files_of(here))


async def test_a_forgotten_member_s_takes_of_another_s_picture_leave_that_alone(here: World) -> None:
    take = await a_take_of_another_s(here)
    with closing(here.database()) as database:
        [other] = database.execute("SELECT user_id FROM songs WHERE job_id = ?", (take,)).fetchone()
    forgot = await here.services.members.forget(other, with_takes=True)
    assert (forgot.songs, forgot.takes) == (1, 0)
    assert len(job_ids(here)) == 1


async def test_with_the_posts_the_status_message_of_a_song_posted_nowhere_goes_too(here: World) -> None:
    here.env.inject_error("POST", "/users/@me/channels", status=403, code=50007, times=None)
    await here.command(length=120)
    [status] = here.said()
    here.env.inject_error("POST", f"/channels/{status.id}/messages", status=403, code=50013, times=None)
    here.env.inject_error("POST", f"/channels/{here.channel.id}/threads", status=403, code=50013, times=None)
    here.env.inject_error("POST", f"/channels/{here.channel.id}/messages", status=403, code=50013, times=None)
    await here.songs_done()
    here.env.backend.faults.clear()
    assert here.songs() == []
    result = await here.member.slash(here.channel, "forget-me")
    assert result.response is not None
    await here.member.click(result.response, label="Delete stored data and posts")
    assert here.said() == []


async def test_forgetting_works_in_direct_messages(here: World) -> None:
    await a_song(here)
    result = await here.member.user.slash("forget-me")
    assert result.response is not None
    await here.member.user.click(result.response, label="Delete stored data only")
    assert job_ids(here) == []


async def test_a_record_that_cannot_be_read_keeps_nobody_from_being_forgotten(here: World) -> None:
    await a_song(here)
    with closing(here.database()) as database, database:
        database.execute("UPDATE songs SET song = '{}' WHERE user_id = ?", (here.member.id,))
    result = await here.member.slash(here.channel, "forget-me")
    assert result.response is not None
    await here.member.click(result.response, label="Delete stored data only")
    answer = here.env.backend.get_message(here.channel.id, result.response.id)
    assert "Deleted 1 song with" in answer.content
    assert job_ids(here) == []
