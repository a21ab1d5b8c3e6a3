"""Measures what the composers on Lyria add to the server's time, with the real SDKs and the tests' servers on loopback.

The servers run in a process of their own. Their time is that of the same call with prepared bytes, without the SDK and
without reading the answer.
"""

import asyncio
import json
import multiprocessing
import statistics
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from multiprocessing.connection import Connection

import grpc
import httpx
from google.cloud.aiplatform_v1.types import PredictRequest
from pydantic import SecretStr

from melodify_core.composers.gemini.composer import GeminiComposer
from melodify_core.composers.lyria import LyriaComposer
from melodify_core.config.settings import Gemini, Lyria, Vertex
from melodify_core.models import Picture, Progress, Wish
from melodify_core.ports import Composer, ProviderContext
from tests.briefs import a_brief
from tests.gemini_server import KEY, SONG, gemini_server
from tests.jobs import PaidCalls
from tests.vertex_server import PREDICT, interactions_server, vertex_server

ROUNDS = 30
WARM_UP = 3
CLIP = "lyria-3-clip-preview"
# 32.8 s of WAV, 48 kHz, 16 bit, stereo: 8.4 MB as Base64; and MP3 at 192 kbit/s, 30 s, and two minutes.
SOUNDS = {
    "lyria-002": b"RIFF\0\0\0\0WAVE" + bytes(6_300_000),
    CLIP: b"ID3" + bytes(720_000),
    SONG: b"ID3" + bytes(2_880_000),
}


def lyria_overhead(model: str) -> tuple[float, float]:
    """Return the median milliseconds of a take through the adapter, and those of the server alone."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(theirs, model))
    process.start()
    try:
        whole, own = asyncio.run(_measure(ours.recv(), model))
        ours.send("stop")
    finally:
        process.join(10)
        process.kill()
    return whole * 1000, own * 1000


def main() -> None:
    """Print one line."""
    texts = []
    for model in SOUNDS:
        whole, own = lyria_overhead(model)
        texts.append(f"{model} {whole - own:.0f} ms (a take {whole:.0f} ms, the server's own {own:.0f} ms)")
    print(f"lyria, overhead per take at the median: {'; '.join(texts)} (target: <= 60 ms)")


async def _measure(url: str, model: str) -> tuple[float, float]:
    composer: Composer
    if model == SONG:
        composer = GeminiComposer(Gemini(api_key=SecretStr(KEY), endpoint=url))
    else:
        composer = LyriaComposer(Lyria.model_validate({"model": model}), Vertex(project="p", endpoint=url))
    context = _provider_context()
    whole = await _median(lambda: composer.compose(a_brief(), Wish(), context))
    await composer.close()
    bare = {CLIP: _bare_interaction, SONG: _bare_song}.get(model, _bare_predict)
    return whole, await bare(url)


async def _bare_predict(url: str) -> float:
    options = [("grpc.max_receive_message_length", -1)]
    async with grpc.aio.insecure_channel(url.removeprefix("http://"), options=options) as channel:
        predict = channel.unary_unary(PREDICT)
        request = PredictRequest(endpoint="x")
        PredictRequest.pb(request).instances.add().struct_value.update({"prompt": "x"})
        body = PredictRequest.serialize(request)
        return await _median(lambda: predict(body))


async def _bare_interaction(url: str) -> float:
    body = json.dumps({"model": CLIP, "input": [{"type": "text", "text": "x"}]}).encode()
    async with httpx.AsyncClient(timeout=30) as client:
        address = f"{url}/v1beta1/projects/p/locations/global/interactions"
        return await _median(lambda: client.post(address, content=body))


async def _bare_song(url: str) -> float:
    body = json.dumps({"model": SONG, "input": "x"}).encode()
    async with httpx.AsyncClient(timeout=30, headers={"x-goog-api-key": KEY}) as client:
        return await _median(lambda: client.post(f"{url}/v1beta/interactions", content=body))


async def _median(call: Callable[[], Awaitable[object]]) -> float:
    took = []
    for _ in range(WARM_UP + ROUNDS):
        start = time.perf_counter()
        await call()
        took.append(time.perf_counter() - start)
    return statistics.median(took[WARM_UP:])


def _provider_context() -> ProviderContext:
    async def picture() -> Picture:
        raise AssertionError("the composer does not need the picture")

    async def progress(progress: Progress) -> None:
        del progress

    return ProviderContext("1", 1, "a" * 64, None, picture, PaidCalls().begin, progress)


def _serve(pipe: Connection, model: str) -> None:
    asyncio.run(_until_stopped(pipe, model))


async def _until_stopped(pipe: Connection, model: str) -> None:
    async with AsyncExitStack() as stack:
        if model == SONG:
            url = (await stack.enter_async_context(gemini_server(SOUNDS[model]))).url
        else:
            serving = interactions_server if model == CLIP else vertex_server
            url = (await stack.enter_async_context(serving(SOUNDS[model]))).url
        pipe.send(url)
        await asyncio.to_thread(pipe.recv)


if __name__ == "__main__":
    main()
