"""ElevenLabs' Music API on loopback, as its documents describe it: composing, and what an account may do.

Documents: elevenlabs.io/docs/api-reference/music/compose (its OpenAPI: Body_Compose_music_v1_music_post), the list of
error messages, and help.elevenlabs.io, "API - Error Code 400 or 401". Requests are validated: what the reference does
not list is refused. It counts every song that it made, for those are billed, and fails on request.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

KEY = "sk_loopback_0123456789abcdef"


class Compose(BaseModel):
    """The request's body, as far as prompts go. The bounds are the stricter ones of two years' documents."""

    model_config = ConfigDict(extra="forbid", strict=True)

    prompt: Annotated[str, Field(min_length=1, max_length=2000)]
    music_length_ms: Annotated[int, Field(ge=10_000, le=300_000)]
    model_id: Literal["music_v1", "music_v2"] = "music_v1"
    force_instrumental: bool = False


@dataclass(frozen=True, slots=True)
class Fault:
    """What a call meets instead of an answer, or with `after` when the music is made, and paid."""

    status: int = 0  # 0: no answer at all
    detail: Any = None
    after: bool = False
    cut: bool = False  # the connection is cut
    headers: dict[str, str] = field(default_factory=dict)


def error(status: int, code: str, message: str = "simulated", *, after: bool = False) -> Fault:
    """Return an error as the lists of error messages word it."""
    return Fault(status, {"status": code, "message": message}, after)


@dataclass
class ElevenLabsServer:
    """What was asked, and what comes next."""

    audio: bytes
    url: str = ""
    tier: str = "creator"
    faults: list[Fault | None] = field(default_factory=list)  # used up call by call
    answers: list[bytes] = field(default_factory=list)  # odd answers, likewise; made all the same
    asked: list[Compose] = field(default_factory=list)
    bodies: list[Any] = field(default_factory=list)
    invalid: list[str] = field(default_factory=list)  # what was wrong with requests
    calls: int = 0
    made: int = 0  # billed

    async def compose(self, request: web.Request) -> web.StreamResponse:
        """Make a song."""
        self.calls += 1
        fault = self.faults.pop(0) if self.faults else None
        if request.headers.get("xi-api-key") != KEY:
            return _failed(error(401, "invalid_api_key", "Invalid API key"))
        self.bodies.append(await request.json())
        if fault is not None and not fault.after:
            return await _met(request, fault)
        try:
            self.asked.append(Compose.model_validate_json(await request.text()))
        except ValidationError as mistake:
            self.invalid.append(str(mistake))
            listed = [
                {"loc": ["body", *each["loc"]], "msg": each["msg"], "type": each["type"]} for each in mistake.errors()
            ]
            return _failed(Fault(422, listed))
        self.made += 1
        if fault is not None:
            return await _met(request, fault)
        sound = self.answers.pop(0) if self.answers else self.audio
        return web.Response(body=sound, content_type="audio/mpeg", headers={"song-id": f"song-{self.made}"})

    async def subscription(self, request: web.Request) -> web.StreamResponse:
        """Say what the account may do; free."""
        if request.headers.get("xi-api-key") != KEY:
            return _failed(error(401, "invalid_api_key", "Invalid API key"))
        fault = self.faults.pop(0) if self.faults else None
        if fault is not None:
            return await _met(request, fault)
        return web.json_response(
            {"tier": self.tier, "character_count": 10, "character_limit": 100_000, "status": "active"}
        )


@asynccontextmanager
async def elevenlabs_server(audio: bytes) -> AsyncIterator[ElevenLabsServer]:
    """Run it on a free port."""
    server = ElevenLabsServer(audio)
    app = web.Application()
    app.router.add_post("/v1/music", server.compose)
    app.router.add_get("/v1/user/subscription", server.subscription)
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
    if isinstance(fault.detail, bytes):
        return web.Response(body=fault.detail, status=fault.status, headers=fault.headers)
    return web.json_response({"detail": fault.detail}, status=fault.status, headers=fault.headers)
