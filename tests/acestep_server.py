"""An ACE-Step 1.5 server on loopback, as docs/en/API.md of its repository describes it; its tasks follow a script.

Requests are validated: what the document does not list is refused, and so is what lies outside its ranges. Like the
real one, it forgets its tasks when it restarts, and then calls an unknown task queued, with an empty result.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal
from urllib.parse import quote

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

TURBO = "acestep-v15-turbo"
State = Literal["queued", "running", "succeeded", "failed"]


class ReleaseTask(BaseModel):
    """The JSON of 4.2, as far as making music of text goes. The caption's bound is INFERENCE.md's."""

    model_config = ConfigDict(extra="forbid", strict=True)

    prompt: Annotated[str, Field(min_length=1, max_length=511)]
    lyrics: str = ""
    thinking: bool = False
    vocal_language: str = "en"
    audio_format: Literal["mp3", "wav", "flac"] = "mp3"
    model: str | None = None
    bpm: Annotated[int, Field(ge=30, le=300)] | None = None
    key_scale: Annotated[str, Field(pattern=r"^([A-G][#b]? (major|minor))?$")] = ""
    time_signature: Literal["", "2", "3", "4", "6"] = ""
    audio_duration: Annotated[float, Field(ge=10, le=600)] | None = None
    inference_steps: Annotated[int, Field(ge=1, le=200)] = 8
    guidance_scale: float = 7.0
    use_random_seed: bool = True
    seed: int = -1
    batch_size: Annotated[int, Field(ge=1, le=8)] = 2
    use_cot_caption: bool = True
    use_cot_language: bool = True


class QueryResult(BaseModel):
    """The JSON of 5.2."""

    model_config = ConfigDict(extra="forbid", strict=True)

    task_id_list: list[str]


@dataclass(frozen=True, slots=True)
class Fault:
    """What a call meets instead of an answer, or with `after` after its effect."""

    status: int = 0  # 0: no answer at all
    detail: Any = "simulated"
    after: bool = False
    cut: bool = False  # the connection is cut


@dataclass
class AceStepServer:
    """What was asked, and what comes next."""

    audio: bytes
    url: str = ""
    key: str = ""
    loaded: list[str] = field(default_factory=lambda: [TURBO])
    states: list[State] = field(default_factory=lambda: ["queued", "running", "succeeded"])  # look by look
    faults: dict[str, list[Fault | None]] = field(default_factory=dict)  # by path, used up call by call
    asked: list[ReleaseTask] = field(default_factory=list)
    invalid: list[str] = field(default_factory=list)
    looked: list[str] = field(default_factory=list)
    fetched: list[str] = field(default_factory=list)
    file: str = "/v1/audio?path=" + quote("/tmp/api_audio/abc 1.flac", safe="")  # noqa: S108  # the document's own
    extra: dict[str, Any] = field(default_factory=dict)  # in the result
    odd: dict[str, Any] = field(default_factory=dict)  # beside the result
    play_s: float = 0.0  # how long a task plays, for benchmarks: then the script does not count
    _scripts: dict[str, list[State]] = field(default_factory=dict)
    _begun: dict[str, float] = field(default_factory=dict)

    def restart(self) -> None:
        """Forget every task."""
        self._scripts.clear()

    def script_all(self, states: list[State]) -> None:
        """Let every task go through these states from now on."""
        for task_id in self._scripts:
            self._scripts[task_id] = list(states)

    async def release(self, request: web.Request) -> web.StreamResponse:
        """Queue a task."""
        try:
            self.asked.append(ReleaseTask.model_validate_json(await request.text()))
        except ValidationError as mistake:
            self.invalid.append(str(mistake))
            return _failed(Fault(400, str(mistake)))
        task_id = f"550e8400-e29b-41d4-a716-{len(self.asked):012d}"
        self._scripts[task_id] = list(self.states)
        self._begun[task_id] = time.perf_counter()
        return _wrapped({"task_id": task_id, "status": "queued", "queue_position": len(self._scripts)})

    async def query(self, request: web.Request) -> web.StreamResponse:
        """Say how far the tasks are."""
        asked = QueryResult.model_validate_json(await request.text())
        self.looked += asked.task_id_list
        return _wrapped([self._line(task_id, self.asked[-1:]) for task_id in asked.task_id_list])

    def _line(self, task_id: str, asked: list[ReleaseTask]) -> dict[str, Any]:
        script = self._scripts.get(task_id)
        if script is None:
            return {"task_id": task_id, "result": "[]", "status": 0}
        state = script.pop(0) if len(script) > 1 else script[0]
        if self.play_s:
            state = "succeeded" if time.perf_counter() - self._begun[task_id] >= self.play_s else "running"
        status = {"succeeded": 1, "failed": 2}.get(state, 0)
        result: dict[str, Any] = {"file": "", "wave": "", "status": status, "create_time": 1_700_000_000}
        if state == "succeeded":
            metas = {"bpm": asked[0].bpm, "duration": 30, "genres": "", "keyscale": asked[0].key_scale}
            result |= {"file": self.file, "metas": metas, "dit_model": TURBO, "seed_value": "42", "lm_model": ""}
        else:
            result |= {"progress": 0.0 if state == "queued" else 0.5, "stage": state, "metas": {}}
        return {"task_id": task_id, "result": json.dumps([result | self.extra]), "status": status} | self.odd

    async def audio_file(self, request: web.Request) -> web.StreamResponse:
        """Return a file."""
        self.fetched.append(request.query["path"])
        return web.Response(body=self.audio, content_type="audio/flac")

    async def health(self, request: web.Request) -> web.StreamResponse:
        """Say that all is well."""
        del request
        return _wrapped({"status": "ok", "service": "ACE-Step API", "version": "1.0"})

    async def models(self, request: web.Request) -> web.StreamResponse:
        """List the loaded models."""
        del request
        listed = [{"name": name, "is_default": not number} for number, name in enumerate(self.loaded)]
        return _wrapped({"models": listed, "default_model": self.loaded[0] if self.loaded else None})

    @web.middleware
    async def meet(self, request: web.Request, handler: Any) -> web.StreamResponse:
        """Ask for the key, everywhere but at /health, and let faults happen."""
        if self.key and request.path != "/health" and request.headers.get("Authorization") != f"Bearer {self.key}":
            return _failed(Fault(401, "Invalid API key"))
        waiting = self.faults.get(request.path)
        fault = waiting.pop(0) if waiting else None
        if fault is None or fault.after:
            answer: web.StreamResponse = await handler(request)
            if fault is None:
                return answer
        if fault.cut:
            assert request.transport is not None
            request.transport.abort()
        if not fault.status:
            await asyncio.Event().wait()
        return _failed(fault)


@asynccontextmanager
async def acestep_server(audio: bytes, *, keeps_open: bool = True) -> AsyncIterator[AceStepServer]:
    """Run it on a free port. With `keeps_open` false, close each connection after its answer."""
    server = AceStepServer(audio)
    app = web.Application(middlewares=[server.meet])
    if not keeps_open:
        app.on_response_prepare.append(_close_after)
    app.router.add_post("/release_task", server.release)
    app.router.add_post("/query_result", server.query)
    app.router.add_get("/v1/audio", server.audio_file)
    app.router.add_get("/health", server.health)
    app.router.add_get("/v1/models", server.models)
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield server
    finally:
        await runner.cleanup()


async def _close_after(_request: web.Request, response: web.StreamResponse) -> None:
    response.force_close()


def _wrapped(data: Any) -> web.Response:
    return web.json_response({"data": data, "code": 200, "error": None, "timestamp": 1_700_000_000_000, "extra": None})


def _failed(fault: Fault) -> web.Response:
    return web.json_response({"detail": fault.detail}, status=fault.status)
