"""What the host does with jobs from a process of its own: list, show, cancel, retry."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from melodify_core.config.settings import Settings
from melodify_core.errors import Misconfigured
from melodify_core.models import Job, Money
from melodify_core.ports import Storage
from melodify_core.providers import open_storage
from melodify_core.threads import finished
from melodify_core.usage.limits import DAY_S

if TYPE_CHECKING:
    from melodify_core.jobs.engine import Engine
    from melodify_core.library import JobBook, JobMoney, JobRow, Library

LISTED_JOBS = 50


@dataclass(frozen=True, slots=True)
class JobDetails:
    """All that is recorded of a job."""

    row: "JobRow"
    steps: tuple[str, ...]
    money: "JobMoney"


class JobAdmin:
    """The jobs of all members. Sentences that it returns or raises are English, as the rest of the command line."""

    def __init__(self, library: "Library", book: "JobBook", engine: "Engine", storage: Storage) -> None:
        self._library = library
        self._book = book
        self._engine = engine
        self._storage = storage

    async def jobs(self, state: str | None) -> "list[JobRow]":
        """Return the newest jobs, all or those in a state."""
        return await asyncio.to_thread(self._book.jobs, state, LISTED_JOBS)

    async def show(self, job_id: str) -> JobDetails:
        """Return what is recorded of the job. Raises Misconfigured for an unknown one."""
        row = await self._row(job_id)
        money = await asyncio.to_thread(self._book.money, job_id)
        return JobDetails(row, tuple(await self._engine.steps(job_id)), money)

    async def money(self) -> Money:
        """Return what was paid in the last day, and what is reserved now."""
        return await asyncio.to_thread(self._library.money, time.time() - DAY_S)

    async def cancel(self, job_id: str) -> str:
        """Cancel an open job; return a sentence. Raises Misconfigured for one that is not open."""
        row = await self._row(job_id)
        if await asyncio.to_thread(self._library.cancel_queued, job_id, time.time()):
            # This process has no connection to Discord: the job stays in the queue, and the worker that takes it off
            # informs its asker.
            return f"Job {job_id} is cancelled; it had not begun."
        if await asyncio.to_thread(self._library.request_cancel, job_id):
            return f"Job {job_id} is told to stop; the process that runs it does so within a second or two."
        raise Misconfigured(f"Job {job_id} has ended already ({row.state}).")

    async def retry(self, job_id: str) -> str:
        """Queue a failed job again; return a sentence. Raises Misconfigured for a job that cannot be tried again."""
        row = await self._row(job_id)
        if row.state != "refunded":
            raise Misconfigured(f"Job {job_id} is {row.state}: only a failed job (refunded) can be tried again.")
        job = await self._engine.order_of(job_id)
        if job is None or await self._storage.find(job.picture_key) is None:
            raise Misconfigured(
                f"Job {job_id} ({row.outcome or 'unknown error'}) cannot be tried again: its picture or its record is "
                "gone. Both are kept for a while only after failures that were not the asker's."
            )
        await finished(self._requeue, job_id, job)
        return f"Job {job_id} waits again. Its song is charged as the first try would have been."

    def _requeue(self, job_id: str, job: Job) -> None:
        # One transaction deletes the old record and queues the job: if the process is killed, both happened or neither.
        with self._library.transaction() as connection:
            turn = self._book.reopen(connection, job_id, time.time())
            if turn is None:
                raise Misconfigured(f"Job {job_id} waits or runs already.")
            self._engine.enqueue_again(connection, job, turn)

    async def _row(self, job_id: str) -> "JobRow":
        row = await asyncio.to_thread(self._book.job, job_id)
        if row is None:
            raise Misconfigured(f"Job {job_id} is not known here.")
        return row


@asynccontextmanager
async def open_job_admin(settings: Settings) -> AsyncIterator[JobAdmin]:
    """Yield the job administration. Other processes may use the database meanwhile. Raises Misconfigured."""
    from melodify_core.jobs.engine import Engine
    from melodify_core.library import SCHEMA, JobBook, Library, connect, database_path, schema_state

    url = settings.database.url
    if url.startswith("sqlite") and not database_path(url).is_file():
        raise Misconfigured(f"There is no database at {database_path(url)} yet: the first `melodify run` makes it.")
    async with AsyncExitStack() as stack:
        database = await asyncio.to_thread(connect, url)
        stack.callback(database.dispose)
        state = await asyncio.to_thread(schema_state, database)
        if state != "current":
            raise Misconfigured(SCHEMA[state])
        storage = await stack.enter_async_context(open_storage(settings))
        engine = Engine(database, settings.work)
        await engine.connect()
        stack.push_async_callback(engine.close)
        yield JobAdmin(Library(database), JobBook(database), engine, storage)
