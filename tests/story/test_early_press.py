"""Stories: a button is pressed in the very moment when the song appears."""

from pathlib import Path
from typing import Any

import sqlalchemy as sa

from melodify_core.media.worker_pool import WorkerPool
from tests.breaking import sqlite_error
from tests.stories import story_settings, world
from tests.story.pressing import button, only, press


async def test_a_press_before_the_song_is_charged_finds_it(pool: WorkerPool, tmp_path: Path) -> None:
    pressed: list[str] = []

    def busy(_cursor: object, statement: str, parameters: Any, _context: object) -> None:
        """Let the database be busy when a song is to be charged, until something was pressed."""
        if statement.startswith("UPDATE usage") and "charged" in parameters and not pressed:
            raise sqlite_error()

    async with world(story_settings(tmp_path), pool) as here:
        engine = here.studio._library._engine
        sa.event.listen(engine, "do_execute", busy)
        await here.command()
        while not here.songs():
            await here.env.settle()
        [song] = here.songs()
        result = await press(here, here.member, song, button("details", song))
        pressed.append("details")
        await here.songs_done()
        assert only(result).embeds, only(result).content
        assert len(here.songs()) == 1
