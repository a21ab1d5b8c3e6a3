"""Calls the module of a command, with the settings."""

import argparse
import asyncio
import logging
import signal
from collections.abc import Callable, Coroutine
from dataclasses import fields
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Literal

from bot.cli.interrupts import interruptible
from bot.ops.logs import log_to_stderr
from melodify_core.config.loading import DEFAULT_FILE, load, log_format, secrets_of, source_of
from melodify_core.config.settings import Settings
from melodify_core.errors import Misconfigured
from melodify_core.media.worker_pool import WorkerPool
from melodify_core.providers import modules_of

NO_DEMO = 'The demo needs a package that is not installed: pip install "melodify[demo]". In a checkout: make demo.'
TERMINATED = 128 + signal.SIGTERM


def run(arguments: argparse.Namespace) -> int:
    """Run a command that is not `render`; return the exit code. Raises Misconfigured."""
    # Each command imports only what it needs.
    if arguments.command == "setup":
        return _set_up(arguments)
    settings = _settings(arguments)
    match arguments.command:
        case "migrate" | "backup" | "restore":
            return _on_database(arguments, settings)
        case _:
            return _run(_serving(arguments, settings))


def _settings(arguments: argparse.Namespace) -> Settings:
    """Return the settings. What is wrong with them is in the form of the log, as far as that can be known."""
    try:
        return load(arguments.config)
    except Misconfigured:
        if arguments.command in ("run", "worker"):
            log_to_stderr(logging.INFO, form=log_format(arguments.config))
        raise


def _set_up(arguments: argparse.Namespace) -> int:
    from bot.cli.setup import SetupOptions, set_up

    interruptible(cleanly=True)
    names = [each.name for each in fields(SetupOptions)]
    given = {name: getattr(arguments, name) for name in names}
    given["key_files"] = dict(arguments.key_files or ())
    given["values"] = dict(arguments.values or ())
    given["watch"] = None if arguments.watch is None else tuple(arguments.watch)
    return set_up(arguments.config or DEFAULT_FILE, SetupOptions(**given))


def _run(command: Coroutine[Any, Any, int]) -> int:
    interruptible(cleanly=True)
    return asyncio.run(command)


def _serving(arguments: argparse.Namespace, settings: Settings) -> Coroutine[Any, Any, int]:
    match arguments.command:
        case "check":
            from bot.cli.check import check

            # A call that fails for real is explained in the log.
            _log_to_stderr(settings, at_least=logging.WARNING if arguments.live else logging.ERROR)
            return check(
                settings,
                source_of(arguments.config),
                online=not arguments.offline,
                fix=arguments.fix,
                live=arguments.live,
                yes=arguments.yes,
            )
        case "demo":
            from melodify_core.providers import is_installed

            if not is_installed("simcord"):
                raise Misconfigured(NO_DEMO)
            from bot.cli.demo import demo

            return demo(settings, arguments.port)
        case "jobs":
            from bot.cli.jobs import jobs

            _log_to_stderr(settings, at_least=logging.ERROR)
            return jobs(settings, arguments.action, arguments.job, arguments.state, as_json=arguments.json)
        case "worker":
            from bot.cli.worker import work

            _log_to_stderr(settings, form=settings.log.format)
            return work(settings)
        case _:
            from bot.cli.run import run

            _log_to_stderr(settings, form=settings.log.format)
            return run(settings, works=not arguments.no_work)


def _on_database(arguments: argparse.Namespace, settings: Settings) -> int:
    """Do something with the database, and print the sentence on it."""
    work: Callable[[], str]
    match arguments.command:
        case "migrate":
            from melodify_core.bootstrap import migrate

            work = partial(migrate, settings)
        case "backup":
            from melodify_core.services.backups import backup, verify

            work = partial(verify, arguments.file) if arguments.verify else partial(backup, settings, arguments.file)
        case _:
            from melodify_core.services.backups import restore

            work = partial(restore, settings, arguments.file, datetime.now(UTC))
    interruptible(cleanly=True)
    print(work())
    return 0


def render(arguments: argparse.Namespace, pool: WorkerPool) -> int:
    """Run `render`; return the exit code. Raises Misconfigured."""
    settings = _settings(arguments)
    pool.preload(modules_of(settings))
    try:
        return _run(_rendering(arguments, settings, pool))
    except asyncio.CancelledError:
        return TERMINATED


def _rendering(arguments: argparse.Namespace, settings: Settings, pool: WorkerPool) -> Coroutine[Any, Any, int]:
    from bot.cli.render import RenderRequest, make
    from melodify_core.brief import HINT_CHARACTERS, clean
    from melodify_core.hints import length_of
    from melodify_core.models import Wish

    _log_to_stderr(settings, at_least=logging.ERROR)
    hint = clean(arguments.hint, HINT_CHARACTERS)
    wish = Wish(
        hint=hint,
        style=arguments.style,
        seconds=arguments.seconds or length_of(hint) or settings.song.default_seconds,
        language=arguments.lang or settings.language,
        seed=arguments.seed,
    )
    out = arguments.out or Path(f"{arguments.picture.stem or 'melodify'}.mp3")
    if out.suffix.lower() != ".mp3":
        raise Misconfigured(f"--out must name an MP3 file, and {out} does not end in .mp3.")
    if arguments.midi is not None and arguments.midi.suffix.lower() not in (".mid", ".midi"):
        raise Misconfigured(f"--midi must name a MIDI file, and {arguments.midi} does not end in .mid.")
    request = RenderRequest(arguments.picture, out, wish, arguments.json, arguments.midi)
    return make(request, settings, pool)


def _log_to_stderr(settings: Settings, at_least: int = 0, form: Literal["auto", "text", "json"] = "text") -> None:
    level = max(logging.getLevelNamesMapping()[settings.log.level], at_least)
    log_to_stderr(level, secrets_of(settings), form)
