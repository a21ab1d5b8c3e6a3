"""Lyria 2 (lyria-002): Vertex AI's PredictionService over gRPC.

Reference: cloud.google.com/vertex-ai/generative-ai/docs/model-reference/lyria-music-generation
"""

import asyncio
from collections.abc import Iterable

import grpc
from google.api_core import exceptions as api
from google.auth.credentials import Credentials
from google.cloud.aiplatform_v1.services.prediction_service import PredictionServiceAsyncClient
from google.cloud.aiplatform_v1.services.prediction_service.transports.grpc_asyncio import (
    PredictionServiceGrpcAsyncIOTransport,
)
from google.cloud.aiplatform_v1.types import PredictRequest, PredictResponse
from google.protobuf.struct_pb2 import Value

from melodify_core.brief import NEGATIVE_PROMPT
from melodify_core.composers.lyria.answer import NotBilled
from melodify_core.composers.lyria_3 import decoded, is_offence
from melodify_core.composers.single_take import Answer, Blocked, Question
from melodify_core.config.settings import Vertex
from melodify_core.google import credentials, grpc_channel, refresh

# The reference says the one, Google's own notebook reads the other.
AUDIO_FIELDS = ("audioContent", "bytesBase64Encoded")
SEEDS = 2**32
# gRPC's words where no connection came about.
_NEVER_CONNECTED = (
    "failed to connect to all addresses",
    "DNS resolution failed",
    "Getting metadata from plugin failed",
)


class PredictModel:
    """Asks lyria-002. Opened with the first call: looking for credentials takes a while."""

    def __init__(self, model: str, vertex: Vertex) -> None:
        self._vertex = vertex
        self._endpoint = f"projects/{vertex.project}/locations/{vertex.location}/publishers/google/models/{model}"
        self._opening = asyncio.Lock()
        self._key: Credentials | None = None
        self._client: PredictionServiceAsyncClient | None = None

    async def ask(self, question: Question) -> Answer:
        """Ask for one clip of 32.8 s. The model takes no picture and no length."""
        fields = {"prompt": question.prompt, "negative_prompt": NEGATIVE_PROMPT}
        instance = Value()
        instance.struct_value.update(fields | {"seed": question.seed % SEEDS})
        return _answer(await self._predict([instance]))

    async def look(self) -> None:
        """Ask for no clip at all, which is refused, and only after key, permission, project, region and model.

        What is billed is the clip. (Getting the model from ModelGarden is free too, but takes no account of the
        project and needs another permission.)
        """
        try:
            await self._predict([])
        except api.BadRequest as error:
            if type(error) is not api.InvalidArgument or "model" in error.message.lower():
                raise

    async def close(self) -> None:
        """Close the connection."""
        if self._client is not None:
            await self._client.transport.close()

    async def _predict(self, instances: list[Value]) -> PredictResponse:
        client = await self._opened()
        request = PredictRequest(endpoint=self._endpoint)
        PredictRequest.pb(request).instances.extend(instances)
        try:
            # No timeout of its own: the caller's cancels the call.
            return await client.predict(request=request, retry=None, timeout=None)
        except api.BadRequest as error:
            if _is_block(error):
                raise Blocked(error.message) from error
            raise
        except api.ServiceUnavailable as error:
            if _cannot_be_billed(error):
                raise NotBilled(error.message, details=error.details) from error  # type: ignore[no-untyped-call]
            raise

    async def _opened(self) -> PredictionServiceAsyncClient:
        async with self._opening:
            if self._key is None:
                self._key = await asyncio.to_thread(credentials, self._vertex.key_file, self._vertex.endpoint)
            await refresh(self._key)
            if self._client is None:
                host = f"{self._vertex.location}-aiplatform.googleapis.com"
                channel: grpc.aio.Channel = grpc_channel(self._vertex.endpoint, host, self._key)
                self._client = PredictionServiceAsyncClient(
                    transport=PredictionServiceGrpcAsyncIOTransport(channel=channel)
                )
        return self._client


def _answer(response: PredictResponse) -> Answer:
    """Find the audio among all that may be there. Raises Blocked when there is a reason instead."""
    # Past proto-plus, which would copy the 8 MB about.
    raw = PredictResponse.pb(response)
    parts = [prediction.struct_value.fields for prediction in raw.predictions]
    texts = (part[name].string_value for part in parts for name in AUDIO_FIELDS if name in part)
    audio = next((text for text in texts if text), "")
    metadata = raw.metadata.struct_value.fields
    if not audio and any(_is_filter(name) for part in (*parts, metadata) for name in part):
        raise Blocked
    return Answer(decoded(audio))


def _is_filter(name: str) -> bool:
    """Return whether it is a field such as raiFilteredReason, as Google's media models answer with it."""
    return "filtered" in name.lower() or "blocked" in name.lower()


def _cannot_be_billed(error: api.ServiceUnavailable) -> bool:
    """Return whether a call reached no server, or was answered; else its connection was lost.

    gRPC calls all of them UNAVAILABLE. After a loss it is unknown whether the music was made, and billed. Only an
    answer has trailing metadata; one without counts as a loss.
    """
    has_answered = isinstance(error.response, grpc.aio.AioRpcError) and bool(error.response.trailing_metadata())
    return has_answered or any(words in error.message for words in _NEVER_CONNECTED)


def _is_block(error: api.BadRequest) -> bool:
    return is_offence(error.message) or (isinstance(error, api.FailedPrecondition) and not _is_about_us(error.message))


def _is_about_us(words: str) -> bool:
    """Return whether a precondition is about the account or its region; else it is about content."""
    mine: Iterable[str] = ("billing", "project", "location", "region", "quota", "account", "enabled", "terms")
    return any(word in words.lower() for word in mine)
