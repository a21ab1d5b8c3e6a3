"""`melodify run`: the gateway and the work in one process, until SIGTERM or Ctrl-C."""

import asyncio
import logging
import signal
from functools import partial

import aiohttp
import discord

from bot.client import MelodifyClient, use_proxies
from bot.delivery import DiscordDelivery
from bot.status import StatusBoard
from melodify_core.errors import Misconfigured
from melodify_core.opening import Role, open_studio
from melodify_core.settings import Settings

log = logging.getLogger(__name__)
NO_LOGIN = (
    "discord.token is missing: set MELODIFY_DISCORD__TOKEN or discord.token_file. "
    "The token stands in Discord's developer portal under Bot."
)
WRONG_LOGIN = (
    "discord.token is not accepted by Discord: take a new one in the developer portal under Bot > Reset Token."
)
INTENT_OFF = (
    "discord.message_content is true, but the intent is off for this bot: switch it on in the developer portal "
    "under Bot > Message Content Intent, or set discord.message_content to false."
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
    client = MelodifyClient(settings, partial(open_studio, settings, role=role))
    serving = asyncio.create_task(client.start(token.get_secret_value()))
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopping.cancel()
        if stop.is_set():
            log.info("stopping: running jobs get %g s", settings.work.drain_s)
        await client.close()
    return await _outcome(serving)


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
        except (aiohttp.ClientError, OSError) as error:
            log.error("Discord cannot be reached: %s", error)  # noqa: TRY400 - the sentence is all there is to say
            return 1
        delivery = DiscordDelivery(client, StatusBoard(client))
        async with open_studio(settings, delivery, role=Role(serves=False, lost=stop.set)):
            log.info("working")
            await stop.wait()
            log.info("stopping: running jobs get %g s", settings.work.drain_s)
    return 0


def rest_client(settings: Settings) -> discord.Client:
    """Return a client that only posts."""
    return discord.Client(
        intents=discord.Intents.none(),
        allowed_mentions=discord.AllowedMentions.none(),
        max_ratelimit_timeout=settings.discord.ratelimit_s,
        max_messages=None,
    )


def _stop_once(loop: asyncio.AbstractEventLoop, stop: asyncio.Event, number: signal.Signals) -> None:
    loop.remove_signal_handler(number)
    stop.set()


async def _outcome(serving: asyncio.Task[None]) -> int:
    try:
        await serving
    except discord.LoginFailure as error:
        raise Misconfigured(WRONG_LOGIN) from error
    except discord.PrivilegedIntentsRequired as error:
        raise Misconfigured(INTENT_OFF) from error
    except aiohttp.ClientError as error:
        log.error("Discord cannot be reached: %s", error)  # noqa: TRY400 - the sentence is all there is to say
        return 1
    return 0
