"""Stories: in every kind of channel the answer has its place, and what is missing there is named before it costs."""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import discord
import pytest
from simcord.backend.models import Overwrite
from simcord.builders import ChannelHandle
from simcord.enums import OverwriteType

from bot.discord_api.permissions import NEEDED
from melodify_core.media.worker_pool import WorkerPool
from tests.stories import PICTURE, World, a_picture, story_settings, world
from tests.story.forums import a_forum_post

TWO = (("first.png", a_picture("gold")), ("second.png", a_picture("teal")))
Make = Callable[[World], ChannelHandle]


@pytest.fixture(scope="module")
async def bot(pool: WorkerPool, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    limits = {"songs_per_minute": 0, "songs_per_hour": 0, "waiting_per_user": 0}
    async with world(story_settings(tmp_path_factory.mktemp("channels"), limits=limits), pool) as here:
        yield here


def a_thread(here: World, *, private: bool = False) -> ChannelHandle:
    kind = discord.ChannelType.private_thread if private else discord.ChannelType.public_thread
    bot_id = here.env.backend.bot_user.id
    thread = here.env.backend.create_thread(here.channel.id, "talk", bot_id, type=kind.value)
    thread.thread_members[here.member.id] = thread.thread_members[bot_id]
    return ChannelHandle(here.env, here.guild, thread)


MAKE: dict[str, Make] = {
    "text": lambda here: here.channel,
    "announcement": lambda here: here.guild.create_news_channel("news"),
    "thread": a_thread,
    "private thread": lambda here: a_thread(here, private=True),
    "forum post": a_forum_post,
    "voice chat": lambda here: here.guild.create_voice_channel("voice"),
    "stage chat": lambda here: here.guild.create_stage_channel("stage"),
}
# What can carry a thread of its own.
OWN_THREAD = {"text", "announcement"}
BOTH = pytest.mark.parametrize("way", ["command", "mention"])


async def in_channel(bot: World, kind: str) -> World:
    here = bot.corner()
    channel = MAKE[kind](here)
    await here.env.settle()
    return replace(here, channel=channel)


async def ask(here: World, way: str, *files: tuple[str, bytes]) -> None:
    if way == "command":
        await here.command()
    else:
        await here.post(here.mention, *(files or (PICTURE,)))
    await here.songs_done()


def forbid(here: World, *names: str) -> None:
    """Take permissions from the bot, in the channel or in the one that it belongs to."""
    backend = here.env.backend
    channel = backend.get_channel(backend.get_channel(here.channel.id).permission_channel_id())
    deny = discord.Permissions(**dict.fromkeys(names, True)).value
    overwrites = [Overwrite(backend.bot_user.id, OverwriteType.MEMBER, deny=deny)]
    backend.edit_channel(channel.id, {}, overwrites=overwrites)


@BOTH
@pytest.mark.parametrize("kind", MAKE)
async def test_the_song_has_its_place_in_every_kind_of_channel(bot: World, kind: str, way: str) -> None:
    here = await in_channel(bot, kind)
    await ask(here, way)
    place = here.channel.threads[0] if kind in OWN_THREAD else here.channel
    assert len(here.songs(place)) == 1
    assert len(here.channel.threads) == (kind in OWN_THREAD)
    [status] = [message for message in here.said(here.channel) if "is ready" in message.content]
    assert f"/{place.id}/" in status.content


@pytest.mark.parametrize("kind", MAKE)
async def test_two_songs_have_their_place_in_every_kind_of_channel(bot: World, kind: str) -> None:
    here = await in_channel(bot, kind)
    await ask(here, "mention", *TWO)
    place = here.channel.threads[0] if kind in OWN_THREAD else here.channel
    assert len(here.songs(place)) == 2


@BOTH
@pytest.mark.parametrize("kind", MAKE)
@pytest.mark.parametrize("name", [name for name in NEEDED if name != "view_channel"])
async def test_a_missing_permission_is_named_in_every_kind_of_channel(
    bot: World, kind: str, way: str, name: str
) -> None:
    here = await in_channel(bot, kind)
    forbid(here, name)
    await ask(here, way)
    [answer] = here.told()
    assert name.replace("_", " ").title() in answer
    assert here.orders() == 0


@pytest.mark.parametrize("kind", ["thread", "private thread", "forum post"])
async def test_in_threads_the_right_to_send_there_is_needed(bot: World, kind: str) -> None:
    here = await in_channel(bot, kind)
    forbid(here, "send_messages_in_threads")
    await ask(here, "command")
    [answer] = here.told()
    assert "Send Messages in Threads" in answer
    assert here.orders() == 0


@pytest.mark.parametrize("kind", ["thread", "forum post"])
async def test_in_threads_the_right_to_send_elsewhere_is_not_needed(bot: World, kind: str) -> None:
    here = await in_channel(bot, kind)
    forbid(here, "send_messages")
    await ask(here, "command")
    assert len(here.songs(here.channel)) == 1


@pytest.mark.parametrize("kind", ["voice chat", "stage chat"])
async def test_in_voice_chats_the_right_to_connect_is_needed(bot: World, kind: str) -> None:
    here = await in_channel(bot, kind)
    forbid(here, "connect")
    await ask(here, "command")
    [answer] = here.told()
    assert "Connect" in answer
    assert here.orders() == 0


async def test_a_missing_permission_is_named_in_korean(bot: World) -> None:
    here = bot.corner(locale="ko")
    forbid(here, "attach_files")
    await ask(here, "mention")
    assert here.said()[0].content == "여기에는 곡을 올릴 수 없어요. 필요한 권한: 파일 첨부"


@pytest.mark.parametrize("kind", ["thread", "forum post"])
async def test_a_locked_thread_is_told_before_it_costs(bot: World, kind: str) -> None:
    here = await in_channel(bot, kind)
    here.env.backend.edit_channel(here.channel.id, {}, thread_metadata={"locked": True})
    forbid(here, "manage_threads")
    await ask(here, "command")
    [answer] = here.told()
    assert "This thread is locked" in answer
    assert here.orders() == 0


async def test_who_may_manage_threads_may_post_in_a_locked_one(bot: World) -> None:
    here = await in_channel(bot, "thread")
    here.env.backend.edit_channel(here.channel.id, {}, thread_metadata={"locked": True})
    await ask(here, "command")
    assert len(here.songs(here.channel)) == 1


async def test_in_an_archived_thread_a_song_is_welcome(bot: World) -> None:
    here = await in_channel(bot, "thread")
    here.env.backend.edit_channel(here.channel.id, {}, thread_metadata={"archived": True})
    await ask(here, "command")
    assert len(here.songs(here.channel)) == 1
