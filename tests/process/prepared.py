"""Real processes of our program that need not import all of its packages anew, which takes more than a second each.

One interpreter has imported them and forks for each start. What it forks is a process of its own like any other: its
environment, folder, threads, signals and end. What an interpreter does before the first line of ours, and that songs do
not depend on its hash seed, only an interpreter of their own proves: some tests say `fresh`.
"""

import asyncio
import atexit
import fcntl
import gc
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
import termios
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import IO, NoReturn

ROOT = Path(__file__).parents[2]
REQUEST_BYTES = 1 << 20
# What coverage puts into the environment of processes that it shall measure, where the tests keep it aside.
MEASURES = "COVERAGE_PROCESS_CONFIG_ASIDE"
# What the commands import, but none of the modules that run as `__main__`.
MODULES = (
    *(
        "bot.cli.check",
        "bot.cli.demo",
        "bot.cli.jobs",
        "bot.cli.render",
        "bot.cli.run",
        "bot.cli.setup",
        "bot.cli.worker",
        "bot.web.serving",
    ),
    *(
        "melodify_core.services.job_admin",
        "melodify_core.jobs.engine",
        "melodify_core.bootstrap",
        "melodify_core.jobs.workers",
    ),
    *("alembic.command", "sqlalchemy.dialects.sqlite", "tests.stories", "coverage.sqldata"),
)


def measured(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment for a fresh interpreter that coverage measures, if it measures at all."""
    return (
        {**environment, "COVERAGE_PROCESS_CONFIG": environment[MEASURES]}
        if MEASURES in environment
        else {**environment}
    )


class Prepared:
    """A started process, as asyncio.subprocess.Process is one. What it says goes to files."""

    def __init__(
        self, arguments: Sequence[str], folder: Path, environment: Mapping[str, str], terminal: int | None = None
    ) -> None:
        """Run `python -m` with the arguments, in a terminal if there is one: then what it says is said there."""
        self._out, self._errors = (tempfile.TemporaryFile() for _ in range(2))  # noqa: SIM115 - closed at the end
        self._connection, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        request = json.dumps([list(arguments), str(folder), dict(environment)]).encode()
        with theirs:
            files = [theirs.fileno(), self._out.fileno(), self._errors.fileno()]
            files = files if terminal is None else [theirs.fileno(), terminal, terminal]
            socket.send_fds(_server(), [request], files)
        self.pid = int(self._connection.recv(64))
        self._code: int | None = None
        self._said = b"", b""

    @property
    def returncode(self) -> int | None:
        """As subprocess has it: None while it runs, -N when signal N ended it."""
        if self._code is None:
            with suppress(BlockingIOError):
                self._code = int(self._connection.recv(64, socket.MSG_DONTWAIT))
                self._said = _all_of(self._out), _all_of(self._errors)
                self._connection.close()
        return self._code

    def send_signal(self, number: signal.Signals) -> None:
        if self.returncode is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    async def wait(self) -> int:
        while (code := self.returncode) is None:
            await asyncio.sleep(0.02)
        return code

    async def communicate(self) -> tuple[bytes, bytes]:
        await self.wait()
        return self._said

    def finish(self, timeout_s: float) -> subprocess.CompletedProcess[str]:
        """Wait without an event loop; what takes longer is killed."""
        if self._code is None and not select.select([self._connection], [], [], timeout_s)[0]:
            self.kill()
            select.select([self._connection], [], [])
        code = self.returncode
        assert code is not None
        return subprocess.CompletedProcess((), code, *(said.decode() for said in self._said))


def _all_of(file: IO[bytes]) -> bytes:
    with file:
        return os.pread(file.fileno(), os.fstat(file.fileno()).st_size, 0)


@cache
def _server() -> socket.socket:
    """Start the interpreter that forks; it ends when this process does."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, REQUEST_BYTES)
    # Importing is measured where a test imports.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.process.prepared", str(theirs.fileno())],
            cwd=ROOT,
            env=environment,
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
        )
    atexit.register(_end, ours, process)
    return ours


def _end(control: socket.socket, process: subprocess.Popen[bytes]) -> None:
    control.close()
    process.wait(30)  # its CPU time counts as ours


def _serve(control: socket.socket) -> None:
    """Fork for each request until the other end is gone."""
    while True:
        request, files, _, _ = socket.recv_fds(control, REQUEST_BYTES, 3)
        if not request:
            break
        if os.fork() == 0:
            control.close()
            _detector(request, files)
        for file in files:
            os.close(file)
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG) != (0, 0):
                pass
    with suppress(ChildProcessError):
        while True:
            os.wait()


def _detector(request: bytes, files: list[int]) -> NoReturn:
    """Fork the process itself, and report its id and its end."""
    connection = socket.socket(fileno=files[0])
    child = os.fork()
    if child == 0:
        connection.close()
        _become(*json.loads(request), *files[1:])
    connection.send(str(child).encode())
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    with suppress(BrokenPipeError):
        connection.send(str(code).encode())
    os._exit(0)


def _become(arguments: list[str], folder: str, environment: dict[str, str], out: int, errors: int) -> NoReturn:
    terminal = os.isatty(out)
    if terminal:
        os.setsid()
        fcntl.ioctl(out, termios.TIOCSCTTY, 0)
        os.dup2(out, 0)
    for ours, theirs in ((out, 1), (errors, 2)):
        os.dup2(ours, theirs)
        os.close(ours)
    if terminal:  # the interpreter's own were made for files
        for number, name in enumerate(("stdin", "stdout", "stderr")):
            stream = open(number, "w" if number else "r", buffering=1)  # noqa: PTH123, SIM115 - until the end
            vars(sys).update({name: stream, f"__{name}__": stream})
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    if MEASURES in environment:
        import coverage

        os.environ["COVERAGE_PROCESS_CONFIG"] = os.environ.pop(MEASURES)
        coverage.process_startup()
        del os.environ["COVERAGE_PROCESS_CONFIG"]  # for this process, not for its worker processes
    sys.argv = arguments
    runpy.run_module(arguments[0], run_name="__main__", alter_sys=True)
    sys.exit()


if __name__ == "__main__":
    for module in MODULES:
        import_module(module)
    gc.freeze()
    _serve(socket.socket(fileno=int(sys.argv[1])))
