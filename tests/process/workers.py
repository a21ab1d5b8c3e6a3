"""Waiting for real workers."""

import asyncio

from melodify_core.library import Library, connect

PATIENCE_S = 150.0  # a takeover takes 30 s on a quiet machine


async def all_done(url: str, jobs: int, within_s: float = PATIENCE_S) -> None:
    engine = connect(url)
    library = Library(engine)
    async with asyncio.timeout(within_s):
        while len(library.expired("record", 1e12, 1000)) < jobs:
            await asyncio.sleep(0.1)
    engine.dispose()
