"""Serves the web application on its port, and bounds what connections may cost before they are requests."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from aiohttp import web

from bot.web import headers
from bot.web.app import make_app
from bot.web.media import Files
from melodify_core.errors import Misconfigured
from melodify_core.pages import Pages
from melodify_core.settings import Web

log = logging.getLogger(__name__)

IDLE_S = 30.0  # between requests, and for the headers of the first
STOP_S = 2.0
_LONGEST_LINE = 4096
_LONGEST_FIELD = 8190
_MOST_FIELDS = 64


class Port:
    """A port that is held, and answers while pages are served on it."""

    def __init__(self, settings: Web) -> None:
        self._settings = settings
        self._answering: web.Server | None = None
        self._server: asyncio.Server | None = None

    async def hold(self) -> None:
        """Take the port. Raises Misconfigured when it cannot be had."""
        settings = self._settings
        with self._refusing():
            self._server = await asyncio.get_running_loop().create_server(
                self._connect, settings.host, settings.port, reuse_address=True, backlog=512, start_serving=False
            )

    def release(self) -> None:
        """Give the port back."""
        if self._server is not None:
            self._server.close()

    @asynccontextmanager
    async def serving(self, pages: Pages, storage: Files) -> AsyncIterator[str]:
        """Serve until the end of the block, for which alone the port answers; yield the address on this machine."""
        if self._server is None:
            raise RuntimeError("the port is not held")
        runner = web.AppRunner(make_app(pages, storage, self._settings), shutdown_timeout=STOP_S)
        await runner.setup()
        self._answering = runner.server
        try:
            with self._refusing():  # two that are about to listen only learn of each other now
                await self._server.start_serving()
            host, port = self._server.sockets[0].getsockname()[:2]
            address = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
            log.info("song pages are served on %s", address)
            yield address
        finally:
            self._server.close()
            self._answering = None
            await runner.cleanup()

    @contextmanager
    def _refusing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            reason = error.strerror or str(error)
            where = f"{self._settings.host}, port {self._settings.port}"
            raise Misconfigured(
                f"web.port: {where} cannot be listened on ({reason}): set web.host or web.port."
            ) from error

    def _connect(self) -> asyncio.BaseProtocol:
        if self._answering is None:
            return asyncio.Protocol()  # a connection of the last moment
        return _Connection(self._answering, asyncio.get_running_loop(), self._settings.connections)


@asynccontextmanager
async def listening(settings: Web) -> AsyncIterator[Port]:
    """Hold the port of the settings until the block ends. Raises Misconfigured."""
    port = Port(settings)
    await port.hold()
    try:
        yield port
    finally:
        port.release()


@asynccontextmanager
async def serve(pages: Pages, storage: Files, settings: Web) -> AsyncIterator[str]:
    """Serve until the end of the block; yield the address on this machine. Raises Misconfigured."""
    async with listening(settings) as port, port.serving(pages, storage) as address:
        yield address


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
