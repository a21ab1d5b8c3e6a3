"""What a job leaves behind while it runs: which log lines are its, how long its stages take, its trace."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from melodify_core.errors import MelodifyError, Rejected
from melodify_core.models import Job, Stage
from melodify_core.observability import metrics

# Opens a span: its name, the job's id, and what else is to be known of it.
Span = Callable[[str, str, dict[str, Any]], AbstractContextManager[Any]]


@dataclass(slots=True)
class LogContext:
    """Whose work is being done: every log line of it says so."""

    job_id: str
    guild_id: int | None
    stage: Stage | None  # None where it is not known


current: ContextVar[LogContext | None] = ContextVar("current", default=None)


def no_span(name: str, job_id: str, facts: dict[str, Any]) -> AbstractContextManager[Any]:
    """Trace nothing."""
    del name, job_id, facts
    return nullcontext()


class _Tracing:
    """Where spans go in this process: nowhere, until tracing.py says otherwise."""

    span: Span = staticmethod(no_span)


tracing = _Tracing()


@contextmanager
def log_context(job_id: str, guild_id: int | None = None, stage: Stage | None = None) -> Iterator[LogContext]:
    """What is logged and counted within is the job's."""
    context = LogContext(job_id, guild_id, stage)
    token = current.set(context)
    try:
        yield context
    finally:
        current.reset(token)


@contextmanager
def trace_job(job: Job) -> Iterator[LogContext]:
    """Everything within is done for the job, and stands in its trace."""
    facts = {"melodify.guild": job.place.guild_id or 0, "melodify.seconds": job.wish.seconds}
    with log_context(job.job_id, job.place.guild_id, Stage.QUEUED) as context, tracing.span("job", job.job_id, facts):
        yield context


@contextmanager
def stage_span(stage: Stage) -> Iterator[None]:
    """Everything within belongs to the stage."""
    context = current.get()
    if context is None:
        raise RuntimeError("a stage belongs to a job: see trace_job")
    context.stage = stage
    began = time.monotonic()
    with tracing.span(stage.value, context.job_id, {}):
        yield
    # What failed or was interrupted says nothing of how long the stage takes.
    metrics.stage_seconds.labels(stage.value).observe(time.monotonic() - began)


@contextmanager
def asking(provider: str) -> Iterator[None]:
    """A provider is asked within."""
    began = time.monotonic()
    try:
        yield
    except Rejected:
        raise  # by us: a budget, or its asker, had enough
    except MelodifyError as error:
        metrics.provider_errors.labels(provider, error.code).inc()
        raise
    metrics.provider_seconds.labels(provider).observe(time.monotonic() - began)


def ended(outcome: str) -> None:
    """Note how the job that this is about has ended: "song", or the error's code."""
    context = current.get()
    metrics.jobs_ended.labels(context.stage or "" if context else "", outcome).inc()
