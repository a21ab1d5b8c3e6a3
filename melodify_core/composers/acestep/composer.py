"""The CommissioningComposer port on an ACE-Step server: a task is queued in one step and collected in the next."""

import asyncio
import logging

from melodify_core.composers.acestep.faults import MODEL, is_passing, job_faults, start_faults
from melodify_core.composers.acestep.order import key_of, order_of, tempo_of
from melodify_core.composers.acestep.server import AceStepServer, Task
from melodify_core.composers.http import Fault
from melodify_core.composers.lyria_3 import kind_of
from melodify_core.config.settings import AceStep
from melodify_core.errors import Misconfigured, Unavailable
from melodify_core.models import Bill, Brief, Commission, Progress, RawTake, Wish
from melodify_core.ports import PaidCall, ProviderContext

log = logging.getLogger(__name__)

ORDER_S = 30.0  # to queue a task, which waits for no music
QUEUED_S = 0.5  # between two looks at a task that waits for others, at last
GROWTH = 1.3  # of that pause


class AceStepComposer:
    """Has one task per job. Needs a running event loop.

    The server has no id of ours: an order whose answer was lost is ordered again, and the first one is made in vain.
    """

    name = "acestep"

    def __init__(self, settings: AceStep) -> None:
        self._settings = settings
        self._server = AceStepServer(settings)
        self._order_s = min(ORDER_S, settings.deadline_s)

    async def check(self) -> None:
        """See whether the server is there, with this key and model. Raises Misconfigured, Unavailable."""
        async with start_faults(self._settings.url), asyncio.timeout(self._order_s):
            await self._server.health()
            loaded = await self._server.models()
        wanted = self._settings.model
        # A server that still loads has no models yet. It would play with another one, without a word.
        if wanted and loaded and wanted not in loaded:
            raise Misconfigured(MODEL.format(url=self._settings.url, model=wanted, loaded=", ".join(loaded)))

    def describe(self) -> str:
        """Return where the server is."""
        return f"at {self._settings.url} (acestep.url)"

    async def close(self) -> None:
        """Close the connections."""
        await self._server.close()

    async def commission(self, brief: Brief, wish: Wish, context: ProviderContext) -> Commission:
        """Queue the job's task. Raises Unavailable."""
        call = await self._booked(context)
        try:
            async with job_faults(context.job_id, self._settings.url), asyncio.timeout(self._order_s):
                task_id = await self._server.release(order_of(self._settings, brief, wish, context.seed))
        except BaseException:
            if call:
                await call.free()  # the host's own machine sends no bill for what was not made
            raise
        return Commission(name=task_id)

    async def collect(self, commission: Commission, context: ProviderContext) -> RawTake:
        """Wait for the task and fetch its music. Raises Unavailable."""
        call = await self._booked(context)
        try:
            async with job_faults(context.job_id, self._settings.url), asyncio.timeout(self._settings.deadline_s):
                task = await self._ended(commission.name, context)
                audio = await self._audio(task, context)
        except Unavailable:
            if call:
                await call.free()
            raise
        if call:
            await call.billed(self._bill(context))
        content_type = kind_of(audio)
        if content_type is None:
            log.warning("job %s: acestep: %d bytes that are no audio", context.job_id, len(audio))
            raise Unavailable("music.failed")
        key, mode = key_of(task.metas)
        model = str(task.result.get("dit_model") or self._settings.model or self.name)[:60]
        return RawTake(audio, content_type, bpm=tempo_of(task.metas), key=key, mode=mode, model=model)

    async def cancel(self, commission: Commission) -> None:
        """Say that the task goes on: the API has no way to stop one, and one takes seconds."""
        log.info("acestep: task %s is not waited for any more, the server ends it by itself", commission.name)

    async def _ended(self, task_id: str, context: ProviderContext) -> Task:
        """Wait until the task has ended, and report each change of its progress once."""
        reported: Progress | None = None
        pause_s = self._settings.poll_s
        while True:
            task = await self._look(task_id, context)
            if task is not None:
                if task.state == "succeeded":
                    return task
                if task.state in ("failed", "unknown"):
                    why = task.result.get("error") or (
                        "was restarted" if task.state == "unknown" else "no reason given"
                    )
                    log.warning(
                        "job %s: acestep: task %s is %s: %s", context.job_id, task_id, task.state, str(why)[:300]
                    )
                    raise Unavailable("music.failed")
                progress: Progress = "queued" if task.state == "queued" else "running"
                if progress != reported:
                    reported = progress
                    await context.progress(progress)
            # Short while it plays: the song's asker waits. It leaves the queue at any time, and then plays for seconds.
            playing = reported == "running"
            pause_s = self._settings.poll_s if playing else max(pause_s, min(pause_s * GROWTH, QUEUED_S))
            await asyncio.sleep(pause_s)

    async def _look(self, task_id: str, context: ProviderContext) -> Task | None:
        """Return the task, None where there was no answer: that is waited out until the deadline."""
        try:
            return await self._server.task(task_id)
        except Fault as fault:
            if not is_passing(fault):
                raise
            log.info("job %s: acestep: no answer about the task, asking again (%s)", context.job_id, fault)
            return None

    async def _audio(self, task: Task, context: ProviderContext) -> bytes:
        while task.path:
            try:
                return await self._server.audio(task.path)
            except Fault as fault:
                if not is_passing(fault):
                    log.warning("job %s: acestep: the music cannot be fetched: %s", context.job_id, fault)
                    break
            await asyncio.sleep(max(QUEUED_S, self._settings.poll_s))
        return b""

    async def _booked(self, context: ProviderContext) -> PaidCall | None:
        """Announce the call if the host counts what a song costs here."""
        return await context.begun(self._bill(context)) if self._settings.dollars_per_take else None

    def _bill(self, context: ProviderContext) -> Bill:
        model = self._settings.model or "default"
        # By the job: however often it is ordered and collected, one song of it is counted.
        return Bill(
            provider="acestep", model=model, dollars=self._settings.dollars_per_take, request_id=f"job {context.job_id}"
        )
