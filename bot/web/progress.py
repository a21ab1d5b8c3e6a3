"""Reports to a visitor how far a song is, as server-sent events: "stage" with its name, then "end".

Between them comes "beat": a comment would keep the connection open too, but no script hears it.
"""

import asyncio
from contextlib import aclosing, suppress
from weakref import WeakSet

from aiohttp import web

from bot.ops.http import ConnectionLimiter
from bot.web.visitors import visitor_address
from melodify_core.config.settings import Web
from melodify_core.errors import Unavailable
from melodify_core.models import Stage
from melodify_core.pages import Page, Pages

HEARTBEAT_S = 15.0  # proxies close what is silent for a minute; making.js asks after 20 seconds
LONGEST_S = 900.0  # the browser comes back by itself
_HEADERS = {"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"}


class ProgressStreams:
    """Follows songs in the making for the visitors of their pages."""

    def __init__(self, pages: Pages, settings: Web) -> None:
        self._pages = pages
        self._settings = settings
        self._streams = ConnectionLimiter(settings.streams, settings.streams_per_address)
        self._running: WeakSet[asyncio.Task[None]] = WeakSet()

    async def answer(self, request: web.Request, page: Page) -> web.StreamResponse:
        """Send the stages until the song is there. Raises the exceptions of ConnectionLimiter."""
        response = web.StreamResponse(headers=_HEADERS)
        if request.method == "HEAD":
            return response
        with self._streams.hold(visitor_address(request, self._settings)):
            await response.prepare(request)
            following = asyncio.create_task(self._follow(response, page.page_id))
            self._running.add(following)
            try:
                # A stop cancels the task, not this handler.
                await asyncio.wait({following}, timeout=LONGEST_S)
            finally:
                following.cancel()
                with suppress(asyncio.CancelledError, ConnectionError, Unavailable):
                    await following
        return response

    async def stop(self, _app: web.Application) -> None:
        """End all streams: the process stops."""
        for task in list(self._running):
            task.cancel()

    async def _follow(self, response: web.StreamResponse, page_id: str) -> None:
        stage = None
        async with aclosing(self._pages.watch(page_id)) as stages:
            while stage is not Stage.DONE:
                coming = asyncio.ensure_future(anext(stages, Stage.DONE))
                try:
                    while not (await asyncio.wait({coming}, timeout=HEARTBEAT_S))[0]:
                        await response.write(b"event: beat\ndata: \n\n")
                    stage = coming.result()
                finally:
                    coming.cancel()
                    await asyncio.wait({coming})
                event = "end\ndata: " if stage is Stage.DONE else f"stage\ndata: {stage.value}"
                await response.write(f"event: {event}\n\n".encode())
