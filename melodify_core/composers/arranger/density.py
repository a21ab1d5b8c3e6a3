"""How busy a piece is: which patterns of a style together strike as often as its excitement asks."""

import math
from dataclasses import dataclass
from itertools import product
from random import Random

from melodify_core.composers.arranger.grooves import GROOVES
from melodify_core.composers.arranger.patterns import BASS, COMPING, Hit
from melodify_core.composers.arranger.style import Style

# Moments struck in a second, all accompaniment together, by the stillest and the most excited picture.
STILL, EXCITED = 0.8, 9.0
STEPS_A_BAR = 16
# How sure the choice is: patterns that miss the wish by this factor (as a natural logarithm) are rare.
TOLERANCE = 0.14
# Up to this excitement a style that can slows down and may go without drums.
DRUMLESS = 0.4


@dataclass(frozen=True, slots=True)
class Manners:
    """The names of the patterns; no groove: no drums."""

    comping: str
    bass: str
    groove: str | None


def manners(random: Random, style: Style, level: float, bpm: float) -> Manners:
    """Return patterns of the style for an excitement 0..1 at a tempo."""
    grooves: tuple[str | None, ...] = style.grooves or (None,)
    if style.grooves and style.slows_down and level < DRUMLESS:
        grooves = (None, *grooves) if level > DRUMLESS / 2 else (None,)
    options = list(product(style.comping, style.bass_lines, grooves))
    wished = math.log(STILL) + level * math.log(EXCITED / STILL)
    costs = [abs(math.log(_rate(*option, bpm)) - wished) + _stray(style, option, level) for option in options]
    least = min(costs)
    comping, bass, groove = random.choices(options, [math.exp(-(cost - least) / TOLERANCE) for cost in costs])[0]
    return Manners(comping, bass, groove)


def _rate(comping: str, bass: str, groove: str | None, bpm: float) -> float:
    """Return the moments a second in which anything is struck."""
    struck = {_step(hit) for hit in (*COMPING[comping], *BASS[bass])}
    for _, steps in GROOVES[groove] if groove else ():
        struck |= {step for step, sign in enumerate(steps) if sign != "."}
    return len(struck) * bpm / 240


def _step(hit: Hit) -> int:
    return round(hit.at * STEPS_A_BAR / 4)


def _stray(style: Style, option: tuple[str, str, str | None], level: float) -> float:
    """Return how far the patterns stand from their places between calm and busy: no busy drums under held chords."""
    places = zip(option, (style.comping, style.bass_lines, style.grooves), strict=True)
    return sum(
        0.12 * abs(names.index(name) / (len(names) - 1) - level) for name, names in places if name and len(names) > 1
    )
