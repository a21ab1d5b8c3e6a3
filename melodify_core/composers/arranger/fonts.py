"""Chooses the synthesiser and its SoundFont: FluidSynth where the system has it, else the one from PyPI.

The better pair is Debian's `fluidsynth` with `fluidr3mono-gm-soundfont` (MIT). Without it midirenderer plays the font
that ships inside the pretty_midi package (TimGM6mb, GPL-2: it is used in place and not copied).
"""

import importlib.util
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import MappingProxyType

from melodify_core.errors import Misconfigured

FLUIDR3_MONO = Path("/usr/share/sounds/sf3/FluidR3Mono_GM.sf3")
DRUMS = -1  # means the drum kits among programs
# By how many dB FluidR3's programs must be raised for the same balance as TimGM6mb's: measured on a note of velocity
# 100, RMS over half a second, median of three pitches.
_FLUIDR3_TRIMS = {
    DRUMS: 0, 0: 1, 2: -5, 4: -3, 6: -2, 7: 0, 8: -2, 9: -9, 10: 0, 11: 8, 12: -4, 14: 1, 15: 2, 16: -2, 21: 4, 22: 2,
    24: 3, 25: 0, 26: -4, 27: -11, 28: 3, 29: -2, 30: -1, 32: -1, 33: -1, 34: -2, 35: -2, 36: 5, 38: -2, 39: -8, 40: 4,
    41: 5, 42: 6, 43: 3, 44: 2, 45: -3, 46: 6, 48: 3, 49: -1, 50: -16, 52: 0, 56: -1, 57: -4, 59: -7, 60: 2, 61: -6,
    62: -9, 66: 0, 68: 0, 71: -1, 73: -1, 75: -1, 77: -3, 80: -10, 81: -14, 82: -11, 89: -2, 90: -8, 91: -6, 94: -11,
    95: -16, 98: -5, 100: -8, 104: -3, 105: 1, 107: 2, 108: 6, 109: -1, 110: 2, 114: -2,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Synthesiser:
    """A program that turns MIDI into sound. `command` is that of FluidSynth, None for midirenderer."""

    font: Path
    command: str | None = None
    trims: Mapping[int, float] = field(default_factory=lambda: MappingProxyType({}))

    def __str__(self) -> str:
        return f"{'FluidSynth' if self.command else 'midirenderer'} with {self.font.name}"


@cache
def chosen() -> Synthesiser:
    """Return the best installed synthesiser. Raises Misconfigured when there is none."""
    command = shutil.which("fluidsynth")
    if command and FLUIDR3_MONO.is_file():
        return fluidsynth(command, FLUIDR3_MONO)
    return Synthesiser(font_path())


def fluidsynth(command: str, font: Path) -> Synthesiser:
    """Return FluidSynth with a font of the FluidR3 family."""
    return Synthesiser(font, command, MappingProxyType(_FLUIDR3_TRIMS))


def synthesiser() -> str:
    """Return the names of synthesiser and font. Raises Misconfigured when there is none."""
    return str(chosen())


@cache
def font_path() -> Path:
    """Return the packaged font's path, without importing its package. Raises Misconfigured when it is missing."""
    package = importlib.util.find_spec("pretty_midi")
    path = Path(package.origin or "").parent / "TimGM6mb.sf2" if package else Path()
    if not path.is_file():
        raise Misconfigured("The arranger's SoundFont is missing: install pretty_midi, or choose another composer.")
    return path
