"""Plays a song that its composer could not play with the composer that its asker has chosen instead."""

import asyncio
import time
from typing import TYPE_CHECKING

from melodify_core.errors import Rejected
from melodify_core.models import Job
from melodify_core.ports import Storage
from melodify_core.threads import finished

if TYPE_CHECKING:
    from melodify_core.jobs.engine import Engine
    from melodify_core.library import JobBook, Library


class SecondChoice:
    """Queues failed jobs again, with another composer and with the reading that was paid for already."""

    def __init__(self, library: "Library", book: "JobBook", engine: "Engine", storage: Storage) -> None:
        self._library = library
        self._book = book
        self._engine = engine
        self._storage = storage

    async def play(self, job_id: str, user_id: int, composer: str) -> None:
        """Queue the job again, to be played by the composer.

        Raises Rejected: job.not_asked, job.too_late for a job that did not fail or is not known any more, and
        song.picture_gone. Raises Unavailable.
        """
        accepted = await asyncio.to_thread(self._library.accepted_order, job_id)
        if accepted is not None and accepted.user_id != user_id:
            raise Rejected("job.not_asked")
        job = await self._engine.order_of(job_id) if accepted and accepted.state == "refunded" else None
        if job is None or composer not in job.composers:
            raise Rejected("job.too_late")
        if await self._storage.find(job.picture_key) is None:
            raise Rejected("song.picture_gone")
        reading = job.brief or await self._engine.reading_of(job_id)
        left = job.composers[job.composers.index(composer) :]
        await finished(self._requeue, job.model_copy(update={"composers": left, "brief": reading}))

    def _requeue(self, job: Job) -> None:
        with self._library.transaction() as connection:
            turn = self._book.reopen(connection, job.job_id, time.time())
            if turn is None:
                raise Rejected("job.too_late")
            self._engine.enqueue_again(connection, job, turn)
