"""Tells a visitor how far a song is, as server-sent events: "stage" with its name, then "end".

Between them comes "beat": a comment would keep the connection open too, but no script hears it.
"""

import asyncio
from contextlib import aclosing, suppress
from weakref import WeakSet

from aiohttp import web

from bot.web.addresses import Places, visitor
from bot.web.headers import Headers
from melodify_core.config.settings import Web
from melodify_core.errors import Unavailable
from melodify_core.models import Stage
from melodify_core.pages import Pages

HEARTBEAT_S = 15.0  # proxies close what is silent for a minute; making.js asks after 20 seconds
LONGEST_S = 900.0  # the browser comes back by itself


class ProgressStreams:
    """Follows songs in the making for those who look at their pages."""

    def __init__(self, pages: Pages, settings: Web, headers: Headers) -> None:
        self._pages = pages
        self._settings = settings
        self._headers = headers.adding({"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"})
        self._places = Places(settings.streams, settings.streams_per_address)
        self._running: WeakSet[asyncio.Task[None]] = WeakSet()

    async def answer(self, request: web.BaseRequest, page_id: str) -> web.StreamResponse:
        """Send the stages until the song is there. Raises Notice."""
        response = web.StreamResponse(headers=self._headers)
        if request.method == "HEAD":
            await response.prepare(request)
            return response
        with self._places.taken(visitor(request, self._settings)):
            await response.prepare(request)
            following = asyncio.create_task(self._follow(response, page_id))
            self._running.add(following)
            try:
                # On a stop the task is cancelled, not we.
                await asyncio.wait({following}, timeout=LONGEST_S)
            finally:
                following.cancel()
                with suppress(asyncio.CancelledError, ConnectionError, TimeoutError, Unavailable):
                    await following
        return response

    def stop(self) -> None:
        """End all streams: the process stops."""
        for task in list(self._running):
            task.cancel()

    async def _follow(self, response: web.StreamResponse, page_id: str) -> None:
        async with aclosing(self._pages.watch(page_id)) as stages:
            while True:
                following = asyncio.ensure_future(anext(stages, None))
                try:
                    while not (await asyncio.wait({following}, timeout=HEARTBEAT_S))[0]:
                        await self._write(response, "event: beat\ndata: \n\n")
                    stage = following.result()
                finally:
                    if not following.done():
                        following.cancel()
                        await asyncio.wait({following})
                if stage is None or stage is Stage.DONE:
                    break
                await self._write(response, f"event: stage\ndata: {stage.value}\n\n")
        await self._write(response, "event: end\ndata: \n\n")

    async def _write(self, response: web.StreamResponse, text: str) -> None:
        async with asyncio.timeout(self._settings.stall_s):
            await response.write(text.encode())
