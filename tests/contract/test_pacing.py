import asyncio
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa

from melodify_core.config.settings import Work
from melodify_core.jobs.context import Step
from melodify_core.jobs.engine import Engine, JobHandler
from melodify_core.jobs.pacing import REST_S
from melodify_core.library import Library, connect, connect_jobs, upgrade
from melodify_core.models import Job, PendingPost
from tests.jobs import a_job, a_song

POLL_S = 0.02


@dataclass
class Worker:
    """An engine whose jobs and posts only say when they started, and the questions that its queues ask."""

    url: str
    started: dict[str, float] = field(default_factory=dict)
    asked: list[float] = field(default_factory=list)
    all_asked: int = 0  # by any thread of DBOS's queues

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Engine]:
        database = connect(self.url)
        jobs = connect_jobs(database)
        upgrade(database)
        engine = Engine(database, Work(poll_s=POLL_S), "worker-0", jobs)
        sa.event.listen(jobs, "before_cursor_execute", self.count)
        await engine.launch(JobHandler(self.make, self.post, self.fail_unreadable))
        try:
            yield engine
        finally:
            await engine.drain(5.0)
            jobs.dispose()
            database.dispose()

    def count(self, *_: object) -> None:
        name = threading.current_thread().name
        self.all_asked += "queue" in name or name == "dbos-background-jobs"
        if name.endswith("songs"):
            self.asked.append(time.monotonic())

    async def make(self, job: Job, step: Step) -> None:
        self.started[job.job_id] = time.monotonic()
        await step.defer_post(PendingPost(job=job, song=a_song(job.job_id)))

    async def post(self, pending: PendingPost, step: Step) -> None:
        del step
        self.started[f"post of {pending.job.job_id}"] = time.monotonic()

    async def fail_unreadable(self, job_id: str) -> None:
        raise AssertionError(job_id)

    async def at_rest(self) -> None:
        """Return when a rest has begun a moment ago."""
        async with asyncio.timeout(20):
            while not (self.asked and 0.2 < time.monotonic() - self.asked[-1] < 0.5):
                await asyncio.sleep(0.02)

    async def start_of(self, name: str) -> float:
        async with asyncio.timeout(20):
            while name not in self.started:
                await asyncio.sleep(0.01)
        return self.started[name]


def accept(database: sa.Engine, engine: Engine, job: Job) -> float:
    """Queue a job as the studio does; return when it was acknowledged."""
    library = Library(database)
    with library.transaction() as connection:
        engine.enqueue(connection, job, library.reserve(connection, job, time.time()))
    return time.monotonic()


async def test_an_idle_queue_is_asked_rarely_and_an_order_of_this_process_starts_at_once(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/melodify.db"
    worker, database = Worker(url), connect(url)
    async with worker.running() as engine:
        await worker.at_rest()
        before = worker.all_asked
        await asyncio.sleep(1.5 * REST_S)
        # Each question is a few statements; without a rest there would be more than a hundred questions.
        assert worker.all_asked - before < 30

        await worker.at_rest()
        accepted = await asyncio.to_thread(accept, database, engine, a_job("1"))
        assert await worker.start_of("1") - accepted < 0.25 * REST_S
        assert await worker.start_of("post of 1") - worker.started["1"] < 0.75 * REST_S
    database.dispose()


async def test_an_order_that_another_process_accepted_wakes_an_idle_worker(postgres_url: str) -> None:
    worker, database = Worker(postgres_url), connect(postgres_url)
    other = Engine(database, Work())
    async with worker.running():
        await other.connect()
        await worker.at_rest()
        accepted = await asyncio.to_thread(accept, database, other, a_job("1"))
        assert await worker.start_of("1") - accepted < 0.25 * REST_S
        await other.close()
    database.dispose()


async def test_the_queue_is_asked_often_while_orders_of_other_processes_are_not_announced(postgres_url: str) -> None:
    worker, database = Worker(postgres_url), connect(postgres_url)
    async with worker.running():
        await worker.at_rest()
        listeners = "FROM pg_stat_activity WHERE query = 'LISTEN melodify_orders'"
        with database.connect() as connection:
            assert connection.scalar(sa.text(f"SELECT count(pg_terminate_backend(pid)) {listeners}")) == 1
        before = len(worker.asked)
        await asyncio.sleep(0.5)
        assert len(worker.asked) - before > 20
        # Once they are announced again, the queue rests again.
        await worker.at_rest()
    database.dispose()
