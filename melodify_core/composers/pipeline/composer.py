"""The CommissioningComposer port on Vertex AI pipelines: a run is created in one step and collected in the next."""

import asyncio
import logging
from contextlib import suppress

from google.api_core import exceptions
from google.cloud.aiplatform_v1.types import PipelineJob

from melodify_core.composers.lyria_3 import kind_of
from melodify_core.composers.pipeline import order
from melodify_core.composers.pipeline.checking import check_settings
from melodify_core.composers.pipeline.faults import FAULTS, TRANSIENT, translated
from melodify_core.composers.pipeline.music import Music
from melodify_core.composers.pipeline.run import Run
from melodify_core.composers.pipeline.service import PipelineService
from melodify_core.config.settings import Gcs, Pipeline, Vertex
from melodify_core.errors import Unavailable
from melodify_core.models import Bill, Brief, Commission, RawTake, Wish
from melodify_core.ports import PaidCall, ProviderContext

log = logging.getLogger(__name__)

ORDER_S = 60.0  # for an order with all its tries
TRIES = 3


class PipelineComposer:
    """Orders one run per job, however often it is asked. Needs a running event loop."""

    name = "pipeline"

    def __init__(self, settings: Pipeline, vertex: Vertex, gcs: Gcs) -> None:
        self._settings = settings
        self._vertex = vertex
        self._service = PipelineService(vertex, settings.calls, settings.deadline_s)
        self._music = Music(gcs, vertex.project, vertex.key_file)
        self._order_s = min(ORDER_S, settings.deadline_s)

    async def check(self) -> None:
        """See whether project, region, template and bucket can be used. Raises Misconfigured, Unavailable."""
        async with translated("-", self._order_s):
            await check_settings(self._settings, self._vertex, self._service, self._music)

    async def close(self) -> None:
        """Close the connections."""
        await asyncio.gather(self._service.close(), self._music.close())

    async def commission(self, brief: Brief, wish: Wish, context: ProviderContext) -> Commission:
        """Create the job's run; one that is there already is ours. Raises Unavailable."""
        run_id = order.run_id(context.job_id)
        commission = Commission(name=self._service.name_of(run_id))
        # Booked by the run's name: however often it is ordered and collected, it is one run.
        call = await context.begun(self._bill(commission.name))
        try:
            async with translated(context.job_id, self._order_s):
                await self._create(run_id, order.order_of(self._settings, brief, wish, context))
        except Unavailable as error:
            # What was not refused may have been created all the same, and nothing would wait for it.
            if error.code == "provider.misconfigured" or await self._abandon(commission, context):
                await call.free()
            else:
                call.lost()
            raise
        return commission

    async def collect(self, commission: Commission, context: ProviderContext) -> RawTake:
        """Wait for the run and fetch what it wrote. Raises Unavailable."""
        run = Run(commission.name, self._service, self._settings, context)
        call = await context.begun(self._bill(commission.name))
        try:
            async with translated(context.job_id, self._settings.deadline_s):
                await run.end()
        except Unavailable:
            # Nobody waits for it any more, whatever the reason.
            await self._abandon(commission, context)
            await self._settle(run, call, ended=False)
            raise
        audio, content_type = await self._fetched(run, context, call)
        return RawTake(audio=audio, content_type=content_type, model=order.model_of(self._settings))

    async def cancel(self, commission: Commission) -> None:
        """Stop the run; one that has ended or is gone is no error. Raises Unavailable."""
        async with translated("-", self._order_s):
            with suppress(exceptions.NotFound, exceptions.FailedPrecondition):
                await self._service.cancel(commission.name)

    async def _create(self, run_id: str, job: PipelineJob) -> None:
        for left in reversed(range(TRIES)):
            try:
                with suppress(exceptions.AlreadyExists):
                    await self._service.create(run_id, job)
                return
            except TRANSIENT:
                if not left:
                    raise
            await asyncio.sleep(self._settings.poll_s)

    async def _fetched(self, run: Run, context: ProviderContext, call: PaidCall) -> tuple[bytes, str]:
        """Return the run's music and its content type, and bill the run, with music or without."""
        audio = b""
        if run.succeeded:
            uri = run.output_uri() or order.output_uri(self._settings, context.job_id)
            try:
                async with translated(context.job_id, self._settings.deadline_s):
                    audio = await self._music.load(uri)
            except Unavailable:
                await self._settle(run, call, ended=True)
                raise
        await self._settle(run, call, ended=True)
        content_type = kind_of(audio)
        if content_type is None:
            found = f"{len(audio)} bytes that are no audio" if audio else "no music"
            log.warning("job %s: pipeline: %s wrote %s, %s", context.job_id, run.name, found, run.reason())
            raise Unavailable("music.failed")
        return audio, content_type

    async def _settle(self, run: Run, call: PaidCall, *, ended: bool) -> None:
        """Bill a run for which machines have worked or may have; one that was given up before stays booked."""
        if run.has_cost:
            await call.billed(self._bill(run.name))
        elif ended:
            await call.free()
        else:
            call.lost()

    def _bill(self, run_name: str) -> Bill:
        return Bill(
            provider="vertex-pipeline",
            model=order.model_of(self._settings),
            dollars=self._settings.dollars_per_take,
            request_id=run_name,
        )

    async def _abandon(self, commission: Commission, context: ProviderContext) -> bool:
        """Cancel a run that is not waited for any more; return whether it never existed. A failure is logged."""
        try:
            async with asyncio.timeout(self._order_s):
                await self._service.cancel(commission.name)
        except exceptions.NotFound:
            return True
        except exceptions.FailedPrecondition:
            return False
        except (TimeoutError, *FAULTS) as error:
            log.warning("job %s: pipeline: %s may go on: %s", context.job_id, commission.name, type(error).__name__)
        return False
