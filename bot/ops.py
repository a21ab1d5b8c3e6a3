"""/livez, /readyz and /metrics, for whoever runs Melodify: off without ops.port, never on the public page's port."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from bot.monitor import watch_loop
from melodify_core.errors import Misconfigured
from melodify_core.health import Health
from melodify_core.settings import Ops


@asynccontextmanager
async def operating(settings: Ops, health: Health) -> AsyncIterator[None]:
    """Answer on `settings.port` until the block ends. Raises Misconfigured when that port cannot be had."""
    if not settings.port:
        yield
        return
    runner = web.AppRunner(_app(health), access_log=None, handle_signals=False)
    await runner.setup()
    watching = asyncio.create_task(watch_loop(), name="loop lag")
    try:
        try:
            await web.TCPSite(runner, settings.host, settings.port).start()
        except OSError as error:
            raise Misconfigured(
                f"ops.port: {settings.host}:{settings.port} cannot be used ({error.strerror or error})."
            ) from error
        yield
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        await runner.cleanup()


def _app(health: Health) -> web.Application:
    async def live(_request: web.Request) -> web.Response:
        """Say that the event loop turns: no more is needed to be left alone."""
        return web.Response(text="live\n")

    async def ready(_request: web.Request) -> web.Response:
        state = await health.state()
        lines = [f"{name}: {'well' if well else 'not well'}" for name, well in state.items()]
        return web.Response(text="\n".join([*lines, ""]), status=200 if all(state.values()) else 503)

    async def measured(_request: web.Request) -> web.Response:
        # Asking refreshes what is shown of the parts, too.
        await health.state()
        return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    app = web.Application(middlewares=[_guard])
    app.router.add_get("/livez", live)
    app.router.add_get("/readyz", ready)
    app.router.add_get("/metrics", measured)
    return app


@web.middleware
async def _guard(request: web.Request, handler: object) -> web.StreamResponse:
    answer: web.StreamResponse = await handler(request)  # type: ignore[operator]  # aiohttp's handler
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["Cache-Control"] = "no-store"
    return answer
