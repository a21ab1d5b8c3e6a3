"""What a command prints: in whatever encoding the terminal has, and a disk that is full is one sentence."""

import io
import os
import shlex
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO


class OutputLost(Exception):
    """Standard output cannot be written; the cause says why."""


class Output(io.TextIOWrapper):
    """Standard output. An error of it is distinguished from all other errors of the system."""

    def write(self, text: str, /) -> int:
        """Write the text. Raises OutputLost."""
        try:
            return super().write(text)
        except OSError as error:
            raise OutputLost from error

    def flush(self) -> None:
        """Write what is buffered. Raises OutputLost."""
        try:
            super().flush()
        except OSError as error:
            raise OutputLost from error


@contextmanager
def command_output() -> Iterator[None]:
    """Take care of standard output. Exit with 1 when it is lost: silently where its reader has gone, as others do."""
    for descriptor in range(3):
        _reserve(descriptor)
    if sys.stderr is None:
        # Without one, `print` would take standard output for it.
        sys.stderr = Path(os.devnull).open("w")  # noqa: SIM115 - as long as the process
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A terminal without Korean shows question marks.
        sys.stdout = Output(sys.stdout.buffer, sys.stdout.encoding, "replace", line_buffering=sys.stdout.line_buffering)
    try:
        try:
            yield
        finally:
            if sys.stdout is not None:
                sys.stdout.flush()
    except OutputLost as error:
        # Python writes the rest when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        if not isinstance(error.__cause__, BrokenPipeError):
            with suppress(OSError):
                reason = getattr(error.__cause__, "strerror", None) or error.__cause__
                print(f"Standard output cannot be written: {reason}.", file=sys.stderr)
        sys.exit(1)


def _reserve(descriptor: int) -> None:
    """Open a standard stream that the caller has closed: the next file or pipe would take its place."""
    try:
        os.fstat(descriptor)
    except OSError:
        os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)


def program() -> str:
    """Return what a person types in a shell to start Melodify again: in a checkout that is not on the path."""
    given = Path(sys.argv[0])
    if given.name != "melodify" or not given.is_file():
        return "melodify"
    found = shutil.which("melodify")
    return "melodify" if found and given.samefile(found) else shlex.quote(sys.argv[0])


def can_say(stream: TextIO | None, text: str) -> bool:
    """Return whether the stream's encoding has all characters of the text."""
    try:
        text.encode(getattr(stream, "encoding", None) or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
