"""How long 100 commands at once wait for their acknowledgement, with the real bot in the simulated Discord."""

import asyncio
import tempfile
from contextlib import closing
from pathlib import Path

from melodify_core.workshop import Workshop
from tests.stories import acknowledge_times, percentile, story_settings, world

COMMANDS = 100


async def measure(folder: Path, workshop: Workshop) -> list[float]:
    """Return the seconds from a command's arrival to its acknowledgement."""
    async with world(story_settings(folder, work={"drain_s": 0}), workshop, composes=True) as here:
        return await acknowledge_times(here.env, here.guild, here.channel, COMMANDS)


def main() -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as folder, closing(Workshop()) as workshop:
        times = asyncio.run(measure(Path(folder), workshop))
    p50, p99 = (percentile(times, share) * 1000 for share in (0.5, 0.99))
    print(f"acknowledgement, {COMMANDS} commands at once: p50 {p50:.0f} ms, p99 {p99:.0f} ms (asked: p99 <= 250 ms)")
