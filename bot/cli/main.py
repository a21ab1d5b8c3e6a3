"""The command line: parses the arguments and calls the module of the command."""

import argparse
import asyncio
import logging
import re
import signal
import sys
from collections.abc import Callable, Coroutine
from dataclasses import fields
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Literal, NoReturn, get_args

from bot.cli.output import command_output
from bot.i18n.style_names import offered_styles
from bot.ops.logs import log_to_stderr, speaks_json
from melodify_core.config.loading import DEFAULT_FILE, load, log_format, secrets_of, source_of
from melodify_core.config.settings import Settings
from melodify_core.config.suggestions import closest, setting_like
from melodify_core.errors import Misconfigured
from melodify_core.models import UsageState

log = logging.getLogger(__name__)
MISCONFIGURED = 2
NO_DEMO = 'The demo needs a package that is not installed: pip install "melodify[demo]". In a checkout: make demo.'
INTERRUPTED = 130


def main() -> NoReturn:
    """Run the command and exit: 0 done, 1 no song or not ready, 2 wrong settings or usage."""
    with command_output():
        try:
            arguments = _parser().parse_args()
            code = _set_up(arguments) if arguments.command == "setup" else _command(arguments, _settings(arguments))
        except Misconfigured as error:
            _report(error)
            code = MISCONFIGURED
        except KeyboardInterrupt:
            code = INTERRUPTED
        _interruptible(cleanly=False)
        sys.exit(code)


def _interruptible(*, cleanly: bool) -> None:
    """Let Ctrl-C raise KeyboardInterrupt, or just end the process. A process that ignores it goes on doing so."""
    if signal.getsignal(signal.SIGINT) in (signal.SIG_DFL, signal.default_int_handler):
        signal.signal(signal.SIGINT, signal.default_int_handler if cleanly else signal.SIG_DFL)


def _settings(arguments: argparse.Namespace) -> Settings:
    """Return the settings. What is wrong with them is in the form of the log, as far as that can be known."""
    try:
        return load(arguments.config)
    except Misconfigured:
        if arguments.command in ("run", "worker"):
            log_to_stderr(logging.INFO, form=log_format(arguments.config))
        raise


def _report(error: Misconfigured) -> None:
    """Report the problems in the form of the log: a reader of JSON gets JSON to the end."""
    if not speaks_json():
        print("\n".join(error.problems), file=sys.stderr)
        return
    for problem in error.problems:
        log.critical("%s", problem)


def _command(arguments: argparse.Namespace, settings: Settings) -> int:
    # Each command imports only what it needs: `render` never waits for Discord's or the engine's packages.
    match arguments.command:
        case "render":
            return _run(_render(arguments, settings))
        case "migrate" | "backup" | "restore":
            return _on_database(arguments, settings)
        case _:
            return _run(_serving(arguments, settings))


def _set_up(arguments: argparse.Namespace) -> int:
    from bot.cli.setup import SetupOptions, set_up

    _interruptible(cleanly=True)
    names = [each.name for each in fields(SetupOptions)]
    given = {name: getattr(arguments, name) for name in names}
    given["key_files"] = dict(arguments.key_files or ())
    given["values"] = dict(arguments.values or ())
    given["watch"] = None if arguments.watch is None else tuple(arguments.watch)
    return set_up(arguments.config or DEFAULT_FILE, SetupOptions(**given))


def _run(command: Coroutine[Any, Any, int]) -> int:
    _interruptible(cleanly=True)
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
    _interruptible(cleanly=True)
    print(work())
    return 0


def _render(arguments: argparse.Namespace, settings: Settings) -> Coroutine[Any, Any, int]:
    from bot.cli.render import RenderRequest, render
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
    return render(request, settings)


def _log_to_stderr(settings: Settings, at_least: int = 0, form: Literal["auto", "text", "json"] = "text") -> None:
    level = max(logging.getLevelNamesMapping()[settings.log.level], at_least)
    log_to_stderr(level, secrets_of(settings), form)


class _Parser(argparse.ArgumentParser):
    """Asks whether another command was meant."""

    def error(self, message: str) -> NoReturn:
        wrong = re.search(r"invalid choice: '(.*)' \(choose from (.*)\)", message)
        super().error(message + (closest(wrong[1], re.findall(r"[\w-]+", wrong[2])) if wrong else ""))


class _Version(argparse.Action):
    """Prints the version. Unlike argparse's own action it asks for it only when it is wanted, and keeps its lines."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        from bot.cli.version import described_version

        print(described_version())
        parser.exit()


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="melodify", description="Turns pictures into songs in Discord.")
    parser.add_argument("--version", action=_Version, nargs=0, help="print version, commit, Python and extras")
    parser.add_argument("--config", type=Path, help="settings file (default: $MELODIFY_CONFIG, then ./config.toml)")
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="connect to Discord and make songs until stopped")
    run.add_argument("--no-work", action="store_true", help="take orders only: `melodify worker` makes the songs")
    commands.add_parser("worker", help="make songs without a gateway connection, beside `run` (needs PostgreSQL)")
    commands.add_parser("migrate", help="bring the database's tables up to date")
    demo = commands.add_parser("demo", help="try the bot in a simulated Discord in the browser: no token, no network")
    demo.add_argument(
        "--port", type=_WholeNumber(0, 65535), default=8765, help="port on 127.0.0.1 (default 8765; 0: any)"
    )
    check = commands.add_parser("check", help="report what is configured, what is missing and how to fix it")
    check.add_argument("--offline", action="store_true", help="do not ask Discord about the token")
    check.add_argument("--fix", action="store_true", help="set what Melodify can set itself: the bucket's rules")
    check.add_argument("--live", action="store_true", help="make a short song with the providers; asks before it pays")
    check.add_argument("--yes", action="store_true", help="with --live: do not ask")
    _add_setup(commands.add_parser("setup", help="ask for token, providers and folders, and write the settings"))
    _add_jobs(commands.add_parser("jobs", help="list, show, cancel and retry jobs, also while the bot runs"))
    backup = commands.add_parser("backup", help="copy the SQLite database consistently, also while it is in use")
    backup.add_argument("--verify", action="store_true", help="copy nothing: check that FILE is a complete copy")
    backup.add_argument("file", type=Path, help="the copy; it must not exist yet, except with --verify")
    restore = commands.add_parser("restore", help="put a copy in the SQLite database's place; the bot must not run")
    restore.add_argument("file", type=Path, help="a copy that `melodify backup` has made")
    _add_render(commands.add_parser("render", help="make one song from a picture file, without Discord"))
    return parser


def _add_setup(setup: argparse.ArgumentParser) -> None:
    setup.add_argument("--language", choices=("en", "ko"), help="language of the set-up, and of members without one")
    setup.add_argument("--token-file", type=Path, help="file with the bot's token")
    for port in ("captioner", "composer"):
        setup.add_argument(f"--{port}", choices=get_args(Settings.model_fields[port].annotation))
    setup.add_argument(
        "--key-file",
        dest="key_files",
        type=_named_file,
        action="append",
        metavar="PROVIDER=FILE",
        help="file with the provider's key",
    )
    setup.add_argument(
        "--set", dest="values", type=_setting, action="append", metavar="NAME=VALUE", help="any other setting"
    )
    setup.add_argument("--data", type=Path, help="folder for database, pictures and songs (default: data)")
    setup.add_argument("--watch", nargs="*", help="ids of channels to watch")
    setup.add_argument("--service", choices=("none", "user", "system", "compose"), help="what starts the bot")
    setup.add_argument("--offline", action="store_true", help="check nothing against Discord and the providers")
    setup.add_argument("--yes", action="store_true", help="ask nothing: what no option sets stays as it is")
    setup.add_argument("--check", action="store_true", help="show what would be written, and write nothing")


def _named_file(text: str) -> tuple[str, Path]:
    name, equals, file = text.partition("=")
    if not (name and equals and file):
        raise argparse.ArgumentTypeError("must be PROVIDER=FILE")
    return name, Path(file)


def _setting(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or setting_like(name) != f" Did you mean {name}?":
        raise argparse.ArgumentTypeError(f"must be NAME=VALUE, with the name of a setting.{setting_like(name)}")
    return name, value


def _add_jobs(jobs: argparse.ArgumentParser) -> None:
    actions = jobs.add_subparsers(dest="action")
    jobs.set_defaults(action="list", job=None, state=None, json=False)
    listing = actions.add_parser("list", help="the newest jobs")
    listing.add_argument("--state", choices=get_args(UsageState), help="only those in this state")
    listing.add_argument("--json", action="store_true", help="print JSON")
    show = actions.add_parser("show", help="everything that is known about a job")
    show.add_argument("job")
    show.add_argument("--json", action="store_true", help="print JSON")
    actions.add_parser("cancel", help="end a job that waits or runs").add_argument("job")
    actions.add_parser("retry", help="queue a failed job again").add_argument("job")


def _add_render(render: argparse.ArgumentParser) -> None:
    render.add_argument("picture", type=Path, help="JPEG, PNG, WebP, GIF, AVIF, HEIC, BMP or TIFF")
    render.add_argument("--out", type=Path, help="the MP3 to write (default: the picture's name in this folder)")
    render.add_argument("--midi", type=Path, help="also write the score, as a MIDI file")
    render.add_argument("--seconds", type=_WholeNumber(10, 120), help="length, 10 to 120")
    render.add_argument("--style", choices=sorted(offered_styles()), default="auto")
    render.add_argument("--hint", default="", help="what it should sound like, in a few words")
    render.add_argument("--seed", type=_WholeNumber(0, 2**31 - 1), help="another number, another take")
    render.add_argument("--lang", choices=("en", "ko"), help="language of title and caption")
    render.add_argument("--json", action="store_true", help="print the result as JSON")


class _WholeNumber:
    """An argparse type: a whole number within bounds, both included."""

    def __init__(self, least: int, most: int) -> None:
        self._least, self._most = least, most

    def __call__(self, text: str) -> int:
        number = int(text) if text.isascii() and text.removeprefix("-").isdigit() else None
        if number is None or not self._least <= number <= self._most:
            raise argparse.ArgumentTypeError(f"must be a whole number from {self._least} to {self._most}")
        return number
