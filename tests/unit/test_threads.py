"""Work in a thread whose caller is interrupted at any await, asyncio's own among them, still comes to its end first."""

import asyncio
import itertools
import time
from contextvars import copy_context

from melodify_core.threads import finished
from tests.breaking import MOMENTS, Moment, Strike, every_suspension, own


async def interrupted_at(at: int, moment: Moment) -> tuple[Strike, bool]:
    """Cancel the caller at that await; return the strike, and whether the work had ended when the caller did."""
    ended: list[str] = []

    def work() -> str:
        time.sleep(0.005)
        ended.append("yes")
        return "done"

    tasks: list[asyncio.Task[str]] = []
    strike = Strike(at, moment, lambda: tasks[0].cancel())  # noqa: PLW0108  # there is none yet
    context = copy_context()
    context.run(own.set, strike)
    tasks.append(asyncio.get_running_loop().create_task(finished(work), context=context))
    await asyncio.wait(tasks)
    assert tasks[0].cancelled() or tasks[0].result() == "done"
    assert tasks[0].cancelled() or not strike.struck
    return strike, ended == ["yes"]


async def test_a_caller_that_is_cancelled_at_any_await_waits_for_the_thread_and_then_says_so() -> None:
    with every_suspension({}):
        for at in itertools.count(1):
            met = [await interrupted_at(at, moment) for moment in MOMENTS]
            assert all(ended for _, ended in met)
            if not any(strike.struck for strike, _ in met):
                break
    assert at > 3  # the caller's, and those of asyncio's two tasks
