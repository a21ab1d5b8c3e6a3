"""Decides how busy a piece is, by section: chooses patterns of the style that together strike as often as wished."""

import math
from dataclasses import dataclass
from functools import cache
from itertools import product
from random import Random

from melodify_core.composers.arranger.score import TIMES, Section, Time
from melodify_core.styles import Style
from melodify_core.styles.patterns import Beats, Hit, Hits, bars_in, patterns

# Struck moments per second, of the whole accompaniment, for the calmest and for the most excited picture.
STILL, EXCITED = 0.8, 9.0
STEPS_A_BEAT = 4
# How strict the choice is: patterns that miss the wish by this factor (as a natural logarithm) are rare.
TOLERANCE = 0.14
# How far a glad picture moves the drums towards busy, and the chords towards calm.
LEANING = 0.4
# Up to this excitement a style that can slows down and may go without drums.
DRUMLESS = 0.4
# How much busier the contrasting sections and the climax are.
AWAY, FULL = 0.06, 0.15
# Most strokes per bar that slow instruments can play: all sections of a piece stay on the same side of it.
MOST_STROKES = 3


Option = tuple[str, str, Beats | None]


@dataclass(frozen=True, slots=True)
class Book:
    """The patterns of a style in a metre, calm to busy, and all patterns of the metre by name."""

    time: Time
    comping: tuple[str, ...]
    bass: tuple[str, ...]
    grooves: tuple[Beats, ...]

    def strikes(self, comping: str, number: int) -> Hits:
        """Return how the chords are struck in a bar, counted from the start of its section."""
        known = _comping(self.time)
        bars = bars_in(known.get(comping) or known[self.comping[0]], self.time.bar)
        return bars[number % len(bars)]

    def line(self, bass: str, number: int) -> Hits:
        """Return the bass line of a bar, counted from the start of its section."""
        bars = bars_in(_bass_lines(self.time)[bass], self.time.bar)
        return bars[number % len(bars)]


def book_of(style: Style, time: Time) -> Book:
    """Return the patterns of a style in a metre: its own in 4/4, the metre's in others."""
    if time.name == "4/4":
        grooves = tuple(style.drums.grooves.values())
        return Book(time, style.accompaniment.comping, style.accompaniment.bass, grooves)
    found = patterns().meters[time.name]
    beaten = found.grooves.get(style.drums.fills, found.grooves["kit"]) if style.drums.grooves else {}
    return Book(time, tuple(found.comping), tuple(found.bass_lines), tuple(beaten.values()))


def _comping(time: Time) -> dict[str, Hits]:
    return patterns().comping if time.name == "4/4" else patterns().meters[time.name].comping


def _bass_lines(time: Time) -> dict[str, Hits]:
    return patterns().bass_lines if time.name == "4/4" else patterns().meters[time.name].bass_lines


@dataclass(frozen=True, slots=True)
class PatternSet:
    """The names of the patterns, and what drums beat; no groove: no drums."""

    comping: str
    bass: str
    groove: Beats | None
    strokes: int  # how often the chords are struck in a bar

    @property
    def names(self) -> Option:
        """All three names."""
        return self.comping, self.bass, self.groove


@dataclass(frozen=True, slots=True)
class Arrangement:
    """The patterns of a piece: in its usual sections, in the contrasting ones, and in the climax."""

    home: PatternSet
    away: PatternSet
    full: PatternSet
    book: Book
    riff: bool  # the bass figure stays the same whatever chord follows

    def of(self, section: Section) -> PatternSet:
        """Return the patterns of a section."""
        if section.energy == 1:
            return self.full
        return self.away if section.name == "B" else self.home

    def as_busy(self, section: Section, names: tuple[str, ...]) -> str:
        """Return the name that stands where the section's way of striking chords stands, from calm to busy."""
        comping = self.book.comping
        place = comping.index(self.of(section).comping) / max(1, len(comping) - 1)
        return names[round(place * (len(names) - 1))]


def arrangement(
    random: Random,
    style: Style,
    level: float,
    bpm: float,
    time: Time = TIMES["4/4"],
    drumless: float = DRUMLESS,
    lean: float = 0.0,
) -> Arrangement:
    """Return patterns of the style for an excitement 0..1 at a tempo.

    A style with riffs plays one bass figure through the whole piece; the seed chooses which of its alternates.
    """
    book = book_of(style, time)
    grooves: tuple[Beats | None, ...] = book.grooves or (None,)
    calm = style.tempo.slows_down and not style.drums.always and level < drumless
    if book.grooves and calm:
        grooves = (None, *grooves) if level > drumless / 2 else (None,)
    options = list(product(book.comping, book.bass, grooves))
    home = _patterns(random, book, options, level, bpm, lean)
    like = [option for option in options if _goes_with(_set(book, option), home)]
    if style.accompaniment.riffs:
        like = [option for option in like if option[1] == home.bass]
    others = [option for option in like if option[0] != home.comping] or like
    away = _patterns(random, book, others, min(1.0, level + AWAY), bpm, lean)
    fullest = max(_rate(book, option, bpm) for option in like)
    busier = [
        option for option in like if _rate(book, option, bpm) > min(0.999 * fullest, _rate(book, home.names, bpm))
    ]
    # The climax keeps the bass figure: what returns is heard as returning.
    same = [option for option in busier if option[1] == home.bass] or busier
    full = _patterns(random, book, same, min(1.0, level + FULL), bpm, lean)
    played = {name: random.choice((name, *patterns().alternates.get(name, ()))) for name in book.bass}
    home, away, full = (_set(book, (one.comping, played[one.bass], one.groove)) for one in (home, away, full))
    return Arrangement(home, away, full, book, style.accompaniment.riffs)


def _set(book: Book, option: Option) -> PatternSet:
    hits = _comping(book.time)[option[0]]
    return PatternSet(*option, strokes=math.ceil(len(hits) / len(bars_in(hits, book.time.bar))))


def _goes_with(other: PatternSet, home: PatternSet) -> bool:
    """Return whether the same players can play both: nobody joins for one section, and nobody is too slow."""
    return (other.groove is None) == (home.groove is None) and (
        (other.strokes > MOST_STROKES) == (home.strokes > MOST_STROKES)
    )


def _patterns(random: Random, book: Book, options: list[Option], level: float, bpm: float, lean: float) -> PatternSet:
    wished = math.log(STILL) + level * math.log(EXCITED / STILL)
    ranges = book.comping, book.bass, book.grooves
    costs = [
        abs(math.log(_rate(book, option, bpm)) - wished) + _stray(ranges, option, level, lean) for option in options
    ]
    least = min(costs)
    return _set(book, random.choices(options, [math.exp(-(cost - least) / TOLERANCE) for cost in costs])[0])


def _rate(book: Book, option: Option, bpm: float) -> float:
    """Return the moments a second in which anything is struck."""
    return _struck(book.time, *option) * bpm / 60 / book.time.bar


@cache
def _struck(time: Time, comping: str, bass: str, groove: Beats | None) -> float:
    """Return the steps of a bar in which anything is struck, on average over the bars."""
    chords = bars_in(_comping(time)[comping], time.bar)
    basses = bars_in(_bass_lines(time)[bass], time.bar)
    size = round(time.bar * STEPS_A_BEAT)
    count = math.lcm(len(chords), len(basses), *(len(steps) // size for _, steps in groove or ()))
    struck = set()
    for number in range(count):
        hits = (*chords[number % len(chords)], *basses[number % len(basses)])
        struck |= {(number, _step(hit)) for hit in hits}
        for _, steps in groove or ():
            here = steps[number * size % len(steps) :][:size]
            struck |= {(number, step) for step, sign in enumerate(here) if sign != "."}
    return len(struck) / count


def _step(hit: Hit) -> int:
    return round(hit.at * STEPS_A_BEAT)


def _stray(ranges: tuple[tuple[object, ...], ...], option: Option, level: float, lean: float) -> float:
    """Return how far the patterns stand from their places between calm and busy: no busy drums under held chords.

    A piece that leans to its drums has busier ones, and calmer chords.
    """
    places = (level - LEANING * lean, level, level + LEANING * lean)
    return sum(
        0.2 * abs(names.index(name) / (len(names) - 1) - place)
        for name, names, place in zip(option, ranges, places, strict=True)
        if name and len(names) > 1
    )
