"""Measures the setup in fresh clones, compared to an earlier commit: `make bench-setup`.

It takes 45 minutes, most of it for the earlier commit's tests. Every clone has caches of its own, so that the first
`make demo` of each fetches its packages. CPU seconds are those of all child processes.
"""

import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
BEFORE = "7b42462"
MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Cost:
    """The time that a command took, and what it printed."""

    wall_s: float
    cpu_s: float
    output: str = ""


class Clone:
    """A fresh clone of one commit."""

    def __init__(self, folder: Path, commit: str, **variables: str) -> None:
        self.folder = folder
        subprocess.run(["git", "clone", "--quiet", "--no-checkout", ROOT, folder], check=True)
        subprocess.run(["git", "checkout", "--quiet", commit], cwd=folder, check=True)
        caches = {"PIP_CACHE_DIR": f"{folder}-pip", "UV_CACHE_DIR": f"{folder}-uv"}
        self.variables = {**os.environ, **caches, **variables}

    def run(self, *command: str, may_fail: bool = False) -> Cost:
        """Run a command to its end. When it fails, print its output and exit, or go on with `may_fail`."""
        began, spent = time.monotonic(), _cpu_s()
        done = subprocess.run(
            command, cwd=self.folder, env=self.variables, stdout=-1, stderr=subprocess.STDOUT, text=True, check=False
        )
        if done.returncode != 0:
            failed = f"{' '.join(command)} failed in {self.folder}:\n{done.stdout[-6000:]}"
            if not may_fail:
                sys.exit(failed)
            print(failed, file=sys.stderr)
        return Cost(time.monotonic() - began, _cpu_s() - spent, done.stdout)

    def demo_s(self) -> float:
        """Return the seconds from the first `make demo` until it has printed its address."""
        began = time.monotonic()
        command = ["make", "demo", "ARGS=--port 0"]
        with (
            (self.folder / "demo.log").open("wb") as log,
            subprocess.Popen(
                command, cwd=self.folder, env=self.variables, start_new_session=True, stdout=subprocess.PIPE, stderr=log
            ) as process,
        ):
            for line in process.stdout or ():
                if b"http://127.0.0.1:" in line:
                    took_s = time.monotonic() - began
                    os.killpg(process.pid, signal.SIGINT)
                    return took_s
        sys.exit(f"make demo in {self.folder} ended with {process.returncode} before it printed its address")

    def covered(self) -> float:
        """Return the branch coverage of the last tests in per cent."""
        report = (".venv/bin/coverage", "report", "--format=total", "--precision=2", "--fail-under=0")
        # Before it may stand warnings of a data file that a killed process left behind.
        return float(self.run(*report).output.splitlines()[-1])

    def environment_mb(self) -> float:
        """Return the size of .venv on disk."""
        return sum(path.lstat().st_blocks * 512 for path in (self.folder / ".venv").rglob("*")) / MIB


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Measure both commits and print the figures beside their targets."""
    with tempfile.TemporaryDirectory(prefix="melodify-setup-") as name:
        folder = Path(name)
        with _clone(folder / "pip", "HEAD", WITHOUT_UV="1") as by_pip:
            pip_demo_s = by_pip.demo_s()
        with _clone(folder / "before", BEFORE) as before, _clone(folder / "now", "HEAD") as now:
            demo_s, now_demo_s = before.demo_s(), now.demo_s()
            _print("first `make demo`", "s", demo_s, now_demo_s, "at most 0.2")
            _print("the same with pip alone", "s", demo_s, pip_demo_s, "at most 0.5")
            _print(".venv after it", "MB", before.environment_mb(), now.environment_mb(), "at most 550 MB")
            _tests(before, now)


@contextmanager
def _clone(folder: Path, commit: str, **variables: str) -> Iterator[Clone]:
    clone = Clone(folder, commit, **variables)
    try:
        yield clone
    finally:
        for path in (folder, f"{folder}-pip", f"{folder}-uv"):
            shutil.rmtree(path, ignore_errors=True)


def _tests(before: Clone, now: Clone) -> None:
    before.run("make", "install", ".venv-pipeline/.installed")
    now.run("make", "develop", "pipeline")
    collect = (".venv/bin/pytest", "--collect-only", "-q")
    for clone in (before, now):
        clone.run(*collect, *(["--no-cov"] if clone is before else []))  # writes the bytecode
    _print("collection", "CPU s", before.run(*collect, "--no-cov").cpu_s, now.run(*collect).cpu_s, "at most 6 CPU s")
    # A flaky test of the earlier commit must not spoil the whole hour.
    everything = before.run("make", "test", may_fail=True)
    quick = now.run("make", "test")
    # Start without a cache, as for the earlier commit.
    shutil.rmtree(now.folder / ".mypy_cache")
    all_now = now.run("make", "test-all", may_fail=True)
    _print("`make test`", "s", everything.wall_s, quick.wall_s, "at most 300 s")
    _print("`make test-all` / `make test` then", "s", everything.wall_s, all_now.wall_s, "at most 900 s")
    _print("the same", "CPU s", everything.cpu_s, all_now.cpu_s, "at most 0.55")
    _print("branch coverage", "%", before.covered(), now.covered(), "not less")


def _print(what: str, unit: str, before: float, now: float, target: str) -> None:
    print(f"{what:36} {before:8.1f} -> {now:8.1f} {unit:6} ratio {now / before:5.2f}   target: {target}", flush=True)
