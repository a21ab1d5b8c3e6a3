"""The command line: parses the arguments, runs the command and exits."""

import argparse
import gc
import logging
import sys
from contextlib import closing
from typing import NoReturn

from bot.cli.interrupts import interruptible
from bot.cli.output import command_output
from bot.cli.parser import command_line
from melodify_core.errors import Misconfigured

log = logging.getLogger(__name__)
MISCONFIGURED = 2
INTERRUPTED = 130


def main() -> NoReturn:
    """Run the command and exit: 0 done, 1 no song or not ready, 2 wrong settings or usage."""
    with command_output():
        try:
            arguments = command_line().parse_args()
            code = _render(arguments) if arguments.command == "render" else _run(arguments)
        except Misconfigured as error:
            _report(error)
            code = MISCONFIGURED
        except KeyboardInterrupt:
            code = INTERRUPTED
        interruptible(cleanly=False)
        # At its exit Python would once more look for garbage in all modules, for a sixth of a second.
        gc.freeze()
        sys.exit(code)


def _run(arguments: argparse.Namespace) -> int:
    from bot.cli.commands import run

    return run(arguments)


def _render(arguments: argparse.Namespace) -> int:
    from melodify_core.media.worker_pool import WorkerPool

    # One song never needs two worker processes at once.
    with closing(WorkerPool(1)) as pool:
        # While the worker imports what every song needs, this process does too.
        pool.preload(["melodify_core.media.picture"])
        from bot.cli.commands import render

        return render(arguments, pool)


def _report(error: Misconfigured) -> None:
    """Report the problems in the form of the log: a reader of JSON gets JSON to the end."""
    from bot.ops.logs import speaks_json

    if not speaks_json():
        print("\n".join(error.problems), file=sys.stderr)
        return
    for problem in error.problems:
        log.critical("%s", problem)
