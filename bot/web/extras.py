"""Finds what there is beside a song: its score, and its video, made already or to be made when it is asked for."""

import time
from collections.abc import Callable
from dataclasses import replace

from bot.web.media import Files
from bot.web.recent import Recent
from melodify_core.errors import Unavailable
from melodify_core.media.video import shape_of
from melodify_core.pages import Page
from melodify_core.storage import layout

_MOST = 2048
# A video may come at any time; a score is there from the start.
LOOK_AGAIN_S = 30.0


class Extras:
    """Stands between a page and those who show it."""

    def __init__(self, storage: Files, *, videos: bool = False, clock: Callable[[], float] = time.monotonic) -> None:
        """`videos`: a video is made where there is a picture to show in it."""
        self._storage = storage
        self._videos = videos
        self._clock = clock
        self._known: Recent[str, tuple[float, bool]] = Recent(_MOST)

    async def added(self, page: Page) -> Page:
        """Return the page with the files there are. A storage that is away has none."""
        if page.song is None:
            return page
        midi_key = await self._found(layout.midi_key(page.song.job_id))
        can_be_made = self._videos and page.picture_key is not None
        video = layout.video_key(page.song.job_id)
        video_key = video if can_be_made else await self._found(video)
        width, height = shape_of(page.picture_width, page.picture_height) if video_key else (0, 0)
        return replace(page, midi_key=midi_key, video_key=video_key, video_width=width, video_height=height)

    async def _found(self, key: str) -> str | None:
        known = self._known.get(key)
        if known is None or self._clock() >= known[0]:
            try:
                there = await self._storage.find(key) is not None
            except Unavailable:
                return None
            known = (self._clock() + LOOK_AGAIN_S, there)
            self._known.put(key, known)
        return key if known[1] else None
