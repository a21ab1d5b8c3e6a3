"""Measures the bot's share of discord.py's time for a message without a picture."""

import asyncio
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import discord

from melodify_core.media.worker_pool import WorkerPool
from tests.stories import post_payload, story_settings, world

EVENTS, ROUNDS = 2000, 15


async def seconds(parse: Callable[[Any], None], payload: dict[str, Any]) -> float:
    """Return the time of one event, including the work that it schedules on the loop."""
    before, began = asyncio.all_tasks(), time.perf_counter()
    for _ in range(EVENTS):
        parse(payload)
    if begun := asyncio.all_tasks() - before:
        await asyncio.wait(begun)
    return (time.perf_counter() - began) / EVENTS


async def measure(folder: Path, pool: WorkerPool) -> tuple[float, float]:
    """Return the seconds of an event with the bot, and with a client that listens to nothing."""
    async with world(story_settings(folder), pool, composes=True) as here:
        elsewhere = here.corner()  # a channel that is not watched
        payload = post_payload(here.env, await elsewhere.post("Has anybody seen my keys?"))
        state = here.client._connection  # noqa: SLF001 - where discord.py receives events; there is no public way
        ours, bare = state.dispatch, partial(discord.Client.dispatch, discord.Client(intents=here.client.intents))
        with_bot: list[float] = []
        without: list[float] = []
        # In turns, so that a busy machine slows both down alike.
        for _ in range(ROUNDS):
            for dispatch, found in ((bare, without), (ours, with_bot)):
                state.dispatch = dispatch
                found.append(await seconds(state.parse_message_create, payload))
        state.dispatch = ours
    return statistics.median(with_bot), statistics.median(without)


def main() -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as folder, closing(WorkerPool()) as pool:
        ours, bare = asyncio.run(measure(Path(folder), pool))
    print(
        f"a message without a picture: {ours * 1e6:.1f} us, {bare * 1e6:.1f} us without the bot's handler: "
        f"{(ours / bare - 1) * 100:+.1f} % (target: at most +10 %)"
    )
