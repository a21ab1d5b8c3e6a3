"""The Gemini API on loopback, as its documents describe it: creating an interaction, and reading what a model is.

Documents: ai.google.dev/gemini-api/docs/music-generation, ai.google.dev/api/interactions-api and, for errors,
ai.google.dev/gemini-api/docs/api-errors. Requests are validated: what the reference does not list is refused. It counts
every piece of music that it made (Google bills those), and fails on request.
"""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from aiohttp import web
from pydantic import Base64Bytes, BaseModel, ConfigDict, Discriminator, Field, ValidationError

KEY = "AIza-loopback-0123456789abcdef"
CLIP = "lyria-3-clip-preview"
SONG = "lyria-3.5"
MOST_IMAGES = 10


class Part(BaseModel):
    """What the reference lists, and nothing else."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Text(Part):
    type: Literal["text"]
    text: Annotated[str, Field(min_length=1)]


class Image(Part):
    type: Literal["image"]
    data: Annotated[Base64Bytes, Field(min_length=1)]
    mime_type: Literal["image/png", "image/jpeg", "image/webp", "image/heic", "image/heif"]


Content = Annotated[Text | Image, Discriminator("type")]


class UserInput(Part):
    type: Literal["user_input"]
    content: Annotated[list[Content], Field(min_length=1)]


class CreateInteraction(Part):
    """The request's body, as far as music goes: no tools, no agents, no earlier turn."""

    model: Annotated[str, Field(min_length=1)]
    input: Annotated[str, Field(min_length=1)] | list[UserInput] | list[Content]
    store: bool = True
    stream: Literal[False] = False
    background: Literal[False] = False


@dataclass(frozen=True, slots=True)
class Fault:
    """What a call meets instead of an answer, or with `after` when the music is made, and paid."""

    status: int = 0  # 0: no answer at all
    error: dict[str, Any] = field(default_factory=dict)
    after: bool = False
    cut: bool = False  # the connection is cut
    headers: dict[str, str] = field(default_factory=dict)


def error(status: int, code: str, message: str = "simulated", *, after: bool = False) -> Fault:
    """Return an error as the Interactions API words it."""
    return Fault(status, {"code": code, "message": message}, after)


def older(status: int, name: str, message: str, *details: dict[str, Any]) -> Fault:
    """Return an error as the rest of the API words it."""
    return Fault(status, {"code": status, "status": name, "message": message, "details": list(details)})


BAD_KEY = older(
    400,
    "INVALID_ARGUMENT",
    "API key not valid. Please pass a valid API key.",
    {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID", "domain": "googleapis.com"},
)


@dataclass
class GeminiServer:
    """What was asked, and what comes next."""

    audio: bytes
    url: str = ""
    models: set[str] = field(default_factory=lambda: {SONG, CLIP})
    faults: list[Fault | None] = field(default_factory=list)  # used up call by call
    answers: list[Any] = field(default_factory=list)  # odd answers, as JSON or bytes, likewise; made all the same
    asked: list[CreateInteraction] = field(default_factory=list)
    bodies: list[Any] = field(default_factory=list)
    invalid: list[str] = field(default_factory=list)  # what was wrong with requests
    looked: list[str] = field(default_factory=list)
    fetched: list[str] = field(default_factory=list)  # addresses of audio that was asked for
    made: int = 0  # billed
    delay_s: float = 0.0

    async def create(self, request: web.Request) -> web.StreamResponse:
        """Create an interaction."""
        if request.headers.get("x-goog-api-key") != KEY:
            return _failed(error(401, "authentication", "The API key is missing or invalid."))
        body = await request.json()
        self.bodies.append(body)
        try:
            asked = CreateInteraction.model_validate_json(await request.text())
        except ValidationError as mistake:
            self.invalid.append(str(mistake))
            return _failed(error(400, "invalid_request", "The request is malformed."))
        self.asked.append(asked)
        fault = self.faults.pop(0) if self.faults else None
        if fault is not None and not fault.after:
            return await _met(request, fault)
        if asked.model not in self.models:
            return _failed(error(404, "model_not_found", f"Model '{asked.model}' was not found."))
        await asyncio.sleep(self.delay_s)
        self.made += 1
        if fault is not None:
            return await _met(request, fault)
        answer = self.answers.pop(0) if self.answers else interaction(asked.model, self.audio)
        return web.Response(body=answer) if isinstance(answer, bytes) else web.json_response(answer)

    async def get_model(self, request: web.Request) -> web.StreamResponse:
        """Say what a model is; free."""
        if request.headers.get("x-goog-api-key") != KEY:
            return _failed(BAD_KEY)
        name = request.match_info["model"]
        self.looked.append(name)
        fault = self.faults.pop(0) if self.faults else None
        if fault is not None:
            return await _met(request, fault)
        if name not in self.models:
            return _failed(older(404, "NOT_FOUND", f"models/{name} is not found for API version v1beta."))
        return web.json_response({"name": f"models/{name}", "displayName": "Lyria", "inputTokenLimit": 131072})

    async def get_audio(self, request: web.Request) -> web.StreamResponse:
        """Answer with the audio of a file, which needs the key."""
        self.fetched.append(request.path_qs)
        if request.headers.get("x-goog-api-key") != KEY:
            return _failed(BAD_KEY)
        fault = self.faults.pop(0) if self.faults else None
        if fault is not None:
            return await _met(request, fault)
        return web.Response(body=self.audio, content_type="audio/mpeg")


def pointing(model: str, uri: str) -> dict[str, Any]:
    """Return a finished interaction that points to its music; its words would be an offence anywhere else."""
    answer = interaction(model, b"x", "[0:00] Safety is an artist's copyright")
    answer["steps"][0]["content"][1] = {"type": "audio", "mime_type": "audio/mpeg", "uri": uri}
    return answer


def interaction(model: str, audio: bytes, lyrics: str = "[0:00] Soft guitar.") -> dict[str, Any]:
    """Return a finished interaction: words, which are always there, and music."""
    music = {"type": "audio", "mime_type": "audio/mpeg", "data": base64.b64encode(audio).decode()}
    return {
        "id": "v1_interaction",
        "model": model,
        "object": "interaction",
        "status": "completed",
        "created": "2026-11-28T12:00:00Z",
        "updated": "2026-11-28T12:00:20Z",
        "role": "model",
        "steps": [{"type": "model_output", "content": [{"type": "text", "text": lyrics}, music]}],
        "usage": {"total_tokens": 0},
    }


@asynccontextmanager
async def gemini_server(audio: bytes) -> AsyncIterator[GeminiServer]:
    """Run it on a free port."""
    server = GeminiServer(audio)
    app = web.Application(client_max_size=1 << 26)
    app.router.add_post("/v1beta/interactions", server.create)
    app.router.add_get("/v1beta/models/{model}", server.get_model)
    app.router.add_get("/v1beta/files/{file}", server.get_audio)
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield server
    finally:
        await runner.cleanup()


async def _met(request: web.Request, fault: Fault) -> web.StreamResponse:
    if fault.cut:
        assert request.transport is not None
        request.transport.abort()
    if not fault.status:
        await asyncio.Event().wait()
    return _failed(fault)


def _failed(fault: Fault) -> web.Response:
    return web.json_response({"error": fault.error}, status=fault.status, headers=fault.headers)
