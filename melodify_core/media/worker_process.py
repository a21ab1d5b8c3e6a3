"""What surrounds each piece of work inside of a worker process: its output, its memory, its time."""

import gc
import os
import resource
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Generic, TypeVar, TypeVarTuple

from pebble import CONSTS

from melodify_core.media.memory import return_blocks_above, return_memory, use_one_arena

MEBIBYTE = 1024 * 1024
# Of what C libraries and Python write while one piece of work is done, so much goes into the log.
MAX_LINES = 10
MAX_LINE = 200
_PIPE_BYTES = 65_536
# Workers read their work in turns. One that was killed while it read leaves the others waiting for so long.
LOCK_S = 15
_STATM = Path("/proc/self/statm")
# Freed blocks below this size stay with the process.
_KEPT_MIB, _KEPT_WHILE_LIMITED_MIB = 32, 4
Result = TypeVar("Result")
Args = TypeVarTuple("Args")


@dataclass(frozen=True, slots=True)
class Done(Generic[Result]):
    """How a piece of work ended: with a result or an error, after so many seconds of CPU, and what was written."""

    result: Result | None
    error: Exception | None
    trace: str
    cpu_s: float
    lines: tuple[str, ...]


class _Output:
    """Where file descriptors 1 and 2 of this process go."""

    reader: int | None = None


def begin(niceness: int) -> None:
    """Prepare this process for its work: lower its priority, and catch what is written past the log.

    Decoders print what they dislike, hundreds of lines for one file. The pipe never blocks: when it is full, the rest
    is lost.
    """
    os.nice(niceness)
    use_one_arena()
    CONSTS.channel_lock_timeout = LOCK_S
    _Output.reader, writer = os.pipe()
    os.set_blocking(_Output.reader, False)
    os.set_blocking(writer, False)
    for descriptor in (1, 2):
        os.dup2(writer, descriptor)
    os.close(writer)


def perform(memory_mb: int, work: Callable[[*Args], Result], *args: *Args) -> Done[Result]:
    """Do the work; with `memory_mb`, the process may grow by so much meanwhile, and meets MemoryError beyond."""
    _lines()  # what was left over
    return_memory()  # the last result was copied on its way
    began = time.process_time()
    result, failed, trace = None, None, ""
    try:
        with _limited(memory_mb):
            result = work(*args)
    except Exception as error:  # noqa: BLE001 - it is raised again in the process that waits for it
        failed, trace = error, traceback.format_exc()
    return_memory()
    return Done(result, failed, trace, time.process_time() - began, _lines())


def load(modules: Sequence[str]) -> None:
    """Import the modules, without a look for garbage among them, now or later. Raises ImportError."""
    gc.disable()
    try:
        for name in modules:
            import_module(name)
    finally:
        gc.enable()
        gc.freeze()


@contextmanager
def _limited(memory_mb: int) -> Iterator[None]:
    """Limit the address space. Only Linux tells how large it is: elsewhere there is no limit."""
    if not memory_mb or not _STATM.exists():
        yield
        return
    return_blocks_above(_KEPT_WHILE_LIMITED_MIB)
    pages = int(_STATM.read_text().split()[0])
    before, hard = resource.getrlimit(resource.RLIMIT_AS)
    most = pages * resource.getpagesize() + memory_mb * MEBIBYTE
    limits = [limit for limit in (most, before, hard) if limit != resource.RLIM_INFINITY]
    resource.setrlimit(resource.RLIMIT_AS, (min(limits), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (before, hard))
        return_blocks_above(_KEPT_MIB)


def _lines() -> tuple[str, ...]:
    """Return the first lines of what was written since the last call."""
    if _Output.reader is None:
        return ()
    try:
        written = os.read(_Output.reader, _PIPE_BYTES).decode(errors="replace").splitlines()
    except BlockingIOError:
        return ()
    lines = [line[:MAX_LINE] for line in written if line.strip()]
    more = len(lines) - MAX_LINES
    return (*lines[:MAX_LINES], f"and {more} more lines") if more > 0 else tuple(lines)
