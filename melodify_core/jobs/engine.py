"""Durable jobs on DBOS: queues, launch, drain, recovery. Nothing else imports dbos; workflow.py makes the songs."""

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable, Collection, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import sqlalchemy as sa
from dbos import DBOS, DBOSClient, DBOSConfig, DBOSPortableJSONSerializer, EnqueueOptions
from pydantic import ValidationError

from melodify_core.config.settings import Work
from melodify_core.errors import MelodifyError, Rejected, Unavailable, from_record, to_record
from melodify_core.jobs.context import Result, Step
from melodify_core.jobs.paid_calls import UnrepeatableCalls
from melodify_core.jobs.retry import with_db_retry
from melodify_core.library.database import reachable
from melodify_core.models import Brief, Job, PendingPost, Stage
from melodify_core.observability.log_context import log_context, trace_job

log = logging.getLogger(__name__)
CANCELLED_MEANWHILE = "DBOSAwaitedWorkflowCancelledError"  # DBOS does not export it

# The queue of the jobs. No partition per member: DBOS would query each of them at every poll.
QUEUE = "songs"
# The queue of pending posts. It is separate, so that they take no slots from the jobs that are being made.
POST_QUEUE = "posts"
WORKFLOW = "make_song"
POST_WORKFLOW = "post"
# The same for all builds: DBOS does not start jobs that another version has queued.
APPLICATION_VERSION = "1"
FIRST_PAUSE_S = 1.0
POSTS_AT_ONCE = 64
# How many threads there are for calls to the database and to files.
THREADS = 16
WAKE_S = 5.0
DRAIN_POLL_S = 0.05
# Nothing here listens to DBOS's notifications: the sleep of the thread that looks for them only delays the end.
LISTENER_SLEEP_S = 0.1
LIVE = ("ENQUEUED", "PENDING", "DELAYED")
POST_ENDING = "-post"


def make_tables(database: sa.Engine) -> None:
    """Make or update the engine's own tables."""
    # The level of DBOSConfig counts from the launch only. Below it DBOS advertises, and warns hosts of SQLite.
    logging.getLogger("dbos").setLevel(logging.WARNING)
    DBOS.migrate(database.url.render_as_string(hide_password=False))


@dataclass(frozen=True, slots=True)
class JobHandler:
    """What the engine calls for a job, for a pending post, and for a job whose record cannot be read.

    Each raises only when it is cancelled.
    """

    make: Callable[[Job, Step], Awaitable[None]]
    post: Callable[[PendingPost, Step], Awaitable[None]]
    fail_unreadable: Callable[[str], Awaitable[None]]


class Engine:
    """The queues of this process. There is one Engine per process, because there is one DBOS per process."""

    def __init__(
        self, database: sa.Engine, work: Work, executor_id: str = "local", jobs: sa.Engine | None = None
    ) -> None:
        """Connect nothing yet.

        `executor_id` names this worker: no two living processes on one database may share it. `jobs` has separate
        connections for the running jobs; without it they share those of `database`.
        """
        self._database = database
        self._jobs = jobs or database
        self._work = work
        self._executor_id = executor_id
        self._serializer = DBOSPortableJSONSerializer()
        self._making: dict[str, _Run] = {}
        self._posting: dict[str, _Run] = {}
        self._unstarted: set[str] = set()
        self._draining = False
        self._client: DBOSClient | None = None
        self._working = False

    async def connect(self) -> None:
        """Connect for queueing jobs without making them."""
        self._client = self._new_client()
        await asyncio.to_thread(self._client.check_connection)

    def _new_client(self) -> DBOSClient:
        return DBOSClient(system_database_engine=self._database, serializer=self._serializer, lazy=True)

    async def launch(self, handler: JobHandler) -> None:
        """Start the queues on the running loop. Jobs that an earlier process of this name left continue."""
        # The launch starts recovered jobs: what they use must exist before it. DBOS looks for new queues once a second:
        # with those that it finds at the launch, the first song starts at once.
        await asyncio.to_thread(make_tables, self._database)
        self._client = self._new_client()
        logging.getLogger("dbos").addFilter(_is_worth_a_line)
        await self._register_queues()
        DBOS(
            config=DBOSConfig(
                name="melodify",
                system_database_url=self._database.url.render_as_string(hide_password=False),
                system_database_engine=self._jobs,
                serializer=self._serializer,
                application_version=APPLICATION_VERSION,
                executor_id=self._executor_id,
                log_level="WARNING",
                notification_listener_polling_interval_sec=LISTENER_SLEEP_S,
                # One more for each running job: it may hold a thread while the database is unavailable.
                max_executor_threads=THREADS + self._work.jobs,
            )
        )

        # Declare the workflows here and not at import: importing a module does nothing, and the handler is known only
        # now. Do not limit the recoveries: each deployment interrupts the running jobs, and all must continue.
        @DBOS.workflow(name=WORKFLOW, max_recovery_attempts=None)
        async def make(record: dict[str, Any]) -> None:
            await self._make(record, handler)

        @DBOS.workflow(name=POST_WORKFLOW, max_recovery_attempts=None)
        async def post(record: dict[str, Any]) -> None:
            await self._post(record, handler)

        DBOS.launch()
        # At its first query, DBOS makes its threads the default executor of the loop.
        await DBOS.retrieve_queue_async(QUEUE)
        await _wake_threads()
        self._working = True

    async def _register_queues(self) -> None:
        if self._client is None:
            raise RuntimeError("the engine is not launched")
        await self._client.register_queue_async(
            QUEUE,
            worker_concurrency=self._work.jobs,
            polling_interval_sec=self._work.poll_s,
        )
        await self._client.register_queue_async(
            POST_QUEUE, worker_concurrency=POSTS_AT_ONCE, polling_interval_sec=max(self._work.poll_s, 1.0)
        )

    def enqueue(self, connection: sa.Connection, job: Job, turn: int) -> None:
        """Queue the job inside the caller's transaction, under its own id; the least `turn` starts first."""
        options = EnqueueOptions(
            workflow_name=WORKFLOW,
            queue_name=QUEUE,
            workflow_id=job.job_id,
            priority=turn,
            app_version=APPLICATION_VERSION,
        )
        self._open_client.enqueue_in_transaction(connection, options, job.model_dump(mode="json"))

    def enqueue_again(self, connection: sa.Connection, job: Job, turn: int) -> None:
        """Queue an ended job again inside the caller's transaction: it begins with its first step."""
        # DBOS can delete records only in a transaction of its own: if the process were killed after that, the order
        # would be lost.
        system = self._open_client._sys_db  # noqa: SLF001
        system._apply_caller_schema(connection)  # noqa: SLF001
        tables, names = system.tables, _names_of(job.job_id)
        # The order is DBOS's: rows of the other tables refer to the last table.
        for table in (tables.workflow_input, tables.workflow_output, tables.operation_outputs, tables.workflow_status):
            connection.execute(sa.delete(table).where(table.c.workflow_uuid.in_(names)))
        self.enqueue(connection, job, turn)

    @property
    def _open_client(self) -> DBOSClient:
        if self._client is None:
            raise RuntimeError("the engine is not launched")
        return self._client

    @property
    def running(self) -> frozenset[str]:
        """The ids of the jobs that this process makes now."""
        return frozenset(self._making)

    @property
    def active(self) -> frozenset[str]:
        """The ids of the jobs that this process makes now, and of those whose songs it posts later."""
        posts = (name for name in self._posting if name.endswith(POST_ENDING))
        return self.running | {name.removesuffix(POST_ENDING) for name in posts}

    def interrupt(self, job_id: str) -> None:
        """Stop the job's step, or its wait to be posted, if this process runs it: it ends as cancelled."""
        for run in (self._making.get(job_id), self._posting.get(_post_id(job_id))):
            if run is not None:
                run.stop.set()

    async def dequeue(self, job_id: str) -> None:
        """Remove a job that has not started from the queue. If it starts meanwhile, it finds that it is cancelled."""
        await self._open_client.cancel_workflow_async(job_id)

    async def dead(self, job_ids: Collection[str]) -> set[str]:
        """Return those of the jobs that no worker will continue: ended, failed or unknown."""
        # While a song waits to be posted, the job's own record has ended, but the record of its post is alive.
        records = {name: job_id for job_id in job_ids for name in _names_of(job_id)}
        listed = await self._open_client.list_workflows_async(
            workflow_ids=list(records), load_input=False, load_output=False
        )
        alive = {records[status.workflow_id] for status in listed if status.status in LIVE}
        return set(job_ids) - alive

    async def take_over_jobs(self, executor_id: str) -> int:
        """Queue the jobs of a dead worker again; return how many. They continue after their last recorded step."""
        taken_over = 0
        for queue in (QUEUE, POST_QUEUE):
            left = await self._open_client.list_workflows_async(
                status="PENDING", executor_id=executor_id, queue_name=queue, load_input=False, load_output=False
            )
            if left:
                await self._open_client.resume_workflows_async([each.workflow_id for each in left], queue_name=queue)
            taken_over += len(left)
        return taken_over

    async def requeue_unstarted(self) -> int:
        """Queue again what this worker has taken off the queue, but does not run; return how many.

        A job is left so when the database becomes unavailable right after it was taken off. Only what was unstarted at
        two calls in a row is queued again: a job that was about to start at the first call runs at the second.
        """
        names = {QUEUE: set[str](), POST_QUEUE: set[str]()}
        for status in await self._open_client.list_workflows_async(
            status="PENDING", executor_id=self._executor_id, load_input=False, load_output=False
        ):
            if status.queue_name in names and status.workflow_id not in self._making.keys() | self._posting.keys():
                names[status.queue_name].add(status.workflow_id)
        seen, self._unstarted = self._unstarted, names[QUEUE] | names[POST_QUEUE]
        for queue, unstarted in names.items():
            if again := sorted(unstarted & seen):
                await self._open_client.resume_workflows_async(again, queue_name=queue)
        return len(seen & self._unstarted)

    async def owners(self) -> set[str]:
        """Return the names of the workers that hold jobs."""
        held = await self._open_client.list_workflows_async(status="PENDING", load_input=False, load_output=False)
        return {status.executor_id for status in held if status.executor_id}

    async def order_of(self, job_id: str) -> Job | None:
        """Return the job as it was queued; None where its record is missing or cannot be read."""
        listed = await self._open_client.list_workflows_async(workflow_ids=[job_id], load_input=True, load_output=False)
        try:
            return Job.model_validate(listed[0].input["args"][0]) if listed and listed[0].input else None
        except (ValidationError, LookupError, TypeError):
            return None

    async def steps(self, job_id: str) -> list[str]:
        """Return the names of the job's recorded steps, in their order."""
        return [step["function_name"] for step in await self._open_client.list_workflow_steps_async(job_id)]

    async def reading_of(self, job_id: str) -> Brief | None:
        """Return the reading that the job has recorded; None where there is none, or it cannot be read."""
        for step in await self._open_client.list_workflow_steps_async(job_id):
            if step["function_name"] == "caption":
                try:
                    return Brief.model_validate((step["output"] or {}).get("result"))
                except (ValidationError, AttributeError):
                    return None
        return None

    async def close(self) -> None:
        """Close the connections of `connect`."""
        if self._client is not None:
            await asyncio.to_thread(self._client.destroy)

    async def forget(self, job_ids: Sequence[str]) -> None:
        """Delete the records of ended jobs."""
        ids = [name for job_id in job_ids for name in _names_of(job_id)]
        await self._open_client.delete_workflows_async(ids)

    async def drain(self, timeout_s: float, unrepeatable: UnrepeatableCalls | None = None, paid_s: float = 0.0) -> None:
        """Let running jobs end, interrupt those that take longer than `timeout_s`, and stop.

        An interrupted job continues at the next launch, after its last recorded step. `unrepeatable` calls may take up
        to `paid_s` in all: interrupted, they would be paid for again.
        """
        self._draining = True
        until = asyncio.get_running_loop().time() + paid_s
        unrepeatable = unrepeatable or UnrepeatableCalls()
        unrepeatable.close()
        if self._making:
            await asyncio.wait({run.task for run in self._making.values()}, timeout=timeout_s)
        while self._making.keys() & unrepeatable.jobs and asyncio.get_running_loop().time() < until:  # noqa: ASYNC110
            await asyncio.sleep(DRAIN_POLL_S)
        tasks = {run.task for run in (*self._making.values(), *self._posting.values())}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._client is not None:
            await asyncio.to_thread(self._client.destroy)
        if not self._working:
            return
        # DBOS ends the loop's default executor, which is its own: give the loop another one for work that still runs.
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor())
        # Destroy the registry too: the next launch in this process declares the workflows again.
        await asyncio.to_thread(partial(DBOS.destroy, destroy_registry=True))

    async def _make(self, record: dict[str, Any], handler: JobHandler) -> None:
        task = self._task_unless_draining()
        try:
            job = Job.model_validate(record)
        except ValidationError:
            job_id = DBOS.workflow_id or ""
            with log_context(job_id):
                log.exception("job %s cannot be read any more: it is refunded and its asker gets an apology", job_id)
            await handler.fail_unreadable(job_id)
            return
        run = self._making[job.job_id] = _Run(task)
        try:
            with trace_job(job):
                await handler.make(job, _Durable(self._open_client, run.stop))
        finally:
            self._making.pop(job.job_id, None)

    async def _post(self, record: dict[str, Any], handler: JobHandler) -> None:
        name = DBOS.workflow_id or ""
        run = self._posting[name] = _Run(self._task_unless_draining())
        try:
            pending = PendingPost.model_validate(record)
            with log_context(pending.job.job_id, pending.job.place.guild_id, Stage.DELIVERING):
                await handler.post(pending, _Durable(self._open_client, run.stop))
        finally:
            self._posting.pop(name, None)

    def _task_unless_draining(self) -> asyncio.Task[Any]:
        task = asyncio.current_task()
        if self._draining or task is None:
            # DBOS records no end for a cancelled task: the job stays pending and continues at the next launch.
            raise asyncio.CancelledError
        return task


def _is_worth_a_line(record: logging.LogRecord) -> bool:
    """Return False for the error that DBOS reports of a job that started while it was cancelled: nothing is wrong."""
    kind = record.exc_info[0] if record.exc_info else None
    return kind is None or kind.__name__ != CANCELLED_MEANWHILE


@dataclass(slots=True)
class _Run:
    """A job or post that runs here, and the event that stops it."""

    task: asyncio.Task[Any]
    stop: asyncio.Event = field(default_factory=asyncio.Event)


class _Durable:
    """The durable Step: its result, or our error, is recorded as JSON before the next step starts."""

    def __init__(self, client: DBOSClient, stop: asyncio.Event) -> None:
        self._client = client
        self._stop = stop

    async def __call__(
        self,
        name: str,
        model: type[Result],
        work: Callable[[], Awaitable[Result]],
        *,
        tries: int = 1,
        stoppable: bool = False,
    ) -> Result:
        """Run the step, or return what it returned before a crash."""
        stop = self._stop if stoppable else None

        async def recorded() -> dict[str, Any]:
            # Not a partial: DBOS logs the function that it interrupts, and a member's wishes must not be logged.
            return await _recorded(work, tries, stop)

        record = await DBOS.run_step_async({"name": name}, recorded)
        if failure := record.get("failed"):
            raise from_record(failure)
        return model.model_validate(record["result"])

    async def recorded(self) -> Collection[str]:
        """Return the names of the job's recorded steps, once the database answers."""
        return await with_db_retry(self._recorded, DBOS.workflow_id or "")

    def _recorded(self, job_id: str) -> set[str]:
        with reachable():
            steps = self._client.list_workflow_steps(job_id, load_output=False)
        return {step["function_name"] for step in steps}

    async def pause(self, seconds: float) -> None:
        """Wait; after a restart only for the rest. Cancelling the job ends the wait."""
        waiting, stopping = asyncio.create_task(DBOS.sleep_async(seconds)), asyncio.create_task(self._stop.wait())
        try:
            await asyncio.wait({waiting, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if waiting.done():
                waiting.result()
        finally:
            await _cancel(waiting, stopping)

    async def defer_post(self, pending: PendingPost) -> bool:
        """Put the post into its queue; a repeat changes nothing."""
        options = EnqueueOptions(
            workflow_name=POST_WORKFLOW,
            queue_name=POST_QUEUE,
            workflow_id=_pending_post_id(pending),
            app_version=APPLICATION_VERSION,
        )
        await self._client.enqueue_async(options, pending.model_dump(mode="json"))
        return True


async def _wake_threads() -> None:
    """Start the loop's threads now: to start one under load blocks the loop until the thread first runs."""
    started = threading.Barrier(THREADS, timeout=WAKE_S)
    with suppress(threading.BrokenBarrierError):
        await asyncio.gather(*(asyncio.to_thread(started.wait) for _ in range(THREADS)))


def _post_id(job_id: str) -> str:
    return f"{job_id}{POST_ENDING}"


def _apology_id(job_id: str) -> str:
    return f"{job_id}-apology"


def _closing_id(job_id: str) -> str:
    return f"{job_id}-line"


def _pending_post_id(pending: PendingPost) -> str:
    # Each kind has an id of its own: an apology and the last edit of a status message are queued while the post of
    # the song still runs.
    job_id = pending.job.job_id
    if pending.song is None:
        return _apology_id(job_id)
    return _post_id(job_id) if pending.posted is None else _closing_id(job_id)


def _names_of(job_id: str) -> tuple[str, ...]:
    """Return the names of all records of a job."""
    return job_id, _post_id(job_id), _apology_id(job_id), _closing_id(job_id)


async def _recorded(work: Callable[[], Awaitable[Result]], tries: int, stop: asyncio.Event | None) -> dict[str, Any]:
    # Our errors are recorded as results: to a repeated job, DBOS would raise an error of its own type.
    try:
        result = await (_attempt(work, tries) if stop is None else _until_stopped(stop, _attempt(work, tries)))
    except MelodifyError as error:
        log.info("a step failed, its error is recorded: %s", error, exc_info=error.__cause__)
        return {"failed": to_record(error)}
    return {"result": result.model_dump(mode="json")}


async def _attempt(work: Callable[[], Awaitable[Result]], tries: int) -> Result:
    for attempt in range(tries - 1):
        with suppress(Unavailable):
            return await work()
        await asyncio.sleep(FIRST_PAUSE_S * 4**attempt)
    return await work()


async def _until_stopped(stop: asyncio.Event, work: Coroutine[Any, Any, Result]) -> Result:
    """Do the work. When `stop` is set before it is done, cancel it and raise Rejected("job.cancelled")."""
    working, stopping = asyncio.create_task(work), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            return working.result()
        raise Rejected("job.cancelled")
    finally:
        await _cancel(working, stopping)


async def _cancel(*tasks: asyncio.Task[Any]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
