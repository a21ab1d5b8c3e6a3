"""Serves the song pages on their port."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial

from aiohttp import web

from bot.ops.http import ConnectionLimiter, Rules, running
from bot.web.app import Site
from bot.web.media import Files
from bot.web.responses import headers_for
from bot.web.visitors import peer_address
from melodify_core.config.settings import Web
from melodify_core.errors import Misconfigured
from melodify_core.pages import Pages
from melodify_core.services.songs import SongService

log = logging.getLogger(__name__)
_SHARE = 4  # one address gets so much of all connections,
_FEW = 16  # but at least what a browser opens: as many may wait for a request


class Port:
    """A port that is bound, and answers while pages are served on it."""

    def __init__(self, settings: Web) -> None:
        self._settings = settings
        self._connect: Callable[[], asyncio.BaseProtocol] = asyncio.Protocol
        self.server: asyncio.Server

    def connection(self) -> asyncio.BaseProtocol:
        """Return what takes a new connection: nothing answers while no pages are served."""
        return self._connect()

    @asynccontextmanager
    async def serving(
        self, pages: Pages, storage: Files, videos: SongService | None = None, invite: str = ""
    ) -> AsyncIterator[str]:
        """Serve the pages until the block ends, and yield the address on this machine.

        The start page shows the link `invite`, by which the bot is added to a server.
        Without `videos` a song has a video only once somebody has asked for one in Discord.
        """
        site = Site(pages, storage, self._settings, videos, invite)
        async with self.running(site.app, site.count) as address:
            log.info("song pages are served on %s", address)
            yield address

    @asynccontextmanager
    async def running(self, app: web.Application, count: Callable[[web.BaseRequest], None]) -> AsyncIterator[str]:
        """Run the application on the port until the block ends; `count` counts malformed requests."""
        settings = self._settings
        limiter = ConnectionLimiter(settings.connections, max(settings.connections // _SHARE, _FEW))
        peer, headers = partial(peer_address, settings=settings), headers_for(settings.public_url)
        rules = Rules(headers, limiter, _FEW, settings.stall_s, peer, count, cancel_left=True)
        async with running(app, rules) as connect:
            self._connect = connect
            try:
                with _explained(settings):  # of two processes that bind a port, the second fails only here
                    await self.server.start_serving()
                host, port = self.server.sockets[0].getsockname()[:2]
                yield f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
            finally:
                self.server.close()
                self._connect = asyncio.Protocol


@asynccontextmanager
async def listening(settings: Web) -> AsyncIterator[Port]:
    """Bind the port of the settings until the block ends. Raises Misconfigured when it is not available."""
    port, loop = Port(settings), asyncio.get_running_loop()
    with _explained(settings):
        port.server = await loop.create_server(
            port.connection, settings.host, settings.port, reuse_address=True, backlog=512, start_serving=False
        )
    try:
        yield port
    finally:
        port.server.close()


@contextmanager
def _explained(settings: Web) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        where, reason = f"{settings.host}, port {settings.port}", error.strerror or str(error)
        raise Misconfigured(f"web.port: {where} cannot be listened on ({reason}): set web.host or web.port.") from error
