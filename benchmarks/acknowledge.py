"""Measures how long 100 commands at once wait for their acknowledgement, with the real bot in the simulated Discord.

It also measures what it costs to store a request before that.
"""

import asyncio
import tempfile
import time
from contextlib import closing
from pathlib import Path

from melodify_core.library import RequestBook, connect, upgrade
from melodify_core.media.worker_pool import WorkerPool
from melodify_core.services.request_journal import RequestJournal
from tests.postgres import fresh_database, postgres_server
from tests.stories import acknowledge_times, percentile, story_settings, world

COMMANDS = 100
RECORD = "x" * 1000  # about as long as a real record


async def measure(folder: Path, pool: WorkerPool) -> list[float]:
    """Return the seconds from a command's arrival to its acknowledgement."""
    async with world(story_settings(folder, work={"drain_s": 0}), pool, composes=True) as here:
        return await acknowledge_times(here.env, here.guild, here.channel, COMMANDS)


async def store_requests(url: str) -> list[float]:
    """Return the seconds that it takes to store each request, one after the other."""
    engine = connect(url)
    upgrade(engine)
    journal, times = RequestJournal(RequestBook(engine)), []
    for number in range(3 * COMMANDS):
        began = time.perf_counter()
        await journal.begin(str(number), 1, RECORD)
        times.append(time.perf_counter() - began)
    engine.dispose()
    return times


def main() -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as folder, closing(WorkerPool()) as pool:
        times = asyncio.run(measure(Path(folder), pool))
    p50, p99 = (percentile(times, share) * 1000 for share in (0.5, 0.99))
    print(f"acknowledgement, {COMMANDS} commands at once: p50 {p50:.0f} ms, p99 {p99:.0f} ms (target: p99 <= 250 ms)")
    with tempfile.TemporaryDirectory() as folder, postgres_server() as server, fresh_database(server) as postgres:
        for name, url in (("SQLite", f"sqlite:///{folder}/melodify.db"), ("PostgreSQL", postgres)):
            p50 = percentile(asyncio.run(store_requests(url)), 0.5) * 1000
            print(f"a request is stored before it, on {name}: p50 {p50:.1f} ms (target: <= 5 ms)")
