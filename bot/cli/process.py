"""What `run` and `worker` share: the token, the end by a signal, traces, and the sentences for a login that fails."""

import asyncio
import logging
import signal
from contextlib import AbstractContextManager, nullcontext

import aiohttp
import discord

from melodify_core.config.settings import Ops, Settings
from melodify_core.errors import Misconfigured
from melodify_core.providers import longest_call_s

log = logging.getLogger(__name__)
NO_LOGIN = (
    "discord.token is missing: set MELODIFY_DISCORD__TOKEN or discord.token_file. "
    "You find the token in Discord's developer portal under Bot."
)
WRONG_LOGIN = (
    "discord.token is not accepted by Discord: take a new one in the developer portal under Bot > Reset Token."
)
NO_OTEL = 'ops.trace_endpoint needs OpenTelemetry: pip install "melodify[otel]".'
INTENT_OFF = (
    "discord.message_content is true, but the intent is off for this bot: switch it on in the developer portal "
    "under Bot > Message Content Intent, or set discord.message_content to false."
)
# Failures on Discord's side: a restart of the process may help, another setting does not.
UNREACHABLE = (
    aiohttp.ClientError,
    ConnectionError,
    TimeoutError,
    discord.DiscordServerError,
    discord.GatewayNotFound,
)


def token_of(settings: Settings) -> str:
    """Return the bot's token. Raises Misconfigured."""
    if settings.discord.token is None:
        raise Misconfigured(NO_LOGIN)
    return settings.discord.token.get_secret_value()


def stop_on_signal() -> asyncio.Event:
    """Return an event that the first SIGINT or SIGTERM sets; a second signal ends the process at once."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def stop_once(number: signal.Signals) -> None:
        stop.set()
        # Not at this very moment: where another thread received the first signal, Python has yet to see it here, and
        # would complain that its handler is gone.
        loop.call_later(0.1, loop.remove_signal_handler, number)

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop_once, number)
    return stop


def log_stop(settings: Settings) -> None:
    """Log how long the end may take."""
    log.info(
        "stopping: waiting up to %g s for running jobs, up to %g s for paid calls",
        settings.work.drain_s,
        longest_call_s(settings),
    )


def log_unreachable(error: Exception) -> None:
    """Log that Discord cannot be reached, without a traceback: the sentence says all there is."""
    log.error("Discord cannot be reached, the process ends: %s", error)


def export_traces(settings: Ops) -> AbstractContextManager[None]:
    """Return a context that exports traces, or does nothing without an endpoint. Raises Misconfigured."""
    if settings.trace_endpoint is None:
        return nullcontext()
    try:
        from melodify_core.observability.tracing import exporting
    except ImportError as error:
        raise Misconfigured(NO_OTEL) from error
    return exporting(settings.trace_endpoint)
