"""What a job is made with: the providers, the steps that may be durable, and how an account is kept."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from pydantic import BaseModel

from melodify_core.config.settings import SongSettings
from melodify_core.errors import Unavailable
from melodify_core.media.worker_pool import WorkerPool
from melodify_core.models import Job, PendingPost, Stage
from melodify_core.ports import Delivery, Ledger
from melodify_core.providers import Providers
from melodify_core.storage.spool import Spool
from melodify_core.threads import finished

log = logging.getLogger(__name__)
Result = TypeVar("Result", bound=BaseModel)
Value = TypeVar("Value")
# While the database, or the storage, is away jobs wait for it: ten minutes in all.
PAUSES_S = (0.5, 1.0, 2.0, 4.0, 8.0, *(15.0,) * 39)


class Gate(Protocol):
    """Lets jobs to a provider as its caps allow, counted over all processes; see library/gate.py."""

    def __call__(self, provider: str, job_id: str, *, begun: bool = False) -> AbstractAsyncContextManager[None]:
        """Hold a place. Raises Unavailable("provider.busy")."""
        ...

    async def enter(self, provider: str, job_id: str, *, begun: bool = False) -> None:
        """Wait for a place and take it. Raises Unavailable("provider.busy")."""
        ...

    async def leave(self, provider: str, job_id: str) -> None:
        """Free the job's place, if it holds one."""
        ...


class OpenGate:
    """The Gate that never waits."""

    def __call__(self, provider: str, job_id: str, *, begun: bool = False) -> AbstractAsyncContextManager[None]:
        """Hold nothing."""
        del provider, job_id, begun
        return nullcontext()

    async def enter(self, provider: str, job_id: str, *, begun: bool = False) -> None:
        """Wait for nothing."""

    async def leave(self, provider: str, job_id: str) -> None:
        """Free nothing."""


class Underway:
    """The jobs here whose paid call cannot be asked for again: a stop waits for them, and lets none begin."""

    def __init__(self) -> None:
        self.jobs: set[str] = set()
        self._closed = False

    def close(self) -> None:
        """Let none begin any more."""
        self._closed = True

    def begin(self, job_id: str) -> None:
        """Hold the job up until `holding` ends. Interrupts it where the process stops: it goes on at the next start."""
        if self._closed:
            raise asyncio.CancelledError
        self.jobs.add(job_id)

    @contextmanager
    def holding(self, job_id: str) -> Iterator[None]:
        """The step within may begin such a call; it lasts until its result is recorded."""
        try:
            yield
        finally:
            self.jobs.discard(job_id)


@dataclass(frozen=True, slots=True)
class PaidWork:
    """What paid calls share: how many run at once, where a take is kept until it is stored, what a stop waits for."""

    gate: Gate = OpenGate()
    spool: Spool | None = None
    underway: Underway = field(default_factory=Underway)


@dataclass(frozen=True, slots=True)
class JobContext:
    """What the workflow works with."""

    providers: Providers
    delivery: Delivery
    ledger: Ledger
    pool: WorkerPool
    song: SongSettings
    salt: bytes = b""
    paid: PaidWork = field(default_factory=PaidWork)
    pauses_s: tuple[float, ...] = PAUSES_S


class Step(Protocol):
    """Runs one step and returns its result; a durable one returns the recorded result when the job is repeated."""

    async def __call__(
        self,
        name: str,
        model: type[Result],
        work: Callable[[], Awaitable[Result]],
        *,
        tries: int = 1,
        stoppable: bool = False,
    ) -> Result:
        """Raises what `work` raised. With `tries`, Unavailable is tried again after a pause.

        A `stoppable` step raises Rejected("job.cancelled") as soon as the asker has cancelled.
        """
        ...

    async def pause(self, seconds: float) -> None:
        """Wait."""
        ...

    async def defer_post(self, pending: PendingPost) -> bool:
        """Have the pending posted when that is possible again; False where there is no later."""
        ...


class PlainStep:
    """The Step that records nothing: for one song at once."""

    async def __call__(
        self,
        name: str,
        model: type[Result],
        work: Callable[[], Awaitable[Result]],
        *,
        tries: int = 1,
        stoppable: bool = False,
    ) -> Result:
        """Do the work."""
        del name, model, tries, stoppable  # whoever waits in front of a terminal tries again himself
        return await work()

    async def pause(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)

    async def defer_post(self, pending: PendingPost) -> bool:
        """Say that there is no later."""
        del pending
        return False


class Nothing(BaseModel):
    """The result of a step that only has an effect."""


async def with_db_retry(work: Callable[..., Value], *args: Any) -> Value:
    """Return work(*args) of the ledger, off the loop; while the database is away, wait for it.

    Raises Unavailable("database.unavailable") when it does not come back.
    """
    for pause_s in PAUSES_S:
        try:
            return await finished(work, *args)
        except Unavailable as error:
            log.warning("the database is away, trying again in %g s: %s", pause_s, error)
            await asyncio.sleep(pause_s)
    return await finished(work, *args)


async def store(context: JobContext, key: str, data: bytes, content_type: str, labels: Mapping[str, str]) -> None:
    """Save what has cost money; while the storage is away, wait for it. Raises Unavailable when it stays away."""
    for pause_s in context.pauses_s:
        try:
            await context.providers.storage.save(key, data, content_type, labels)
        except Unavailable as error:
            log.warning("%s is not stored yet, trying again in %g s: %s", key, pause_s, error)
            await asyncio.sleep(pause_s)
        else:
            return
    await context.providers.storage.save(key, data, content_type, labels)


async def fetch(context: JobContext, key: str) -> bytes:
    """Return what is stored; while the storage is away, wait for it. Raises Unavailable, at once for a missing key."""
    for pause_s in context.pauses_s:
        try:
            return await context.providers.storage.load(key)
        except Unavailable as error:
            if await _is_missing(context, key):
                raise
            log.warning("%s cannot be read yet, trying again in %g s: %s", key, pause_s, error)
            await asyncio.sleep(pause_s)
    return await context.providers.storage.load(key)


async def found(context: JobContext, key: str) -> bool:
    """Return whether something is stored; while the storage is away, wait for it. Raises Unavailable."""
    for pause_s in context.pauses_s:
        try:
            return await context.providers.storage.find(key) is not None
        except Unavailable as error:
            log.warning("whether %s is stored is not known yet, asking again in %g s: %s", key, pause_s, error)
            await asyncio.sleep(pause_s)
    return await context.providers.storage.find(key) is not None


async def _is_missing(context: JobContext, key: str) -> bool:
    try:
        return await context.providers.storage.find(key) is None
    except Unavailable:
        return False


async def show(job: Job, stage: Stage, context: JobContext) -> None:
    """Show the stage, on the job's page too. A stage that is not shown must not lose a song."""
    if job.page_id is not None:
        try:
            await asyncio.to_thread(context.ledger.reach, job.job_id, stage)
        except Unavailable as error:
            log.warning("job %s: its page does not show that it is %s: %s", job.job_id, stage, error)
    await context.delivery.show_stage(job, stage)
