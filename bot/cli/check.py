"""`melodify check`: what is configured, what is missing, and how to fix it."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import aiohttp
import discord

from bot.cli.output import program
from bot.cli.process import INTENT_OFF, WRONG_LOGIN, allow_files, export_traces
from bot.cli.token import formless, invite_link, token_of
from bot.client import intents_of, use_proxies
from bot.discord_api.permissions import PERMISSIONS
from bot.ops.server import answers_already, operating
from melodify_core.config.settings import Settings
from melodify_core.errors import Misconfigured, Running, Unavailable
from melodify_core.media.worker_pool import WorkerPool
from melodify_core.models import Abilities
from melodify_core.observability.health import Health
from melodify_core.ports import Describable, Provider, SelfRepairing
from melodify_core.providers import moderation_of, open_providers

DISCORD_DEADLINE_S = 15.0
UNCHECKED = (
    "moderation off: pictures and hints are not checked. "
    'moderation = "local" or "openai" has them checked (docs/providers.md).'
)
UNSEEN = "the bot cannot see the watched channel {}: let it see it, or take the id out"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report."""

    good: bool
    text: str
    runs: bool = False  # another Melodify is running
    warns: bool = False  # Melodify runs all the same
    away: str = ""  # the provider that does not answer


@dataclass(frozen=True, slots=True)
class Account:
    """What Discord says of the bot."""

    name: str
    reads_messages: bool  # the Message Content intent is on
    unseen: tuple[int, ...]  # the watched channels that the bot cannot see


async def check(
    settings: Settings, source: str, *, online: bool, fix: bool = False, live: bool = False, yes: bool = False
) -> int:
    """Print the report; return 0 when nothing is wrong, else 1.

    `source` says where the settings come from. With `fix`, change what Melodify can set itself: the bucket's rules.
    With `live`, make a song, after a question where it costs something and `yes` does not answer it.
    """
    token = settings.discord.token
    providers = await _guarded(partial(provider_findings, fix=fix), settings)
    findings = [
        Finding(good=True, text=source),
        *_token(settings),
        *await _guarded(_files, settings),
        *(await ask_discord(settings, token.get_secret_value()) if online and token else []),
        *providers,
        *(await _guarded(partial(_try, live=live, yes=yes), settings) if all(each.good for each in providers) else []),
        *await _guarded(_database, settings),
        *await _guarded(_operating, settings),
        *(await _song_page(settings) if online else []),
    ]
    for finding in findings:
        print("warn   " if finding.warns else "ok     " if finding.good else "WRONG  ", finding.text)
    if not all(finding.good for finding in findings):
        print(f"\nNot ready. `{program()} setup` asks for the settings; `melodify demo` needs none of this.")
        return 1
    runs = any(finding.runs for finding in findings)
    print("\nReady, and running already." if runs else f"\nReady: start with `{program()} run`.")
    return 0


def _token(settings: Settings) -> list[Finding]:
    try:
        link = invite_link(token_of(settings))
    except Misconfigured as error:
        return [Finding(good=False, text=str(error))]
    if not link:
        return [Finding(good=False, text=formless())]
    return [
        Finding(good=True, text="discord.token is set"),
        Finding(good=True, text=f"invite link, permissions {PERMISSIONS.value}: {link}"),
    ]


async def ask_discord(settings: Settings, token: str) -> list[Finding]:
    """Ask Discord whether it knows the token, and what the bot is allowed there."""
    try:
        account = await account_of(settings, token)
    except Misconfigured as error:
        return [Finding(good=False, text=str(error))]
    findings = [Finding(good=True, text=f"Discord knows the token: this bot is {account.name}")]
    if settings.discord.message_content:
        text = "the Message Content intent is on" if account.reads_messages else INTENT_OFF
        findings.append(Finding(good=account.reads_messages, text=text))
    else:
        text = "message_content is false: pictures are seen in commands, mentions and direct messages"
        findings.append(Finding(good=True, text=text))
    return [*findings, *(Finding(good=True, text=UNSEEN.format(channel), warns=True) for channel in account.unseen)]


async def account_of(settings: Settings, token: str) -> Account:
    """Log in and look around, without the gateway. Raises Misconfigured for a wrong token, or without Discord."""
    use_proxies(settings)
    client = discord.Client(intents=intents_of(settings))
    channels = sorted(settings.discord.watched_channels)
    try:
        async with asyncio.timeout(DISCORD_DEADLINE_S), client:
            await client.login(token)
            seen = await asyncio.gather(*(_sees(client, channel) for channel in channels))
            flags = client.application_flags
            reads = flags.gateway_message_content or flags.gateway_message_content_limited
            unseen = tuple(channel for channel, found in zip(channels, seen, strict=True) if not found)
            return Account(str(client.user), reads, unseen)
    except discord.LoginFailure as error:
        raise Misconfigured(WRONG_LOGIN) from error
    except (aiohttp.ClientError, discord.HTTPException, OSError) as error:
        raise Misconfigured(f"Discord cannot be reached: {error or type(error).__name__}") from error


async def _sees(client: discord.Client, channel: int) -> bool:
    try:
        await client.fetch_channel(channel)
    except (discord.Forbidden, discord.NotFound):
        return False
    return True


async def _guarded(part: Callable[[Settings], Awaitable[list[Finding]]], settings: Settings) -> list[Finding]:
    try:
        return await part(settings)
    except Misconfigured as error:
        return [Finding(good=False, text=problem) for problem in error.problems]


async def _files(settings: Settings) -> list[Finding]:
    """Say nothing of a limit that is high enough."""
    allow_files(settings)
    return []


async def provider_findings(settings: Settings, *, fix: bool = False, only: str = "") -> list[Finding]:
    """Ask each provider, or the one of a port alone, whether it can work."""
    with closing(WorkerPool(1)) as pool:
        async with open_providers(settings, pool) as providers:
            ports = ("captioner", *("composer",) * len(providers.composers), "storage")
            named = zip(ports, providers.all, strict=True)
            findings = [
                finding
                for port, provider in named
                if only in ("", port)
                for finding in await _provider(port, provider, fix=fix)
            ]
    if only in ("", "captioner") and moderation_of(settings) == "off":
        findings.append(Finding(good=True, text=UNCHECKED))
    if only not in ("", "composer"):
        return findings
    return [*findings, *(Finding(good=True, text=_ability(name, can)) for name, can in providers.abilities.items())]


def _ability(name: str, can: Abilities) -> str:
    """Return what a composer can do, in one line."""
    lengths = f"{can.shortest_s} to {can.longest_s} s" if can.shortest_s < can.longest_s else f"{can.longest_s} s"
    prices = [f"${can.dollars_per_song:.2f} a song"] if can.dollars_per_song else []
    prices += [f"${can.dollars_per_minute:.2f} a minute"] if can.dollars_per_minute else []
    singing, looking = "can sing" if can.vocals else "cannot sing", ["sees the picture"] if can.picture else []
    facts = [lengths, singing, *looking, " and ".join(prices) or "costs nothing"]
    return f"{name} makes songs of {', '.join(facts)}. {can.licence}"


async def _try(settings: Settings, *, live: bool, yes: bool) -> list[Finding]:
    """Use the providers for real: all of them with `live`, else only a captioner on the host's own server."""
    from bot.cli.live import agreed, make_tiny_songs, read_tiny_picture

    return await (make_tiny_songs(settings, partial(agreed, yes=yes)) if live else read_tiny_picture(settings))


async def _provider(port: str, provider: Provider, *, fix: bool) -> list[Finding]:
    description = ""
    try:
        description = f": {provider.describe()}" if isinstance(provider, Describable) else ""
        await provider.check()
        notes = await _notes(provider, fix=fix)
    except Misconfigured as error:
        return [Finding(good=False, text=problem) for problem in error.problems]
    except Unavailable:
        text = f"{port} {provider.name} cannot be reached now{description}"
        return [Finding(good=False, text=text, away=provider.name)]
    return [Finding(good=True, text=text) for text in (f"{port} {provider.name}{description}", *notes)]


async def _notes(provider: Provider, *, fix: bool) -> list[str]:
    """Return what was fixed, or advice on what could be; Melodify makes songs without it too."""
    if not isinstance(provider, SelfRepairing):
        return []
    if fix:
        return await provider.fix()
    return [f"{sentence} Run `melodify check --fix`." for sentence in await provider.advice()]


async def _database(settings: Settings) -> list[Finding]:
    # Imported here because the import takes two seconds.
    from melodify_core.jobs.workers import only_process
    from melodify_core.library import SCHEMA, connect, database_path, lock_file, on_sqlite, schema_state

    if settings.database.url.startswith("sqlite") and (finding := _not_yet(database_path(settings.database.url))):
        return [finding]
    engine = await asyncio.to_thread(connect, settings.database.url)
    try:
        state = await asyncio.to_thread(schema_state, engine)
    finally:
        engine.dispose()
    if not on_sqlite(engine):
        good = state == "current"
        return [Finding(good=good, text=f"database {engine.url}" if good else SCHEMA[state])]
    if state == "newer":
        return [Finding(good=False, text=SCHEMA[state])]
    path = database_path(settings.database.url)
    try:
        with only_process(lock_file(settings.database.url)):
            return [Finding(good=True, text=f"database {path}")]
    except Running:
        return [Finding(good=True, text=f"database {path}: a running Melodify uses it", runs=True)]


def _not_yet(path: Path) -> Finding | None:
    """Look at the place of a database that the first start makes, if there is none: a check leaves none behind."""
    if os.path.lexists(path):
        return None
    there = next(parent for parent in path.absolute().parents if os.path.lexists(parent))
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        reason = f"{there} cannot be written" if there.is_dir() else f"{there} is not a folder"
        return Finding(good=False, text=f"database.url: {path} cannot be used: {reason}.")
    return Finding(good=True, text=f"database {path}: the first `melodify run` makes it")


async def _operating(settings: Settings) -> list[Finding]:
    """Check that the port is free and that traces can be exported."""
    findings = []
    where = f"{settings.ops.host}:{settings.ops.port}"
    try:
        async with operating(settings.ops, Health()):
            if settings.ops.port:
                findings.append(Finding(good=True, text=f"health and metrics: {where}"))
    except Misconfigured as error:
        runs = await answers_already(settings.ops)
        text = f"health and metrics: {where}: a Melodify answers there" if runs else str(error)
        findings.append(Finding(good=runs, text=text, runs=runs))
    if settings.ops.trace_endpoint is not None:
        export_traces(settings.ops)
        findings.append(Finding(good=True, text=f"traces go to {settings.ops.trace_endpoint}"))
    return findings


async def _song_page(settings: Settings) -> list[Finding]:
    if not settings.web.public_url:
        return []
    from bot.web.probe import reach

    good, text = await reach(settings.web)
    return [Finding(good=good, text=text)]
