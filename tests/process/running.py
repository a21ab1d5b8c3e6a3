"""A real `melodify run` whose Discord is on loopback."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.discord_server import TOKEN, Discord
from tests.process.prepared import Prepared, measured

Process = asyncio.subprocess.Process | Prepared
FRESH = True  # in an interpreter of its own


@asynccontextmanager
async def melodify(
    world: Discord, folder: Path, command: str = "run", fresh: bool = False, /, **variables: str
) -> AsyncIterator[Process]:
    """Run the command until the block ends; what still lives then is killed."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MELODIFY_")} | {
        "MELODIFY_DISCORD__TOKEN": TOKEN,
        "MELODIFY_DISCORD__API_URL": world.api_url,
        "MELODIFY_DISCORD__GATEWAY_URL": world.gateway_url,
        "MELODIFY_SONG__DEFAULT_SECONDS": "10",
        "MELODIFY_WORK__POLL_S": "0.1",
        "MELODIFY_WORK__PROCESSES": "1",
    }
    process: Process
    if fresh:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bot", *command.split()),
            cwd=folder,
            env=measured(environment | variables),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
    else:
        process = Prepared(("bot", *command.split()), folder, environment | variables)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def until(condition: object, timeout_s: float = 60) -> None:
    assert callable(condition)
    async with asyncio.timeout(timeout_s):
        while not condition():
            await asyncio.sleep(0.02)
