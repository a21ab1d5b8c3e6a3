"""Traces by OpenTelemetry, where the settings name an endpoint: one trace per job, a span per stage.

The trace's id derives from the job's, so that a job that another process continues stays one trace.
"""

import hashlib
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace import Status, StatusCode

from melodify_core.errors import MelodifyError
from melodify_core.observability.log_context import no_span, tracing

log = logging.getLogger(__name__)
LAST_S = 2.0
_job: ContextVar[str | None] = ContextVar("_job", default=None)


class _JobIds(RandomIdGenerator):
    """Gives a trace its job's id."""

    def generate_trace_id(self) -> int:
        job_id = _job.get()
        return trace_id_of(job_id) if job_id else super().generate_trace_id()


def trace_id_of(job_id: str) -> int:
    """Return the id of the job's trace, 128 bits."""
    return int.from_bytes(hashlib.sha256(f"melodify {job_id}".encode()).digest()[:16])


@contextmanager
def exporting(endpoint: str) -> Iterator[None]:
    """Send the spans within to an OTLP/HTTP endpoint such as http://127.0.0.1:4318/v1/traces."""
    provider = TracerProvider(
        resource=Resource.create({"service.name": "melodify"}), id_generator=_JobIds(), shutdown_on_exit=False
    )
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint)))
    tracer = provider.get_tracer("melodify")

    @contextmanager
    def span(name: str, job_id: str, facts: dict[str, Any]) -> Iterator[None]:
        token = _job.set(job_id)
        try:
            # An error's text may hold a provider's words: its code is enough.
            with tracer.start_as_current_span(
                name,
                attributes={"melodify.job": job_id, **facts},
                record_exception=False,
                set_status_on_exception=False,
            ) as opened:
                try:
                    yield
                except MelodifyError as error:
                    opened.set_status(Status(StatusCode.ERROR, error.code))
                    raise
                except BaseException as error:
                    opened.set_status(Status(StatusCode.ERROR, type(error).__name__))
                    raise
        finally:
            _job.reset(token)

    tracing.span = span
    try:
        yield
    finally:
        tracing.span = no_span
        _shut_down(provider)


def _shut_down(provider: TracerProvider) -> None:
    """Send the remaining spans, but do not let an endpoint that hangs or is away hold the process up."""
    # The library waits for up to 30 s, which cannot be configured.
    sending = threading.Thread(target=provider.shutdown, name="last spans", daemon=True)
    sending.start()
    sending.join(LAST_S)
    if sending.is_alive():
        log.warning("the last spans could not be exported within %g s: they are dropped", LAST_S)
