"""Measures a command with all the processes that it starts."""

import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass

import psutil

INTERVAL_S = 0.01


@dataclass(frozen=True, slots=True)
class Run:
    """Wall seconds, and the peak resident memory of the process tree in MB, in which shared pages count twice."""

    wall_s: float
    peak_mb: float


def measure(arguments: list[str], cwd: str, variables: Mapping[str, str] | None = None) -> Run:
    """Run `python arguments` to its end. Raises CalledProcessError when it fails."""
    started = time.perf_counter()
    peak = 0.0
    with subprocess.Popen([sys.executable, *arguments], cwd=cwd, env=variables, stdout=subprocess.PIPE) as process:
        parent = psutil.Process(process.pid)
        while process.poll() is None:
            peak = max(peak, _tree_mb(parent))
            time.sleep(INTERVAL_S)
        wall_s = time.perf_counter() - started
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, arguments)
    return Run(wall_s, peak)


def _tree_mb(parent: psutil.Process) -> float:
    total = 0.0
    try:
        for process in [parent, *parent.children(recursive=True)]:
            # Until a new process runs its own program, it has its parent's memory, and takes none.
            if process == parent or process.cmdline() != psutil.Process(process.ppid()).cmdline():
                total += process.memory_info().rss / 1e6
    except psutil.NoSuchProcess:
        return 0.0  # the process ended meanwhile
    return total
