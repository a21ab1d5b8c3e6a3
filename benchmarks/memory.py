"""Measures the memory of an idle `melodify run`, with the embedded and with the real providers, all on loopback."""

import asyncio
import os
import signal
import sys
import tempfile
from pathlib import Path

import psutil

from tests.discord_server import TOKEN, little_discord
from tests.gcs_server import BUCKET, gcs_server
from tests.gemini_server import KEY, gemini_server
from tests.openai_server import openai_server
from tests.vertex_server import vertex_server

SETTLE_S = 3.0


async def idle_mb(folder: Path, variables: dict[str, str]) -> float:
    """Return the resident memory of a connected and idle `melodify run` with its child processes."""
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
            tree = psutil.Process(process.pid)
            return sum(each.memory_info().rss for each in (tree, *tree.children(recursive=True))) / 1e6
        finally:
            process.send_signal(signal.SIGTERM)
            await process.wait()


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
