"""Stories: what was posted in watched channels while the bot was offline is served once, when it is back."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import discord
import pytest
from simcord.builders import ChannelHandle

from bot.requests.catch_up import CatchUp
from bot.requests.in_flight import RequestsInFlight
from melodify_core.config.settings import Settings
from melodify_core.media.worker_pool import WorkerPool
from melodify_core.models import GuildSettings, RoleLimits
from tests.stories import PICTURE, World, a_channel, a_picture, post_payload, story_settings, world
from tests.story.forums import a_forum_post

NO_LIMITS = {"songs_per_minute": 0, "songs_per_hour": 0, "waiting_per_user": 0}
OTHER = ("other.png", a_picture("gold"))


@pytest.fixture
async def here(pool: WorkerPool, tmp_path: Path) -> AsyncIterator[World]:
    async with world(story_settings(tmp_path, limits=NO_LIMITS), pool) as here:
        yield here


def the_shard(here: World) -> discord.ShardInfo:
    shard = here.client.get_shard(0)
    assert shard is not None
    return shard


async def leave(here: World) -> None:
    """Let the bot hear nothing more."""
    await the_shard(here).disconnect()


async def connect(here: World) -> None:
    """Let the bot reconnect with a new session, as when Discord cannot resume the old one."""
    with here.env._bot_scope():  # what comes of it is the bot's work, and in its time
        await the_shard(here).connect()


async def come_back(here: World, way: str = "reconnect", settings: Settings | None = None) -> None:
    """Let the bot reconnect, or start a new process."""
    if way == "restart":
        await here.restart(settings or here.services.settings)
    else:
        await connect(here)
        await here.env.settle()
    await here.songs_done()


def answered(here: World, *places: ChannelHandle) -> list[int]:
    """Return the messages that the bot has replied to, in the order of its replies."""
    replies = sorted(here.said(*(places or (here.channel,))), key=lambda message: message.id)
    return [each.reference.message_id or 0 for each in replies if each.reference]


def watch(here: World, channel_id: int, changed_at: float = 0.0) -> None:
    """Let the moderators have the channel watched."""
    watched = GuildSettings(watched_channels=frozenset({channel_id}))
    here.services.guilds.change(here.guild.id, lambda _: watched, changed_at)


def make_older(here: World, message: discord.Message, minutes: float) -> int:
    """Let the message have been posted so long ago; return its new id."""
    posts = here.env.backend.messages[message.channel.id]
    stored = posts.pop(message.id)
    stored.id -= int(minutes * 60_000) << 22
    stored.timestamp = discord.utils.snowflake_time(stored.id).isoformat()
    posts[stored.id] = stored
    return stored.id


async def missed(here: World, *texts: str, channel: ChannelHandle | None = None) -> list[int]:
    """Post a picture with each of the texts; return the messages."""
    return [(await here.post(text, PICTURE, channel=channel)).id for text in texts]


@pytest.mark.parametrize("way", ["restart", "reconnect"])
async def test_what_was_posted_meanwhile_is_served_in_its_order_and_once(here: World, way: str) -> None:
    await leave(here)
    await here.post("what a day")
    pictures = await missed(here, "first", "second")
    question = await here.post(f"{here.mention} hello")
    pictures += await missed(here, f"{here.mention} third")
    assert here.said() == []
    await come_back(here, way)
    assert answered(here) == [*pictures[:2], question.id, pictures[2]]
    assert len(here.songs()) == here.orders() == 3
    for again in ("reconnect", "restart"):
        await leave(here)
        await come_back(here, again)
    assert len(answered(here)) == 4
    assert len(here.songs()) == here.orders() == 3


@pytest.mark.slow
async def test_a_discord_that_has_trouble_still_when_it_is_back_hides_nothing(here: World) -> None:
    await leave(here)
    pictures = await missed(here, "first")
    here.env.inject_error("GET", f"/channels/{here.channel.id}/messages", status=503, times=5)
    await connect(here)
    async with asyncio.timeout(30):
        while not answered(here):
            await asyncio.sleep(0.1)
    await here.songs_done()
    assert answered(here) == pictures


async def test_what_was_answered_before_is_left_in_peace_also_a_refusal(here: World) -> None:
    await here.post("", ("broken.png", b"no picture"))
    await here.post("", ("broken.png", b"no picture"), OTHER)
    await here.songs_done()
    said = [message.content for message in here.said()]
    await leave(here)
    await come_back(here, "restart")
    assert [message.content for message in here.said()] == said
    assert here.orders() == 1


async def test_an_order_that_is_known_is_not_taken_again_where_its_answer_was_deleted(here: World) -> None:
    await here.post("", PICTURE)
    await here.songs_done()
    for message in here.said(here.channel):
        here.env.backend.delete_message(here.channel.id, message.id)
    await leave(here)
    await come_back(here, "restart")
    assert here.said(here.channel) == []
    assert here.orders() == 1


async def test_a_message_that_comes_live_while_the_bot_looks_back_is_served_once(here: World) -> None:
    await leave(here)
    [first] = await missed(here, "first")
    message = await here.post("second", PICTURE)
    await connect(here)
    here.env.backend.emit("MESSAGE_CREATE", post_payload(here.env, message))
    await leave(here)
    await connect(here)
    here.env.backend.emit("MESSAGE_CREATE", post_payload(here.env, message))
    await here.env.settle()
    await here.songs_done()
    assert sorted(answered(here)) == [first, message.id]
    assert len(here.songs()) == here.orders() == 2


@pytest.mark.parametrize(("minutes", "age", "served"), [(0, -1, 0), (15, 16, 0), (15, 14, 1), (5, 6, 0)])
async def test_the_bot_looks_back_as_far_as_it_is_set(
    pool: WorkerPool, tmp_path: Path, minutes: int, age: int, served: int
) -> None:
    settings = story_settings(tmp_path, discord={"catch_up_minutes": minutes})
    async with world(settings, pool) as here:
        await leave(here)
        make_older(here, await here.post("", PICTURE), age)
        await come_back(here)
        assert len(here.songs()) == here.orders() == served


async def test_only_the_newest_fifty_messages_are_looked_at(here: World) -> None:
    await leave(here)
    old, new = await missed(here, "too far back", "just there")
    for number in range(49):
        here.env.backend.create_message(here.channel.id, here.member.id, f"talk {number}")
    await come_back(here)
    assert answered(here) == [new]
    assert old < new


async def test_channels_that_moderators_chose_are_looked_at_and_no_others(here: World) -> None:
    other = here.corner(locale="en-GB")
    quiet = a_channel(here.env, other.guild)
    await here.env.settle()
    watch(other, other.channel.id)
    await leave(here)
    [picture] = await missed(other, "")
    await missed(other, "", f"{here.mention}", channel=quiet)
    await come_back(other)
    assert answered(other) == [picture]
    assert other.said(quiet) == []


async def test_a_watched_forum_s_new_posts_are_looked_at(here: World) -> None:
    post = a_forum_post(here)
    watch(here, here.guild.channels["pictures"].id)
    await leave(here)
    pictures = await missed(here, "", channel=post)
    await come_back(here, "restart")
    assert answered(here, post) == pictures
    assert len(here.songs(post)) == 1


async def test_pictures_from_before_a_channel_was_chosen_are_not_taken_and_mentions_are(here: World) -> None:
    other = here.corner(locale="en-GB")
    await here.env.settle()
    await leave(here)
    make_older(here, await other.post("older than the choice", PICTURE), 3)
    asked = make_older(here, await other.post(here.mention, PICTURE), 3)
    watch(other, other.channel.id, here.env.now().timestamp() - 120)
    newer = make_older(here, await other.post("newer", PICTURE), 1)
    await come_back(other)
    assert answered(other) == [asked, newer]


async def test_without_the_intent_only_mentions_are_seen(here: World) -> None:
    watch(here, here.channel.id)
    settings = here.services.settings
    blind = {"message_content": False, "watched_channels": frozenset()}
    settings = settings.model_copy(update={"discord": settings.discord.model_copy(update=blind)})
    await leave(here)
    [_, asked] = await missed(here, "", here.mention)
    await come_back(here, "restart", settings)
    assert answered(here) == [asked]
    assert len(here.songs()) == 1


async def test_limits_hold_and_are_said_as_usual(pool: WorkerPool, tmp_path: Path) -> None:
    async with world(story_settings(tmp_path, limits=NO_LIMITS | {"songs_per_minute": 2}), pool) as here:
        await leave(here)
        pictures = await missed(here, "", "", "")
        await come_back(here)
        assert answered(here) == pictures
        assert len(here.songs()) == here.orders() == 2
        assert "minute" in here.said(here.channel)[-1].content


async def test_a_member_s_roles_count_as_they_do_for_a_new_message(here: World) -> None:
    other = here.corner(locale="en-GB")
    patrons = other.guild.create_role("patrons")
    patron = other.guild.add_member(here.env.create_user("patron"), roles=[patrons])
    await here.env.settle()
    one, two = RoleLimits(songs_per_hour=1), RoleLimits(songs_per_hour=2)
    rules = GuildSettings(
        watched_channels=frozenset({other.channel.id}), roles={str(other.guild.id): one, str(patrons.id): two}
    )
    here.services.guilds.change(other.guild.id, lambda _: rules, 0.0)
    await leave(here)
    for member in (other.member, patron):
        for _ in range(3):
            await member.send(other.channel, "", attachments=[PICTURE])
    await come_back(other)
    assert len(other.songs()) == 1 + 2


@pytest.mark.parametrize("fault", ["denied", "gone", pytest.param("away", marks=pytest.mark.slow)])
async def test_a_channel_that_cannot_be_read_does_not_keep_the_others_waiting(here: World, fault: str) -> None:
    other = here.corner(locale="en-GB")
    broken = a_channel(here.env, other.guild, ["read_message_history"] if fault == "denied" else [])
    next_one = a_channel(here.env, other.guild)
    await here.env.settle()
    both = GuildSettings(watched_channels=frozenset({1234, broken.id, next_one.id}))
    here.services.guilds.change(other.guild.id, lambda _: both, 0.0)
    await leave(here)
    await missed(other, "", channel=broken)
    [picture] = await missed(other, "", channel=next_one)
    if fault != "denied":
        status = 404 if fault == "gone" else 503
        here.env.inject_error("GET", f"/channels/{broken.id}/messages", status=status, times=None)
    await come_back(other)
    assert answered(other, next_one) == [picture]
    assert other.said(broken) == []


async def test_a_discord_that_is_away_for_a_moment_is_asked_again(here: World) -> None:
    await leave(here)
    pictures = await missed(here, "")
    here.env.inject_error("GET", f"/channels/{here.channel.id}/messages", status=503)
    await come_back(here)
    assert answered(here) == pictures


async def test_a_database_that_is_away_is_waited_for(here: World, caplog: pytest.LogCaptureFixture) -> None:
    await leave(here)
    pictures = await missed(here, "")
    with closing(here.database()) as database:
        database.execute("ALTER TABLE guilds RENAME TO elsewhere")
        await connect(here)
        while "waits for the database" not in caplog.text:
            await asyncio.sleep(0.01)
        assert here.said() == []
        database.execute("ALTER TABLE elsewhere RENAME TO guilds")
    await here.env.settle()
    here.errors_before = here.env.error_cursor  # others wanted the table too
    await here.songs_done()
    assert answered(here) == pictures


async def test_what_a_stop_left_over_the_next_process_serves(here: World) -> None:
    await leave(here)
    pictures = await missed(here, "", "", "", "")
    await connect(here)
    while not here.said(here.channel):
        await asyncio.sleep(0)
    await here.client.close()
    assert len(answered(here)) < len(pictures)
    await come_back(here, "restart")
    assert answered(here) == pictures
    refused = [
        each.reference.message_id for each in here.said(here.channel) if "restart" in each.content and each.reference
    ]
    assert refused in ([], pictures[:1])  # the one that was being served when the stop came
    assert len(here.songs()) == here.orders() == len(pictures) - len(refused)


async def test_a_message_that_breaks_something_does_not_keep_the_next_waiting(here: World) -> None:
    served = []

    async def serve(message: discord.Message) -> None:
        served.append(message.id)
        if len(served) == 1:
            raise ZeroDivisionError

    await here.client.remove_cog(CatchUp.__cog_name__)
    await here.client.add_cog(CatchUp(here.client, here.services, RequestsInFlight(0.0), serve))
    await leave(here)
    pictures = await missed(here, "", "")
    await connect(here)
    await here.env.settle()
    assert served == pictures
    [apology] = here.said()
    assert apology.reference is not None
    assert apology.reference.message_id == pictures[0]
    here.errors_before = here.env.error_cursor


async def test_a_defect_that_ends_the_look_back_is_logged(here: World, caplog: pytest.LogCaptureFixture) -> None:
    watch(here, here.channel.id)
    with closing(here.database()) as database, database:
        database.execute("UPDATE guilds SET settings = 'no settings'")
    await leave(here)
    await connect(here)
    await here.env.settle()
    assert "looking back broke off" in caplog.text
    here.errors_before = here.env.error_cursor
