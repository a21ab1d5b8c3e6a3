"""Serves the web application on its port, and bounds what connections may cost before they are requests."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from bot.web import headers
from bot.web.app import make_app
from melodify_core.errors import Misconfigured
from melodify_core.pages import Pages
from melodify_core.ports import Storage
from melodify_core.settings import Web

log = logging.getLogger(__name__)

IDLE_S = 30.0  # between requests, and for the headers of the first
STOP_S = 2.0
_LONGEST_LINE = 4096
_LONGEST_FIELD = 8190
_MOST_FIELDS = 64


@asynccontextmanager
async def serve(pages: Pages, storage: Storage, settings: Web) -> AsyncIterator[str]:
    """Serve until the end of the block; yield the address on this machine. Raises Misconfigured."""
    runner = web.AppRunner(make_app(pages, storage, settings), shutdown_timeout=STOP_S)
    await runner.setup()
    server = None
    try:
        server = await _listen(runner, settings)
        host, port = server.sockets[0].getsockname()[:2]
        yield f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    finally:
        if server is not None:
            server.close()
        await runner.cleanup()


async def _listen(runner: web.AppRunner, settings: Web) -> asyncio.Server:
    loop = asyncio.get_running_loop()

    def connect() -> _Connection:
        if runner.server is None:
            raise ConnectionAbortedError
        return _Connection(runner.server, loop, settings.connections)

    try:
        return await loop.create_server(connect, settings.host, settings.port, reuse_address=True, backlog=512)
    except OSError as error:
        reason = error.strerror or str(error)
        raise Misconfigured(
            f"web.port: {settings.host}, port {settings.port} cannot be listened on ({reason}): set web.host or "
            "web.port."
        ) from error


class _Connection(web.RequestHandler):
    """One connection. aiohttp has no bound on their number, and tells strangers what it thinks of their requests."""

    __slots__ = ("_most",)

    def __init__(self, server: web.Server, loop: asyncio.AbstractEventLoop, most: int) -> None:
        super().__init__(
            server,
            loop=loop,
            keepalive_timeout=IDLE_S,
            lingering_time=0,
            access_log=None,  # type: ignore[arg-type]  # aiohttp: None is no log
            debug=False,
            max_line_size=_LONGEST_LINE,
            max_field_size=_LONGEST_FIELD,
            max_headers=_MOST_FIELDS,
        )
        self._most = most

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection, or hang up when there are too many."""
        super().connection_made(transport)
        manager = self._manager
        if manager is not None and len(manager.connections) > self._most:
            self.force_close()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what is no request, and what failed, in one word. Only our own failure is worth a line in the log."""
        del message
        if status >= 500:
            log.error("a request failed", exc_info=exc)
        if request.writer.output_size > 0:
            raise ConnectionResetError
        response = web.Response(
            status=status, text="Error\n" if status >= 500 else "Bad request\n", headers=headers.ALWAYS
        )
        response.headers["Server"] = ""
        response.force_close()
        return response
