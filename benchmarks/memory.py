"""Measures the memory of an idle `melodify run`, with the embedded and with the real providers, all on loopback.

Then what the smallest machine that people rent sees of it, one core and 512 MB: the sum of all processes' PSS, in which
a page that several share counts once.
"""

import asyncio
import os
import re
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import psutil

from tests.discord_server import TOKEN, Discord, little_discord
from tests.gcs_server import BUCKET, gcs_server
from tests.gemini_server import KEY, gemini_server
from tests.openai_server import openai_server
from tests.pictures import photo
from tests.vertex_server import vertex_server

SETTLE_S = 3.0
SONGS = 4
# docs/operations.md recommends these, with a longer time.
SMALL = {
    "MELODIFY_WORK__PROCESSES": "1",
    "MELODIFY_WORK__JOBS": "1",
    "MELODIFY_WORK__POLL_S": "2",
    "MELODIFY_WORK__IDLE_S": "10",
}
UNLIMITED = {"MELODIFY_LIMITS__SONGS_PER_HOUR": "0"}
INTERVAL_S = 0.05
CPU_S = 20.0


@asynccontextmanager
async def running(folder: Path, variables: dict[str, str]) -> AsyncIterator[tuple[Discord, psutil.Process]]:
    """Yield a connected `melodify run` on a loopback Discord."""
    async with little_discord() as discord:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("MELODIFY_")} | {
            "MELODIFY_DISCORD__TOKEN": TOKEN,
            "MELODIFY_DISCORD__API_URL": discord.api_url,
            "MELODIFY_DISCORD__GATEWAY_URL": discord.gateway_url,
            "MELODIFY_LOG__LEVEL": "WARNING",
        }
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bot", "run"), cwd=folder, env=environment | variables
        )
        try:
            await discord.connected()
            await asyncio.sleep(SETTLE_S)
            yield discord, psutil.Process(process.pid)
        finally:
            process.send_signal(signal.SIGTERM)
            await process.wait()


async def idle_mb(folder: Path, variables: dict[str, str]) -> float:
    """Return the resident memory of an idle bot with its child processes."""
    async with running(folder, variables) as (_, bot):
        return sum(each.memory_info().rss for each in (bot, *bot.children(recursive=True))) / 1e6


def shared_mb(bot: psutil.Process) -> float:
    """Return the sum of PSS of a bot's processes."""
    total = 0
    for each in (bot, *bot.children(recursive=True)):
        with suppress(OSError):  # it has ended meanwhile
            rollup = Path(f"/proc/{each.pid}/smaps_rollup").read_text(encoding="ascii")
            total += int(re.findall(r"^Pss:\s+(\d+)", rollup, re.MULTILINE)[0])
    return total * 1024 / 1e6


def cpu_s(bot: psutil.Process) -> float:
    """Return the seconds of CPU that a bot's processes have used."""
    return sum(sum(each.cpu_times()[:2]) for each in (bot, *bot.children(recursive=True)))


async def peak_mb(bot: psutil.Process, discord: Discord) -> float:
    """Return the most that a bot uses while it makes songs of photos, one after the other."""
    peak, picture = 0.0, photo()
    for number in range(SONGS):
        await discord.post_picture(picture)
        async with asyncio.timeout(180):
            while len(discord.songs()) <= number:
                peak = max(peak, shared_mb(bot))
                await asyncio.sleep(INTERVAL_S)
    return peak


async def print_small_machine(folder: Path) -> None:
    """Print what the smallest machine sees."""
    async with running(folder, SMALL | UNLIMITED) as (discord, bot):
        print(f"smallest machine, idle after the start: {shared_mb(bot):.0f} MB (target: <= 260 MB)")
        began, cpu = time.monotonic(), cpu_s(bot)
        await asyncio.sleep(CPU_S)
        share = (cpu_s(bot) - cpu) / (time.monotonic() - began)
        print(f"smallest machine, idle: {share:.1%} of a core (target: <= 1 %)")
        peak = await peak_mb(bot, discord)
        print(f"smallest machine, {SONGS} songs of photos of 12 megapixels: {peak:.0f} MB (target: <= 420 MB)")
        print(f"smallest machine, right after them, with its worker: {shared_mb(bot):.0f} MB")
        await asyncio.sleep(float(SMALL["MELODIFY_WORK__IDLE_S"]) + SETTLE_S)
        print(f"smallest machine, idle after songs: {shared_mb(bot):.0f} MB (target: <= 260 MB)")


async def real_mb(folder: Path) -> float:
    """Return the same for OpenAI, Lyria and Cloud Storage."""
    async with openai_server() as openai, vertex_server(b"") as lyria:
        with gcs_server() as gcs:
            chosen = {
                "MELODIFY_CAPTIONER": "openai",
                "MELODIFY_OPENAI__API_KEY": "sk-benchmark",
                "MELODIFY_OPENAI__BASE_URL": openai.url,
                "MELODIFY_COMPOSER": "lyria",
                "MELODIFY_VERTEX__PROJECT": "benchmark",
                "MELODIFY_VERTEX__ENDPOINT": lyria.url,
                "MELODIFY_STORAGE": "gcs",
                "MELODIFY_GCS__BUCKET": BUCKET,
                "MELODIFY_GCS__ENDPOINT": gcs,
            }
            return await idle_mb(folder, chosen)


async def gemini_mb(folder: Path) -> float:
    """Return the same for the Gemini API alone, before the first song: that loads 20 MB more."""
    async with gemini_server(b"") as gemini:
        chosen = {
            "MELODIFY_COMPOSER": "gemini",
            "MELODIFY_GEMINI__API_KEY": KEY,
            "MELODIFY_GEMINI__ENDPOINT": gemini.url,
        }
        return await idle_mb(folder, chosen)


def main() -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as folder:
        embedded = asyncio.run(idle_mb(Path(folder), {}))
    print(f"idle memory of `melodify run`, embedded providers: {embedded:.0f} MB (target: <= 160 MB)")
    with tempfile.TemporaryDirectory() as folder:
        gemini = asyncio.run(gemini_mb(Path(folder))) - embedded
    print(f"idle memory of `melodify run`, Gemini API: {gemini:.0f} MB over the embedded (target: <= 40 MB)")
    with tempfile.TemporaryDirectory() as folder:
        real = asyncio.run(real_mb(Path(folder)))
    print(f"idle memory of `melodify run`, OpenAI, Lyria and Cloud Storage: {real:.0f} MB (target: <= 320 MB)")
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(print_small_machine(Path(folder)))
