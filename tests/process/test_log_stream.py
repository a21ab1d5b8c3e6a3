"""All that a process says is one stream: a line is a JSON object, whichever library wrote it."""

import asyncio
import json
import signal
from pathlib import Path

from tests.discord_server import TOKEN, little_discord
from tests.pictures import sunset
from tests.postgres import fresh_database, postgres_server, start_again, stop
from tests.process.running import melodify, until

AWAY_S = 8.0


async def test_every_line_is_json_while_the_database_is_away(tmp_path: Path) -> None:
    with postgres_server() as server, fresh_database(server) as url:
        database = {"MELODIFY_DATABASE__URL": url, "MELODIFY_LOG__FORMAT": "json"}
        async with little_discord() as world:
            async with melodify(world, tmp_path, "migrate", **database) as migrating:
                assert await asyncio.wait_for(migrating.wait(), 60) == 0
            async with melodify(world, tmp_path, **database) as process:
                await world.connected()
                await world.post_picture(sunset())
                await until(lambda: any("Composing" in edit or "Looking" in edit for edit in world.edits))
                await asyncio.to_thread(stop, server)
                await asyncio.sleep(AWAY_S)
                await asyncio.to_thread(start_again, server)
                await until(world.songs)
                process.send_signal(signal.SIGTERM)
                _, said = await asyncio.wait_for(process.communicate(), 60)
    lines = said.decode().splitlines()
    records = [json.loads(line) for line in lines]
    assert all({"time", "level", "logger", "message"} <= record.keys() for record in records)
    assert any(record["logger"] == "dbos" for record in records), "the engine said nothing of the outage"
    assert TOKEN not in said.decode()
