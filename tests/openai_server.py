"""A small server that answers like OpenAI's, on loopback, with scripted faults. It counts calls and bytes."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

READING: dict[str, Any] = {
    "title": "Amber Dusk",
    "caption": "Warm light lies on still water.",
    "mood": ["calm", "warm"],
    "valence": 0.4,
    "arousal": -0.3,
    "energy": "gentle",
    "genre": "folk",
    "instruments": ["nylon guitar", "cello"],
    "bpm": 84,
    "mode": "major",
    "arrangement": ["sparse intro", "slow build", "soft close"],
    "soundscape": ["sea waves", "tape hiss"],
}
USAGE = {"input_tokens": 1000, "output_tokens": 200, "total_tokens": 1200}


@dataclass
class Call:
    """One request as it came in."""

    path: str
    size: int
    body: dict[str, Any]


# What is done with a call: an answer, or whatever a fault does to the connection.
Act = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class OpenAIServer:
    """Plays the acts of `script` one by one, then answers well."""

    url: str = ""
    reading: Any = field(default_factory=lambda: dict(READING))
    flagged: set[str] = field(default_factory=set)  # "image", or a word in the text
    categories: dict[str, bool] = field(default_factory=dict)  # what moderation says of all that is flagged
    models: set[str] | None = field(default_factory=lambda: {"gpt-6-luna", "gpt-5.6-luna"})  # None: no such page
    script: list[Act] = field(default_factory=list)
    moderation_script: list[Act] = field(default_factory=list)
    model_script: list[Act] = field(default_factory=list)
    wait_s: float = 0.0
    now: int = 0
    most_at_once: int = 0
    calls: list[Call] = field(default_factory=list)

    def asked(self, path: str) -> list[Call]:
        return [call for call in self.calls if call.path == path]

    @property
    def paid(self) -> list[Call]:
        """Calls for a reading, whatever came of them."""
        return [call for call in self.calls if call.path in ("/v1/responses", "/v1/chat/completions")]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        data = await request.read()
        # The request line and the headers count too.
        size = len(data) + sum(len(name) + len(value) + 4 for name, value in request.raw_headers)
        call = Call(request.path, size + len(request.path) + 20, json.loads(data) if data else {})
        self.calls.append(call)
        script, answer = self._chosen(call)
        if script:
            return await script.pop(0)(request)
        self.now += 1
        self.most_at_once = max(self.most_at_once, self.now)
        await asyncio.sleep(self.wait_s)
        self.now -= 1
        return answer(call)

    def _chosen(self, call: Call) -> tuple[list[Act], Callable[[Call], web.StreamResponse]]:
        if call.path.startswith("/v1/models"):
            return self.model_script, self._model
        if call.path == "/v1/moderations":
            return self.moderation_script, self._verdict
        return self.script, self._reading

    def _model(self, call: Call) -> web.StreamResponse:
        name = call.path.rpartition("/")[2]
        if self.models is None:
            return web.Response(status=404, text="404 page not found")
        if name not in self.models:
            return refusal(404, "model_not_found", f"The model '{name}' does not exist")
        return web.json_response({"id": name, "object": "model", "created": 1, "owned_by": "openai"})

    def _verdict(self, call: Call) -> web.StreamResponse:
        parts = call.body["input"]
        texts = [part["text"] for part in parts if part["type"] == "text"]
        images = [part for part in parts if part["type"] == "image_url"]
        bad = any(word in text for word in self.flagged for text in texts) or bool(images and "image" in self.flagged)
        verdict = {"flagged": bad, "categories": self.categories if bad else {}}
        return web.json_response({"id": "modr_1", "model": "omni", "results": [verdict]})

    def _reading(self, call: Call) -> web.StreamResponse:
        if "model" not in call.body:
            return refusal(400, "missing_required_parameter", "model is required")
        text = self.reading if isinstance(self.reading, str) else json.dumps(self.reading)
        return reply(text) if call.path == "/v1/responses" else chat_reply(text)


@asynccontextmanager
async def openai_server() -> AsyncIterator[OpenAIServer]:
    """Run the server on a free port."""
    server = OpenAIServer()
    app = web.Application(client_max_size=10_000_000)
    app.router.add_route("*", "/{path:.*}", server.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    try:
        yield server
    finally:
        await runner.cleanup()


# Answers


def reply(text: str, **changes: Any) -> web.Response:
    """A Responses API answer with this text."""
    part = {"type": "output_text", "text": text, "annotations": []}
    return response([part], **changes)


def response(parts: list[dict[str, Any]], **changes: Any) -> web.Response:
    message = {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": parts}
    body = {"id": "resp_1", "object": "response", "created_at": 1, "model": "gpt-6-luna", "status": "completed"}
    body |= {"output": [{"type": "reasoning", "id": "rs_1", "summary": []}, message], "usage": USAGE} | changes
    return web.json_response(body, headers={"x-request-id": "req_paid"})


def chat_reply(text: str | None, finish_reason: str = "stop", refusal: str | None = None) -> web.Response:
    """A chat completion with this text."""
    message = {"role": "assistant", "content": text, "refusal": refusal}
    return web.json_response(
        {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1,
            "model": "m",
            "choices": [{"index": 0, "finish_reason": finish_reason, "message": message}],
            "usage": {"prompt_tokens": 1000, "completion_tokens": 200, "total_tokens": 1200},
        },
        headers={"x-request-id": "req_paid"},
    )


def refusal(status: int, code: str, message: str = "no", **headers: str) -> web.Response:
    """An error as OpenAI words it."""
    body = {"error": {"message": message, "type": "some_error", "param": None, "code": code}}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return web.json_response(body, status=status, headers={"x-request-id": "req_failed"} | named)


# Acts


def answers(make: Callable[[], web.StreamResponse]) -> Act:
    """Answer with what `make` returns."""

    async def act(request: web.Request) -> web.StreamResponse:
        del request
        return make()

    return act


def fails(status: int, code: str = "server_error", message: str = "no", **headers: str) -> Act:
    return answers(lambda: refusal(status, code, message, **headers))


def says(body: str, content_type: str = "application/json") -> Act:
    """Answer 200 with this body."""
    return answers(lambda: web.Response(text=body, content_type=content_type))


async def hangs_up(request: web.Request) -> web.StreamResponse:
    """Cut the connection without an answer."""
    _abort(request)
    return web.Response()


async def breaks_off(request: web.Request) -> web.StreamResponse:
    """Begin to answer, and cut the connection."""
    answer = web.StreamResponse(headers={"content-length": "5000", "content-type": "application/json"})
    await answer.prepare(request)
    await answer.write(b'{"id": "resp_1", ')
    _abort(request)
    return answer


async def stalls(request: web.Request) -> web.StreamResponse:
    """Never answer."""
    del request
    await asyncio.sleep(60)
    return web.Response()


def _abort(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.close()


def closed_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
