"""Runs every benchmark, or those that are named: `python -m benchmarks render loop`."""

import sys

from benchmarks import acknowledge, loop, render

ALL = {"render": render.main, "loop": loop.main, "acknowledge": acknowledge.main}

if __name__ == "__main__":
    for name in sys.argv[1:] or ALL:
        ALL[name]()
