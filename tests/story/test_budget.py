"""Stories: what the providers may be paid in a day is never passed, however many orders come at once."""

import asyncio
from contextlib import closing
from pathlib import Path

from melodify_core.media.worker_pool import WorkerPool
from tests.gemini_server import KEY, gemini_server
from tests.sounds import chords, wav
from tests.stories import a_picture, acknowledge_times, story_settings, world
from tests.vertex_server import vertex_server


async def test_a_budget_is_never_passed_by_orders_that_come_at_once(pool: WorkerPool, tmp_path: Path) -> None:
    async with vertex_server(wav(chords(2))) as lyria:
        limits = {"dollars_per_day": 0.45, "songs_per_minute": 0, "waiting": 0}  # seven songs of six cents
        vertex = {"project": "melodify-test", "endpoint": lyria.url}
        settings = story_settings(tmp_path, composer="lyria", vertex=vertex, limits=limits)
        async with world(settings, pool) as here:
            await acknowledge_times(here.env, here.guild, here.channel, 40)
            # Thinking, or with a picture that is being looked at, until it is taken or refused.
            async with asyncio.timeout(60):
                while (
                    sum(
                        not message.flags.loading and "one moment" not in message.content
                        for message in here.said(here.channel)
                    )
                    + len(here.whispered())
                    < 40
                ):
                    await asyncio.sleep(0.05)
            await here.songs_done()
            assert lyria.made == len(here.songs()) == 7


async def test_a_song_whose_turn_comes_when_the_budget_is_used_up_ends_uncharged(
    pool: WorkerPool, tmp_path: Path
) -> None:
    async with vertex_server(wav(chords(2))) as lyria:
        lyria.delay_s = 1.5
        vertex = {"project": "melodify-test", "endpoint": lyria.url}
        work = {"jobs": 1, "poll_s": 0.1, "drain_s": 10}
        settings = story_settings(
            tmp_path, composer="lyria", vertex=vertex, limits={"dollars_per_day": 0.20}, work=work
        )
        async with world(settings, pool) as here:
            second = here.corner()
            await here.command()
            async with asyncio.timeout(60):
                while not lyria.asked:
                    await asyncio.sleep(0.02)
            await second.command()
            with closing(here.database()) as database:
                # As if the first one had been killed in the middle of two calls before.
                database.execute(
                    "INSERT INTO costs (job_id, created_at, provider, model, dollars, input_tokens, output_tokens,"
                    " request_id, billed) SELECT job_id, created_at, provider, model, 0.12, 0, 0, '', 0 FROM costs"
                )
                database.commit()
            await here.songs_done()
            assert len(lyria.asked) == len(here.songs()) == 1
            assert second.songs() == []
            [line] = second.said()
            assert "budget for today is used up" in line.content
            quota = await second.member.slash(second.channel, "quota")
            assert quota.response is not None
            assert "30 of 30" in quota.response.content
            mine = await here.member.slash(here.channel, "quota")
            assert mine.response is not None
            assert "songs cost about $0.18. Another $0.00 is set aside" in mine.response.content


async def test_when_a_budget_is_used_up_what_costs_nothing_goes_on(pool: WorkerPool, tmp_path: Path) -> None:
    async with gemini_server(wav(chords(12.0))) as gemini:
        settings = story_settings(
            tmp_path,
            composers=["gemini", "arranger"],
            gemini={"api_key": KEY, "endpoint": gemini.url},
            limits={"dollars_per_day": 0.08},
        )
        async with world(settings, pool) as here:
            for colour in ("gold", "teal"):
                await here.command(image=("picture.png", a_picture(colour)))
                await here.songs_done()
            facts = [str(song.embeds[0].description) for song in here.songs()]
            assert gemini.made == 1
            assert "Played by" not in facts[0]
            assert "Played by the built-in band, because Lyria could not" in facts[1]
