"""Stories of the Delivery port on Discord: posted once, whatever is repeated; errors that callers understand."""

import time
from collections.abc import AsyncIterator, Callable

import discord
import pytest

from bot.discord_api.errors import map_discord_errors
from bot.posts.delivery import DiscordDelivery
from bot.posts.status_messages import StatusBoard
from melodify_core.errors import MelodifyError, Refused, Rejected, Unavailable
from melodify_core.media.worker_pool import WorkerPool
from melodify_core.models import Forecast, Job, Place, Posted, Stage, Wish
from tests.jobs import a_job, a_song
from tests.stories import World, story_settings, world
from tests.story.pressing import job_of


@pytest.fixture(scope="module")
async def bot(pool: WorkerPool, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with world(story_settings(tmp_path_factory.mktemp("delivery")), pool) as here:
        yield here


@pytest.fixture
def here(bot: World) -> World:
    return bot.corner()


@pytest.fixture
def delivery(here: World) -> DiscordDelivery:
    return DiscordDelivery(here.client, StatusBoard(here.client))


def channel_of(here: World) -> discord.TextChannel:
    channel = here.client.get_channel(here.channel.id)
    assert isinstance(channel, discord.TextChannel)
    return channel


async def a_job_in(here: World, *, threadable: bool = True) -> Job:
    """Return a job whose status message is in the channel."""
    status = await channel_of(here).send("…")
    place = Place(channel_id=here.channel.id, guild_id=here.guild.id, status_id=status.id, threadable=threadable)
    return a_job(str(status.id), here.member.id, place=place, wish=Wish())


# The simulator would open a second thread on one message; this is what Discord answers.
def inject_thread_exists(here: World) -> None:
    here.env.inject_error("POST", "/channels/*/messages/*/threads", status=400, code=160004)


async def test_a_repeat_finds_the_song_that_was_posted_in_the_thread(here: World, delivery: DiscordDelivery) -> None:
    job = await a_job_in(here)
    first = await delivery.deliver(job, a_song(job.job_id), b"sound", b"picture")
    inject_thread_exists(here)
    after_a_restart = DiscordDelivery(here.client, StatusBoard(here.client))
    assert await after_a_restart.deliver(job, a_song(job.job_id), b"sound", b"picture") == first
    assert len(here.songs()) == 1


async def test_a_repeat_finds_the_song_that_was_posted_in_the_channel(here: World, delivery: DiscordDelivery) -> None:
    job = await a_job_in(here, threadable=False)
    first = await delivery.deliver(job, a_song(job.job_id), b"sound", b"picture")
    assert await delivery.deliver(job, a_song(job.job_id), b"sound", b"picture") == first
    assert len(here.songs()) == 1


async def test_where_the_thread_was_deleted_the_song_comes_into_the_channel(
    here: World, delivery: DiscordDelivery
) -> None:
    job = await a_job_in(here)
    inject_thread_exists(here)
    posted = await delivery.deliver(job, a_song(job.job_id), b"sound", b"picture")
    assert posted.channel_id == here.channel.id


async def test_two_jobs_in_one_thread_are_told_apart(here: World, delivery: DiscordDelivery) -> None:
    first = await a_job_in(here, threadable=False)
    second = await a_job_in(here, threadable=False)
    for job in (first, second):
        await delivery.deliver(job, a_song(job.job_id), b"sound", b"picture")
    assert len(here.songs()) == 2


async def test_an_older_line_never_overwrites_a_newer_one(here: World, delivery: DiscordDelivery) -> None:
    job = await a_job_in(here)
    await delivery.show_stage(job, Stage.COMPOSING)
    await delivery.show_position(job.job_id, job.place, "en", Forecast(1))
    await delivery.show_stage(job, Stage.LOOKING)
    assert "Composing" in here.said()[0].content


async def test_who_waits_for_nobody_reads_no_time_that_is_over(here: World, delivery: DiscordDelivery) -> None:
    job, now = await a_job_in(here), int(time.time())
    await delivery.show_position(job.job_id, job.place, "en", Forecast(3, now + 60))
    assert f"should start <t:{now + 60}:R>" in here.said()[0].content
    await delivery.show_position(job.job_id, job.place, "en", Forecast(1, now))
    assert "It starts in a moment." in here.said()[0].content


async def test_a_title_that_tries_to_ping_and_to_style_is_only_text(here: World, delivery: DiscordDelivery) -> None:
    job = await a_job_in(here)
    hostile = a_song(
        job.job_id, title="**@everyone** [x](http://a.b) " + "y" * 50, caption="@here <@1> `x`" + "z" * 250
    )
    await delivery.deliver(job, hostile, b"sound", b"picture")
    [song] = here.songs()
    caption = str(song.embeds[0].description).split("\n\n")[0]
    text = f"{song.embeds[0].title} {caption} {here.channel.threads[0].name}"
    assert not any(sign in text for sign in ("@everyone", "@here", "<@", "**", "http", "`"))


async def test_a_title_without_a_letter_still_names_a_thread(here: World, delivery: DiscordDelivery) -> None:
    job = await a_job_in(here)
    await delivery.deliver(job, a_song(job.job_id, title="***"), b"sound", b"picture")
    assert here.channel.threads[0].name == "A song without a name"


async def test_a_song_without_known_tempo_and_key_tells_what_is_known(here: World, delivery: DiscordDelivery) -> None:
    job = await a_job_in(here)
    await delivery.deliver(job, a_song(job.job_id, bpm=None, key=None, instruments=("lute",)), b"sound", b"picture")
    [song] = here.songs()
    facts = str(song.embeds[0].description).splitlines()[-2:]
    assert facts == ["**Folk** · 10 s", "🎶 lute"]


@pytest.mark.parametrize("threadable", [True, False])
async def test_a_song_that_is_taken_back_is_gone_and_none_is_no_error(
    here: World, delivery: DiscordDelivery, *, threadable: bool
) -> None:
    job = await a_job_in(here, threadable=threadable)
    other = await a_job_in(here, threadable=False)
    for each in (job, other):
        await delivery.deliver(each, a_song(each.job_id), b"sound", b"picture")
    await delivery.delete_posted_song(job)
    assert [job_of(song) for song in here.songs()] == [other.job_id]
    await delivery.delete_posted_song(job)
    await delivery.apologise(job, Rejected("job.cancelled"))
    assert "Cancelled" in next(line for line in here.said() if line.id == job.place.status_id).content


async def test_a_song_in_the_direct_messages_is_taken_back_too(here: World, delivery: DiscordDelivery) -> None:
    job = await a_job_in(here)
    await channel_of(here).delete()
    await delivery.deliver(job, a_song(job.job_id), b"sound", b"picture")
    await delivery.delete_posted_song(job)
    assert here.songs(here.dms) == []


async def test_a_song_that_cannot_be_taken_back_now_may_be_later(here: World, delivery: DiscordDelivery) -> None:
    job = await a_job_in(here, threadable=False)
    await delivery.deliver(job, a_song(job.job_id), b"sound", b"picture")
    here.env.inject_error("DELETE", "/channels/*/messages/*", status=503)
    with pytest.raises(Unavailable):
        await delivery.delete_posted_song(job)
    await delivery.delete_posted_song(job)
    assert here.songs() == []


async def test_an_apology_takes_the_place_of_the_status(here: World, delivery: DiscordDelivery) -> None:
    job = await a_job_in(here)
    await delivery.apologise(job, Unavailable("provider.too_slow"))
    [line] = here.said()
    assert "too long" in line.content


async def test_an_apology_finds_another_way_when_the_status_is_gone(here: World, delivery: DiscordDelivery) -> None:
    job = await a_job_in(here)
    await channel_of(here).get_partial_message(int(job.job_id)).delete()
    await delivery.apologise(job, Unavailable("internal"))
    [line] = here.said()
    assert "wrong" in line.content


async def test_an_apology_to_a_place_that_is_gone_is_no_error(here: World, delivery: DiscordDelivery) -> None:
    job = await a_job_in(here)
    await channel_of(here).delete()
    await delivery.apologise(job, Unavailable("internal"))


async def test_an_apology_that_discord_would_not_take_may_be_tried_again(
    here: World, delivery: DiscordDelivery
) -> None:
    job = await a_job_in(here)
    here.env.inject_error("PATCH", "/channels/*/messages/*", status=503)
    with pytest.raises(Unavailable):
        await delivery.apologise(job, Unavailable("internal"))
    await delivery.apologise(job, Unavailable("internal"))
    assert "wrong" in here.said()[0].content


async def test_a_song_for_a_place_that_is_gone_goes_to_the_asker(here: World, delivery: DiscordDelivery) -> None:
    job = await a_job_in(here)
    await channel_of(here).delete()
    posted = await delivery.deliver(job, a_song(job.job_id), b"sound", b"picture")
    [song] = here.songs(here.dms)
    assert posted.message_id == song.id
    assert "could not post your song where you asked" in song.content


async def test_a_song_that_nobody_will_take_stays_in_the_member_s_list(here: World, delivery: DiscordDelivery) -> None:
    job = await a_job_in(here)
    await channel_of(here).delete()
    here.env.inject_error("POST", "/users/@me/channels", status=403, code=50007)
    assert await delivery.deliver(job, a_song(job.job_id), b"sound", b"picture") == Posted()


async def test_the_status_says_where_a_song_is_that_could_be_posted_nowhere(
    here: World, delivery: DiscordDelivery
) -> None:
    job = await a_job_in(here, threadable=False)
    await delivery.show_stage(job, Stage.DELIVERING)
    here.env.inject_error("POST", f"/channels/{here.channel.id}/messages", status=403, code=50013)
    here.env.inject_error("POST", "/users/@me/channels", status=403, code=50007)
    assert await delivery.deliver(job, a_song(job.job_id), b"sound", b"picture") == Posted()
    assert "/songs" in here.said()[0].content


async def test_a_job_that_is_tried_again_shows_its_stages_and_a_late_line_of_the_first_try_is_not_shown(
    here: World, delivery: DiscordDelivery
) -> None:
    job = await a_job_in(here)
    await delivery.apologise(job, Unavailable("provider.unavailable"))
    await delivery.show_stage(job, Stage.COMPOSING)
    assert "cannot make music right now" in here.said()[0].content
    await delivery.show_stage(job, Stage.LOOKING)
    assert "Looking" in here.said()[0].content
    await delivery.deliver(job, a_song(job.job_id), b"sound", b"picture")
    assert "is ready" in here.said()[0].content


@pytest.mark.parametrize(
    ("status", "code", "kind", "name"),
    [
        (400, 40005, Rejected, "song.too_large"),
        (413, 0, Rejected, "song.too_large"),
        (429, 0, Unavailable, "discord.unavailable"),
        (500, 0, Unavailable, "discord.unavailable"),
        (503, 0, Unavailable, "discord.unavailable"),
    ],
)
async def test_what_discord_answers_becomes_our_own_error(
    here: World, delivery: DiscordDelivery, status: int, code: int, kind: type[MelodifyError], name: str
) -> None:
    job = await a_job_in(here, threadable=False)
    here.env.inject_error("POST", f"/channels/{here.channel.id}/messages", status=status, code=code)
    with pytest.raises(kind) as raised:
        await delivery.deliver(job, a_song(job.job_id), b"sound", b"picture")
    assert raised.value.code == name


@pytest.mark.parametrize("lost", [TimeoutError, ConnectionResetError, lambda: discord.RateLimited(61.0)])
def test_a_lost_connection_is_unavailable(lost: Callable[[], Exception]) -> None:
    with pytest.raises(Unavailable), map_discord_errors():
        raise lost()


@pytest.mark.parametrize(
    ("error", "shown"), [(Refused("caption.refused"), False), (Unavailable("provider.unavailable"), True)]
)
async def test_a_picture_that_was_refused_for_its_content_is_not_shown_any_more(
    here: World, delivery: DiscordDelivery, error: MelodifyError, shown: bool
) -> None:
    note = discord.Embed(description="Picture 1 of 2").set_thumbnail(url="https://cdn.simcord.invalid/a/b.png")
    status = await channel_of(here).send("…", embed=note)
    place = Place(channel_id=here.channel.id, guild_id=here.guild.id, status_id=status.id)
    await delivery.apologise(a_job(str(status.id), here.member.id, place=place, wish=Wish()), error)
    [told] = here.said()
    assert told.content != "…"
    assert told.embeds[0].description == "Picture 1 of 2"
    assert bool(told.embeds[0].thumbnail.url) == shown
