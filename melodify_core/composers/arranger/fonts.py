"""Chooses the SoundFont: the better one where the system has it, else the one from PyPI.

The better one is Debian's `fluid-soundfont-gm` (MIT). Without it the font plays that ships inside the pretty_midi
package (TimGM6mb, GPL-2: it is used in place and not copied).
"""

import importlib.util
from functools import cache
from pathlib import Path

from melodify_core.composers.arranger.soundfont import opened
from melodify_core.errors import Misconfigured

BETTER = Path("/usr/share/sounds/sf2/FluidR3_GM.sf2")
ADVICE = "fuller instruments: apt-get install fluid-soundfont-gm"
REPAIR = "cannot be played: apt-get install --reinstall fluid-soundfont-gm"


@cache
def chosen(better: Path = BETTER) -> Path:
    """Return the best installed font that can be played. Raises Misconfigured when there is none."""
    return better if is_playable(better) else font_path()


def is_playable(path: Path) -> bool:
    """Return whether a file is a font with programs."""
    try:
        return bool(opened(path).programs)
    except Misconfigured:
        return False


def synthesiser(better: Path = BETTER) -> str:
    """Return the names of synthesiser and font, and how to get a better one. Raises Misconfigured without a font."""
    font = chosen(better)
    advice = f"{better} {REPAIR}" if better.exists() else ADVICE
    return f"midirenderer with {font.name}" + ("" if font == better else f" ({advice})")


@cache
def font_path() -> Path:
    """Return the packaged font's path, without importing its package. Raises Misconfigured when it is missing."""
    package = importlib.util.find_spec("pretty_midi")
    path = Path(package.origin or "").parent / "TimGM6mb.sf2" if package else Path()
    if not path.is_file():
        raise Misconfigured("The arranger's SoundFont is missing: install pretty_midi, or choose another composer.")
    return path
