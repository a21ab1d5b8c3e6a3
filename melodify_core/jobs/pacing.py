"""Lets the threads that ask the queues for work rest while nothing waits, and wakes them for an order."""

import re
import threading
import time

# The names of DBOS's threads: those that ask a queue for work, the one that looks for queues, as Python names it, and
# the one for delays and time limits, which nothing here uses. A thread of another name never rests.
QUEUE_THREADS = re.compile(r"queue-worker-.*|Thread-\d+ \(queue_thread\)|dbos-background-jobs")
# A queue is asked so often even if nobody announced an order: another program may have put one into it.
REST_S = 2.0


class QueuePacer:
    """Rests between two looks at an idle queue. Its methods may be called from any thread.

    DBOS asks a queue every `poll_s` seconds, and each question takes two milliseconds of a processor: a tenth of a
    second apart they would take an idle bot three percent of a core.
    """

    def __init__(self, poll_s: float) -> None:
        """Rest only in a connection that comes after a thread's own pause of `poll_s` seconds, or of one second."""
        self._pause_s = 0.9 * min(poll_s, 1.0)
        # For some polls after a call: the order may not be committed yet, or the slot of an ended job not be free.
        self._awake_s = REST_S + 2 * poll_s
        self._changed = threading.Condition()
        self._awake_until = time.monotonic() + self._awake_s
        self._resting = True
        self._thread = threading.local()

    def before_connecting(self) -> None:
        """Rest, if this is a thread of the queues that is about to ask for work while nothing waits."""
        if not QUEUE_THREADS.fullmatch(threading.current_thread().name):
            return
        # In each round a thread reads the queue's settings, pauses, and asks for work. It rests behind its pause, so
        # that a woken one asks at once.
        last = getattr(self._thread, "connected_at", None)
        if last is not None and time.monotonic() - last >= self._pause_s:
            with self._changed:
                self._changed.wait_for(self._is_awake, timeout=REST_S)
        self._thread.connected_at = time.monotonic()

    def wake(self) -> None:
        """Have the queues asked now, and every `poll_s` seconds for a while."""
        with self._changed:
            self._awake_until = time.monotonic() + self._awake_s
            self._changed.notify_all()

    def allow_rest(self, allowed: bool) -> None:
        """Let the threads rest or not: while orders of other processes are not announced, they must not."""
        with self._changed:
            self._resting = allowed
        self.wake()

    def _is_awake(self) -> bool:
        return not self._resting or time.monotonic() < self._awake_until
