"""The Interactions API over HTTP, through google-genai's public parts.

Reference: ai.google.dev/gemini-api/docs/music-generation, /api-errors, and ai.google.dev/api/interactions-api. The SDK
has no public names for the errors of this API, and repeats a lost call by itself. So the HTTP client that it is given
reads the answers to their end and raises our own errors, which the SDK neither repeats nor wraps.
"""

import asyncio
import base64
import json
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import httpx
from google import genai
from google.genai.types import HttpOptions, HttpRetryOptions
from pydantic import SecretStr

from melodify_core.composers.gemini.faults import BLOCKED, Fault, fault_of
from melodify_core.composers.google_audio import fetched
from melodify_core.composers.lyria_3 import decoded, is_offence, uri_in
from melodify_core.composers.single_take import Answer, Blocked

if TYPE_CHECKING:
    from google.genai.interactions import ContentParam, Interaction

HOST = "https://generativelanguage.googleapis.com"
CONNECT_S = 10.0
# Three minutes of MP3 are 6 MB as Base64.
MAX_ANSWER_BYTES = 64 * 1024 * 1024


class GeminiModel:
    """Asks one model. Opened with the first call, and the part that makes songs with the first song."""

    def __init__(self, model: str, key: SecretStr, endpoint: str | None) -> None:
        self._model = model
        self._key = key
        self._endpoint = endpoint
        self._opening = asyncio.Lock()
        self._http: HttpClient | None = None
        self._client: genai.Client | None = None

    async def prepare(self) -> None:
        """Load what only a song needs: a second and 20 MB, outside the loop, and before a call is in the books."""
        await asyncio.to_thread(_songs_part, await self._opened())

    async def ask(self, prompt: str, picture: bytes = b"", job_id: str = "-") -> Answer:
        """Ask for one song, with a JPEG beside the prompt or none. Raises Fault and Blocked."""
        asked: str | list[ContentParam] = prompt  # the plainest form is the one that every example has
        if picture:
            data = base64.b64encode(picture).decode()
            asked = [{"type": "text", "text": prompt}, {"type": "image", "data": data, "mime_type": "image/jpeg"}]
        client = await self._opened()
        kind = _songs_part(client)
        # Not stored: the picture is the member's. Not continued: each part would be billed.
        try:
            found = await client.aio.interactions.create(
                model=self._model, input=asked, store=False, automatic_continuation=False
            )
        except Fault as fault:
            if fault.status == httpx.codes.OK:
                return Answer(b"", fault.request_id)  # made and paid, though nobody can read it
            raise
        if not isinstance(found, kind):
            return Answer(b"")
        if uri := uri_in(found):
            headers = {"x-goog-api-key": self._key.get_secret_value()}
            return Answer(await fetched(uri, job_id, self._endpoint, headers), str(found.id or ""))
        return _answer(found)

    async def look(self) -> None:
        """Read what the service says of the model, which is free and needs the key. Raises Fault."""
        client = await self._opened()
        await client.aio.models.get(model=self._model)

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            self._client.close()
        if self._http is not None:
            await self._http.aclose()

    async def _opened(self) -> genai.Client:
        async with self._opening:
            if self._client is None:
                self._http = HttpClient(timeout=httpx.Timeout(None, connect=CONNECT_S))
                # In a thread: it imports more of itself.
                self._client = await asyncio.to_thread(self._built, self._http)
        return self._client

    def _built(self, http: httpx.AsyncClient) -> genai.Client:
        options = HttpOptions(
            base_url=self._endpoint or HOST,
            api_version="v1beta",  # the SDK's own default differs from release to release
            httpx_async_client=http,
            retry_options=HttpRetryOptions(attempts=1),
        )
        # All said here: what is not is read from the environment.
        return genai.Client(vertexai=False, api_key=self._key.get_secret_value(), http_options=options)


def _songs_part(client: genai.Client) -> "type[Interaction]":
    """Return the kind of an answer, and see that the client has its part for songs: both are imported when touched."""
    from google.genai.interactions import Interaction

    attrgetter("interactions")(client.aio)
    return Interaction


class HttpClient(httpx.AsyncClient):
    """Reads each answer to its end, and raises Fault or Blocked for all that is none."""

    async def send(self, request: httpx.Request, **options: Any) -> httpx.Response:
        """Send one request, and bound what comes back."""
        try:
            response = await super().send(request, **(options | {"stream": True}))
            try:
                body = await _read(response)
            finally:
                await response.aclose()
        except httpx.ConnectTimeout as error:
            raise Fault(words="no connection in time", sent=False, in_time=False) from error
        except httpx.ConnectError as error:
            raise Fault(words="no connection", sent=False) from error
        except httpx.HTTPError as error:
            raise Fault(words=type(error).__name__) from error
        if response.status_code >= httpx.codes.BAD_REQUEST:
            raise fault_of(response.status_code, response.headers, _parsed(body))
        if not isinstance(_parsed(body), dict):
            raise Fault(response.status_code, words="an answer that is no object")
        # Unpacked by now and known to be JSON: the answer's own headers may say otherwise.
        return httpx.Response(
            response.status_code, headers={"content-type": "application/json"}, content=body, request=request
        )


async def _read(response: httpx.Response) -> bytes:
    body = bytearray()
    async for part in response.aiter_bytes():
        body += part
        if len(body) > MAX_ANSWER_BYTES:
            raise httpx.ReadError("the answer is too large")
    return bytes(body)


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _answer(interaction: "Interaction") -> Answer:
    """Find the audio. Raises Blocked when there is a refusal instead, and Fault when the model failed.

    The SDK checks nothing of what comes back, so all of it may be missing. Lyrics are never searched for a refusal:
    they may sing of anything.
    """
    request_id = str(interaction.id or "")
    audio = getattr(interaction.output_audio, "data", None)
    if isinstance(audio, str) and audio:
        return Answer(decoded(audio), request_id)
    steps = interaction.steps if isinstance(interaction.steps, list) else []
    listed = interaction.errors if isinstance(interaction.errors, list) else []
    errors = [*listed, *(error for step in steps if (error := getattr(step, "error", None)))]
    codes = [str(getattr(error, "code", "") or "").rpartition("/")[2].lower() for error in errors]
    words = " ".join(str(getattr(error, "message", "") or "") for error in errors)
    if BLOCKED & set(codes) or is_offence(words):
        raise Blocked(" ".join([*codes, words])[:300])
    if interaction.status in ("failed", "cancelled"):
        words = words or str(interaction.status)
        raise Fault(200, words, request_id=request_id or "unknown", code=" ".join(codes))
    return Answer(b"", request_id)
