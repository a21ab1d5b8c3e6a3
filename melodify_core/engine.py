"""Durable jobs on DBOS: queue, launch, drain, recovery. Nothing else imports dbos; what a job does stands elsewhere."""

import asyncio
import fcntl
import logging
import os
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from dbos import DBOS, DBOSClient, DBOSConfig, DBOSPortableJSONSerializer, EnqueueOptions

from melodify_core.errors import MelodifyError, Misconfigured, Unavailable, from_record, to_record
from melodify_core.models import Job
from melodify_core.settings import Work
from melodify_core.workflow import Result, Step

log = logging.getLogger(__name__)

QUEUE = "songs"
WORKFLOW = "make_song"
# A constant: with a version per build, DBOS would leave the jobs of the build before it lying.
APPLICATION_VERSION = "1"
FIRST_PAUSE_S = 1.0
Run = Callable[[Job, Step], Awaitable[None]]


@contextmanager
def only_process(lock_file: Path) -> Iterator[None]:
    """Hold the lock beside the database: two processes with one database would post every song twice."""
    descriptor = os.open(lock_file, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise Misconfigured(
            f"Another Melodify process uses the database beside {lock_file}. Stop it, or set another database.url."
        ) from error
    try:
        yield
    finally:
        os.close(descriptor)


class Engine:
    """One per process, because DBOS is."""

    def __init__(self, database: sa.Engine, work: Work) -> None:
        self._database = database
        self._work = work
        self._running: set[asyncio.Task[Any]] = set()
        self._draining = False
        self._client: DBOSClient | None = None

    async def launch(self, run: Run) -> None:
        """Start the queue on the running loop. Jobs that an earlier process left go on."""
        serializer = DBOSPortableJSONSerializer()
        DBOS(
            config=DBOSConfig(
                name="melodify",
                system_database_url=self._database.url.render_as_string(hide_password=False),
                system_database_engine=self._database,
                serializer=serializer,
                application_version=APPLICATION_VERSION,
                executor_id="local",
                log_level="WARNING",
            )
        )

        # Declared here and not at import: importing a module does nothing, and `run` is known only now.
        @DBOS.workflow(name=WORKFLOW)
        async def workflow(record: dict[str, Any]) -> None:
            await self._work_on(record, run)

        DBOS.launch()
        self._client = DBOSClient(system_database_engine=self._database, serializer=serializer)
        await self._client.register_queue_async(
            QUEUE,
            worker_concurrency=self._work.jobs,
            partition_concurrency=self._work.jobs_per_user,
            polling_interval_sec=self._work.poll_s,
        )

    def enqueue(self, connection: sa.Connection, job: Job) -> None:
        """Queue the job inside the caller's transaction, under its own id."""
        if self._client is None:
            raise RuntimeError("the engine is not launched")
        options = EnqueueOptions(
            workflow_name=WORKFLOW,
            queue_name=QUEUE,
            workflow_id=job.job_id,
            queue_partition_key=str(job.user_id),
            app_version=APPLICATION_VERSION,
        )
        self._client.enqueue_in_transaction(connection, options, job.model_dump(mode="json"))

    @property
    def running(self) -> int:
        """How many jobs this process works on now."""
        return len(self._running)

    async def drain(self, timeout_s: float) -> None:
        """Let running jobs end, interrupt those that take longer, and stop.

        What was interrupted goes on at the next launch, from its last recorded step.
        """
        self._draining = True
        if self._running:
            await asyncio.wait(set(self._running), timeout=timeout_s)
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        if self._client is not None:
            await asyncio.to_thread(self._client.destroy)
        # The registry goes too: the next launch in this process declares its workflow anew.
        await asyncio.to_thread(partial(DBOS.destroy, destroy_registry=True))
        # DBOS made its own threads the loop's, and has just ended them.
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor())

    async def _work_on(self, record: dict[str, Any], run: Run) -> None:
        task = asyncio.current_task()
        if self._draining or task is None:
            # Not recorded as an end: the job stays pending and is taken up at the next launch.
            raise asyncio.CancelledError
        self._running.add(task)
        try:
            await run(Job.model_validate(record), _durable)
        finally:
            self._running.discard(task)


async def _durable(name: str, model: type[Result], work: Callable[[], Awaitable[Result]], *, tries: int = 1) -> Result:
    """The durable Step: its result, or our error, is recorded as JSON before the next step starts."""
    record = await DBOS.run_step_async({"name": name}, partial(_recorded, work, tries))
    if failure := record.get("failed"):
        raise from_record(failure)
    return model.model_validate(record["result"])


async def _recorded(work: Callable[[], Awaitable[Result]], tries: int) -> dict[str, Any]:
    # Our errors are recorded as results: DBOS would give a repeated job its own error type back.
    try:
        result = await _attempt(work, tries)
    except MelodifyError as error:
        log.info("step failed: %s", error, exc_info=error.__cause__)
        return {"failed": to_record(error)}
    return {"result": result.model_dump(mode="json")}


async def _attempt(work: Callable[[], Awaitable[Result]], tries: int) -> Result:
    for attempt in range(tries - 1):
        with suppress(Unavailable):
            return await work()
        await asyncio.sleep(FIRST_PAUSE_S * 4**attempt)
    return await work()
