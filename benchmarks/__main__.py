"""Runs every short benchmark, or the given ones: `python -m benchmarks render loop`."""

import argparse

from benchmarks import (
    acknowledge,
    before,
    crash,
    gcs_overhead,
    hostile,
    http_overhead,
    load,
    loop,
    lyria_overhead,
    memory,
    messages,
    openai_overhead,
    page,
    pictures,
    render,
    restart,
    rush,
    setup,
    workers,
)

ALL = {
    "render": render.main,
    "loop": loop.main,
    "acknowledge": acknowledge.main,
    "rush": rush.main,
    "messages": messages.main,
    "memory": memory.main,
    "lyria": lyria_overhead.main,
    "http": http_overhead.main,
    "openai": openai_overhead.main,
    "gcs": gcs_overhead.main,
    "page": page.main,
    "pictures": pictures.main,
    "hostile": hostile.main,
}

# They take minutes each and run only when they are given.
LONG = {
    "load": load.main,
    "workers": workers.main,
    "crash": crash.main,
    "restart": restart.main,
    "setup": setup.main,
    "before": before.main,
}

if __name__ == "__main__":
    parser = argparse.ArgumentParser("benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help=f"one of {', '.join(ALL | LONG)}")
    names = parser.parse_args().names
    if unknown := set(names) - (ALL | LONG).keys():
        parser.error(f"{', '.join(sorted(unknown))}: no such benchmark; there are {', '.join(ALL | LONG)}")
    for name in names or ALL:
        (ALL | LONG)[name]()
