"""The rhythms that styles name: how chords are struck, how a bass walks, drums' fills, intros, how tunes go.

Patterns last one, two or four bars, as long as their hits and steps reach: the second bar answers the first. Who uses
which, and what drums beat in 4/4, stands in the styles; other metres have patterns of their own here.
"""

from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, NamedTuple

from pydantic import BeforeValidator, TypeAdapter

from melodify_core.data_files import read_table
from melodify_core.models import Meter
from melodify_core.styles.instruments import Role

# General MIDI's keys. The crash is the second one: for the first, orchestras have a drum.
DRUMS = {
    "kick": 36, "stick": 37, "snare": 38, "clap": 39, "brush": 40, "floor": 41, "hat": 42, "timpani": 43, "pedal": 44,
    "low_tom": 45, "open": 46, "mid_tom": 47, "high_tom": 50, "ride": 51, "tambourine": 54, "crash": 57, "slap": 62,
    "high_conga": 63, "low_conga": 64, "block": 76, "shaker": 82,
}  # fmt: skip
# Where an orchestra's kit has timpani of these pitches (Roland's GS), and every other kit has toms.
TIMPANI = (41, 43, 45, 47, 48)


class Hit(NamedTuple):
    """Where from the pattern's start and how long, in beats; `who` is which notes of the chord.

    Chords: "a" all, "u" all but the lowest, "t" the highest, or a figure that counts from the lowest; more than one
    figure sounds together. Bass: "R" root, "5" fifth, "3" third, "8" octave, "L" a step towards the next root.
    A `length` of 0 lasts to the end of the chord.
    """

    at: float
    length: float
    who: str


def _hits(written: Any) -> Any:
    """Return hits as they are written, or those of a run of equal ones: {every, length, who}, "." for silence."""
    if not isinstance(written, dict):
        return written
    step, length = written["every"], written["length"]
    return [(index * step, length, who) for index, who in enumerate(written["who"]) if who != "."]


def _beats(written: Any) -> Any:
    """Return the drums' keys with their steps."""
    if unknown := [drum for drum in written if drum not in DRUMS]:
        raise ValueError(f"{unknown[0]} is not a drum; allowed are {', '.join(DRUMS)}")
    return [(DRUMS[drum], steps) for drum, steps in written.items()]


Hits = Annotated[tuple[Hit, ...], BeforeValidator(_hits)]
# Drums and their steps: `X` loud, `x` soft, `.` silent, `#` a crash that the hand stops, as in drum tablature.
Beats = Annotated[tuple[tuple[int, str], ...], BeforeValidator(_beats)]


@cache
def bars_in(hits: Hits, bar: float) -> tuple[Hits, ...]:
    """Return the hits of a pattern bar by bar, for bars of so many beats."""
    last = max((hit.at for hit in hits), default=0.0)
    return tuple(
        tuple(hit._replace(at=hit.at - start) for hit in hits if start <= hit.at < start + bar)
        for start in (number * bar for number in range(int(last // bar) + 1))
    )


@dataclass(frozen=True, slots=True)
class Intro:
    """How a piece may open: who plays, and how the chords do, one of these ("" as later)."""

    who: frozenset[Role]
    comping: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MeterPatterns:
    """The patterns of a metre that is not 4/4, calm to busy; grooves by set of fills, those of "kit" for other sets."""

    comping: dict[str, Hits]
    bass_lines: dict[str, Hits]
    grooves: dict[str, dict[str, Beats]]


@dataclass(frozen=True, slots=True)
class Patterns:
    """All patterns by name. `alternates` are the lines that may be played instead of a bass line."""

    comping: dict[str, Hits]
    bass_lines: dict[str, Hits]
    alternates: dict[str, tuple[str, ...]]
    meters: dict[Meter, MeterPatterns]
    fills: dict[str, tuple[Beats, ...]]
    intros: dict[str, Intro]


@cache
def patterns() -> Patterns:
    """Return the patterns."""
    return TypeAdapter(Patterns).validate_python(read_table("melodify_core.styles", "material/patterns.toml"))
