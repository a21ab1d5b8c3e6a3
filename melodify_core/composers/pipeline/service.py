"""Vertex AI's PipelineService over gRPC, as we want it: a deadline and a place for each call, no retries of its own.

The SDK's errors leave this module as they are; `faults` makes them ours.
"""

import asyncio

import grpc
from google.cloud.aiplatform_v1.services.pipeline_service import PipelineServiceAsyncClient
from google.cloud.aiplatform_v1.services.pipeline_service.transports.grpc_asyncio import (
    PipelineServiceGrpcAsyncIOTransport,
)
from google.cloud.aiplatform_v1.types import PipelineJob

from melodify_core.config.settings import Vertex
from melodify_core.google import credentials, grpc_channel

CALL_S = 20.0  # none of these calls waits for any work


class PipelineService:
    """The runs of one project and region. Opened with the first call: looking for credentials takes a while."""

    def __init__(self, vertex: Vertex, calls: int, deadline_s: float) -> None:
        self._vertex = vertex
        self._places = asyncio.Semaphore(calls)
        self._call_s = min(CALL_S, deadline_s)
        self._opening = asyncio.Lock()
        self._client: PipelineServiceAsyncClient | None = None
        self.parent = f"projects/{vertex.project}/locations/{vertex.location}"

    def name_of(self, run_id: str) -> str:
        """Return the run's full name."""
        return f"{self.parent}/pipelineJobs/{run_id}"

    async def create(self, run_id: str, job: PipelineJob) -> None:
        """Start a run. Raises AlreadyExists when there is one with this id."""
        client = await self._opened()
        async with self._places:
            await client.create_pipeline_job(
                parent=self.parent, pipeline_job=job, pipeline_job_id=run_id, retry=None, timeout=self._call_s
            )

    async def get(self, name: str) -> PipelineJob:
        """Return the run as it is now."""
        client = await self._opened()
        async with self._places:
            return await client.get_pipeline_job(name=name, retry=None, timeout=self._call_s)

    async def cancel(self, name: str) -> None:
        """Ask the run to stop. Raises FailedPrecondition when it has ended, NotFound when it is gone."""
        client = await self._opened()
        async with self._places:
            await client.cancel_pipeline_job(name=name, retry=None, timeout=self._call_s)

    async def look(self) -> None:
        """Ask for one run, whichever: that needs the same permissions, and costs nothing."""
        client = await self._opened()
        async with self._places:
            request = {"parent": self.parent, "page_size": 1}
            await client.list_pipeline_jobs(request=request, retry=None, timeout=self._call_s)

    async def close(self) -> None:
        """Close the connection."""
        if self._client is not None:
            await self._client.transport.close()

    async def _opened(self) -> PipelineServiceAsyncClient:
        async with self._opening:
            if self._client is None:
                self._client = PipelineServiceAsyncClient(transport=await self._transport())
        return self._client

    async def _transport(self) -> PipelineServiceGrpcAsyncIOTransport:
        key = await asyncio.to_thread(credentials, self._vertex.key_file, self._vertex.endpoint)
        host = f"{self._vertex.location}-aiplatform.googleapis.com"
        channel: grpc.aio.Channel = grpc_channel(self._vertex.endpoint, host, key)
        return PipelineServiceGrpcAsyncIOTransport(channel=channel)
