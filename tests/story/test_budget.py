"""Stories: what the providers may be paid in a day is never passed, however many orders come at once."""

import asyncio
from pathlib import Path

from melodify_core.workshop import Workshop
from tests.sounds import chords, wav
from tests.stories import acknowledge_times, story_settings, world
from tests.vertex_server import vertex_server


async def test_a_budget_is_never_passed_by_orders_that_come_at_once(workshop: Workshop, tmp_path: Path) -> None:
    async with vertex_server(wav(chords(2))) as lyria:
        limits = {"dollars_per_day": 0.45, "songs_per_minute": 0, "waiting": 0}  # seven songs of six cents
        vertex = {"project": "melodify-test", "endpoint": lyria.url}
        settings = story_settings(tmp_path, composer="lyria", vertex=vertex, limits=limits)
        async with world(settings, workshop) as here:
            await acknowledge_times(here.env, here.guild, here.channel, 40)
            # Thinking, or with a picture that is being looked at, until it is taken or refused.
            async with asyncio.timeout(60):
                while (
                    sum(
                        not message.flags.loading and "one moment" not in message.content
                        for message in here.said(here.channel)
                    )
                    < 40
                ):
                    await asyncio.sleep(0.05)
            await here.songs_done()
            assert lyria.made == len(here.songs()) == 7
