"""Breaks things for tests: counts the awaits of a job and its calls to the outside, and breaks one at a time.

Nothing here knows where the awaits and the calls are. The loop's tasks are driven through `Suspending`, which sees each
suspension; the database, the storage, Discord and the providers each have one proxy, which sees each call. The log
context says which job a call belongs to.
"""

import asyncio
import sqlite3
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from contextvars import Context, ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import sqlalchemy as sa

from melodify_core.observability.log_context import current

# At the beginning of a suspension or instead of a call; or when its result is there, and nobody has seen it.
Moment = Literal["begin", "end"]
MOMENTS: tuple[Moment, ...] = ("begin", "end")
ASYNCIO = str(Path(asyncio.__file__).parent)


def sqlite_error(code: int = sqlite3.SQLITE_BUSY, text: str = "database is locked") -> sqlite3.OperationalError:
    """Return the error as SQLite raises it, with its code."""
    error = sqlite3.OperationalError(text)
    error.sqlite_errorcode = code
    return error


@dataclass
class Strike:
    """What happens at the `at`-th suspension of some work, counted from 1; 0 is never."""

    at: int
    moment: Moment
    act: Callable[[], object]
    helpers: bool = True  # asyncio's own coroutines count too that wait, in a task of theirs, beside the one that waits
    seen: int = 0
    struck: bool = False

    def suspended(self, awaited: object) -> None:
        """Count a suspension, and act at the one that is meant."""
        self.seen += 1
        if self.seen != self.at:
            return
        if self.moment == "end" and isinstance(awaited, asyncio.Future):
            # Before the wake-up of the waiting task, which is added after this.
            awaited.add_done_callback(lambda _: self._act(), context=Context())
        else:
            self._act()

    def _act(self) -> None:
        self.struck = True
        self.act()


# The work that a test has begun itself; what the engine begins is found by its job.
own: ContextVar[Strike | None] = ContextVar("own", default=None)


class Suspending(Coroutine[Any, Any, Any]):
    """A coroutine that reports its suspensions to the strike of its job."""

    def __init__(self, inner: Coroutine[Any, Any, Any], strikes: "dict[str, Strike]") -> None:
        self._inner = inner
        self._strikes = strikes
        code = getattr(inner, "cr_code", None)  # another language's coroutines have none
        self._helps = code is not None and code.co_filename.startswith(ASYNCIO)

    def send(self, value: Any) -> Any:
        """Run until the next suspension."""
        return self._seen(self._inner.send(value))

    def throw(self, *error: Any) -> Any:
        """Run with an error until the next suspension."""
        return self._seen(self._inner.throw(*error))

    def close(self) -> None:
        """End."""
        self._inner.close()

    def __await__(self) -> Any:
        return self._inner.__await__()

    def _seen(self, awaited: Any) -> Any:
        strike, context = own.get(), current.get()
        if strike is None and context is not None:
            strike = self._strikes.get(context.job_id)
        if strike is not None and (strike.helpers or not self._helps):
            strike.suspended(awaited)
        return awaited


@contextmanager
def every_suspension(strikes: "dict[str, Strike]") -> Iterator[None]:
    """Within, the strikes see the suspensions of all tasks of their jobs, from tasks that begin from now on."""
    loop = asyncio.get_running_loop()

    def suspending(loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, Any], **named: Any) -> asyncio.Task[Any]:
        return asyncio.Task(Suspending(work, strikes), loop=loop, **named)

    before = loop.get_task_factory()
    loop.set_task_factory(suspending)  # type: ignore[arg-type]  # typeshed wants a protocol that no function meets
    try:
        yield
    finally:
        loop.set_task_factory(before)


@dataclass
class Fault:
    """The `at`-th call of a job to a port fails, instead of being made or after it was."""

    at: int
    moment: Moment
    struck: str = ""  # what the call was


@dataclass
class Port:
    """Counts each job's calls to one part of the outside, and has those fail that a test wants to."""

    error: Callable[[], Exception]
    faults: dict[str, Fault] = field(default_factory=dict)
    calls: Counter[str] = field(default_factory=Counter)

    def called(self, what: str) -> Fault | None:
        """Count a call of the job that is being worked for; return the fault that it has."""
        context = current.get()
        if context is None:
            return None
        self.calls[context.job_id] += 1
        fault = self.faults.get(context.job_id)
        if fault is None or fault.at != self.calls[context.job_id]:
            return None
        fault.struck = what
        return fault

    async def through(self, what: str, call: Callable[[], Awaitable[Any]]) -> Any:
        """Make the call, unless it is to fail."""
        fault = self.called(what)
        if fault is not None and fault.moment == "begin":
            raise self.error()
        result = await call()
        if fault is not None:
            raise self.error()
        return result

    def around(self, inner: object, *names: str) -> Any:
        """Return another object whose methods of these names come through here."""
        return _Around(self, inner, frozenset(names))


class _Around:
    def __init__(self, port: Port, inner: object, names: frozenset[str]) -> None:
        self._port = port
        self._inner = inner
        self._names = names

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        if name not in self._names:
            return found

        async def call(*args: Any, **named: Any) -> Any:
            return await self._port.through(name, lambda: found(*args, **named))

        return call


@contextmanager
def breaking_database(engine: sa.Engine, statements: Port, commits: Port) -> Iterator[None]:
    """Have statements fail instead of being executed, and commits after they were made."""

    def execute(_cursor: object, statement: str, _parameters: object, _context: object) -> None:
        if statements.called(statement) is not None:
            raise statements.error()

    plain = engine.dialect.do_commit

    def commit(connection: Any) -> None:
        fault = commits.called("commit")
        if fault is not None and fault.moment == "begin":
            raise commits.error()
        plain(connection)
        if fault is not None:
            raise commits.error()

    sa.event.listen(engine, "do_execute", execute)
    # There is no event after a commit.
    engine.dialect.do_commit = commit  # type: ignore[assignment, method-assign]  # it fails on purpose
    try:
        yield
    finally:
        sa.event.remove(engine, "do_execute", execute)
        engine.dialect.do_commit = plain  # type: ignore[method-assign]
