"""Stories: Discord fails, the bot restarts, a hundred members come at once - and every song arrives exactly once."""

import asyncio
from contextlib import closing
from pathlib import Path

import pytest

from melodify_core.media.worker_pool import WorkerPool
from tests.stories import (
    PICTURE,
    a_picture,
    acknowledge_times,
    answer_of,
    bare_acknowledge_times,
    percentile,
    seconds_of,
    story_settings,
    world,
)


async def test_a_failed_status_line_does_not_fail_the_song(pool: WorkerPool, tmp_path: Path) -> None:
    async with world(story_settings(tmp_path), pool) as here:
        here.env.inject_error("PATCH", "/channels/*/messages/*", status=500, times=None)
        await here.command()
        await here.songs_done()
        assert len(here.songs()) == 1


async def test_a_status_line_is_closed_when_discord_takes_it_again(pool: WorkerPool, tmp_path: Path) -> None:
    async with world(story_settings(tmp_path), pool) as here:
        await here.post(here.mention, PICTURE)
        await here.until("🎼")
        here.env.inject_error("PATCH", "/channels/*/messages/*", status=503, times=4)
        await here.songs_done()
        assert len(here.songs()) == 1
        await here.until("is ready")


async def test_a_song_that_discord_would_not_take_at_first_arrives_on_a_second_try(
    pool: WorkerPool, tmp_path: Path
) -> None:
    async with world(story_settings(tmp_path), pool) as here:
        await here.post(here.mention, PICTURE)
        here.env.inject_error("POST", "/channels/*/messages", status=503)
        await here.songs_done()
        assert len(here.songs()) == 1


async def test_a_restart_in_the_middle_of_a_job_ends_in_one_song(pool: WorkerPool, tmp_path: Path) -> None:
    settings = story_settings(tmp_path, work={"drain_s": 0, "poll_s": 0.1})
    async with world(settings, pool, composes=True) as here:
        await here.command()
        await here.until("🎼")
        await here.restart(settings)
        await here.songs_done()
        [song] = here.songs()
        assert await seconds_of(song) == pytest.approx(10, abs=3)
        assert "is ready" in here.said(here.channel)[0].content


async def test_a_database_that_breaks_is_told_to_the_asker(pool: WorkerPool, tmp_path: Path) -> None:
    async with world(story_settings(tmp_path, discord={"patience_s": 0.5}), pool) as here:
        with closing(here.database()) as database:
            database.execute("DROP TABLE usage")
        result = await here.command()
        assert "database is not answering" in answer_of(result)
        await here.post(here.mention, PICTURE)
        assert "database is not answering" in here.said(here.channel)[-1].content
        here.errors_before = here.env.error_cursor


@pytest.mark.parametrize("way", ["command", "mention"])
@pytest.mark.parametrize("table", ["usage", "guilds", "requests"])
async def test_a_database_that_is_away_for_a_moment_refuses_no_order(
    pool: WorkerPool, tmp_path: Path, table: str, way: str
) -> None:
    async with world(story_settings(tmp_path), pool) as here:
        with closing(here.database()) as database:
            database.execute(f"ALTER TABLE {table} RENAME TO away")

        async def back() -> None:
            await asyncio.sleep(1.5)
            with closing(here.database()) as database:
                database.execute(f"ALTER TABLE away RENAME TO {table}")

        coming = asyncio.create_task(back())
        await (here.command() if way == "command" else here.post(here.mention, PICTURE))
        await coming
        await here.songs_done()
        assert len(here.songs()) == 1
        assert [each.content for each in here.said() if "database is not answering" in each.content] == []
        here.errors_before = here.env.error_cursor


async def test_closing_twice_is_closing_once(pool: WorkerPool, tmp_path: Path) -> None:
    async with world(story_settings(tmp_path), pool) as here:
        await here.client.close()
        await here.client.close()
        assert here.client.is_closed()


async def test_a_song_that_waits_is_made_after_a_restart(pool: WorkerPool, tmp_path: Path) -> None:
    settings = story_settings(tmp_path, work={"drain_s": 0, "poll_s": 0.1, "jobs": 1})
    async with world(settings, pool, composes=True) as here:
        await here.command()
        await here.until("🎼")
        await here.command()
        await here.restart(settings)
        await here.songs_done()
        assert len(here.songs()) == 2


async def test_a_song_in_the_works_is_finished_before_the_bot_leaves(pool: WorkerPool, tmp_path: Path) -> None:
    async with world(story_settings(tmp_path), pool, composes=True) as here:
        await here.command()
        await here.until("🎼")
        await here.client.close()
        assert len(here.songs()) == 1


async def test_a_hundred_commands_at_once_are_all_acknowledged_in_time(pool: WorkerPool, tmp_path: Path) -> None:
    ratios: list[float] = []
    while min(ratios, default=8.0) >= 8 and len(ratios) < 3:  # a neighbour on the machine spoils one burst, not three
        bare = percentile(await bare_acknowledge_times(100), 0.99)
        settings = story_settings(tmp_path / str(len(ratios)), work={"drain_s": 0})
        async with world(settings, pool) as here:
            p99 = percentile(await acknowledge_times(here.env, here.guild, here.channel, 100), 0.99)
            print(f"acknowledged: p99 {p99:.3f} s, {p99 / bare:.1f} times that of a bot that does nothing else")
            await here.client.close()
            unanswered = [message for message in here.said(here.channel) if message.flags.loading]
            assert unanswered == []
        ratios.append(p99 / bare)
    assert min(ratios) < 8


@pytest.mark.parametrize("way", ["command", "mention", "private", "two pictures"])
async def test_a_discord_that_is_away_for_a_moment_refuses_no_order(pool: WorkerPool, tmp_path: Path, way: str) -> None:
    async with world(story_settings(tmp_path), pool) as here:
        here.env.inject_error("POST", "/interactions/*/*/callback", status=503)
        here.env.inject_error("POST", f"/channels/{here.channel.id}/messages", status=503, times=2)
        here.env.inject_error("POST", f"/channels/{here.dms.id}/messages", status=503)
        here.env.inject_error("PATCH", "/webhooks/*/*/messages/@original", status=503)
        match way:
            case "command":
                await here.command()
            case "private":
                await here.command(private=True)
            case "mention":
                await here.post(here.mention, PICTURE)
            case _:
                await here.post(here.mention, PICTURE, ("other.png", a_picture("gold")))
        await here.songs_done()
        places = [here.dms] if way == "private" else [here.channel, *here.channel.threads]
        assert len(here.songs(*places)) == (2 if way == "two pictures" else 1)
        assert [each.content for each in here.said(*places) if "cannot make music right now" in each.content] == []
