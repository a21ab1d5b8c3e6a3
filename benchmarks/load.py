"""Runs 500 jobs of 200 members, each with four seconds of provider time, on both databases."""

import asyncio
import statistics
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import psutil
import sqlalchemy as sa

from benchmarks.loop import Receiver
from melodify_core.bootstrap import Services, open_services
from melodify_core.config.settings import Settings
from melodify_core.library import connect, upgrade
from melodify_core.library.schema import usage
from melodify_core.media import picture
from melodify_core.media.audio.mastering import master
from melodify_core.models import Order, Place, Wish
from melodify_core.providers import Providers
from melodify_core.storage.folder import FolderStorage
from tests.postgres import fresh_database, postgres_server
from tests.process.crash_worker import SOUND, Player, Reader
from tests.stories import a_picture, percentile

JOBS, MEMBERS, CAP, PROVIDER_S = 500, 200, 32, 4.0
CAPTION_S = 0.05  # of the four seconds: what tests.process.crash_worker.Reader takes
AT_ONCE = 8  # as many as bot/requests/fulfilment.py submits at once
PICTURE = a_picture(size=(64, 48))
NO_LIMITS = {"songs_per_minute": 0, "songs_per_hour": 0, "songs_per_day": 0, "waiting_per_user": 0}


@dataclass
class Measured:
    """Seconds, and CPU seconds of the process."""

    wall_s: float = 0.0
    cpu_s: float = 0.0
    enqueue_s: list[float] = field(default_factory=list)
    idle_start_s: float = 0.0


class Stored:
    """A pool with ready results: other benchmarks measure the CPU time of a picture and a song."""

    def __init__(self) -> None:
        bounds = picture.PictureLimits(max_bytes=1 << 20, max_pixels=1 << 20, longest_side=768)
        self._picture = picture.prepare(PICTURE, bounds)
        self._song = master(SOUND, title="x", cover_jpeg=self._picture.jpeg, max_bytes=1 << 20)

    async def run(self, deadline_s: float, work: object, *arguments: object, **_: object) -> object:
        """Return a result that was made before."""
        del deadline_s, arguments
        return self._picture if work is picture.prepare else self._song


def settings_for(url: str) -> Settings:
    """Return the settings for the load."""
    limits = NO_LIMITS | {"waiting": 0, "waiting_per_guild": 0}
    return Settings.model_validate({"database": {"url": url}, "limits": limits, "work": {"jobs": CAP}})


def providers_in(folder: Path) -> Providers:
    """Return providers that only wait."""
    log = folder / "calls.log"
    parts: tuple[Any, ...] = (Reader(log), Player(log, delay_s=PROVIDER_S - CAPTION_S), FolderStorage(folder / "files"))
    return Providers(*parts)


async def load(url: str, folder: Path) -> Measured:
    """Run all jobs in this process."""
    measured = Measured()
    upgrade_(url)
    gate = asyncio.Semaphore(AT_ONCE)
    settings = settings_for(url)
    async with open_services(
        settings, cast("Any", Receiver()), cast("Any", Stored()), providers=providers_in(folder)
    ) as services:

        async def order(number: int) -> None:
            # Job ids end in 1, because the player refuses multiples of eight.
            job = Order(
                str(number * 8 + 1), number % MEMBERS, Place(channel_id=1, guild_id=1), PICTURE, Wish(seconds=10)
            )
            async with gate:
                began = time.perf_counter()
                await services.studio.submit(job)
                measured.enqueue_s.append(time.perf_counter() - began)

        measured.idle_start_s = await first_step_when_idle(services, url)
        process, began = psutil.Process(), time.perf_counter()
        cpu = sum(process.cpu_times()[:2])
        await asyncio.gather(*(order(number) for number in range(JOBS)))
        await services.studio.idle(600)
        measured.wall_s = time.perf_counter() - began
        measured.cpu_s = sum(process.cpu_times()[:2]) - cpu
    return measured


async def first_step_when_idle(services: Services, url: str) -> float:
    """Return the median seconds from an order to its first step, with nothing else to do."""
    ids = [str(8_000_001 + 8 * number) for number in range(9)]
    for job_id in ids:
        await services.studio.submit(
            Order(job_id, int(job_id), Place(channel_id=1, guild_id=1), PICTURE, Wish(seconds=10))
        )
        await asyncio.sleep(0.37)
    await services.studio.idle(60)
    engine = connect(url)
    with engine.connect() as connection:
        rows = connection.execute(sa.select(usage.c.created_at, usage.c.started_at).where(usage.c.job_id.in_(ids)))
        waits = [row.started_at - row.created_at for row in rows]
    engine.dispose()
    return float(statistics.median(waits))


def upgrade_(url: str) -> None:
    """Create the tables."""
    engine = connect(url)
    upgrade(engine)
    engine.dispose()


def main() -> None:
    """Print the figures."""
    ideal_s = JOBS * PROVIDER_S / CAP
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = stack.enter_context(postgres_server())
        postgres = stack.enter_context(fresh_database(server))
        for name, url in (("SQLite", f"sqlite:///{folder}/melodify.db"), ("PostgreSQL", postgres)):
            (folder / name).mkdir()
            got = asyncio.run(load(url, folder / name))
            print(
                f"load on {name}, {JOBS} jobs of {MEMBERS} members, {PROVIDER_S:.0f} s each, {CAP} at once: "
                f"{got.wall_s:.1f} s, {got.wall_s / ideal_s:.2f} x the ideal (target: <= 1.15); enqueue p99 "
                f"{percentile(got.enqueue_s, 0.99) * 1000:.0f} ms (target: <= 250 ms); CPU "
                f"{got.cpu_s / JOBS * 1000:.0f} ms a job; order to first step when idle "
                f"{got.idle_start_s:.2f} s at the median (target: <= 0.3 s)",
                flush=True,
            )
