"""Lyria 3 (lyria-3-clip-preview, lyria-3-pro-preview, later names): the Interactions API over HTTP, by google-genai.

The models are in preview and answer in the region "global" only, not in vertex.location.
"""

import asyncio
import base64
from collections.abc import AsyncIterator
from typing import Any

import httpx
from google import genai
from google.api_core import exceptions as api
from google.auth.credentials import AnonymousCredentials, Credentials

# The SDK has no public names for these.
from google.genai._gaos.utils import RetryConfig
from google.genai._interactions import APIConnectionError, APIError, APIStatusError, APITimeoutError
from google.genai.interactions import ContentParam, Interaction
from google.genai.types import HttpOptions, HttpRetryOptions

from melodify_core.composers.google_audio import fetched
from melodify_core.composers.lyria.answer import NotBilled
from melodify_core.composers.lyria_3 import decoded, error_in, is_offence, uri_in
from melodify_core.composers.single_take import Answer, Blocked, Question
from melodify_core.config.settings import Vertex
from melodify_core.google import MAX_ANSWER_BYTES, credentials, refresh

LOCATION = "global"
HOST = "https://aiplatform.googleapis.com"
CONNECT_S = 10.0


class InteractionsModel:
    """Asks a model of Lyria 3. Opened with the first call: looking for credentials takes a while."""

    def __init__(self, model: str, vertex: Vertex) -> None:
        self._model = model
        self._vertex = vertex
        self._opening = asyncio.Lock()
        self._key: Credentials | None = None
        self._http: httpx.AsyncClient | None = None
        self._client: genai.Client | None = None

    async def ask(self, question: Question) -> Answer:
        """Ask for one song. The model gets neither seed nor negative prompt: it has no such fields."""
        content: str | list[ContentParam] = question.prompt  # the plainest form is the one that was seen to work
        if question.picture:
            data = base64.b64encode(question.picture).decode()
            content = [
                {"type": "text", "text": question.prompt},
                {"type": "image", "data": data, "mime_type": "image/jpeg"},
            ]
        found = await self._create(content)
        if uri := uri_in(found):
            headers = {"authorization": f"Bearer {self._key.token}"} if self._key is not None else {}
            audio = await fetched(uri, question.job_id, self._vertex.endpoint, headers)
            return Answer(audio, str(getattr(found, "id", None) or ""))
        return _answer(found)

    async def look(self) -> None:
        """Ask for nothing at all, which is refused, and only after key, permission, project and model."""
        try:
            await self._create([])
        except api.BadRequest as error:
            if "model" in error.message.lower():
                raise
        except Blocked:
            pass

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            self._client.close()
        if self._http is not None:
            await self._http.aclose()

    async def _create(self, content: str | list[ContentParam]) -> Interaction | None:
        """Return the answer, None for one that cannot be read: made and paid all the same."""
        client = await self._opened()
        try:
            # Not stored: the picture is the member's. Not continued: each part would be billed.
            found = await client.aio.interactions.create(
                model=self._model, input=content, store=False, automatic_continuation=False
            )
        except APIError as error:
            if error.status_code == httpx.codes.OK:
                return None
            raise _translated(error) from error
        return found if isinstance(found, Interaction) else None

    async def _opened(self) -> genai.Client:
        async with self._opening:
            if self._key is None:
                self._key = await asyncio.to_thread(credentials, self._vertex.key_file, self._vertex.endpoint)
                if isinstance(self._key, AnonymousCredentials):
                    self._key.token = "anonymous"  # noqa: S105  # the SDK sends none without one
            await refresh(self._key)
            if self._client is None:
                self._http = httpx.AsyncClient(
                    timeout=httpx.Timeout(None, connect=CONNECT_S), event_hooks={"response": [_bound]}
                )
                # In a thread: it reads certificates and imports more of itself.
                self._client = await asyncio.to_thread(self._built, self._key, self._http)
        return self._client

    def _built(self, key: Credentials, http: httpx.AsyncClient) -> genai.Client:
        options = HttpOptions(
            base_url=self._vertex.endpoint or HOST,
            api_version="v1beta1",
            httpx_async_client=http,
            retry_options=HttpRetryOptions(attempts=1),
        )
        client = genai.Client(
            vertexai=True, project=self._vertex.project, location=LOCATION, credentials=key, http_options=options
        )
        # The options' attempts become repeats here, and 0 of them is made 1: a lost connection would be asked again.
        retries = client.aio.interactions.sdk_configuration.retry_config
        if not isinstance(retries, RetryConfig):
            raise TypeError("google-genai has changed how it repeats")
        retries.max_retries = 0
        return client


def _answer(interaction: Interaction | None) -> Answer:
    """Find the audio. Raises Blocked when there is a refusal instead, ServerError when the model failed.

    The SDK checks nothing of what comes back, so all of it may be missing. The words of a completed answer are lyrics,
    which may sing of anything.
    """
    if interaction is None:
        return Answer(b"")
    audio = getattr(interaction.output_audio, "data", None)
    if isinstance(audio, str) and audio:
        return Answer(decoded(audio), str(interaction.id or ""))
    steps = interaction.steps if isinstance(interaction.steps, list) else []
    errors = [*(interaction.errors or []), *(getattr(step, "error", None) for step in steps)]
    said = "" if interaction.status == "completed" else str(interaction.output_text or "")
    words = " ".join([said, *(_words(error) for error in errors)])
    if is_offence(words):
        raise Blocked(words.strip())
    if interaction.status in ("failed", "cancelled"):
        raise api.InternalServerError(words.strip() or str(interaction.status))
    return Answer(b"", str(interaction.id or ""))


def _words(error: object) -> str:
    return f"{getattr(error, 'code', '')} {getattr(error, 'message', '')}"


def _translated(error: APIError) -> Exception:
    """Return the error as google.api_core has it, over HTTP as over gRPC; Blocked where it speaks of the content."""
    match error:
        case APITimeoutError():
            return api.DeadlineExceeded("no connection in time")
        case APIConnectionError() if isinstance(error.__cause__, httpx.ConnectError):
            return NotBilled("no connection")  # type: ignore[no-untyped-call]
        case APIConnectionError():
            return api.ServiceUnavailable(type(error.__cause__).__name__)
        case APIStatusError():
            return _of_status(error)
    return api.Unknown("an answer that cannot be read")


def _of_status(error: APIStatusError) -> Exception:
    said = error_in(error.body)
    words = str(said.get("message", ""))
    if error.status_code == httpx.codes.BAD_REQUEST and is_offence(words):
        return Blocked(words)
    details = [each for each in said.get("details") or [] if isinstance(each, dict)]
    if error.status_code == httpx.codes.SERVICE_UNAVAILABLE:
        return NotBilled(words, details=details, response=error.response)  # type: ignore[no-untyped-call]
    info = next((each for each in details if "reason" in each), None)
    return api.from_http_status(  # type: ignore[no-any-return]
        error.status_code, words, details=details, response=error.response, error_info=info
    )


async def _bound(response: httpx.Response) -> None:
    """Let no answer fill the memory."""
    response.stream = _Bounded(response.stream)


class _Bounded(httpx.AsyncByteStream):
    def __init__(self, stream: Any) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        async for part in self._stream:
            size += len(part)
            if size > MAX_ANSWER_BYTES:
                raise httpx.ReadError("the answer is too large")
            yield part

    async def aclose(self) -> None:
        await self._stream.aclose()
