"""Measures what the OpenAI captioner adds to the server's time, and what it sends for a 12-megapixel photo.

The server is the tests' own, on loopback in a process of its own; it takes WAIT_S for a verdict and for a reading.
"""

import asyncio
import multiprocessing
import statistics
import time
from multiprocessing.connection import Connection

from melodify_core.captioners.moderation import ModeratedCaptioner
from melodify_core.captioners.openai import OpenAICaptioner, OpenAIModerator
from melodify_core.config.settings import OpenAI
from melodify_core.media.picture import PictureLimits, prepare
from melodify_core.models import Picture, Progress, Wish
from melodify_core.ports import ProviderContext
from tests.jobs import PaidCalls
from tests.openai_server import openai_server
from tests.pictures import photo

WAIT_S = 0.05
ROUNDS = 40
WARM_UP = 3


def openai_overhead() -> tuple[float, float, int]:
    """Return the median and the worst overhead per caption in milliseconds, and the bytes sent for one."""
    picture = prepare(photo(), PictureLimits())
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(theirs,))
    process.start()
    try:
        took = asyncio.run(_measure(ours.recv(), picture))
        ours.send("stop")
        sent = ours.recv()
    finally:
        process.join(10)
        process.kill()
    over = [(seconds - 2 * WAIT_S) * 1000 for seconds in took]
    return statistics.median(over), max(over), sent


def main() -> None:
    """Print one line."""
    median, worst, sent = openai_overhead()
    print(
        f"openai, moderation and caption above the server's own time: {median:.0f} ms median, {worst:.0f} ms worst "
        f"(target: <= 60 ms); sent for a 12-megapixel photo, both calls: {sent / 1000:.0f} KB (target: <= 160 KB)"
    )


async def _measure(url: str, picture: Picture) -> list[float]:
    settings = OpenAI(base_url=url)
    captioner = ModeratedCaptioner(OpenAICaptioner(settings), OpenAIModerator(settings))
    took = []
    for _ in range(WARM_UP + ROUNDS):
        start = time.perf_counter()
        await captioner.caption(picture, Wish(hint="rainy evening"), _provider_context(picture))
        took.append(time.perf_counter() - start)
    await captioner.close()
    return took[WARM_UP:]


def _provider_context(picture: Picture) -> ProviderContext:
    async def load() -> Picture:
        return picture

    async def progress(progress: Progress) -> None:
        del progress

    return ProviderContext("1", 1, "a" * 64, None, load, PaidCalls().begin, progress)


def _serve(pipe: Connection) -> None:
    asyncio.run(_until_stopped(pipe))


async def _until_stopped(pipe: Connection) -> None:
    async with openai_server() as server:
        server.wait_s = WAIT_S
        pipe.send(server.url)
        await asyncio.to_thread(pipe.recv)
        pipe.send(sum(call.size for call in server.calls) // (WARM_UP + ROUNDS))


if __name__ == "__main__":
    main()
