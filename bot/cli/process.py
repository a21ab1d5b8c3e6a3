"""What `run` and `worker` share: the token, the end by a signal, traces, and the sentences for a login that fails."""

import asyncio
import logging
import resource
import signal
from contextlib import AbstractContextManager, nullcontext, suppress

import aiohttp
import discord

from bot.cli.interrupts import endings
from melodify_core.config.settings import Ops, Settings
from melodify_core.errors import Misconfigured
from melodify_core.providers import longest_call_s

log = logging.getLogger(__name__)
WRONG_LOGIN = "Discord does not accept discord.token: get a new one in the developer portal under Bot > Reset Token."
NO_OTEL = 'ops.trace_endpoint needs OpenTelemetry: pip install "melodify[otel]".'
INTENT_OFF = (
    "discord.message_content is true, but the intent is off for this bot: switch it on in the developer portal "
    "under Bot > Message Content Intent, or set discord.message_content to false."
)
# Connections to the database (40), pipes to the workers, uploads (64), and some to spare.
LEAST_FILES = 256
FEW_FILES = (
    "The process may open only {most} files and connections (ulimit -n), and needs {needed}: raise the limit, with "
    "`ulimit -n`, LimitNOFILE= in systemd or `ulimits` in a Compose file."
)
# Failures on Discord's side: a restart of the process may help, another setting does not.
UNREACHABLE = (
    aiohttp.ClientError,
    ConnectionError,
    TimeoutError,
    discord.DiscordServerError,
    discord.GatewayNotFound,
)


def allow_files(settings: Settings) -> None:
    """Raise the process's limit of open files to what it may need. Raises Misconfigured when it cannot work at all."""
    soft, hard = (_unlimited_as(value) for value in resource.getrlimit(resource.RLIMIT_NOFILE))
    needed = LEAST_FILES + (settings.web.connections if settings.web.public_url else 0)
    if soft >= needed:
        return
    with suppress(OSError, ValueError):  # the system has a bound of its own, below the hard limit
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(needed, hard), resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    most = _unlimited_as(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
    if most < LEAST_FILES:
        raise Misconfigured(FEW_FILES.format(most=most, needed=needed))
    if most < needed:
        log.warning("%s", FEW_FILES.format(most=most, needed=needed))


def _unlimited_as(value: int, most: int = 1 << 30) -> int:
    return most if value == resource.RLIM_INFINITY else value


def stop_on_signal() -> asyncio.Event:
    """Return an event that the first SIGINT, SIGTERM or SIGHUP sets; a second signal ends the process at once."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def stop_once(number: signal.Signals) -> None:
        stop.set()
        # Not at this very moment: where another thread received the first signal, Python has yet to see it here, and
        # would complain that its handler is gone.
        loop.call_later(0.1, loop.remove_signal_handler, number)

    for number in (signal.SIGINT, *endings()):
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
