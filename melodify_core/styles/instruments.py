"""The instruments of the SoundFont that the styles use: programs, ranges, balance, and the words for them."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal

from pydantic import TypeAdapter

from melodify_core.data_files import read_table

Role = Literal["lead", "counter", "chords", "pad", "bass", "drums"]
LEAD: Role = "lead"
CHORDS: Role = "chords"
PAD: Role = "pad"
BASS: Role = "bass"


@dataclass(frozen=True, slots=True)
class Instrument:
    """How one instrument is reached and kept in balance.

    `trim` in dB evens out the font: a note of velocity 100 measured by its RMS over half a second, TimGM6mb, against
    -31 dBFS. `low` and `high` are the MIDI pitches where it sounds well. `held` tones do not decay by themselves.
    From `slide` cents below it slides into the peaks of a phrase.
    `quick` plays chords in its place where they are struck so often that its tones would run into each other.
    """

    program: int
    family: str
    roles: tuple[Role, ...]  # the first is its likeliest
    low: int
    high: int
    trim: float = 0.0
    held: bool = False
    slide: int = 0
    words: tuple[str, ...] = ()  # other names that briefs use
    quick: str = ""


@cache
def instruments() -> Mapping[str, Instrument]:
    """Return all instruments by name."""
    return TypeAdapter(dict[str, Instrument]).validate_python(
        read_table("melodify_core.styles", "material/instruments.toml")
    )


def named(text: str) -> str | None:
    """Return the instrument that a brief's words mean: the one with the longest name that stands in them."""
    wished = f" {text.casefold().replace('synthesiser', 'synth').replace('synthesizer', 'synth')} "
    found = [
        (len(word), name)
        for name, instrument in instruments().items()
        for word in (name, *instrument.words)
        if f" {word}" in wished
    ]
    return max(found)[1] if found else None
