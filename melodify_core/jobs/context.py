"""What the workflow works with: the providers, the ledger, the files, and the steps, which an engine may record.

What the steps do is in workflow.py and completion.py.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from pydantic import BaseModel

from melodify_core.config.settings import SongSettings
from melodify_core.errors import Unavailable
from melodify_core.jobs.paid_calls import PaidWork
from melodify_core.jobs.retry import PAUSES_S, with_retry
from melodify_core.media.worker_pool import WorkerPool
from melodify_core.models import Job, PendingPost, Stage
from melodify_core.ports import Delivery, Ledger
from melodify_core.providers import Providers

log = logging.getLogger(__name__)
Result = TypeVar("Result", bound=BaseModel)


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
    pauses_s: tuple[float, ...] = PAUSES_S  # while the storage is unavailable


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
        """Run `work`, and raise what it raised. After Unavailable, run it again after a pause, `tries` times in all.

        A `stoppable` step raises Rejected("job.cancelled") as soon as the asker has cancelled.
        """

    async def recorded(self) -> Collection[str]:
        """Return the names of the steps that an earlier run of the job has recorded. Raises Unavailable."""

    async def pause(self, seconds: float) -> None:
        """Wait."""

    async def defer_post(self, pending: PendingPost) -> bool:
        """Queue what is to be posted later; return False where that is not possible."""


class PlainStep:
    """The Step that records nothing, for `melodify render`."""

    async def __call__(
        self,
        name: str,
        model: type[Result],
        work: Callable[[], Awaitable[Result]],
        *,
        tries: int = 1,
        stoppable: bool = False,
    ) -> Result:
        """Run the work once."""
        del name, model, tries, stoppable  # the person at the terminal can try again
        return await work()

    async def recorded(self) -> Collection[str]:
        """Return nothing."""
        return ()

    async def pause(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)

    async def defer_post(self, pending: PendingPost) -> bool:
        """Return False: nothing runs later."""
        del pending
        return False


class Nothing(BaseModel):
    """The result of a step that only has an effect."""


async def store(context: JobContext, key: str, data: bytes, content_type: str, labels: Mapping[str, str]) -> None:
    """Save the data, and retry while the storage is unavailable. Raises Unavailable when it stays unavailable."""
    storage = context.providers.storage
    await with_retry(lambda: storage.save(key, data, content_type, labels), f"{key} is not stored", context.pauses_s)


async def fetch(context: JobContext, key: str) -> bytes:
    """Return what is stored, and retry while the storage is unavailable. Raises Unavailable; a missing key is final."""
    storage = context.providers.storage

    async def is_missing() -> bool:
        try:
            return await storage.find(key) is None
        except Unavailable:
            return False

    return await with_retry(lambda: storage.load(key), f"{key} is not loaded", context.pauses_s, is_missing)


async def is_stored(context: JobContext, key: str) -> bool:
    """Return whether the key exists, and retry while the storage is unavailable. Raises Unavailable."""
    storage = context.providers.storage
    return await with_retry(lambda: storage.find(key), f"{key} is not looked up", context.pauses_s) is not None


async def show_stage(job: Job, stage: Stage, context: JobContext) -> None:
    """Show the stage in the status message and on the job's page. Never raises: the job goes on without it."""
    if job.page_id is not None:
        try:
            await asyncio.to_thread(context.ledger.note_stage, job.job_id, stage)
        except Unavailable as error:
            log.warning("job %s: its page does not show the stage %s, the job goes on: %s", job.job_id, stage, error)
    await context.delivery.show_stage(job, stage)
