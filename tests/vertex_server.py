"""Lyria on loopback: Vertex AI's PredictionService over gRPC and the SDK's own protos, the Interactions API over HTTP.

Both are behind a connection that can be cut, count every piece of music that they made (Google bills those), and
fail on request.
"""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import grpc
from aiohttp import web
from google.cloud.aiplatform_v1.types import PredictRequest, PredictResponse
from google.protobuf import json_format
from google.protobuf.message import Message
from google.rpc import status_pb2

PREDICT = "/google.cloud.aiplatform.v1.PredictionService/Predict"


@dataclass(frozen=True, slots=True)
class Fault:
    """What a call meets instead of an answer, or with `after` when the music is made, and paid."""

    status: grpc.StatusCode | None = None  # None: no answer at all
    message: str = "simulated"
    after: bool = False
    cut: bool = False  # the wire is cut
    details: tuple[Message, ...] = ()  # google.rpc's ErrorInfo, RequestInfo, ...


@dataclass
class Lyria:
    """What was asked, and what comes next."""

    audio: bytes
    field_name: str = "audioContent"
    faults: list[Fault | None] = field(default_factory=list)  # used up call by call
    answers: list[dict[str, Any]] = field(default_factory=list)  # JSON of odd answers, likewise; made all the same
    asked: list[dict[str, Any]] = field(default_factory=list)  # the JSON of each request
    paths: list[str] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)  # audio by its path
    made: int = 0  # billed
    delay_s: float = 0.0
    _wires: set[asyncio.StreamWriter] = field(default_factory=set)
    port: int = 0

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def next_fault(self) -> Fault | None:
        """Return what happens to the call that has just come."""
        return self.faults.pop(0) if self.faults else None

    def cut(self) -> None:
        """Cut all connections."""
        for wire in self._wires:
            wire.transport.abort()

    async def meet(self, fault: Fault) -> None:
        """Do what has no answer: cut the wire, or wait for the caller to give up."""
        if fault.cut:
            self.cut()
        await asyncio.Event().wait()

    async def wired(self, server_port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection's bytes both ways."""
        server_reader, server_writer = await asyncio.open_connection("127.0.0.1", server_port)
        self._wires |= {writer, server_writer}
        try:
            await asyncio.gather(_carry(reader, server_writer), _carry(server_reader, writer))
        finally:
            self._wires -= {writer, server_writer}


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(1 << 18):
            writer.write(data)
            await writer.drain()
    writer.close()


@asynccontextmanager
async def _wire(lyria: Lyria, server_port: int) -> AsyncIterator[None]:
    carrying: set[asyncio.Task[None]] = set()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        carrying.add(asyncio.create_task(lyria.wired(server_port, reader, writer)))

    wire = await asyncio.start_server(connected, "127.0.0.1", 0)
    lyria.port = wire.sockets[0].getsockname()[1]
    try:
        yield
    finally:
        wire.close()
        lyria.cut()
        await asyncio.gather(*carrying, return_exceptions=True)
        await wire.wait_closed()


class _Predict:
    def __init__(self, lyria: Lyria) -> None:
        self._lyria = lyria

    def handler(self) -> Any:
        service, method = PREDICT.strip("/").split("/")
        handler = grpc.unary_unary_rpc_method_handler(
            self.predict, request_deserializer=PredictRequest.deserialize, response_serializer=PredictResponse.serialize
        )
        return grpc.method_handlers_generic_handler(service, {method: handler})

    async def predict(self, request: PredictRequest, context: Any) -> PredictResponse:
        lyria = self._lyria
        lyria.paths.append(request.endpoint)
        lyria.asked += [json_format.MessageToDict(each) for each in PredictRequest.pb(request).instances]
        fault = lyria.next_fault()
        if fault is not None and not fault.after:
            await _fail(lyria, fault, context)
        if not request.instances:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "Instances must not be empty.")
        await asyncio.sleep(lyria.delay_s)
        lyria.made += 1
        if fault is not None:
            await _fail(lyria, fault, context)
        usual = {"predictions": [{lyria.field_name: base64.b64encode(lyria.audio).decode(), "mimeType": "audio/wav"}]}
        answer = lyria.answers.pop(0) if lyria.answers else usual
        response = PredictResponse()
        json_format.ParseDict(answer, PredictResponse.pb(response))
        return response


async def _fail(lyria: Lyria, fault: Fault, context: Any) -> None:
    if fault.status is None:
        await lyria.meet(fault)
        return
    status = status_pb2.Status(code=fault.status.value[0], message=fault.message)
    for detail in fault.details:
        status.details.add().Pack(detail)
    await context.abort(fault.status, fault.message, (("grpc-status-details-bin", status.SerializeToString()),))


@asynccontextmanager
async def vertex_server(audio: bytes) -> AsyncIterator[Lyria]:
    """Run lyria-002 on a free port."""
    lyria = Lyria(audio)
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    server.add_generic_rpc_handlers((_Predict(lyria).handler(),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        async with _wire(lyria, port):
            yield lyria
    finally:
        await server.stop(None)


HTTP_STATUS = {
    grpc.StatusCode.INVALID_ARGUMENT: 400,
    grpc.StatusCode.FAILED_PRECONDITION: 400,
    grpc.StatusCode.UNAUTHENTICATED: 401,
    grpc.StatusCode.PERMISSION_DENIED: 403,
    grpc.StatusCode.NOT_FOUND: 404,
    grpc.StatusCode.RESOURCE_EXHAUSTED: 429,
    grpc.StatusCode.INTERNAL: 500,
    grpc.StatusCode.UNAVAILABLE: 503,
}


@asynccontextmanager
async def interactions_server(audio: bytes) -> AsyncIterator[Lyria]:
    """Run the models of Lyria 3 on a free port."""
    lyria = Lyria(audio)

    async def create(request: web.Request) -> web.Response:
        lyria.paths.append(request.path)
        asked = await request.json()
        if asked["input"]:
            lyria.asked.append(asked)
        fault = lyria.next_fault()
        if fault is not None and not fault.after:
            return await _http_fault(lyria, fault)
        if not asked["input"]:
            return _http_error(Fault(grpc.StatusCode.INVALID_ARGUMENT, "Input must not be empty."))
        await asyncio.sleep(lyria.delay_s)
        lyria.made += 1
        if fault is not None:
            return await _http_fault(lyria, fault)
        return web.json_response(lyria.answers.pop(0) if lyria.answers else interaction(asked["model"], lyria.audio))

    app = web.Application(client_max_size=1 << 26)

    async def get_file(request: web.Request) -> web.Response:
        data = lyria.files.get(request.path)
        return web.Response(status=404) if data is None else web.Response(body=data)

    app.router.add_get("/{file}", get_file)
    app.router.add_post("/v1beta1/projects/{project}/locations/{location}/interactions", create)
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        async with _wire(lyria, runner.addresses[0][1]):
            yield lyria
    finally:
        await runner.cleanup()


def interaction(model: str, audio: bytes) -> dict[str, Any]:
    """Return an answer of Lyria 3, words and music."""
    music = {"type": "audio", "mime_type": "audio/mpeg", "data": base64.b64encode(audio).decode()}
    return {
        "id": "interaction-1",
        "model": model,
        "status": "completed",
        "steps": [{"type": "model_output", "content": [{"type": "text", "text": "A warm folk piece."}, music]}],
    }


async def _http_fault(lyria: Lyria, fault: Fault) -> web.Response:
    if fault.status is None:
        await lyria.meet(fault)
    return _http_error(fault)


def _http_error(fault: Fault) -> web.Response:
    assert fault.status is not None
    details = [
        {"@type": f"type.googleapis.com/{each.DESCRIPTOR.full_name}"} | json_format.MessageToDict(each)
        for each in fault.details
    ]
    code = HTTP_STATUS[fault.status]
    error = {"code": code, "status": fault.status.name, "message": fault.message, "details": details}
    return web.Response(status=code, text=json.dumps({"error": error}), content_type="application/json")
