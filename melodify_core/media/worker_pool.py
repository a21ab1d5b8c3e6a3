"""Runs image and audio work in worker processes, so that the event loop never waits for it.

It uses processes and not threads: the synthesiser holds the interpreter lock for its whole run, a hostile picture must
not take the bot down, and work that is too slow can be killed.
"""

import asyncio
import logging
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import resource_tracker
from threading import Thread
from typing import Any, TypeVar, TypeVarTuple, cast

from pebble import CONSTS, ProcessExpired, ProcessPool

from melodify_core.errors import Unavailable
from melodify_core.media.worker_process import LOCK_S, Done, begin, load, perform

log = logging.getLogger(__name__)
# When every core is busy, the event loop has priority: songs can wait a moment, acknowledgements cannot.
NICENESS = 10
# Every worker process may be killed once while one piece of work waits for its turn.
TRIES = 8
FORGOTTEN_S = 1.0
PRELOAD_S = 60.0
Result = TypeVar("Result")
Args = TypeVarTuple("Args")


class WorkerTraceback(Exception):
    """What a worker process was doing when its work failed."""


class WorkerPool:
    """Worker processes: they start with the first work, and each does one piece at a time."""

    def __init__(self, processes: int = 0, idle_s: float = 0.0) -> None:
        """Create the pool; `processes` 0 means one per core. Workers end after `idle_s` without work, 0: never."""
        self._processes = processes or os.cpu_count() or 1
        self._idle_s = idle_s
        self._idle_timer: asyncio.TimerHandle | None = None
        self._ending: list[Thread] = []
        self._pool = self._new_pool()
        self._unfinished: set[Future[Any]] = set()
        self._closed = False

    def _new_pool(self) -> ProcessPool:
        CONSTS.channel_lock_timeout = LOCK_S
        # Spawn, not fork: a fork of a process with threads and connections may hang.
        context = multiprocessing.get_context("spawn")
        return ProcessPool(self._processes, initializer=begin, initargs=[NICENESS], context=context)

    async def run(
        self,
        deadline_s: float,
        work: Callable[[*Args], Result],
        *args: *Args,
        memory_mb: int = 0,
        spent: Callable[[float], None] = lambda _: None,
    ) -> Result:
        """Return work(*args), run in a worker process; `work` is a module-level function.

        The deadline counts from the start of the work, not from its entry into the queue. Cancelling kills the worker.
        Work whose worker was killed is done once more, so it must have no effect but its result. Work that makes its
        worker larger by `memory_mb` gets a MemoryError; 0 is no limit. `spent` gets the worker's seconds of CPU, the
        deadline where it was passed. Raises what `work` raised, Unavailable("provider.too_slow") past the deadline and
        Unavailable("internal") when its own worker died twice.
        """
        lost: BaseException | None = None
        for _ in range(TRIES):
            future = self._schedule(deadline_s, perform, (memory_mb, work, *args))
            self._unfinished.add(future)
            future.add_done_callback(self._unfinished.discard)
            try:
                done = cast("Done[Result]", await _ended(future, self._pool))
            except TimeoutError as error:
                spent(deadline_s)
                raise Unavailable("provider.too_slow") from error
            except ProcessExpired as error:
                if isinstance(lost, ProcessExpired):
                    raise Unavailable("internal") from error
                lost = error
            except BrokenProcessPool as error:
                # The worker of other work was killed, which broke the whole pool.
                lost = lost or error
            else:
                spent(done.cpu_s)
                return _result(done)
            finally:
                self._end_when_idle()
            log.warning("a worker process died, its work is done once more: %s", lost)
        raise Unavailable("internal") from lost

    def preload(self, modules: Sequence[str]) -> None:
        """Start the workers, one of which imports the modules meanwhile. What cannot be imported shows in the work."""
        self._schedule(PRELOAD_S, perform, (0, load, modules))

    def _schedule(self, deadline_s: float, work: Callable[..., Result], args: Sequence[object]) -> Future[Any]:
        with _without_interrupts():
            try:
                return self._pool.schedule(work, args=list(args), timeout=deadline_s)
            except RuntimeError as error:
                if self._closed:
                    raise Unavailable("internal") from error
                # When an idle worker is killed, for example because memory is short, the whole pool breaks for good.
                log.warning("the pool of worker processes broke, starting a new one: %s", error)
                self._pool = self._new_pool()
                return self._pool.schedule(work, args=list(args), timeout=deadline_s)

    def _end_when_idle(self) -> None:
        if self._idle_timer is not None:
            self._idle_timer.cancel()
        if self._idle_s:
            self._idle_timer = asyncio.get_running_loop().call_later(self._idle_s, self._end_idle)

    def _end_idle(self) -> None:
        """End the workers, which takes up to a second. New ones start with the next work."""
        if self._unfinished or self._closed:
            return
        idle, self._pool = self._pool, self._new_pool()
        ending = Thread(target=_end, args=(idle,))
        ending.start()
        self._ending = [*(thread for thread in self._ending if thread.is_alive()), ending]

    def close(self) -> None:
        """End the workers and cancel unfinished work. Takes up to a second: call it off the event loop."""
        self._closed = True
        for future in tuple(self._unfinished):
            future.cancel()
        _end(self._pool)
        for thread in self._ending:
            thread.join()


def _end(pool: ProcessPool) -> None:
    pool.stop()  # type: ignore[no-untyped-call]  # pebble leaves this one without types
    pool.join()


async def _ended(future: Future[Any], pool: ProcessPool) -> object:
    """Return the future's result, or raise its error. Raises BrokenProcessPool where the pool broke and forgot it.

    pebble ends what it has handed on when it breaks, and not what still waited behind that.
    """
    waiting = asyncio.wrap_future(future)
    try:
        while not waiting.done():
            broken = not pool.active
            await asyncio.wait({waiting}, timeout=FORGOTTEN_S)
            if broken and not waiting.done():
                raise BrokenProcessPool("forgotten")
        return waiting.result()
    finally:
        waiting.cancel()


def _result(done: Done[Result]) -> Result:
    """Return the result, or raise the error, after whatever was written has been logged in the caller's context."""
    for line in done.lines:
        log.info("a worker process wrote: %s", line)
    if done.error is not None:
        raise done.error from WorkerTraceback(done.trace)
    return cast("Result", done.result)


def _track_silently() -> None:
    """Start multiprocessing's clean-up process. It outlives a kill, and would then write past the log."""
    given = os.environ.get("PYTHONWARNINGS")
    os.environ["PYTHONWARNINGS"] = ",".join(
        filter(None, (given, "ignore::UserWarning:multiprocessing.resource_tracker"))
    )
    try:
        resource_tracker.ensure_running()
    finally:
        if given is None:
            del os.environ["PYTHONWARNINGS"]
        else:
            os.environ["PYTHONWARNINGS"] = given


@contextmanager
def _without_interrupts() -> Iterator[None]:
    """Keep Ctrl-C from the workers and from the threads that start them.

    A terminal sends it to every process. The main one decides what it means; a worker would only print a traceback.
    """
    # Its own start would let interrupts through again.
    _track_silently()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
