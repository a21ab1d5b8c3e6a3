"""Decides how busy a piece is, by section: chooses patterns of the style that together strike as often as wished."""

import math
from dataclasses import dataclass
from functools import cache
from itertools import product
from random import Random

from melodify_core.composers.arranger.grooves import GROOVES
from melodify_core.composers.arranger.patterns import BASS, COMPING, Hit
from melodify_core.composers.arranger.score import Section
from melodify_core.composers.arranger.style import Style

# Struck moments per second, of the whole accompaniment, for the calmest and for the most excited picture.
STILL, EXCITED = 0.8, 9.0
STEPS_A_BAR = 16
# How strict the choice is: patterns that miss the wish by this factor (as a natural logarithm) are rare.
TOLERANCE = 0.14
# Up to this excitement a style that can slows down and may go without drums.
DRUMLESS = 0.4
# How much busier the contrasting sections and the climax are.
AWAY, FULL = 0.06, 0.15
# Most strokes per bar that slow instruments can play: all sections of a piece stay on the same side of it.
MOST_STROKES = 3


Option = tuple[str, str, str | None]


@dataclass(frozen=True, slots=True)
class PatternSet:
    """The names of the patterns of a section; without a groove, there are no drums."""

    comping: str
    bass: str
    groove: str | None

    @property
    def names(self) -> Option:
        """All three names."""
        return self.comping, self.bass, self.groove

    @property
    def strokes(self) -> int:
        """How often the chords are struck per bar."""
        return len(COMPING[self.comping])


@dataclass(frozen=True, slots=True)
class Arrangement:
    """The patterns of a piece: in its usual sections, in the contrasting ones, and in the climax."""

    home: PatternSet
    away: PatternSet
    full: PatternSet

    def of(self, section: Section) -> PatternSet:
        """Return the patterns of a section."""
        if section.energy == 1:
            return self.full
        return self.away if section.name == "B" else self.home


def arrangement(random: Random, style: Style, level: float, bpm: float) -> Arrangement:
    """Return patterns of the style for an excitement 0..1 at a tempo."""
    grooves: tuple[str | None, ...] = style.grooves or (None,)
    if style.grooves and style.slows_down and level < DRUMLESS:
        grooves = (None, *grooves) if level > DRUMLESS / 2 else (None,)
    options = list(product(style.comping, style.bass_lines, grooves))
    home = _patterns(random, style, options, level, bpm)
    like = [option for option in options if _goes_with(PatternSet(*option), home)]
    others = [option for option in like if option[0] != home.comping] or like
    away = _patterns(random, style, others, min(1.0, level + AWAY), bpm)
    fullest = max(_rate(*option, bpm) for option in like)
    busier = [option for option in like if _rate(*option, bpm) > min(0.999 * fullest, _rate(*home.names, bpm))]
    return Arrangement(home, away, _patterns(random, style, busier, min(1.0, level + FULL), bpm))


def _goes_with(other: PatternSet, home: PatternSet) -> bool:
    """Return whether the same players can play both: nobody joins for one section, and nobody is too slow."""
    return (other.groove is None) == (home.groove is None) and (
        (other.strokes > MOST_STROKES) == (home.strokes > MOST_STROKES)
    )


def _patterns(random: Random, style: Style, options: list[Option], level: float, bpm: float) -> PatternSet:
    wished = math.log(STILL) + level * math.log(EXCITED / STILL)
    costs = [abs(math.log(_rate(*option, bpm)) - wished) + _stray(style, option, level) for option in options]
    least = min(costs)
    comping, bass, groove = random.choices(options, [math.exp(-(cost - least) / TOLERANCE) for cost in costs])[0]
    return PatternSet(comping, bass, groove)


def _rate(comping: str, bass: str, groove: str | None, bpm: float) -> float:
    """Return the struck moments per second."""
    return _struck(comping, bass, groove) * bpm / 240


@cache
def _struck(comping: str, bass: str, groove: str | None) -> int:
    """Return the number of steps in a bar in which anything is struck."""
    struck = {_step(hit) for hit in (*COMPING[comping], *BASS[bass])}
    for _, steps in GROOVES[groove] if groove else ():
        struck |= {step for step, sign in enumerate(steps) if sign != "."}
    return len(struck)


def _step(hit: Hit) -> int:
    return round(hit.at * STEPS_A_BAR / 4)


def _stray(style: Style, option: Option, level: float) -> float:
    """Return how far the patterns are from the wished level, so that no busy drums play under held chords."""
    places = zip(option, (style.comping, style.bass_lines, style.grooves), strict=True)
    return sum(
        0.12 * abs(names.index(name) / (len(names) - 1) - level) for name, names in places if name and len(names) > 1
    )
