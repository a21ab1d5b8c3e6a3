"""Stories: the process dies between the acknowledgement and the order. The next one continues or apologises."""

import asyncio
import dataclasses
import itertools
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import closing
from datetime import timedelta
from typing import Any

import discord
import pytest

from bot.i18n.messages import say
from bot.posts.delivery import DiscordDelivery
from bot.posts.status_messages import StatusBoard
from bot.requests.in_flight import RequestsInFlight
from bot.requests.intake import MAX_TRIES, Intake, read_record
from melodify_core.media.worker_pool import WorkerPool
from melodify_core.models import GuildSettings
from melodify_core.services.request_journal import RequestJournal
from tests.stories import PICTURE, World, a_picture, story_settings, world
from tests.story.pressing import a_press, button

TWO = (PICTURE, ("other.png", a_picture("gold")))
GONE = "https://cdn.simcord.invalid/attachments/1/1/gone.png"
# How lines end that promise more.
PROMISES = ("one moment …", ":R>.")
NO_LIMITS = dict.fromkeys(("songs_per_minute", "songs_per_hour", "songs_per_day", "waiting_per_user"), 0)

Ask = Callable[[World], Coroutine[Any, Any, None]]


@pytest.fixture(scope="module")
async def bot(pool: WorkerPool, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    settings = story_settings(tmp_path_factory.mktemp("intake"), limits=NO_LIMITS, discord={"patience_s": 5})
    async with world(settings, pool) as here:
        # On one file the bot would take what the next process serves for a dead one's.
        for task in asyncio.all_tasks():
            if task.get_name() == "requests":
                task.cancel()
        yield here


async def ask_by_command(here: World) -> None:
    await here.command()


async def ask_in_private(here: World) -> None:
    await here.command(private=True)


async def ask_by_post(here: World) -> None:
    await here.post(here.mention, PICTURE)


async def ask_with_several(here: World) -> None:
    await here.post(here.mention, *TWO)


async def ask_for_another(here: World) -> None:
    [song] = here.songs()
    payload, _ = a_press(here, here.member, song, button("another", song))
    await here.emit("INTERACTION_CREATE", payload)


WAYS: dict[str, tuple[Ask, int]] = {
    "command": (ask_by_command, 1),
    "private": (ask_in_private, 1),
    "post": (ask_by_post, 1),
    "several": (ask_with_several, 2),
    "press": (ask_for_another, 1),
}


def where(task: asyncio.Task[Any]) -> tuple[object, ...]:
    """Return at which await the task is: each frame of its coroutines with its instruction."""
    chain: list[object] = []
    coroutine: Any = task.get_coro()
    while getattr(coroutine, "cr_frame", None) is not None:
        chain += [coroutine.cr_code.co_qualname, coroutine.cr_frame.f_lasti]
        coroutine = coroutine.cr_await
    return tuple(chain)


async def die_at(here: World, ask: Ask, stop_at: int) -> int:
    """Let the handler of what is asked die at its await of that number; return how many awaits it came to."""
    asking = asyncio.create_task(ask(here))
    in_flight, last, count = here.client._in_flight, None, 0
    while not asking.done():
        await asyncio.sleep(0)
        for task in tuple(in_flight._tasks):
            if task.done() or (place := where(task)) == last:
                continue
            last, count = place, count + 1
            if count == stop_at:
                task.cancel()
    await asking
    return count


async def died_with(
    here: World, ask: Ask, change: Callable[[Any], object], when: Callable[[World], object] | None = None
) -> None:
    """Let the handler die right after the acknowledgement, and change what it had recorded."""
    asking = asyncio.create_task(ask(here))
    while not (when or everything)(here):
        await asyncio.sleep(0)
    for task in tuple(here.client._in_flight._tasks):
        task.cancel()
    await asking
    with closing(here.database()) as database, database:
        [(record,)] = database.execute("SELECT record FROM requests").fetchall()
        changed = json.loads(record)
        change(changed)
        database.execute("UPDATE requests SET record = ?", (json.dumps(changed),))


def has_handed_in_the_first(here: World) -> bool:
    """Return whether it is recorded that the first of several orders is accepted."""
    with closing(here.database()) as database:
        return any(json.loads(row[0])["next"] == 2 for row in database.execute("SELECT record FROM requests"))


def an_intake(here: World, in_flight: RequestsInFlight) -> Intake:
    """Return what another process takes requests with."""
    client = here.client
    delivery = DiscordDelivery(client, StatusBoard(client))
    services = dataclasses.replace(here.services, journal=RequestJournal(here.services.journal._book))
    return Intake(client, services, delivery, in_flight)


async def next_process(here: World) -> Intake:
    """Start another process, which finds the open requests, and wait until it has continued all of them."""
    intake = an_intake(here, RequestsInFlight(here.services.settings.discord.patience_s))
    await intake.renew_and_resume()
    while intake._resumed:
        await asyncio.wait(intake._resumed)
    return intake


def left(here: World) -> list[str]:
    """Return which requests are recorded."""
    with closing(here.database()) as database:
        return [row[0] for row in database.execute("SELECT request_id FROM requests")]


def everything(here: World) -> list[discord.Message]:
    """Return what the bot has said to the member."""
    return here.said(here.channel, *here.channel.threads, here.dms)


def open_lines(here: World) -> list[str]:
    """Return the bot's lines that promise what never comes."""
    return [m.content for m in everything(here) if m.flags.loading or m.content.endswith(PROMISES)]


async def assert_kept(here: World, ask: Ask, songs: int, stop_at: int) -> int:
    """Die at that await, continue in the next process, check that what was acknowledged is kept; return all awaits."""
    before, said = here.orders(), len(everything(here))
    earlier = len(here.env.backend.interactions)
    awaits = await die_at(here, ask, stop_at)
    its_own = list(here.env.backend.interactions.values())[earlier:]
    acknowledged = len(everything(here)) > said or any(interaction.responded for interaction in its_own)
    await next_process(here)
    await here.songs_done()
    assert here.orders() - before in ((songs,) if acknowledged else (0, songs))
    assert open_lines(here) == []
    assert left(here) == []
    return awaits


@pytest.mark.slow
@pytest.mark.no_cover  # the next one is measured
@pytest.mark.parametrize("way", WAYS)
async def test_a_death_at_any_await_costs_no_acknowledged_order(bot: World, way: str) -> None:
    await die_everywhere(bot, way, step=1)


@pytest.mark.parametrize("way", WAYS)
async def test_a_death_at_some_awaits_costs_no_acknowledged_order(bot: World, way: str) -> None:
    await die_everywhere(bot, way, step=7)


async def die_everywhere(bot: World, way: str, step: int) -> None:
    """Die at the first await and at each `step`th after it, until the handler comes to its end before."""
    ask, songs = WAYS[way]
    for stop_at in itertools.count(1, step):
        here = bot.corner()
        if way == "press":
            await here.command()
            await here.songs_done()
        awaits = await assert_kept(here, ask, songs, stop_at)
        if awaits < stop_at:
            return


async def test_a_picture_that_has_vanished_meanwhile_is_apologised_for_in_the_same_line(bot: World) -> None:
    here = bot.corner()
    await died_with(here, ask_by_post, lambda record: record["request"]["pictures"][0].update(url=GONE))
    await next_process(here)
    [line] = here.said()
    assert line.content == say("en", "error.picture.gone")
    assert (here.orders(), left(here)) == (0, [])


@pytest.mark.parametrize("harm", ["unreadable", "tried too often"])
async def test_a_record_that_cannot_be_read_is_apologised_for_once(bot: World, harm: str) -> None:
    here = bot.corner()
    await died_with(here, ask_by_command, lambda record: record.update(version=2) if harm == "unreadable" else None)
    if harm == "tried too often":
        with closing(here.database()) as database, database:
            database.execute("UPDATE requests SET tries = ?", (MAX_TRIES,))
    await next_process(here)
    await next_process(here)
    assert here.told() == [say("en", "error.internal")]
    assert (here.orders(), left(here)) == (0, [])


@pytest.mark.parametrize("harm", ["unreadable", "tried too often"])
async def test_an_apology_for_the_second_picture_leaves_the_first_song_s_line_alone(bot: World, harm: str) -> None:
    here = bot.corner()

    def change(record: Any) -> None:
        record.update({"version": 2} if harm == "unreadable" else {})

    await died_with(here, ask_with_several, change, when=has_handed_in_the_first)
    with closing(here.database()) as database, database:
        database.execute("UPDATE requests SET tries = ?", (MAX_TRIES,))
    await here.songs_done()
    lines = {m.content for m in everything(here)}
    await next_process(here)
    said = {m.content for m in everything(here)}
    assert lines - said <= {say("en", "status.received")}
    assert any(say("en", "error.internal") in line for line in said - lines)
    assert (here.orders(), open_lines(here), left(here)) == (1, [], [])


async def test_what_was_handed_in_to_the_last_picture_needs_no_second_word(bot: World) -> None:
    here = bot.corner()
    await died_with(here, ask_with_several, lambda record: record.update(next=3), when=has_handed_in_the_first)
    with closing(here.database()) as database, database:
        database.execute("UPDATE requests SET tries = ?", (MAX_TRIES,))
    await here.songs_done()
    lines = [m.content for m in everything(here)]
    await next_process(here)
    assert [m.content for m in everything(here)] == lines
    assert (here.orders(), left(here)) == (1, [])


async def test_how_far_a_request_is_waits_for_a_database_that_is_away(bot: World) -> None:
    here = bot.corner()
    await died_with(here, ask_by_post, lambda _: None)
    intake = an_intake(here, RequestsInFlight(here.services.settings.discord.patience_s))
    [claimed] = await intake._journal.claim()
    served = read_record(claimed)
    assert served is not None
    with closing(here.database()) as database:
        database.execute("ALTER TABLE requests RENAME TO away")
        noting = asyncio.create_task(intake._save(served.model_copy(update={"next": 2})))
        await asyncio.sleep(0.3)
        database.execute("ALTER TABLE away RENAME TO requests")
        await noting
        assert has_handed_in_the_first(here)
        database.execute("DELETE FROM requests")
        database.commit()


async def test_a_record_of_which_nothing_can_be_read_is_logged_and_dropped(
    bot: World, caplog: pytest.LogCaptureFixture
) -> None:
    here = bot.corner()
    await died_with(here, ask_by_command, lambda record: record.clear())
    await next_process(here)
    assert "cannot be read, and nobody can be told" in caplog.text
    assert left(here) == []


async def test_who_was_blocked_meanwhile_gets_no_song(bot: World) -> None:
    here = bot.corner(locale="en-GB")
    blocked = GuildSettings(blocked_users=frozenset({here.member.id}))
    await died_with(here, ask_by_post, lambda _: None)
    here.services.guilds.change(here.guild.id, lambda _: blocked, 0.0)
    await next_process(here)
    [line] = here.said()
    assert line.content == say("en", "error.limit.blocked")
    assert (here.orders(), left(here)) == (0, [])


async def test_a_channel_that_is_gone_ends_the_request_without_a_word(bot: World) -> None:
    here = bot.corner()

    def lose(record: Any) -> None:
        record["request"]["place"]["channel_id"], record["lines"] = 1, {}

    await died_with(here, ask_by_post, lose)
    await next_process(here)
    assert (here.orders(), left(here)) == (0, [])


async def test_an_asker_whose_token_has_died_is_answered_in_the_channel(bot: World) -> None:
    here = bot.corner()
    long_ago = str(discord.utils.time_snowflake(discord.utils.utcnow() - timedelta(minutes=20)))
    await died_with(here, ask_by_command, lambda record: record["request"].update(token="dead", first_id=long_ago))
    await next_process(here)
    await here.songs_done()
    assert here.orders() == 1
    assert len(here.songs()) == 1


@pytest.mark.parametrize("times", [5, pytest.param(9, marks=pytest.mark.slow)])
async def test_a_discord_that_is_away_for_the_line_and_its_answer_leaves_nobody_thinking(
    bot: World, times: int
) -> None:
    here = bot.corner()
    here.env.inject_error("PATCH", "/webhooks/*/*/messages/@original", status=503, times=times)
    await here.command()
    assert here.told() == [say("en", "error.discord.unavailable")]
    assert (here.orders(), left(here), open_lines(here)) == (0, [], [])


async def test_what_was_asked_in_private_stays_so_when_its_token_has_died(bot: World) -> None:
    here = bot.corner()
    long_ago = str(discord.utils.time_snowflake(discord.utils.utcnow() - timedelta(minutes=20)))

    def change(record: Any) -> None:
        record["request"].update(token="dead", first_id=long_ago)
        record["request"]["pictures"][0]["url"] = GONE

    await died_with(here, ask_in_private, change, when=lambda here: here.said(here.dms))
    before = [m.id for m in here.said(here.channel)]
    await next_process(here)
    assert [m.content for m in here.said(here.dms)] == [say("en", "error.picture.gone")]
    assert [m.id for m in here.said(here.channel)] == before
    assert (here.orders(), left(here)) == (0, [])


async def test_a_stop_leaves_what_discord_does_not_take_to_the_next_process(bot: World) -> None:
    here = bot.corner()
    await died_with(here, ask_by_command, lambda _: None)
    here.env.inject_error("PATCH", "/webhooks/*/*/messages/@original", status=503, times=8)
    stopped = RequestsInFlight(here.services.settings.discord.patience_s)
    intake = an_intake(here, stopped)
    await intake.renew_and_resume()
    stopped.stopping = True
    while intake._resumed:
        await asyncio.wait(intake._resumed)
    assert len(left(here)) == 1
    await next_process(here)
    await here.songs_done()
    assert (here.orders(), open_lines(here), left(here)) == (1, [], [])


async def test_a_line_that_is_gone_is_no_reason_to_say_nothing(bot: World) -> None:
    here = bot.corner()
    await died_with(here, ask_by_post, lambda record: record["request"]["pictures"][0].update(url=GONE))
    [line] = here.said()
    await line.delete()
    await next_process(here)
    [line] = here.said()
    assert line.content == say("en", "error.picture.gone")


async def test_where_the_bot_is_not_a_token_that_has_died_moves_everything_to_the_direct_messages(bot: World) -> None:
    here = bot.corner()
    long_ago = str(discord.utils.time_snowflake(discord.utils.utcnow() - timedelta(minutes=20)))

    def change(record: Any) -> None:
        record["request"].update(token="dead", first_id=long_ago, way="token")
        record["request"]["place"]["token"] = "dead"

    await died_with(here, ask_by_command, change)
    await next_process(here)
    await here.songs_done()
    assert here.orders() == 1
    assert len(here.songs(here.dms)) == 1
    assert not [m.content for m in here.said(here.dms) if m.content.endswith(PROMISES)]


async def test_a_member_is_forgotten_when_what_they_are_asking_for_has_come_to_its_end(bot: World) -> None:
    here, services = bot.corner(), bot.services
    assert await services.journal.begin("7", here.member.id, "{}")
    forgetting = asyncio.create_task(services.members.forget(here.member.id))
    await asyncio.sleep(0.5)
    assert not forgetting.done()
    await here.command()  # meanwhile it becomes an order
    await services.journal.end("7")
    await forgetting
    assert (here.orders(), left(here)) == (0, [])


async def test_what_a_dead_process_has_left_of_a_member_is_forgotten_at_once(bot: World) -> None:
    here = bot.corner()
    await died_with(here, ask_by_command, lambda _: None)
    with closing(here.database()) as database, database:
        database.execute("UPDATE requests SET leased_until = 1")
    async with asyncio.timeout(5):
        await here.services.members.forget(here.member.id)
    assert left(here) == []


async def test_an_error_that_only_another_version_has_words_for_is_apologised_for(bot: World) -> None:
    here = bot.corner()
    unknown = {"kind": "Rejected", "code": "of.tomorrow", "values": {}}
    await died_with(here, ask_by_post, lambda record: record["request"].update(refused=unknown))
    await next_process(here)
    [line] = here.said()
    assert (line.content, left(here)) == (say("en", "error.internal"), [])
