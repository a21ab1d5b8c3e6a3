"""Prints the seconds from Brief to MP3 of a 30 s song of each given style, in a warm process, as JSON by style.

`benchmarks/before.py` runs this file with the code of either commit, so it imports only what both have.
"""

import json
import sys
import time
from contextlib import suppress
from importlib import import_module
from typing import Any

from melodify_core.composers.arranger.composer import make_take
from melodify_core.models import Wish
from quality.songs import MOODS, brief_of_mood

MASTERING = "melodify_core.media.audio.mastering", "melodify_core.audio"  # now, and where it was
BRIEF = brief_of_mood(*MOODS[2])


def seconds_of(style: str) -> float:
    """Make a song, and return the seconds that it took."""
    started = time.perf_counter()
    take = make_take(BRIEF, Wish(style=style, seconds=30), 1)
    _mastering().master(take.audio, title="Measured", cover_jpeg=b"", max_bytes=10 * 2**20)
    return time.perf_counter() - started


def _mastering() -> Any:
    for name in MASTERING:
        with suppress(ImportError):
            return import_module(name)
    raise ImportError(f"none of {', '.join(MASTERING)}")


if __name__ == "__main__":
    seconds_of(sys.argv[1])  # loads the font and the encoder
    print(json.dumps({style: seconds_of(style) for style in sys.argv[1:]}))
