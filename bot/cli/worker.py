"""`melodify worker`: makes songs and posts them through REST until a signal, without a gateway connection."""

import logging
from contextlib import AsyncExitStack

import discord

from bot.cli import process
from bot.cli.token import token_of
from bot.client import use_proxies
from bot.ops.gateway_metrics import request_counter
from bot.ops.server import operating
from bot.posts.delivery import DiscordDelivery
from bot.posts.status_messages import StatusBoard
from melodify_core.bootstrap import Role, open_services
from melodify_core.config.settings import Settings
from melodify_core.errors import Misconfigured
from melodify_core.media.memory import use_one_arena
from melodify_core.observability.health import Health

log = logging.getLogger(__name__)


async def work(settings: Settings) -> int:
    """Make songs until a signal. Return the exit code: 1 when Discord cannot be reached. Raises Misconfigured."""
    token = token_of(settings)
    use_one_arena()
    process.allow_files(settings)
    stop = process.stop_on_signal()
    use_proxies(settings)
    async with rest_client(settings) as client:
        try:
            await client.login(token)
        except discord.LoginFailure as error:
            raise Misconfigured(process.WRONG_LOGIN) from error
        except process.UNREACHABLE as error:
            process.log_unreachable(error)
            return 1
        delivery = DiscordDelivery(
            client, StatusBoard(client), settings.web.public_url, settings.discord.notify_after_s
        )
        health = Health()
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(operating(settings.ops, health))
            stack.enter_context(process.export_traces(settings.ops))
            role = Role(serves=False, on_slot_lost=stop.set)
            await stack.enter_async_context(open_services(settings, delivery, role=role, health=health))
            log.info("logged in, making songs")
            await stop.wait()
            process.log_stop(settings)
    return 0


def rest_client(settings: Settings) -> discord.Client:
    """Return a client that only posts."""
    return discord.Client(
        intents=discord.Intents.none(),
        allowed_mentions=discord.AllowedMentions.none(),
        max_ratelimit_timeout=settings.discord.ratelimit_s,
        max_messages=None,
        http_trace=request_counter(),
    )
