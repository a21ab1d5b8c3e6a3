"""Kills real workers at every boundary of a job and at random moments, and real bots while members send requests.

On both databases: `make bench-crash`.
"""

import asyncio
import tempfile
from pathlib import Path
from typing import cast

from tests.discord_server import little_discord
from tests.postgres import fresh_database, postgres_server
from tests.process import asking
from tests.process.asking import Asking, Outcome
from tests.process.asking_discord import AskingDiscord
from tests.process.crash import Ledger, Proving, prove

# Two jobs pass this many boundaries; a worker is killed at each.
BOUNDARIES = 54
RANDOM_KILLS = 50
# Bots are killed from the first second of their start on.
BOT_KILLS = 50


async def measure(url: str, folder: Path) -> Ledger:
    """Return what became of the jobs."""
    async with little_discord() as discord:
        return await prove(Proving(url, folder, discord), BOUNDARIES, RANDOM_KILLS)


async def measure_requests(url: str, folder: Path) -> Outcome:
    """Return what became of the members' requests."""
    async with little_discord(AskingDiscord()) as discord:
        return await asking.prove(Asking(url, folder, cast("AskingDiscord", discord)), BOT_KILLS)


def main() -> None:
    """Print the counts."""
    with tempfile.TemporaryDirectory() as folder, postgres_server() as server, fresh_database(server) as postgres:
        for name, url in (("SQLite", f"sqlite:///{folder}/melodify.db"), ("PostgreSQL", postgres)):
            place = Path(folder) / name
            place.mkdir()
            print(f"crashes on {name}: {asyncio.run(measure(url, place))} (target: 0 of each)", flush=True)
        with fresh_database(server) as other:
            for name, url in (("SQLite", f"sqlite:///{folder}/asked.db"), ("PostgreSQL", other)):
                place = Path(folder) / f"asked-{name}"
                place.mkdir()
                print(
                    f"requests on {name}: {asyncio.run(measure_requests(url, place))} (target: 0 of each)", flush=True
                )
