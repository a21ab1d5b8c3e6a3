"""The command line: run | worker | migrate | demo | render | check. Each command's work stands in its own module."""

import argparse
import asyncio
import logging
import sys
from pathlib import Path
from typing import NoReturn

from bot.logs import log_to_stderr
from melodify_core.brief import STYLES
from melodify_core.errors import Misconfigured
from melodify_core.settings import Settings, load, secrets_of

MISCONFIGURED = 2
INTERRUPTED = 130


def main() -> NoReturn:
    """Run the command and exit: 0 done, 1 no song or not ready, 2 wrong settings or usage."""
    arguments = _parser().parse_args()
    try:
        sys.exit(_command(arguments, load(arguments.config)))
    except Misconfigured as error:
        print("\n".join(error.problems), file=sys.stderr)
        sys.exit(MISCONFIGURED)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


def _command(arguments: argparse.Namespace, settings: Settings) -> int:
    # Each command imports only what it needs: `render` never waits for Discord's or the engine's packages.
    match arguments.command:
        case "render":
            return _render(arguments, settings)
        case "check":
            from bot.check import check

            _log_to_stderr(settings, at_least=logging.ERROR)
            return asyncio.run(check(settings, online=not arguments.offline, mend=arguments.fix))
        case "demo":
            from bot.demo import demo

            return asyncio.run(demo(settings, arguments.port))
        case "migrate":
            return _migrate(settings)
        case "worker":
            from bot.run import work

            _log_to_stderr(settings)
            return asyncio.run(work(settings))
        case _:
            from bot.run import run

            _log_to_stderr(settings)
            return asyncio.run(run(settings, works=not arguments.no_work))


def _migrate(settings: Settings) -> int:
    from melodify_core.opening import migrate

    print(migrate(settings))
    return 0


def _render(arguments: argparse.Namespace, settings: Settings) -> int:
    from bot.render import Request, render
    from melodify_core.brief import HINT_CHARACTERS, clean
    from melodify_core.models import Wish

    _log_to_stderr(settings, at_least=logging.ERROR)
    wish = Wish(
        hint=clean(arguments.hint, HINT_CHARACTERS),
        style=arguments.style,
        seconds=arguments.seconds or settings.song.default_seconds,
        language=arguments.lang or settings.language,
        seed=arguments.seed,
    )
    out = arguments.out or Path(f"{arguments.picture.stem}.mp3")
    if out.suffix.lower() != ".mp3":
        raise Misconfigured(f"--out must name an MP3 file, and {out} does not end in .mp3.")
    return asyncio.run(render(Request(arguments.picture, out, wish, arguments.json), settings))


def _log_to_stderr(settings: Settings, at_least: int = 0) -> None:
    level = max(logging.getLevelNamesMapping()[settings.log.level], at_least)
    log_to_stderr(level, secrets_of(settings))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="melodify", description="Turns a picture into music inside Discord.")
    parser.add_argument("--config", type=Path, help="settings file (default: $MELODIFY_CONFIG, then ./config.toml)")
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="connect to Discord and make songs until stopped")
    run.add_argument("--no-work", action="store_true", help="take orders only: `melodify worker` makes the songs")
    commands.add_parser("worker", help="make songs without a gateway connection, beside `run` (needs PostgreSQL)")
    commands.add_parser("migrate", help="bring the database's tables up to date")
    demo = commands.add_parser("demo", help="try the bot in a simulated Discord in the browser: no token, no network")
    demo.add_argument("--port", type=_Whole(0, 65535), default=8765, help="port on 127.0.0.1 (default 8765; 0: any)")
    check = commands.add_parser("check", help="tell what is configured, what is missing and how to mend it")
    check.add_argument("--offline", action="store_true", help="do not ask Discord about the token")
    check.add_argument("--fix", action="store_true", help="set what Melodify can set itself: the bucket's rules")
    _add_render(commands.add_parser("render", help="make one song from a picture file, without Discord"))
    return parser


def _add_render(render: argparse.ArgumentParser) -> None:
    render.add_argument("picture", type=Path, help="JPEG, PNG, WebP, GIF, AVIF, HEIC, BMP or TIFF")
    render.add_argument("--out", type=Path, help="the MP3 to write (default: the picture's name in this folder)")
    render.add_argument("--seconds", type=_Whole(10, 120), help="length, 10 to 120")
    render.add_argument("--style", choices=sorted(STYLES), default="auto")
    render.add_argument("--hint", default="", help="a wish in a few words")
    render.add_argument("--seed", type=_Whole(0, 2**31 - 1), help="another number, another take")
    render.add_argument("--lang", choices=("en", "ko"), help="language of title and caption")
    render.add_argument("--json", action="store_true", help="print the result as JSON")


class _Whole:
    """An argparse type: a whole number within bounds."""

    def __init__(self, least: int, most: int) -> None:
        self._least, self._most = least, most

    def __call__(self, text: str) -> int:
        number = int(text) if text.isascii() and text.removeprefix("-").isdigit() else None
        if number is None or not self._least <= number <= self._most:
            raise argparse.ArgumentTypeError(f"must be a whole number from {self._least} to {self._most}")
        return number
