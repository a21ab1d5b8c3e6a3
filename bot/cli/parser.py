"""What can be typed: the commands and their options. What an option needs is imported when its command is typed."""

import argparse
import json
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NoReturn, get_args

# These settings have options of their own.
_ASKED_FOR = ("captioner", "composer", "language", "discord.token_file")


class _Parser(argparse.ArgumentParser):
    """Asks whether another command was meant."""

    def error(self, message: str) -> NoReturn:
        from melodify_core.config.suggestions import closest

        wrong = re.search(r"invalid choice: '(.*)' \(choose from (.*)\)", message)
        super().error(message + (closest(wrong[1], re.findall(r"[\w-]+", wrong[2])) if wrong else ""))


class Command(_Parser):
    """The parser of one command. Its options are added when it is this command that was typed."""

    def __init__(self, *args: Any, options: Callable[["Command"], None] | None = None, **given: Any) -> None:
        """Create the parser; `options` adds its options."""
        super().__init__(*args, **given)
        self._adds_options = options

    def add_options(self) -> None:
        """Add the options, unless they are there."""
        adds, self._adds_options = self._adds_options, None
        if adds is not None:
            adds(self)

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse what follows the command."""
        self.add_options()
        return super().parse_known_args(args, namespace)


class _Version(argparse.Action):
    """Prints the version. Unlike argparse's own action it asks for it only when it is wanted, and keeps its lines."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        from bot.cli.version import described_version

        print(described_version())
        parser.exit()


def command_line() -> argparse.ArgumentParser:
    """Return the parser of all commands. It imports nothing until one is known."""
    parser = _Parser(prog="melodify", description="Turns pictures into songs in Discord.")
    parser.add_argument("--version", action=_Version, nargs=0, help="print version, commit, Python and extras")
    parser.add_argument("--config", type=Path, help="settings file (default: $MELODIFY_CONFIG, then ./config.toml)")
    commands = parser.add_subparsers(dest="command", required=True, parser_class=Command)
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
    commands.add_parser(
        "setup", help="ask for token, providers and folders, and write the settings", options=_add_setup
    )
    commands.add_parser("jobs", help="list, show, cancel and retry jobs, also while the bot runs", options=_add_jobs)
    backup = commands.add_parser("backup", help="copy the SQLite database consistently, also while it is in use")
    backup.add_argument("--verify", action="store_true", help="copy nothing: check that FILE is a complete copy")
    backup.add_argument("file", type=Path, help="the copy; it must not exist yet, except with --verify")
    restore = commands.add_parser("restore", help="put a copy in the SQLite database's place; the bot must not run")
    restore.add_argument("file", type=Path, help="a copy that `melodify backup` has made")
    commands.add_parser("render", help="make one song from a picture file, without Discord", options=_add_render)
    return parser


def _add_setup(setup: Command) -> None:
    from melodify_core.config.settings import Settings

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


def _setting(text: str) -> tuple[str, Any]:
    from melodify_core.config.loading import passwords_in, secret_names
    from melodify_core.config.settings import Section, Settings
    from melodify_core.config.suggestions import setting_like

    name, equals, value = text.partition("=")
    section = Settings.model_fields[name].annotation if name in Settings.model_fields else None
    is_section = isinstance(section, type) and issubclass(section, Section)
    if is_section or not equals or setting_like(name) != f" Did you mean {name}?":
        raise argparse.ArgumentTypeError(f"must be NAME=VALUE, with the name of a setting.{setting_like(name)}")
    if name in _ASKED_FOR:
        raise argparse.ArgumentTypeError(f"cannot set {name}: use --{name.rpartition('.')[2].replace('_', '-')}.")
    if name in secret_names():
        raise argparse.ArgumentTypeError(
            f"must name no secret, and {name} is one: write it to a file, and use {_file_of(name)}."
        )
    if name == "database.url" and passwords_in(value):
        raise argparse.ArgumentTypeError(f"must hold no password: put {name} into the variable MELODIFY_DATABASE__URL.")
    return name, _list_in(value) if value.startswith("[") else value


def _list_in(text: str) -> list[Any]:
    try:
        return list(json.loads(text))
    except ValueError as error:
        raise argparse.ArgumentTypeError('must write a list as JSON, such as [1, 2] or ["a", "b"].') from error


def _file_of(name: str) -> str:
    """Return the option for the file with a secret."""
    provider, _, key = name.partition(".")
    if name == "discord.token":
        return "--token-file"
    return f"--key-file {provider}=FILE" if key == "api_key" else f"--set {name}_file=FILE"


def _add_jobs(jobs: Command) -> None:
    from melodify_core.models import UsageState

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


def _add_render(render: Command) -> None:
    render.add_argument("picture", type=Path, help="JPEG, PNG, WebP, GIF, AVIF, HEIC, BMP or TIFF")
    render.add_argument("--out", type=Path, help="the MP3 to write (default: the picture's name in this folder)")
    render.add_argument("--midi", type=Path, help="also write the score, as a MIDI file")
    render.add_argument("--seconds", type=_WholeNumber(10, 120), help="length, 10 to 120")
    render.add_argument("--style", choices=_Styles(), default="auto", metavar="STYLE", help="%(choices)s")
    render.add_argument("--hint", default="", help="what it should sound like, in a few words")
    render.add_argument("--seed", type=_WholeNumber(0, 2**31 - 1), help="another number, another take")
    render.add_argument("--lang", choices=("en", "ko"), help="language of title and caption")
    render.add_argument("--json", action="store_true", help="print the result as JSON")


class _Styles(Iterable[str]):
    """The styles, which are read when one is asked for."""

    def __iter__(self) -> Iterator[str]:
        from bot.i18n.style_names import offered_styles

        return iter(sorted(offered_styles()))


class _WholeNumber:
    """An argparse type: a whole number within bounds, both included."""

    def __init__(self, least: int, most: int) -> None:
        self._least, self._most = least, most

    def __call__(self, text: str) -> int:
        number = int(text) if text.isascii() and text.removeprefix("-").isdigit() else None
        if number is None or not self._least <= number <= self._most:
            raise argparse.ArgumentTypeError(f"must be a whole number from {self._least} to {self._most}")
        return number
