"""`make samples`: what the documents show and play, made by the program itself."""

import argparse
import asyncio
from pathlib import Path

from docs.showcase.film import make_film
from docs.showcase.screens import make_screens
from docs.showcase.songs import SAMPLES, make_songs, page

DOCS = Path(__file__).parents[1]
PARTS = ("songs", "screens", "film")


def main() -> None:
    """Make what the command line names, into docs/ or another folder."""
    names = [sample.picture for sample in SAMPLES]
    parser = argparse.ArgumentParser(prog="make samples")
    parser.add_argument("part", nargs="?", choices=PARTS, help="only these; without it everything")
    parser.add_argument("--only", nargs="+", default=(), choices=names, metavar="PICTURE", help="the songs of these")
    parser.add_argument("--out", type=Path, default=DOCS, metavar="FOLDER", help="instead of docs")
    arguments = parser.parse_args()
    out: Path = arguments.out
    if arguments.part in (None, "songs"):
        asyncio.run(make_songs(out / "samples", arguments.only))
        (out / "listen.md").write_text(page(out / "samples"), encoding="utf-8")
    if arguments.part in (None, "screens"):
        asyncio.run(make_screens(out))
    if arguments.part in (None, "film"):
        asyncio.run(make_film(out))


if __name__ == "__main__":
    main()
