"""Measures how long eight jobs at once block the event loop, in the real studio with the embedded providers."""

import asyncio
import tempfile
import time
from pathlib import Path

from benchmarks.render import photo
from melodify_core.bootstrap import open_services
from melodify_core.config.settings import Settings
from melodify_core.errors import MelodifyError
from melodify_core.models import Forecast, Job, Language, Link, Order, Place, Posted, Progress, Song, Stage, Wish

JOBS = 8
TICK_S = 0.002


class Receiver:
    """A Delivery that accepts everything."""

    def __init__(self) -> None:
        self.songs = 0

    async def show_stage(self, job: Job, stage: Stage, progress: Progress | None = None) -> None:
        """Do nothing."""

    async def show_position(
        self, job_id: str, place: Place, language: Language, forecast: Forecast, page_id: str | None = None
    ) -> None:
        """Do nothing."""

    async def deliver(self, job: Job, song: Song, audio: bytes | Link, picture: bytes) -> Posted:
        """Count."""
        del job, song, audio, picture
        self.songs += 1
        return Posted(channel_id=1, message_id=1)

    async def close_line(self, job: Job, song: Song, posted: Posted) -> None:
        """Do nothing."""

    async def delete_posted_song(self, job: Job) -> None:
        """Fail: no job of the benchmark is cancelled."""
        raise AssertionError(job.job_id)

    async def apologise(self, job: Job, error: MelodifyError) -> None:
        """Fail: no job of the benchmark may fail."""
        raise AssertionError(f"job {job.job_id}: {error}")


class Lag:
    """Measures how late a short sleep returns at most."""

    def __init__(self) -> None:
        self.worst_s = 0.0

    async def watch(self) -> None:
        """Run until cancelled."""
        while True:
            before = time.perf_counter()
            await asyncio.sleep(TICK_S)
            self.worst_s = max(self.worst_s, time.perf_counter() - before - TICK_S)


async def measure(folder: Path) -> tuple[float, float, int]:
    """Return the worst lag in seconds, the wall time and the number of songs."""
    picture = folder / "photo.jpg"
    photo(picture)
    data = picture.read_bytes()
    settings = Settings.model_validate(
        {"database": {"url": f"sqlite:///{folder}/melodify.db"}, "folder": {"path": folder / "files"}}
    )
    receiver, lag = Receiver(), Lag()
    async with open_services(settings, receiver) as services:
        started = time.perf_counter()
        watcher = asyncio.create_task(lag.watch())
        orders = [Order(str(n), n, Place(channel_id=1), data, Wish(seconds=30)) for n in range(JOBS)]
        await asyncio.gather(*(services.studio.submit(order) for order in orders))
        await services.studio.idle(300)
        watcher.cancel()
        wall_s = time.perf_counter() - started
    return lag.worst_s, wall_s, receiver.songs


def main() -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as folder:
        worst_s, wall_s, songs = asyncio.run(measure(Path(folder)))
    print(f"event loop, {JOBS} jobs of 30 s at once: blocked {worst_s * 1000:.0f} ms at the most (target: <= 50 ms)")
    print(f"{songs} songs of 30 s in {wall_s:.1f} s")
