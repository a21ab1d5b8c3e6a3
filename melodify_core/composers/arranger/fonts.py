"""Chooses the SoundFont: the better one where the system has it, else the one from PyPI.

The better one is Debian's `fluid-soundfont-gm` (MIT). Without it the font plays that ships inside the pretty_midi
package (TimGM6mb, GPL-2: it is used in place and not copied).
"""

import importlib.util
from functools import cache
from pathlib import Path

from melodify_core.errors import Misconfigured

BETTER = Path("/usr/share/sounds/sf2/FluidR3_GM.sf2")
ADVICE = "fuller instruments: apt-get install fluid-soundfont-gm"


@cache
def chosen() -> Path:
    """Return the best installed font. Raises Misconfigured when there is none."""
    return BETTER if BETTER.is_file() else font_path()


def synthesiser() -> str:
    """Return the names of synthesiser and font, and how to get a better one. Raises Misconfigured without a font."""
    font = chosen()
    return f"midirenderer with {font.name}" + ("" if font == BETTER else f" ({ADVICE})")


@cache
def font_path() -> Path:
    """Return the packaged font's path, without importing its package. Raises Misconfigured when it is missing."""
    package = importlib.util.find_spec("pretty_midi")
    path = Path(package.origin or "").parent / "TimGM6mb.sf2" if package else Path()
    if not path.is_file():
        raise Misconfigured("The arranger's SoundFont is missing: install pretty_midi, or choose another composer.")
    return path
