"""Waiting for real workers."""

import asyncio

from melodify_core.library import Library, connect

TAKEOVER_S = 45.0


async def all_done(url: str, jobs: int, within_s: float = TAKEOVER_S) -> None:
    engine = connect(url)
    library = Library(engine)
    async with asyncio.timeout(within_s):
        while len(library.expired("record", 1e12, 1000)) < jobs:
            await asyncio.sleep(0.1)
    engine.dispose()
