"""Remembers why a video could not be made: a caller that asks again gets the same answer without another attempt."""

import copy
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from melodify_core.errors import Code, MelodifyError

# What would come out the same is remembered for long, what may have been a busy machine or a full disk only briefly.
REMEMBERED_S: Mapping[Code, float] = {
    "song.too_large": 3600.0,
    "song.picture_gone": 3600.0,
    "provider.too_slow": 600.0,
    "internal": 600.0,
    "storage.unavailable": 30.0,
}
_MOST = 2048


class VideoFailures:
    """The last failure of each video, by job and size limit."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._known: OrderedDict[tuple[str, int], tuple[float, MelodifyError]] = OrderedDict()

    def check(self, job_id: str, max_bytes: int) -> None:
        """Raise the failure that is remembered, if there is one."""
        until, error = self._known.get((job_id, max_bytes), (0.0, None))
        if error is not None and self._clock() < until:
            raise copy.copy(error)

    @contextmanager
    def remember(self, job_id: str, max_bytes: int) -> Iterator[None]:
        """Remember the failure of the block."""
        key = (job_id, max_bytes)
        try:
            yield
        except MelodifyError as error:
            if seconds := REMEMBERED_S.get(error.code):
                self._known[key] = (self._clock() + seconds, copy.copy(error))
                self._known.move_to_end(key)
                while len(self._known) > _MOST:
                    self._known.popitem(last=False)
            raise
