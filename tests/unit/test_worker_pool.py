import asyncio
import logging
import os
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import cast

import psutil
import pytest

from melodify_core.errors import Rejected, Unavailable
from melodify_core.media.worker_pool import WorkerPool
from melodify_core.observability.log_context import current, log_context


def double(number: int) -> int:
    return 2 * number


def refuse() -> None:
    raise Rejected("picture.too_large", limit_mb=20)


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def interrupt_itself() -> str:
    os.kill(os.getpid(), signal.SIGINT)
    return "still here"


async def test_work_is_done_in_another_process(pool: WorkerPool) -> None:
    assert await pool.run(20, double, 21) == 42
    assert await pool.run(20, os.getpid) != os.getpid()


def is_imported(module: str) -> bool:
    return module in sys.modules


async def test_modules_are_imported_before_there_is_work() -> None:
    with closing(WorkerPool(1)) as pool:
        pool.preload(["wave", "melodify_core.no_such_module", "colorsys"])
        pool.preload(["colorsys"])
        assert await pool.run(20, is_imported, "wave")
        assert await pool.run(20, is_imported, "colorsys")
    assert not is_imported("melodify_core.no_such_module")


async def test_an_error_of_the_work_comes_back_as_itself(pool: WorkerPool) -> None:
    with pytest.raises(Rejected) as caught:
        await pool.run(20, refuse)
    assert caught.value.values == {"limit_mb": 20}


async def test_work_past_its_deadline_is_ended(pool: WorkerPool) -> None:
    started = time.monotonic()
    with pytest.raises(Unavailable, match=r"provider\.too_slow"):
        await pool.run(0.5, time.sleep, 3600)
    assert time.monotonic() - started < 60
    assert await pool.run(20, double, 1) == 2


async def test_a_worker_that_dies_takes_nothing_with_it(pool: WorkerPool) -> None:
    with pytest.raises(Unavailable, match="internal"):
        await pool.run(20, die)
    assert await pool.run(20, double, 2) == 4


def die_at_first(marker: str) -> str:
    try:
        Path(marker).touch(exist_ok=False)
    except FileExistsError:
        return "done"
    os.kill(os.getpid(), signal.SIGKILL)
    return "never"


async def test_work_whose_worker_is_killed_is_done_once_more(pool: WorkerPool, tmp_path: Path) -> None:
    assert await pool.run(20, die_at_first, str(tmp_path / "marker")) == "done"


async def test_kills_from_outside_cost_nobody_s_work() -> None:
    two = WorkerPool(2)
    try:
        workers = set(await asyncio.gather(*(two.run(20, whose, number) for number in range(4))))
        work = [asyncio.create_task(two.run(20, nap, number)) for number in range(10)]
        for worker in workers:
            await asyncio.sleep(0.3)
            os.kill(worker, signal.SIGKILL)
        assert await asyncio.gather(*work) == list(range(10))
    finally:
        two.close()


def whose(number: int) -> int:
    nap(number)
    return os.getpid()


def nap(number: int) -> int:
    time.sleep(0.2)
    return number


async def test_ctrl_c_in_the_terminal_does_not_reach_a_worker(pool: WorkerPool) -> None:
    assert await pool.run(20, interrupt_itself) == "still here"


async def test_no_more_work_runs_at_once_than_there_are_processes() -> None:
    one = WorkerPool(1)
    try:
        started = time.monotonic()
        await asyncio.gather(*(one.run(20, time.sleep, 0.2) for _ in range(3)))
        assert time.monotonic() - started >= 0.6
    finally:
        one.close()


async def test_cancelled_work_frees_its_worker() -> None:
    one = WorkerPool(1)
    try:
        task = asyncio.create_task(one.run(3600, time.sleep, 3600))
        await asyncio.sleep(0.5)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await one.run(20, double, 3) == 6
    finally:
        one.close()


async def test_an_idle_worker_that_is_killed_does_not_end_the_workshop() -> None:
    one = WorkerPool(1)
    try:
        os.kill(await one.run(20, os.getpid), signal.SIGKILL)
        async with asyncio.timeout(30):
            while True:
                try:
                    assert await one.run(20, double, 4) == 8
                    break
                except Unavailable:  # the piece that was under way when it was noticed
                    await asyncio.sleep(0.05)
    finally:
        one.close()


class LongInTransit:
    """A number that takes its time to be handed to a worker, as a large picture does while all workers are busy."""

    def __reduce__(self) -> tuple[type[int], tuple[int]]:
        time.sleep(1.5)
        return int, (4,)


async def test_work_that_waits_behind_other_work_while_all_workers_are_killed_is_not_forgotten() -> None:
    one = WorkerPool(1)
    try:
        worker = await one.run(20, os.getpid)
        first = asyncio.create_task(one.run(20, double, cast("int", LongInTransit())))
        await asyncio.sleep(0.3)  # it is handed on
        second = asyncio.create_task(one.run(20, double, 21))
        await asyncio.sleep(0.3)
        os.kill(worker, signal.SIGKILL)
        async with asyncio.timeout(30):
            assert list(await asyncio.gather(first, second)) == [8, 42]
    finally:
        one.close()


async def test_closing_cancels_what_is_under_way() -> None:
    one = WorkerPool(1)
    task = asyncio.create_task(one.run(3600, time.sleep, 3600))
    await asyncio.sleep(0.5)
    await asyncio.to_thread(one.close)
    async with asyncio.timeout(10):
        with pytest.raises((asyncio.CancelledError, Unavailable)):
            await task
    with pytest.raises(Unavailable):
        await one.run(20, double, 1)


def shout(lines: int) -> str:
    os.write(2, b"libtiff: something is odd\n" * lines)
    os.write(1, b"and on standard output\n")
    return "done"


def shout_and_fail() -> None:
    os.write(2, b"first this\n")
    raise Rejected("picture.broken")


def fill(megabytes: int) -> int:
    return len(bytearray(megabytes * 1024 * 1024))


async def test_what_a_worker_prints_goes_into_the_log_with_the_job(
    pool: WorkerPool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    jobs: list[str | None] = []

    def note(record: logging.LogRecord) -> bool:
        del record
        jobs.append(context.job_id if (context := current.get()) else None)
        return True

    caplog.handler.addFilter(note)
    with log_context("17"):
        assert await pool.run(20, shout, 1) == "done"
        with pytest.raises(Rejected):
            await pool.run(20, shout_and_fail)
    assert [text.removeprefix("a worker process wrote: ") for text in caplog.messages] == [
        "libtiff: something is odd",
        "and on standard output",
        "first this",
    ]
    assert jobs == ["17"] * 3
    caplog.handler.removeFilter(note)


KILLED = """
import asyncio, os, signal
from melodify_core.media.worker_pool import WorkerPool
async def main():
    assert await WorkerPool(1).run(60, pow, 2, 5) == 32
    os.kill(os.getpid(), signal.SIGKILL)
asyncio.run(main())
"""


def test_nothing_is_printed_for_a_process_that_was_killed() -> None:
    run = subprocess.run([sys.executable, "-c", KILLED], capture_output=True, check=False, timeout=60)
    assert (run.returncode, run.stdout, run.stderr) == (-signal.SIGKILL, b"", b"")


async def test_a_worker_that_prints_without_end_costs_a_few_lines(
    pool: WorkerPool, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level("INFO")
    with capfd.disabled():
        assert await pool.run(20, shout, 2000) == "done"
    assert len(caplog.messages) == 11
    assert caplog.messages[-1].endswith("and 1991 more lines")


async def test_work_that_needs_more_memory_than_it_may_is_told_so(pool: WorkerPool) -> None:
    with pytest.raises(MemoryError):
        await pool.run(20, fill, 200, memory_mb=100)
    assert await pool.run(20, fill, 200, memory_mb=300) == 200 * 1024 * 1024
    assert await pool.run(20, fill, 200) == 200 * 1024 * 1024


async def test_the_seconds_that_work_took_are_told(pool: WorkerPool) -> None:
    spent: list[float] = []
    await pool.run(20, busy, 0.3, spent=spent.append)
    with pytest.raises(Unavailable):
        await pool.run(0.2, time.sleep, 60, spent=spent.append)
    assert 0.3 <= spent[0] < 5
    assert spent[1] == 0.2


def busy(seconds: float) -> None:
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass


async def test_workers_without_work_end_and_new_ones_start_with_the_next_work() -> None:
    with closing(WorkerPool(1, idle_s=1.0)) as pool:
        first = await pool.run(60, os.getpid)
        assert await pool.run(60, os.getpid) == first
        async with asyncio.timeout(30):
            while psutil.pid_exists(first):
                await asyncio.sleep(0.05)
        assert await pool.run(60, os.getpid) != first


async def test_a_worker_at_work_does_not_end() -> None:
    with closing(WorkerPool(1, idle_s=0.2)) as pool:
        first = await pool.run(60, os.getpid)
        work = asyncio.create_task(pool.run(60, time.sleep, 1.0))
        await asyncio.sleep(0.6)
        assert psutil.pid_exists(first)
        await work


_kept: list[bytes] = []


def leave_holes() -> None:
    """Use 100 MB of blocks that glibc does not give back by itself, because the last one stays."""
    blocks = [bytes(2000) for _ in range(50_000)]
    _kept.append(blocks[-1])


def resident_mb() -> float:
    return psutil.Process().memory_info().rss / 1e6


async def test_a_worker_gives_back_the_memory_of_its_work() -> None:
    with closing(WorkerPool(1)) as one:  # two workers may differ by what they have imported
        before = await one.run(60, resident_mb)
        await one.run(60, leave_holes)
        assert await one.run(60, resident_mb) - before < 20
