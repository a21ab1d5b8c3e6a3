"""`melodify run`, the gateway and the work in one process, and `melodify worker`, the work alone, until a signal."""

import asyncio
import logging
import signal
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, AsyncExitStack, asynccontextmanager, nullcontext
from functools import partial

import aiohttp
import discord

from bot.client import MelodifyClient, ServePages, use_proxies
from bot.ops.gateway_metrics import request_counter
from bot.ops.server import operating
from bot.posts.delivery import DiscordDelivery
from bot.posts.status_messages import StatusBoard
from melodify_core.bootstrap import Role, open_services
from melodify_core.config.settings import Ops, Settings, Web
from melodify_core.errors import Misconfigured
from melodify_core.observability.health import Health
from melodify_core.providers import longest_call_s

log = logging.getLogger(__name__)
NO_LOGIN = (
    "discord.token is missing: set MELODIFY_DISCORD__TOKEN or discord.token_file. "
    "The token stands in Discord's developer portal under Bot."
)
WRONG_LOGIN = (
    "discord.token is not accepted by Discord: take a new one in the developer portal under Bot > Reset Token."
)
NO_OTEL = 'ops.trace_endpoint needs OpenTelemetry: pip install "melodify[otel]".'
INTENT_OFF = (
    "discord.message_content is true, but the intent is off for this bot: switch it on in the developer portal "
    "under Bot > Message Content Intent, or set discord.message_content to false."
)
STOPPING = "stopping: running jobs get %g s, paid calls %g s"
# Discord's own troubles, which are not ours to mend.
UNREACHABLE = (
    aiohttp.ClientError,
    ConnectionError,
    TimeoutError,
    discord.DiscordServerError,
    discord.GatewayNotFound,
)


async def run(settings: Settings, *, works: bool = True) -> int:
    """Serve until a signal. The first one drains, a second one ends at once. Raises Misconfigured.

    Without `works` songs are only ordered here: `melodify worker` makes them.
    """
    token = settings.discord.token
    if token is None:
        raise Misconfigured(NO_LOGIN)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, _stop_once, loop, stop, number)
    role = Role(works=works, lost=stop.set)
    async with AsyncExitStack() as stack:
        # Its port first: one that is taken should be known before anything else is begun.
        serve_pages = await stack.enter_async_context(_song_pages(settings.web))
        client = MelodifyClient(settings, partial(open_services, settings, role=role), serve_pages)
        await stack.enter_async_context(operating(settings.ops, client.health))
        stack.enter_context(traced(settings.ops))
        return await _serve(client, token.get_secret_value(), stop, settings)


async def _serve(client: MelodifyClient, token: str, stop: asyncio.Event, settings: Settings) -> int:
    serving = asyncio.create_task(client.start(token))
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopping.cancel()
        if stop.is_set():
            log.info(STOPPING, settings.work.drain_s, longest_call_s(settings))
            if not client.is_ready():
                # On its way up: closing it now would miss the studio that it is about to open.
                serving.cancel()
                await asyncio.wait({serving})
        await client.close()
    return 0 if serving.cancelled() else await _outcome(serving)


async def work(settings: Settings) -> int:
    """Make songs and post them through REST until a signal, without a gateway connection. Raises Misconfigured."""
    token = settings.discord.token
    if token is None:
        raise Misconfigured(NO_LOGIN)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, _stop_once, loop, stop, number)
    use_proxies(settings)
    async with rest_client(settings) as client:
        try:
            await client.login(token.get_secret_value())
        except discord.LoginFailure as error:
            raise Misconfigured(WRONG_LOGIN) from error
        except UNREACHABLE as error:
            log.error("Discord cannot be reached: %s", error)  # noqa: TRY400 - the sentence is all there is to say
            return 1
        delivery = DiscordDelivery(client, StatusBoard(client), settings.web.public_url)
        health = Health()
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(operating(settings.ops, health))
            stack.enter_context(traced(settings.ops))
            role = Role(serves=False, lost=stop.set)
            await stack.enter_async_context(open_services(settings, delivery, role=role, health=health))
            log.info("working")
            await stop.wait()
            log.info(STOPPING, settings.work.drain_s, longest_call_s(settings))
    return 0


@asynccontextmanager
async def _song_pages(settings: Web) -> AsyncIterator[ServePages | None]:
    """Yield what serves the song pages, None when they are off."""
    if not settings.public_url:
        yield None
        return
    from bot.web.serving import listening

    async with listening(settings) as port:
        yield lambda services: port.serving(services.pages, services.storage, services.songs)


def traced(settings: Ops) -> AbstractContextManager[None]:
    """Return what exports traces while it is entered, nothing without an endpoint. Raises Misconfigured."""
    if settings.trace_endpoint is None:
        return nullcontext()
    try:
        from melodify_core.observability.tracing import exporting
    except ImportError as error:
        raise Misconfigured(NO_OTEL) from error
    return exporting(settings.trace_endpoint)


def rest_client(settings: Settings) -> discord.Client:
    """Return a client that only posts."""
    return discord.Client(
        intents=discord.Intents.none(),
        allowed_mentions=discord.AllowedMentions.none(),
        max_ratelimit_timeout=settings.discord.ratelimit_s,
        max_messages=None,
        http_trace=request_counter(),
    )


def _stop_once(loop: asyncio.AbstractEventLoop, stop: asyncio.Event, number: signal.Signals) -> None:
    stop.set()
    # A second one ends the process at once. Not in this very moment: where another thread received the first, Python
    # has yet to see it here, and would complain that its handler is gone.
    loop.call_later(0.1, loop.remove_signal_handler, number)


async def _outcome(serving: asyncio.Task[None]) -> int:
    try:
        await serving
    except discord.LoginFailure as error:
        raise Misconfigured(WRONG_LOGIN) from error
    except discord.PrivilegedIntentsRequired as error:
        raise Misconfigured(INTENT_OFF) from error
    except UNREACHABLE as error:
        log.error("Discord cannot be reached: %s", error)  # noqa: TRY400 - the sentence is all there is to say
        return 1
    return 0
