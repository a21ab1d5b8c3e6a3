"""Serves the web application on its port, and bounds what connections may cost before they are requests."""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

from aiohttp import web

from bot.web import headers
from bot.web.addresses import neighbour
from bot.web.app import Site
from bot.web.media import Files, VideoRenderer
from bot.web.notices import Notice
from melodify_core.config.settings import Web
from melodify_core.errors import Misconfigured
from melodify_core.pages import Pages

log = logging.getLogger(__name__)

IDLE_S = 30.0  # between requests, and for the headers of the first
STOP_S = 2.0
_LONGEST_LINE = 4096
_LONGEST_FIELD = 8190
_MOST_FIELDS = 64
_LONGEST_HEAD = 16 * 1024  # the fields together, and the line
_SHARE = 4  # one address gets so much of all connections,
_FEW = 16  # but a browser's at least


class _House:
    """What connections share: how many there are, in all and of each address, and how many requests that were none."""

    def __init__(self, settings: Web, count: Callable[[web.BaseRequest], None]) -> None:
        self.settings = settings
        self.count = count
        self._most_each = max(settings.connections // _SHARE, _FEW)
        self._inside: Counter[str] = Counter()

    def enter(self, address: str) -> bool:
        """Count a connection, and return whether it may stay."""
        self._inside[address] += 1
        few = not address or self._inside[address] <= self._most_each
        return few and self._inside.total() <= self.settings.connections

    def leave(self, address: str) -> None:
        """Count a connection no more."""
        self._inside[address] -= 1
        if not self._inside[address]:
            del self._inside[address]


class Port:
    """A port that is held, and answers while pages are served on it."""

    def __init__(self, settings: Web) -> None:
        self._settings = settings
        self._answering: tuple[web.Server, _House] | None = None
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
    async def serving(self, pages: Pages, storage: Files, videos: VideoRenderer | None = None) -> AsyncIterator[str]:
        """Serve until the end of the block, for which alone the port answers; yield the address on this machine.

        Without `videos` a song has a video only once somebody has asked for one in Discord.
        """
        if self._server is None:
            raise RuntimeError("the port is not held")
        site = Site(pages, storage, self._settings, videos)
        server = web.Server(site.answer)
        self._answering = server, _House(self._settings, site.count)
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
            await asyncio.sleep(0)  # what has come is begun
            server.pre_shutdown()
            site.stop()
            await server.shutdown(STOP_S)

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
        server, house = self._answering
        return _Connection(server, asyncio.get_running_loop(), house)


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
async def serve(pages: Pages, storage: Files, settings: Web, videos: VideoRenderer | None = None) -> AsyncIterator[str]:
    """Serve until the end of the block; yield the address on this machine. Raises Misconfigured."""
    async with listening(settings) as port, port.serving(pages, storage, videos) as address:
        yield address


class _Connection(web.RequestHandler):
    """One connection. aiohttp has no bound on their number, and tells strangers what it thinks of their requests."""

    __slots__ = ("_address", "_house", "_stalling", "_waiting_bytes")

    def __init__(self, server: web.Server, loop: asyncio.AbstractEventLoop, house: _House) -> None:
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
        self._house = house
        self._address: str | None = None
        self._stalling: asyncio.TimerHandle | None = None
        self._waiting_bytes = 0  # of requests that have not come to their end, or wait for an answer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection, or hang up when there are too many."""
        super().connection_made(transport)
        peer = transport.get_extra_info("peername")
        self._address = neighbour(str(peer[0]) if peer else "", self._house.settings)
        if not self._house.enter(self._address):
            self.force_close()

    def connection_lost(self, exc: BaseException | None) -> None:
        """Give the place back."""
        if self._address is not None:
            self._house.leave(self._address)
            self._address = None
        self._cancel_stalling()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Wait for the visitor to take what is written, for so long."""
        super().pause_writing()
        if self.transport is not None:
            self._stalling = self._loop.call_later(self._house.settings.stall_s, self.transport.abort)

    def resume_writing(self) -> None:
        """Go on."""
        self._cancel_stalling()
        super().resume_writing()

    def _cancel_stalling(self) -> None:
        if self._stalling is not None:
            self._stalling.cancel()
            self._stalling = None

    def data_received(self, data: bytes) -> None:
        """Take what has come, and break off a head, or a queue behind one, that is longer than a head may be."""
        while True:
            room, alone = _LONGEST_HEAD - self._waiting_bytes, not self._messages
            super().data_received(data[:room])
            self._waiting_bytes = 0 if alone and self._messages else self._waiting_bytes + len(data[:room])
            if self._waiting_bytes >= _LONGEST_HEAD:
                # Nothing may follow this byte: the parser refuses the request as it does others that are none.
                super().data_received(b"\0")
                return
            data = data[room:]
            if not data:
                return

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
        text, own = ("Error\n" if status >= 500 else "Bad request\n"), {}
        try:
            if status < 500:
                self._house.count(request)
        except Notice as notice:
            status, text, own = notice.status, "Busy\n", notice.headers
        response = web.Response(status=status, text=text, headers=headers.ALWAYS | own)
        response.force_close()
        return response
