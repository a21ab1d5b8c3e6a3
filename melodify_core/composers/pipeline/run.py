"""One run, watched to its end: how far it has come, and why it failed."""

import asyncio
import logging

from google.api_core import exceptions
from google.cloud.aiplatform_v1.types import PipelineJob, PipelineState, PipelineTaskDetail

from melodify_core.composers.pipeline.faults import TRANSIENT
from melodify_core.composers.pipeline.service import PipelineService
from melodify_core.config.settings import Pipeline
from melodify_core.errors import Unavailable
from melodify_core.google import WORDS, described
from melodify_core.models import Progress
from melodify_core.ports import ProviderContext

log = logging.getLogger(__name__)

_PROGRESS: dict[int, Progress] = {
    PipelineState.PIPELINE_STATE_QUEUED: "queued",
    PipelineState.PIPELINE_STATE_PENDING: "provisioning",
    PipelineState.PIPELINE_STATE_RUNNING: "running",
    PipelineState.PIPELINE_STATE_PAUSED: "paused",
}
_ENDED: tuple[int, ...] = (
    PipelineState.PIPELINE_STATE_SUCCEEDED,
    PipelineState.PIPELINE_STATE_FAILED,
    PipelineState.PIPELINE_STATE_CANCELLED,
)
_GROWTH = 1.5  # of the pause between two looks


class Run:
    """What is known of a run."""

    def __init__(self, name: str, service: PipelineService, settings: Pipeline, context: ProviderContext) -> None:
        self.name = name
        self.job: PipelineJob | None = None
        self._service = service
        self._settings = settings
        self._context = context
        self._reported: Progress | None = None
        self._paused_at: float | None = None
        self._is_out_of_sight = False

    @property
    def succeeded(self) -> bool:
        """The run's own view; whether there is music is another matter."""
        return self.job is not None and self.job.state == PipelineState.PIPELINE_STATE_SUCCEEDED

    @property
    def has_cost(self) -> bool:
        """Machines have worked for it: one that failed while it was still being prepared cost nothing."""
        # What nobody can look at any more may have run, and cost.
        return self.succeeded or self._is_out_of_sight or (self.job is not None and bool(self.job.start_time))

    async def end(self) -> None:
        """Wait until the run has ended and report its progress on the way, each change once.

        What may be gone with the next look is waited out: the caller's deadline ends that. Raises Unavailable when
        the run is gone or was paused for too long, and the SDK's other errors.
        """
        pause_s = self._settings.poll_s
        while not await self._has_ended():
            await asyncio.sleep(pause_s)
            pause_s = max(pause_s, min(pause_s * _GROWTH, self._settings.longest_poll_s))

    async def _has_ended(self) -> bool:
        try:
            self.job = await self._service.get(self.name)
        except TRANSIENT as error:
            log.info(
                "job %s: pipeline: no answer about the run, asking again (%s)", self._context.job_id, described(error)
            )
            return False
        except exceptions.NotFound as error:
            self._is_out_of_sight = True
            log.warning("job %s: pipeline: %s is gone", self._context.job_id, self.name)
            raise Unavailable("music.failed") from error
        except exceptions.Forbidden:
            self._is_out_of_sight = True
            raise
        await self._report(_PROGRESS.get(self.job.state))
        self._end_pause(paused=self.job.state == PipelineState.PIPELINE_STATE_PAUSED)
        return self.job.state in _ENDED

    def _end_pause(self, *, paused: bool) -> None:
        """Raise Unavailable when the run has been paused for too long: somebody did that in the console."""
        now = asyncio.get_running_loop().time()
        self._paused_at = (self._paused_at or now) if paused else None
        if self._paused_at is not None and now - self._paused_at >= self._settings.paused_s:
            log.warning(
                "job %s: pipeline: %s is paused since %d s, ending it: see pipeline.paused_s",
                self._context.job_id,
                self.name,
                now - self._paused_at,
            )
            raise Unavailable("music.failed")

    async def _report(self, reached: Progress | None) -> None:
        if reached is not None and reached != self._reported:
            self._reported = reached
            await self._context.progress(reached)

    def output_uri(self) -> str:
        """Return where the run writes; it may be older than today's settings. Empty where unknown."""
        values = self.job.runtime_config.parameter_values if self.job is not None else {}
        return str(values["output_uri"]) if "output_uri" in values else ""

    def reason(self) -> str:
        """Return why there is no music, in the service's own words: those of the failed tasks first."""
        if self.job is None:
            return "unknown"
        failed = [
            f"{task.task_name}: {task.error.message}"
            for task in self.job.job_detail.task_details
            if task.state == PipelineTaskDetail.State.FAILED
        ]
        words = "; ".join([*failed, self.job.error.message])
        return f"{self.job.state.name}: {' '.join(words.split())[: 2 * WORDS]}"
