"""/livez, /readyz and /metrics, for whoever runs Melodify: off without ops.port, never on the public page's port."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import aiohttp
from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from yarl import URL

from bot.ops.gateway_metrics import watch_loop
from melodify_core.config.settings import Ops
from melodify_core.errors import Misconfigured
from melodify_core.observability.health import Health

log = logging.getLogger(__name__)
STOP_S = 2.0
NAME = "Melodify"
LIVE = "live\n"
ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Server": NAME,  # aiohttp would name itself and Python, with their versions
}


@asynccontextmanager
async def operating(settings: Ops, health: Health) -> AsyncIterator[None]:
    """Answer on `settings.port` until the block ends. Raises Misconfigured when that port cannot be had."""
    if not settings.port:
        yield
        return
    loop = asyncio.get_running_loop()
    answering = web.Server(_answers(health))
    try:
        listener = await loop.create_server(lambda: _Connection(answering, loop), settings.host, settings.port)
    except OSError as error:
        raise Misconfigured(
            f"ops.port: {settings.host}:{settings.port} cannot be used ({error.strerror or error})."
        ) from error
    watching = asyncio.create_task(watch_loop(), name="loop lag")
    try:
        yield
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        listener.close()
        answering.pre_shutdown()
        await answering.shutdown(STOP_S)


async def answers_already(settings: Ops) -> bool:
    """Return whether a Melodify answers on the port."""
    # What listens everywhere listens on this machine's own address.
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104 - read, not bound
    url = URL.build(scheme="http", host=host, port=settings.port, path="/livez")
    try:
        async with asyncio.timeout(STOP_S), aiohttp.ClientSession() as session, session.get(url) as answer:
            return (await answer.content.read(len(LIVE) + 1), answer.headers.get("Server")) == (LIVE.encode(), NAME)
    except (aiohttp.ClientError, OSError):
        return False


def _answers(health: Health) -> Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]:
    async def live() -> web.Response:
        """Say that the event loop turns: no more is needed to be left alone."""
        return web.Response(text=LIVE, headers=ALWAYS)

    async def ready() -> web.Response:
        state = await health.state()
        lines = [f"{name}: {'well' if well else 'not well'}" for name, well in state.items()]
        return web.Response(text="\n".join([*lines, ""]), status=200 if all(state.values()) else 503, headers=ALWAYS)

    async def measured() -> web.Response:
        # Asking refreshes what is shown of the parts, too.
        await health.state()
        return web.Response(body=generate_latest(), headers=ALWAYS | {"Content-Type": CONTENT_TYPE_LATEST})

    pages = {"/livez": live, "/readyz": ready, "/metrics": measured}

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        if request.path not in pages:
            return web.Response(status=404, text="Not found\n", headers=ALWAYS)
        if request.method not in ("GET", "HEAD"):
            return web.Response(status=405, text="Not allowed\n", headers=ALWAYS | {"Allow": "GET, HEAD"})
        return await pages[request.path]()

    return answer


class _Connection(web.RequestHandler):
    """One connection. aiohttp logs a request that is none, traceback and all, and sends it back with its version."""

    __slots__ = ()

    def __init__(self, server: web.Server, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(server, loop=loop, access_log=None)  # type: ignore[arg-type]  # aiohttp: None is no log

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what is no request, and what failed, in one word. Only our own failure is worth a line in the log."""
        del request, message
        if status >= 500:
            log.error("a request failed", exc_info=exc)
        response = web.Response(status=status, text="Error\n" if status >= 500 else "Bad request\n", headers=ALWAYS)
        response.force_close()
        return response
