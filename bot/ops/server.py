"""/livez, /readyz and /metrics, for the operator: off without ops.port, never on the public page's port."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from yarl import URL

from bot.ops.gateway_metrics import watch_loop
from bot.ops.http import NAME, STOP_S, ConnectionLimiter, Rules, running
from melodify_core.config.settings import Ops
from melodify_core.errors import Misconfigured
from melodify_core.observability.health import Health

LIVE = "live\n"
HEADERS = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
CONNECTIONS = 200


@asynccontextmanager
async def operating(settings: Ops, health: Health) -> AsyncIterator[None]:
    """Answer on `settings.port` until the block ends. Raises Misconfigured when that port is not available."""
    if not settings.port:
        yield
        return
    host, port, loop = settings.host, settings.port, asyncio.get_running_loop()
    rules = Rules(HEADERS, ConnectionLimiter(CONNECTIONS, CONNECTIONS), waiting_per_address=CONNECTIONS)
    async with running(_application(health), rules) as connect:
        try:
            listener = await loop.create_server(connect, host, port)
        except OSError as error:
            raise Misconfigured(f"ops.port: {host}:{port} cannot be used ({error.strerror or error}).") from error
        watching = asyncio.create_task(watch_loop(), name="loop lag")
        try:
            yield
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
            listener.close()


async def answers_already(settings: Ops) -> bool:
    """Return whether a Melodify answers on the port."""
    # A server that listens everywhere listens on this machine's own address.
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104 - read, not bound
    url = URL.build(scheme="http", host=host, port=settings.port, path="/livez")
    try:
        async with asyncio.timeout(STOP_S), aiohttp.ClientSession() as session, session.get(url) as answer:
            return (await answer.content.read(len(LIVE) + 1), answer.headers.get("Server")) == (LIVE.encode(), NAME)
    except (aiohttp.ClientError, OSError):
        return False


def _application(health: Health) -> web.Application:
    async def live(_request: web.Request) -> web.Response:
        # The event loop turns: a process needs no more to be left alone.
        return web.Response(text=LIVE)

    async def ready(_request: web.Request) -> web.Response:
        state = await health.state()
        lines = [f"{name}: {'well' if well else 'not well'}\n" for name, well in state.items()]
        return web.Response(text="".join(lines), status=200 if all(state.values()) else 503)

    async def measured(_request: web.Request) -> web.Response:
        await health.state()  # refreshes what the metrics show of the parts
        return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    app = web.Application()
    app.add_routes([web.get("/livez", live), web.get("/readyz", ready), web.get("/metrics", measured)])
    return app
