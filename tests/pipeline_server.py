"""Vertex AI's PipelineService on loopback: the SDK's own protos over gRPC, runs that follow a script of states.

It knows runs by name, refuses a repeated id, counts its calls, and fails on request.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.cloud.aiplatform_v1.types import (
    CancelPipelineJobRequest,
    CreatePipelineJobRequest,
    GetPipelineJobRequest,
    ListPipelineJobsRequest,
    ListPipelineJobsResponse,
    PipelineJob,
    PipelineJobDetail,
    PipelineState,
    PipelineTaskDetail,
)
from google.protobuf import empty_pb2
from google.protobuf.message import Message
from google.rpc import status_pb2

SERVICE = "google.cloud.aiplatform.v1.PipelineService"
QUEUED = PipelineState.PIPELINE_STATE_QUEUED
PENDING = PipelineState.PIPELINE_STATE_PENDING
RUNNING = PipelineState.PIPELINE_STATE_RUNNING
PAUSED = PipelineState.PIPELINE_STATE_PAUSED
SUCCEEDED = PipelineState.PIPELINE_STATE_SUCCEEDED
FAILED = PipelineState.PIPELINE_STATE_FAILED
CANCELLED = PipelineState.PIPELINE_STATE_CANCELLED
ENDED = (SUCCEEDED, FAILED, CANCELLED)

Work = Callable[[PipelineJob], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Fault:
    """What a call meets instead of an answer, or, with `after`, after its effect."""

    status: grpc.StatusCode | None  # None: no answer at all
    message: str = "simulated"
    after: bool = False
    details: tuple[Message, ...] = ()  # google.rpc's ErrorInfo, RequestInfo


async def _nothing(job: PipelineJob) -> None:
    del job


@dataclass
class PipelineServer:
    """What is in the service, and what it shall do next."""

    states: list[int] = field(default_factory=list)
    work: Work = _nothing  # what a run does when it succeeds: it writes its music
    task_error: str = ""
    faults: dict[str, list[Fault | None]] = field(default_factory=dict)  # by method, used up call by call
    forever: dict[str, Fault] = field(default_factory=dict)
    calls: Counter[str] = field(default_factory=Counter)
    runs: dict[str, PipelineJob] = field(default_factory=dict)
    created: int = 0
    port: int = 0
    _scripts: dict[str, list[int]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    async def create(self, request: CreatePipelineJobRequest, context: Any) -> PipelineJob:
        """Make the run, unless its id is taken."""
        name = f"{request.parent}/pipelineJobs/{request.pipeline_job_id}"
        if name in self.runs:
            await context.abort(grpc.StatusCode.ALREADY_EXISTS, f"{name} exists")
        job = PipelineJob(request.pipeline_job)
        job.name, job.state = name, PipelineState(PENDING)
        self.runs[name] = job
        self._scripts[name] = list(self.states)
        self.created += 1
        return job

    async def get(self, request: GetPipelineJobRequest, context: Any) -> PipelineJob:
        """Answer with the run, one state further."""
        job = await self._known(request.name, context)
        if self._scripts[request.name] and job.state not in ENDED:
            await self.go(request.name)
        return job

    async def cancel(self, request: CancelPipelineJobRequest, context: Any) -> empty_pb2.Empty:
        """End the run; one that has ended refuses."""
        job = await self._known(request.name, context)
        if job.state in ENDED:
            await context.abort(grpc.StatusCode.FAILED_PRECONDITION, "The run has ended")
        job.state = PipelineState(CANCELLED)
        return empty_pb2.Empty()

    async def list(self, request: ListPipelineJobsRequest, context: Any) -> ListPipelineJobsResponse:
        """Answer with a page of runs."""
        del context
        return ListPipelineJobsResponse(pipeline_jobs=list(self.runs.values())[: request.page_size])

    def script(self, name: str, states: Iterable[int]) -> None:
        """Let the run go through these states from now on."""
        self._scripts[name] = list(states)

    async def go(self, name: str) -> None:
        """Take the run one state further."""
        await self._enter(self.runs[name], self._scripts[name].pop(0))

    async def _known(self, name: str, context: Any) -> PipelineJob:
        if name not in self.runs:
            await context.abort(grpc.StatusCode.NOT_FOUND, f"{name} not found")
        return self.runs[name]

    async def _enter(self, job: PipelineJob, state: int) -> None:
        job.state = PipelineState(state)
        if state == RUNNING:
            job.start_time = "2026-01-01T00:01:00Z"
        if state == SUCCEEDED:
            await self.work(job)
        if state == FAILED and self.task_error:
            task = PipelineTaskDetail(task_name="compose-music", state=PipelineTaskDetail.State.FAILED)
            task.error = {"code": 9, "message": self.task_error}
            job.job_detail = PipelineJobDetail(task_details=[task])

    def _method(self, name: str, work: Callable[[Any, Any], Awaitable[Any]], kind: Any, answer: Any) -> Any:
        async def call(request: Any, context: Any) -> Any:
            self.calls[name] += 1
            waiting = self.faults.get(name)
            fault = self.forever.get(name) or (waiting.pop(0) if waiting else None)
            if fault and not fault.after:
                await _fail(fault, context)
            result = await work(request, context)
            if fault:
                await _fail(fault, context)
            return result

        return grpc.unary_unary_rpc_method_handler(
            call, request_deserializer=kind.deserialize, response_serializer=answer
        )

    def handler(self) -> grpc.GenericRpcHandler:
        """Return the service for a grpc.aio server."""
        job = PipelineJob.serialize
        methods = {
            "CreatePipelineJob": self._method("create", self.create, CreatePipelineJobRequest, job),
            "GetPipelineJob": self._method("get", self.get, GetPipelineJobRequest, job),
            "CancelPipelineJob": self._method(
                "cancel", self.cancel, CancelPipelineJobRequest, empty_pb2.Empty.SerializeToString
            ),
            "ListPipelineJobs": self._method(
                "list", self.list, ListPipelineJobsRequest, ListPipelineJobsResponse.serialize
            ),
        }
        return grpc.method_handlers_generic_handler(SERVICE, methods)


async def _fail(fault: Fault, context: Any) -> None:
    if fault.status is None:
        await asyncio.Event().wait()  # ends when the caller gives up
        return
    status = status_pb2.Status(code=fault.status.value[0], message=fault.message)
    for detail in fault.details:
        status.details.add().Pack(detail)
    await context.abort(fault.status, fault.message, (("grpc-status-details-bin", status.SerializeToString()),))


@asynccontextmanager
async def pipeline_server(
    states: Iterable[int] = (QUEUED, PENDING, RUNNING, SUCCEEDED),
) -> AsyncIterator[PipelineServer]:
    """Run the service on a free port."""
    service = PipelineServer(list(states))
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((service.handler(),))
    service.port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield service
    finally:
        await server.stop(None)
