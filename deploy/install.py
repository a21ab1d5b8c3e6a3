"""Installs the pinned packages into a virtual environment: `python3 deploy/install.py demo`.

The Makefile and the images call it. It needs only the standard library, and a Python that is too old can still parse
it far enough to report that. pip fetches uv, and uv installs; when uv is not available or fails, pip installs.
"""

import argparse
import hashlib
import json
import os
import re
import select
import shutil
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Callable, Iterator, NamedTuple, cast

ROOT = Path(__file__).resolve().parent.parent
OLDEST = (3, 11)
UV = "requirements-uv.txt"
BUILD = "requirements-build.txt"
LINE_EVERY_S = 5.0
LOOK_EVERY_S = 0.5
UV_MB = 22
MIB = 1 << 20
# A pinned list is complete: nothing is resolved again, and every file must match one of the hashes.
PINNED = ("--no-deps", "--require-hashes")
ITSELF = ("--no-deps", "--no-build-isolation")


class Environment(NamedTuple):
    """The contents of one virtual environment."""

    folder: str
    requirements: "tuple[str, ...]"
    fetched_mb: int  # on Linux x86-64; benchmarks/setup.py prints it
    installed_mb: int
    melodify: bool = True  # with Melodify itself, from this folder
    contains: "tuple[str, ...]" = ()  # the environments that this one includes


ENVIRONMENTS = {
    "demo": Environment(".venv", ("requirements-demo.txt", BUILD), 180, 550),
    "run": Environment(".venv", ("requirements-run.txt", BUILD), 250, 900),
    "develop": Environment(".venv", ("requirements.txt",), 500, 1600, contains=("demo", "run")),
    "pipeline": Environment(".venv-pipeline", ("deploy/pipeline/requirements.txt",), 90, 400, melodify=False),
    "quality": Environment(".venv-quality", ("quality/requirements.txt",), 300, 900, melodify=False),
    "docs": Environment(".venv-docs", ("docs/requirements.txt",), 50, 210, melodify=False),
    "musicgen": Environment(".venv-musicgen", ("deploy/pipeline/requirements-musicgen.txt",), 120, 500, melodify=False),
    "image": Environment("/opt/melodify", ("requirements-image.txt", BUILD), 280, 700),
    "image-full": Environment("/opt/melodify", ("requirements-run.txt", BUILD), 300, 900),
}
IMAGES = ("image", "image-full")


class Failed(Exception):
    """The installation cannot continue; the text is for the person at the terminal."""


class Attempt(NamedTuple):
    """The result of one installer run."""

    ok: bool
    output: str


def main() -> None:
    """Install the environment that the command line names, and exit: 0 complete, 1 failed, 130 interrupted."""
    parser = argparse.ArgumentParser(description="Install the pinned packages of one of Melodify's environments.")
    parser.add_argument("name", choices=sorted(ENVIRONMENTS))
    parser.add_argument("--into", help="the environment's folder, where it is not the usual one")
    arguments = parser.parse_args()
    environment = ENVIRONMENTS[arguments.name]
    if arguments.into:
        environment = environment._replace(folder=arguments.into)
    try:
        check_python(sys.version_info[:2])
        Installation(arguments.name, environment).run()
    except Failed as failure:
        sys.exit(f"\n{failure}")
    except KeyboardInterrupt:
        print("\nInterrupted. The same command goes on from here.", file=sys.stderr)
        sys.exit(130)
    except OSError as error:
        sys.exit(f"\n{explain(str(error), environment)}")


def check_python(version: "tuple[int, ...]") -> None:
    """Raise Failed when this Python is too old or cannot create environments."""
    if version < OLDEST:
        found = ".".join(map(str, version))
        raise Failed(
            f"Melodify needs Python 3.11 or newer, this is {found}. Say which one to use: make PYTHON=python3.12 ..."
        )
    if not (find_spec("venv") and find_spec("ensurepip")):
        raise Failed(
            "This Python cannot make virtual environments. On Debian and Ubuntu `sudo apt install python3-venv` adds "
            "what is missing; then run the same command again."
        )


class Installation:
    """Brings one environment up to date."""

    def __init__(self, name: str, environment: Environment) -> None:
        self.name, self.environment = name, environment
        self.folder = ROOT / environment.folder
        self.python = self.folder / "bin" / "python"
        self.marker = self.folder.parent / f"{self.folder.name}.installing"

    def run(self) -> None:
        """Install what is missing; do nothing when the environment is complete."""
        if self.is_complete():
            return
        # An interrupted installation may look complete and lack files, so its environment is created again.
        keep = self.works() and not self.marker.exists()
        self.announce(keep=keep)
        self.marker.touch()
        if not keep:
            self.make_environment()
        environment = self.environment
        self.install([word for file in environment.requirements for word in ("-r", file)], PINNED)
        if environment.melodify:
            self.install(["."] if self.name in IMAGES else ["-e", "."], ITSELF)
        if self.name in ("demo", *IMAGES):
            self.remove(BUILD, *([UV] if self.name in IMAGES else []))
        for name in (self.name, *environment.contains):
            self.stamp(name).write_text(self.fingerprint(name))
        self.marker.unlink()
        say(f"{environment.folder} ({self.name}) is ready.")

    def is_complete(self) -> bool:
        """Return whether the last installation was completed, with this Python and these lists, in this folder."""
        try:
            stamped = self.stamp(self.name).read_text(errors="replace") == self.fingerprint(self.name)
        except OSError:
            return False
        return stamped and self.python.exists() and not self.marker.exists()

    def stamp(self, name: str) -> Path:
        """Return the file that records which lists the environment was completed with."""
        return self.folder / f".installed-{name}"

    def fingerprint(self, name: str) -> str:
        """Return the stamp's content: everything that requires a new installation when it changes."""
        environment = ENVIRONMENTS[name]
        files = [*environment.requirements, *(["pyproject.toml"] if environment.melodify else [])]
        digests = [hashlib.sha256((ROOT / file).read_bytes()).hexdigest() for file in files]
        return json.dumps([sys.version, str(self.folder), digests])

    def announce(self, *, keep: bool) -> None:
        """Print the size of the download before it starts. Raise Failed when the disk has no room."""
        name, environment = self.name, self.environment
        installed = [each for each in ENVIRONMENTS if keep and self.stamp(each).exists()]
        if name in installed:
            say(f"Bringing {environment.folder} ({name}) up to date: what has changed is fetched, this once.")
        else:
            megabytes = environment.fetched_mb - max([ENVIRONMENTS[each].fetched_mb for each in installed], default=0)
            # Another environment's packages are not a part of this one's: the difference may be less than nothing.
            what = f"about {megabytes} MB of packages are" if megabytes > 0 else "the few packages that it lacks are"
            say(f"Setting up {environment.folder} ({name}): {what} fetched, this once.")
        parent = next(parent for parent in (self.folder, *self.folder.parents) if parent.exists())
        held_mb = sum(path.lstat().st_size for path in self.folder.rglob("*")) // MIB
        if shutil.disk_usage(parent).free // MIB < environment.installed_mb - held_mb:
            raise Failed(explain("No space left on device", environment))

    def make_environment(self) -> None:
        """Create the environment's folder again, empty."""
        command = [sys.executable, "-m", "venv", "--clear", str(self.folder)]
        run = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        if run.returncode != 0:
            raise Failed(explain(run.stdout.decode(errors="replace"), self.environment))

    def works(self) -> bool:
        """Return whether the folder has an environment of this Python with pip, and was not moved since."""
        script = "import pip, sys; print(sys.version)"
        try:
            moved = str(self.folder) not in (self.folder / "bin" / "pip").read_text(errors="replace")
            found = subprocess.run([str(self.python), "-c", script], stdout=-1, stderr=-1, check=False)
        except OSError:
            return False
        return not moved and found.stdout.decode(errors="replace").strip() == sys.version

    def install(self, what: "list[str]", options: "tuple[str, ...]") -> None:
        """Install with uv, or with pip when uv is not available or fails. Raise Failed when pip fails, too."""
        fetched_mb = self.environment.fetched_mb
        if self.has_uv():
            command = [str(self.folder / "bin" / "uv"), "pip", "install", "--python", str(self.python)]
            command += ["--compile-bytecode"] if self.compiles else []
            command += ["--no-cache"] if self.name in IMAGES else []
            attempt = watch([*command, *options, *what], fetched_mb, self.registry())
            if attempt.ok:
                return
            if reason_of(attempt.output) == "disk":
                self.fail(attempt)
            say("uv could not install that; pip goes on, which takes some minutes.")
        options = (*options, *([] if self.compiles else ["--no-compile"]))
        attempt = watch([*self.pip("install"), *options, *what], fetched_mb)
        if reason_of(attempt.output) == "hash":
            # A damaged file in pip's cache would fail every further run, too.
            attempt = watch([*self.pip("install"), "--no-cache-dir", *options, *what], fetched_mb)
        if not attempt.ok:
            self.fail(attempt)

    @property
    def compiles(self) -> bool:
        """Whether the installer writes bytecode.

        The demo starts once or twice and its folder should stay small; the others start many processes. Of the images,
        deploy/slim.py compiles what they import.
        """
        return self.name not in ("demo", *IMAGES)

    def fail(self, attempt: Attempt) -> None:
        """Raise Failed. Nothing is installed before everything is fetched: then the environment is still whole."""
        if reason_of(attempt.output) in ("network", "hash"):
            self.marker.unlink()
        raise Failed(explain(attempt.output, self.environment))

    def has_uv(self) -> bool:
        """Fetch uv into the environment with pip; return whether that worked. Raise Failed without a network."""
        if "WITHOUT_UV" in os.environ:
            return False
        if self.uv_runs():
            return True
        attempt = watch([*self.pip("install"), "--force-reinstall", *PINNED, "-r", UV], UV_MB)
        if not attempt.ok:
            if reason_of(attempt.output) != "other":
                self.fail(attempt)
            say("uv is not available here; pip installs instead, which takes some minutes.")
        return attempt.ok

    def uv_runs(self) -> bool:
        """Return whether uv is installed and works."""
        command = [str(self.folder / "bin" / "uv"), "--version"]
        try:
            run = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        except OSError:
            return False
        return run.returncode == 0

    def registry(self) -> "dict[str, str]":
        """Return the variable that gives uv the registry of pip's settings: uv does not read those."""
        if os.environ.keys() & {"UV_DEFAULT_INDEX", "UV_INDEX_URL"}:
            return {}
        command = [str(self.python), "-m", "pip", "config", "get", "global.index-url"]
        run = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
        address = os.environ.get("PIP_INDEX_URL") or run.stdout.decode().strip()
        return {"UV_DEFAULT_INDEX": address} if address else {}

    def pip(self, verb: str) -> "list[str]":
        """Return pip's command, which never asks for input."""
        cache = ["--no-cache-dir"] if self.name in IMAGES and verb == "install" else []
        return [str(self.python), "-m", "pip", verb, "--disable-pip-version-check", "--no-input", *cache]

    def remove(self, *lists: str) -> None:
        """Remove the packages that only the installation needed."""
        named = [word for name in lists for word in ("-r", name)]
        subprocess.run([*self.pip("uninstall"), "--yes", "--quiet", *named], cwd=str(ROOT), check=True)


def watch(command: "list[str]", fetched_mb: int, variables: "dict[str, str] | None" = None) -> Attempt:
    """Run an installer in the checkout and show its progress; return its result with all that it printed."""
    lines: "list[str]" = []
    shown = Progress(fetched_mb)
    environment = {**os.environ, **(variables or {})}
    with subprocess.Popen(
        command, cwd=str(ROOT), env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        try:
            for line in lines_of(process, shown.show):
                lines.append(line)
                shown.see(line)
        except BaseException:
            process.kill()
            raise
        finally:
            shown.end()
    return Attempt(process.returncode == 0, "".join(lines))


def lines_of(process: "subprocess.Popen[bytes]", meanwhile: "Callable[[], None]") -> "Iterator[str]":
    """Yield the process's lines; call `meanwhile` twice a second while it prints nothing."""
    pipe = cast("IO[bytes]", process.stdout).fileno()
    rest = b""
    while True:
        if not select.select([pipe], [], [], LOOK_EVERY_S)[0]:
            meanwhile()
            continue
        data = os.read(pipe, 1 << 16)
        if not data:
            break
        *whole, rest = (rest + data).split(b"\n")
        for line in whole:
            yield line.decode(errors="replace") + "\n"
    if rest:
        yield rest.decode(errors="replace")


class Progress:
    """A progress bar on a terminal; elsewhere a line every few seconds."""

    # uv names a package with its size when a download starts, and again when it is complete; pip only at the start.
    SIZED = re.compile(r"\s*Downloading (\S+) \(([\d.]+) ?([kKM])i?B\)")
    COMPLETE = re.compile(r" Downloaded (\S+)")

    def __init__(self, total_mb: int) -> None:
        self.total_mb, self.fetched_mb = total_mb, 0.0
        self.coming: "dict[str, float]" = {}
        self.terminal = sys.stderr.isatty()
        self.started = self.last = time.monotonic()

    def see(self, line: str) -> None:
        """Update the progress from an installer's line."""
        sized, complete = self.SIZED.match(line), self.COMPLETE.match(line)
        if complete:
            self.fetched_mb += self.coming.pop(complete[1], 0)
        elif sized:
            size_mb = float(sized[2]) / (1 if sized[3] == "M" else 1000)
            if sized[1].endswith((".whl", ".metadata", ".gz")):
                self.fetched_mb += size_mb
            else:
                self.coming[sized[1]] = size_mb
        else:
            return
        self.show()

    def show(self) -> None:
        """Draw the bar again, or print a line when the last one is some seconds old."""
        share, now = min(self.fetched_mb / max(self.total_mb, 1), 1), time.monotonic()
        # uv names a package when it comes, and nothing at all of what its cache has: 0% would look like a stop.
        text = f"{share:.0%} of {self.total_mb} MB, " if self.fetched_mb else ""
        text += f"{now - self.started:.0f} s"
        if self.terminal:
            bar = "#" * round(30 * share)
            print(f"\r[{bar:30}] {text}", end="\x1b[K", file=sys.stderr, flush=True)
        elif now - self.last >= LINE_EVERY_S:
            say(f"  ... {text}")
            self.last = now

    def end(self) -> None:
        """Clear the bar's line."""
        if self.terminal:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)


# The messages of pip, uv and the system, by the kind of fault.
REASONS = {
    "disk": ("No space left on device", "Errno 28", "os error 28", "Disk quota exceeded"),
    "network": (
        "NewConnectionError", "Failed to establish a new connection", "name resolution", "ConnectTimeout",
        "ReadTimeout", "Connection refused", "Connection reset", "Connection aborted", "ProxyError",
        "Network is unreachable", "SSLError", "dns error",
    ),
    "rights": ("Permission denied", "Errno 13", "Read-only file system", "Errno 30"),
    "place": ("Not a directory", "File exists", "Unable to create directory"),
    "hash": ("DO NOT MATCH THE HASHES", "Hash mismatch"),
}  # fmt: skip


def reason_of(output: str) -> str:
    """Return the kind of fault that an installer's output shows."""
    return next((kind for kind, signs in REASONS.items() if any(sign in output for sign in signs)), "other")


def explain(output: str, environment: Environment) -> str:
    """Return one sentence on what to do, after the installer's last lines when the kind is not known."""
    again = "then run the same command again: it goes on from there."
    kind = reason_of(output)
    if kind == "disk":
        room = f"{environment.folder} needs about {environment.installed_mb} MB"
        return f"The disk has no room: {room}, and the installers' caches about as much. Free some, {again}"
    if kind == "network":
        return f"The package registry could not be reached. Check the network, or the proxy in HTTPS_PROXY, {again}"
    if kind == "place":
        return f"{environment.folder} cannot be used as a folder. Delete it, {again}"
    if kind == "rights":
        return f"{environment.folder} cannot be written. Make the folder your own, {again}"
    if kind == "hash":
        return (
            "A package is not the one that was pinned (its hash differs), and it was not installed. "
            f"Look at your package mirror, {again}"
        )
    last = "".join(f"  {line}\n" for line in output.strip().splitlines()[-8:])
    return f"{last}The installation failed; the installer's last lines are above. Fix that, {again}"


def say(line: str) -> None:
    """Print a line for the person at the terminal, at once."""
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
