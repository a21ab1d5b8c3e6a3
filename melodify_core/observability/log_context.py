"""Ties log lines, stage times and traces to the job that they belong to."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from melodify_core.errors import MelodifyError, Rejected
from melodify_core.models import Job, Stage
from melodify_core.observability import metrics

# Opens a span; takes its name, the job's id and further attributes.
Span = Callable[[str, str, dict[str, Any]], AbstractContextManager[Any]]


@dataclass(slots=True)
class LogContext:
    """The job that is being worked on; every log line of that work carries it."""

    job_id: str
    guild_id: int | None
    stage: Stage | None  # None where it is not known


current: ContextVar[LogContext | None] = ContextVar("current", default=None)


def no_span(name: str, job_id: str, facts: dict[str, Any]) -> AbstractContextManager[Any]:
    """Trace nothing."""
    del name, job_id, facts
    return nullcontext()


class _Tracing:
    """Where this process sends spans: nowhere, until tracing.py sets an exporter."""

    span: Span = staticmethod(no_span)


tracing = _Tracing()


@contextmanager
def log_context(job_id: str, guild_id: int | None = None, stage: Stage | None = None) -> Iterator[LogContext]:
    """Attribute everything that is logged and counted within to the job."""
    context = LogContext(job_id, guild_id, stage)
    token = current.set(context)
    try:
        yield context
    finally:
        current.reset(token)


@contextmanager
def trace_job(job: Job) -> Iterator[LogContext]:
    """Attribute everything within to the job, and trace it."""
    facts = {"melodify.guild": job.place.guild_id or 0, "melodify.seconds": job.wish.seconds}
    with log_context(job.job_id, job.place.guild_id, Stage.QUEUED) as context, tracing.span("job", job.job_id, facts):
        yield context


@contextmanager
def stage_span(stage: Stage) -> Iterator[None]:
    """Attribute everything within to the stage, and measure how long it takes."""
    context = current.get()
    if context is None:
        raise RuntimeError("a stage belongs to a job: see trace_job")
    context.stage = stage
    began = time.monotonic()
    with tracing.span(stage.value, context.job_id, {}):
        yield
    # A stage that failed or was interrupted says nothing about how long it usually takes.
    metrics.stage_seconds.labels(stage.value).observe(time.monotonic() - began)


@contextmanager
def provider_span(provider: str) -> Iterator[None]:
    """Measure the call to a provider within: its time, or its error."""
    began = time.monotonic()
    try:
        yield
    except Rejected:
        raise  # not the provider's error: a budget is used up, or the asker cancelled
    except MelodifyError as error:
        metrics.provider_errors.labels(provider, error.code).inc()
        raise
    metrics.provider_seconds.labels(provider).observe(time.monotonic() - began)


def count_outcome(outcome: str) -> None:
    """Count how the current job ended: "song", or the error's code."""
    context = current.get()
    metrics.jobs_ended.labels(context.stage or "" if context else "", outcome).inc()
