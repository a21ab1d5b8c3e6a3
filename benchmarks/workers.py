"""Measures how throughput grows with workers on one PostgreSQL: 1, 2 and 4 processes with a cap of 32 jobs each.

Jobs wait for their provider for twelve seconds, so that four workers with 32 jobs each do not exhaust two cores, and
the benchmark measures the queue and not the number of cores.
"""

import asyncio
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any, cast

from benchmarks.load import CAP, CAPTION_S, NO_LIMITS, PICTURE, Stored, upgrade_
from benchmarks.loop import Receiver
from melodify_core.bootstrap import Role, open_services
from melodify_core.config.settings import Settings
from melodify_core.models import Order, Place, Wish
from melodify_core.providers import Providers
from melodify_core.storage.folder import FolderStorage
from tests.postgres import fresh_database, postgres_server
from tests.process.crash_worker import Player, Reader

WORKERS = (1, 2, 4)
PROVIDER_S, ROUNDS = 12.0, 2
AT_ONCE = 8


def settings_for(url: str) -> Settings:
    """Return the settings of workers and gateway."""
    limits = NO_LIMITS | {"waiting": 0, "waiting_per_guild": 0}
    return Settings.model_validate({"database": {"url": url}, "limits": limits, "work": {"jobs": CAP}})


def providers_in(folder: Path) -> Providers:
    """Return providers that only wait."""
    log = folder / "calls.log"
    player = Player(log, delay_s=PROVIDER_S - CAPTION_S)
    parts: tuple[Any, ...] = (Reader(log), player, FolderStorage(folder / "files"))
    return Providers(*parts)


async def work(url: str, folder: Path) -> None:
    """Run as a worker until the process ends."""
    open_worker = open_services(
        settings_for(url),
        cast("Any", Receiver()),
        cast("Any", Stored()),
        role=Role(serves=False),
        providers=providers_in(folder),
    )
    async with open_worker:
        print("ready", flush=True)
        await asyncio.Event().wait()


async def throughput(url: str, folder: Path, workers: int) -> float:
    """Return how many jobs per second the workers finish."""
    command = (sys.executable, "-W", "ignore", "-m", "benchmarks.workers", url, str(folder))
    processes = [await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE) for _ in range(workers)]
    try:
        for process in processes:
            if process.stdout is None or not await process.stdout.readline():
                raise RuntimeError("a worker did not start")
        return await _finished_per_second(url, folder, workers * CAP * ROUNDS)
    finally:
        for process in processes:
            process.kill()
            await process.wait()


async def _finished_per_second(url: str, folder: Path, jobs: int) -> float:
    gate = asyncio.Semaphore(AT_ONCE)
    role = Role(works=False)
    gateway = open_services(
        settings_for(url), cast("Any", Receiver()), cast("Any", Stored()), role=role, providers=providers_in(folder)
    )
    async with gateway as services:

        async def order(number: int) -> None:
            # Job ids end in 1, because the player refuses multiples of eight.
            place = Place(channel_id=1, guild_id=1)
            async with gate:
                await services.studio.submit(Order(str(number * 8 + 1), number, place, PICTURE, Wish(seconds=10)))

        began = time.perf_counter()
        await asyncio.gather(*(order(number) for number in range(jobs)))
        await services.studio.idle(600)
        return jobs / (time.perf_counter() - began)


def main() -> None:
    """Print the figures."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = stack.enter_context(postgres_server())
        alone = 0.0
        for workers in WORKERS:
            place = folder / str(workers)
            place.mkdir()
            with fresh_database(server) as url:
                upgrade_(url)
                reached = asyncio.run(throughput(url, place, workers))
            alone = alone or reached
            print(
                f"{workers} workers on PostgreSQL, {CAP} jobs at once each, {PROVIDER_S:.0f} s a job: "
                f"{reached:.2f} jobs a second, {reached / alone / workers:.2f} x linear (target: >= 0.85)",
                flush=True,
            )


if __name__ == "__main__":
    asyncio.run(work(sys.argv[1], Path(sys.argv[2])))
