"""Runs the SDK's blocking calls in threads, with a bound on how many and how long; repeated here and nowhere else.

The threads are daemons, which neither asyncio nor concurrent.futures has: a call that hangs in the SDK delays neither
the loop's end nor the process's. It keeps its place among the `calls` until it ends, so hanging calls cannot pile up.
"""

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

import requests
import urllib3
from google.api_core import exceptions as api
from google.api_core.retry import Retry, if_transient_error
from google.auth import exceptions as auth
from google.cloud.storage.exceptions import DataCorruption

from melodify_core.threads import unbroken

Result = TypeVar("Result")
# How long a caller that is cancelled waits for a write: a stop must end some time.
LAST_S = 10.0

# Added to what google-api-core takes for transient. PreconditionFailed: another process wrote between our look and our
# write; the repeat looks again. DataCorruption: a checksum differed.
_TRANSIENT = (
    api.ServerError,
    api.PreconditionFailed,
    requests.Timeout,
    urllib3.exceptions.HTTPError,
    DataCorruption,
    ConnectionError,
    TimeoutError,
)


@dataclass(frozen=True, slots=True)
class Deadline:
    """When a call must have ended, on the monotonic clock, and how long one try of it may wait for an answer."""

    at: float
    try_s: float

    @property
    def left_s(self) -> float:
        """Return the seconds left; 0 when it is over."""
        return max(0.0, self.at - time.monotonic())

    @property
    def timeout_s(self) -> float:
        """Return the timeout of a try that starts now. Never 0: that would mean none."""
        return max(0.01, min(self.try_s, self.left_s))

    @property
    def once(self) -> dict[str, Any]:
        """Return the SDK's options for one try that starts now: the repeats are ours."""
        return {"timeout": self.timeout_s, "retry": None}


class Calls:
    """Takes work, a function of its deadline, and returns what it returns."""

    def __init__(self, calls: int, deadline_s: float) -> None:
        self._places = asyncio.Semaphore(calls)
        self._deadline_s = deadline_s

    async def run(
        self, work: Callable[[Deadline], Result], within_s: float | None = None, *, writes: bool = False
    ) -> Result:
        """Do the work in a thread, again while it fails for a passing reason. Raises what the work raised last.

        Raises TimeoutError past the deadline, which counts from now, the wait for a place included. Cancelled, work
        that `writes` is waited for some seconds: it must not overtake the clean-up that comes then.
        """
        total_s = min(within_s or self._deadline_s, self._deadline_s)
        # A third: a connection that is silently gone must leave time for a second try.
        deadline = Deadline(time.monotonic() + total_s, total_s / 3)
        answer: asyncio.Future[Result] | None = None
        try:
            async with asyncio.timeout(total_s):
                await self._places.acquire()
                answer = self._started(lambda: _repeated(work, deadline))
                return await asyncio.shield(answer)
        except asyncio.CancelledError:
            if answer is not None and writes:
                await unbroken(_wait_for(answer, deadline))
            raise
        finally:
            if answer is not None:
                answer.cancel()

    def _started(self, work: Callable[[], Result]) -> "asyncio.Future[Result]":
        loop = asyncio.get_running_loop()
        result: Future[Result] = Future()
        result.set_running_or_notify_cancel()  # from now on only the thread ends it

        def release(_: "Future[Result]") -> None:
            with suppress(RuntimeError):  # the loop has ended without us
                loop.call_soon_threadsafe(self._places.release)

        result.add_done_callback(release)
        answer = asyncio.wrap_future(result)
        try:
            threading.Thread(target=_settle, args=(result, work), name="gcs", daemon=True).start()
        except RuntimeError as error:
            result.set_exception(error)
        return answer


def _settle(result: "Future[Result]", work: Callable[[], Result]) -> None:
    try:
        result.set_result(work())
    except BaseException as error:  # noqa: BLE001  # carried to the caller that waits for it
        result.set_exception(error)


async def _wait_for(answer: "asyncio.Future[Any]", deadline: Deadline) -> None:
    await asyncio.wait({answer}, timeout=min(deadline.left_s, LAST_S))
    if answer.done():
        answer.exception()  # marked as seen: the cancellation is what is raised


def _repeated(work: Callable[[Deadline], Result], deadline: Deadline) -> Result:
    retry = Retry(predicate=_is_transient, initial=0.1, maximum=4.0, multiplier=2.0, timeout=deadline.left_s)
    try:
        return retry(work)(deadline)
    except api.RetryError as error:
        raise error.cause or error from error


def _is_transient(error: Exception) -> bool:
    if isinstance(error, auth.RefreshError):
        return bool(error.retryable)
    has_timed_out = isinstance(error, api.GoogleAPICallError) and error.code == requests.codes.request_timeout
    return has_timed_out or if_transient_error(error) or isinstance(error, _TRANSIENT)
