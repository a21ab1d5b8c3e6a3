"""Has the video of a page made when somebody asks for it: one at a time, and none for a visitor who has left."""

import asyncio
from collections import Counter

from melodify_core.services.songs import SongService

# Browsers and Discord leave and come back, so a video is broken off only later.
LEFT_S = 30.0


class Videos:
    """The videos of pages, each made at the first request."""

    def __init__(self, songs: SongService) -> None:
        self._songs = songs
        self._turn = asyncio.Lock()
        self._rendering: asyncio.Task[None] | None = None
        self._visitors: Counter[str] = Counter()

    def check(self, job_id: str) -> None:
        """Raise the Rejected or Unavailable of an attempt that is not long ago."""
        self._songs.check_video(job_id)

    async def make(self, job_id: str) -> None:
        """Make the video unless it exists. Raises Rejected and Unavailable.

        Cancelled before its turn, nothing is made; cancelled later, the video is broken off where nobody asks for it
        again within LEFT_S.
        """
        self.check(job_id)
        self._visitors[job_id] += 1
        try:
            await self._turn.acquire()
            # From here on the turn is the task's, not the visitor's.
            self._rendering = asyncio.create_task(self._songs.render_video(job_id), name="video of a page")
            self._rendering.add_done_callback(self._end)
            try:
                await asyncio.shield(self._rendering)
            except asyncio.CancelledError:
                asyncio.get_running_loop().call_later(LEFT_S, self._break_off, self._rendering, job_id)
                raise
        finally:
            self._visitors[job_id] -= 1
            self._visitors += Counter()  # forget those without any

    async def stop(self, _app: object) -> None:
        """Break off what is being made: the process stops."""
        if self._rendering is not None:
            self._rendering.cancel()
            await asyncio.wait({self._rendering})

    def _break_off(self, rendering: "asyncio.Task[None]", job_id: str) -> None:
        if not self._visitors[job_id]:
            rendering.cancel()

    def _end(self, rendering: "asyncio.Task[None]") -> None:
        self._turn.release()
        if not rendering.cancelled():
            rendering.exception()  # a visitor who has left does not hear of it
