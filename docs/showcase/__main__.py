"""`make samples`: what the documents show and play, made by the program itself."""

import argparse
import asyncio
import sys
from pathlib import Path

from docs.showcase.film import make_film
from docs.showcase.screens import make_screens
from docs.showcase.songs import SAMPLES, make_songs, page
from tests.process.browser import CHROMIUM

DOCS = Path(__file__).parents[1]
SEEN = {"screens": make_screens, "film": make_film}


def main() -> int:
    """Make what the command line names, into docs/ or another folder. Return 1 where a browser is missing."""
    names = [sample.picture for sample in SAMPLES]
    parser = argparse.ArgumentParser(prog="make samples")
    parser.add_argument("part", nargs="?", choices=("songs", *SEEN), help="only these; without it everything")
    parser.add_argument("--only", nargs="+", default=(), choices=names, metavar="PICTURE", help="the songs of these")
    parser.add_argument("--out", type=Path, default=DOCS, metavar="FOLDER", help="instead of docs")
    arguments = parser.parse_args()
    out: Path = arguments.out
    if arguments.part in (None, "songs"):
        asyncio.run(make_songs(out / "samples", arguments.only))
        (out / "listen.md").write_text(page(out / "samples"), encoding="utf-8")
    for part, make in SEEN.items():
        if arguments.part not in (None, part):
            continue
        if CHROMIUM is None:
            print(f"There is no google-chrome or chromium here: no {part} can be made.", file=sys.stderr)
            return 1
        asyncio.run(make(out))
    return 0


if __name__ == "__main__":
    sys.exit(main())
