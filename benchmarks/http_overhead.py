"""Measures what the composers over plain HTTP add to the server's time, with the tests' servers on loopback.

The servers run in a process of their own. ElevenLabs' own time is that of the same call without reading the answer;
ACE-Step's is what its task plays: queueing it, noticing its end and fetching the music are what we add.
"""

import asyncio
import multiprocessing
import statistics
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from multiprocessing.connection import Connection

import aiohttp
from pydantic import SecretStr

from melodify_core.composers.acestep.composer import AceStepComposer
from melodify_core.composers.elevenlabs.composer import ElevenLabsComposer
from melodify_core.config.settings import AceStep, ElevenLabs
from melodify_core.models import Wish
from tests.acestep_server import acestep_server
from tests.briefs import a_brief
from tests.elevenlabs_server import KEY, elevenlabs_server
from tests.jobs import a_provider_context

ROUNDS = 30
WARM_UP = 3
PLAYS_S = 0.25
# Two minutes of MP3 at 192 kbit/s, and half a minute of FLAC.
SOUNDS = {"elevenlabs": b"ID3" + bytes(2_880_000), "acestep": b"fLaC" + bytes(3_000_000)}


def http_overhead(name: str) -> tuple[float, float]:
    """Return the median milliseconds of a take through the adapter, and those of the server alone."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(theirs, name))
    process.start()
    try:
        whole, own = asyncio.run({"elevenlabs": _elevenlabs, "acestep": _acestep}[name](ours.recv()))
        ours.send("stop")
    finally:
        process.join(10)
        process.kill()
    return whole * 1000, own * 1000


def main() -> None:
    """Print one line."""
    texts = []
    for name in SOUNDS:
        whole, own = http_overhead(name)
        texts.append(f"{name} {whole - own:.0f} ms (a take {whole:.0f} ms, the server's own {own:.0f} ms)")
    print(f"http, overhead per take at the median: {'; '.join(texts)} (target: <= 60 ms)")


async def _elevenlabs(url: str) -> tuple[float, float]:
    composer = ElevenLabsComposer(ElevenLabs(api_key=SecretStr(KEY), endpoint=url))
    whole = await _median(lambda: composer.compose(a_brief(), Wish(), a_provider_context()))
    await composer.close()
    body = {"prompt": "x", "music_length_ms": 30_000, "model_id": "music_v2"}
    async with aiohttp.ClientSession(headers={"xi-api-key": KEY}) as session:

        async def bare() -> None:
            async with session.post(f"{url}/v1/music", json=body) as answer:
                answer.raise_for_status()

        return whole, await _median(bare)


async def _acestep(url: str) -> tuple[float, float]:
    composer, context = AceStepComposer(AceStep(url=url)), a_provider_context()

    async def take() -> None:
        await composer.collect(await composer.commission(a_brief(), Wish(), context), context)

    whole = await _median(take)
    await composer.close()
    return whole, PLAYS_S


async def _median(call: Callable[[], Awaitable[object]]) -> float:
    took = []
    for _ in range(WARM_UP + ROUNDS):
        start = time.perf_counter()
        await call()
        took.append(time.perf_counter() - start)
    return statistics.median(took[WARM_UP:])


def _serve(pipe: Connection, name: str) -> None:
    asyncio.run(_until_stopped(pipe, name))


async def _until_stopped(pipe: Connection, name: str) -> None:
    async with AsyncExitStack() as stack:
        if name == "acestep":
            server = await stack.enter_async_context(acestep_server(SOUNDS[name]))
            server.play_s = PLAYS_S
            pipe.send(server.url)
        else:
            pipe.send((await stack.enter_async_context(elevenlabs_server(SOUNDS[name]))).url)
        await asyncio.to_thread(pipe.recv)


if __name__ == "__main__":
    main()
