"""Form: turns a length in seconds into a tempo, whole bars in sections, and a last chord that rings out in time."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from melodify_core.composers.arranger.score import Lift, Section, Time
from melodify_core.styles import Style
from melodify_core.styles.instruments import LEAD, PAD
from melodify_core.styles.patterns import patterns
from melodify_core.styles.style import ALL

PHRASE_BARS = 4
# How long the last chord rings: a shorter one sounds cut off, a longer one dies away before the end.
LAST_CHORD_S = (1.8, 3.0)
# Where a hint names the tempo, the last chord gives way to it. A tempo that is off by a hundredth counts as ten.
NAMED_LAST_CHORD_S, NAMED_WEIGHT = (1.5, 4.2), 10
# How many beats before the last chord the piece slows down, and to what share of the tempo.
RITARDANDO = ((4.0, 0.95), (2.0, 0.87))
# A tempo this far outside a style's range, in natural logarithms, is halved or doubled.
FAR = 0.25
# From this length on the last chorus is higher, by one of these semitones.
LIFTED_S, LIFTS = 60, (1, 2, 2)
# A piece with more phrases uses a whole one for its intro.
LONG_PHRASES = 5
# How often a phrase that is repeated at once becomes one of eight bars.
LONG = 0.4
# How often two bars beyond the only phrase extend it, in place of a contrast.
EXTENDED = 0.6
# Body phrases of four bars, by their number. More than these repeat the last four of the longest.
_BODIES: dict[int, tuple[str, ...]] = {
    1: ("A",),
    2: ("AA", "AA", "AA", "AB"),
    3: ("ABA", "AAB"),
    4: ("AABA", "ABAB"),
    5: ("AABBA", "AABXA"),
    6: ("AABBAA", "AABAXA"),
    7: ("AABBXAA", "AABAXBA"),
    8: ("AABBXABA", "AABAXBAA"),
}
_TUNE_AND_BED, _TUNE_OVER_CHORDS = frozenset({LEAD, PAD}), "call"
_ENERGY = {"intro": 0.5, "A": 0.75, "B": 0.9, "break": 0.45, "ending": 0.7}


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar of the plan. The last one has only the last chord, and its `beats` fill the remaining time."""

    index: int
    start: float
    beats: float
    section: Section
    first: bool  # of its section
    last: bool  # of its section
    final: bool  # of the piece

    @property
    def number(self) -> int:
        """Its place in the section, from 0."""
        return self.index - self.section.first_bar


@dataclass(frozen=True, slots=True)
class Plan:
    """The tempo that makes the piece end on time, tempo changes as (beat, bpm), and the bars."""

    bpm: float
    tempos: tuple[tuple[float, float], ...]
    sections: tuple[Section, ...]
    bars: tuple[Bar, ...]
    time: Time


def bar_at(bars: tuple[Bar, ...], beat: float) -> int:
    """Return the index of the bar in which a beat is."""
    return int(beat // bars[0].beats)


def tempo_for(bpm: int, bounds: tuple[int, int], arousal: float) -> float:
    """Return the wished tempo, brought into the style's range.

    A tempo far outside becomes the nearest bound, or its half or double: an excited picture gets the faster of the two,
    a calm one the slower.
    """
    low, high = bounds
    nearest = float(min(max(bpm, low), high))
    if abs(math.log(nearest / bpm)) <= FAR:
        return nearest
    folded = [bpm * factor for factor in (0.5, 2.0) if low <= bpm * factor <= high]
    return max(nearest, *folded) if arousal > 0 and folded else min([nearest, *folded])


def plan(random: Random, seconds: float, wanted_bpm: float, style: Style, time: Time, *, named: bool = False) -> Plan:
    """Return the plan that fills the seconds at about the wanted tempo, in quarters a minute.

    A tempo that the hint has `named` is met as closely as whole bars allow.
    """
    slowing = RITARDANDO if style.tempo.slows_down else ()
    bars, final_s = (
        _bars(seconds, wanted_bpm, time, NAMED_LAST_CHORD_S, NAMED_WEIGHT, _lost_beats(slowing))
        if named
        else _bars(seconds, wanted_bpm, time)
    )
    beats = bars * time.bar + _lost_beats(slowing)
    bpm = 60 * beats / (seconds - final_s)
    end = bars * time.bar
    tempos = ((0.0, bpm), *((end - before, bpm * share) for before, share in slowing), (end, bpm))
    sections = _sections(random, bars, style)
    return Plan(bpm, tempos, sections, tuple(_bars_of(sections, final_s * bpm / 60, time)), time)


def lift_of(random: Random, form: Plan, seconds: float, style: Style) -> Lift | None:
    """Return by how much the last chorus of a long piece is higher, and where it begins."""
    last = next((section for section in form.sections if section.energy == 1), None)
    if last is None or seconds < LIFTED_S or not style.form.lifts:
        return None
    return Lift(form.bars[last.first_bar].start, random.choice(LIFTS))


def _bars(
    seconds: float,
    bpm: float,
    time: Time,
    last_chord_s: tuple[float, float] = LAST_CHORD_S,
    weight: float = 1,
    lost_beats: float = 0.0,
) -> tuple[int, float]:
    """Return how many bars come before the last chord, and the seconds of that chord."""
    bar_s = time.bar * 60 / bpm
    shortest, longest = last_chord_s
    fitting = max(2, int((seconds - shortest) / bar_s))
    options = []
    for bars in range(max(2, fitting - 2), fitting + 3):
        whole_s = bars * bar_s + lost_beats * 60 / bpm
        final_s = min(max(seconds - whole_s, shortest), longest)
        stretch = abs(math.log(whole_s / (seconds - final_s)))
        options.append((weight * stretch + _awkward(bars), bars, final_s))
    _, bars, final_s = min(options)
    return bars, final_s


def _awkward(bars: int) -> float:
    """Return the cost of a number of bars that leaves half a phrase, in natural logarithms of tempo."""
    return 0.0 if bars % 2 == 0 else 0.025


def _lost_beats(slowing: tuple[tuple[float, float], ...]) -> float:
    """Return how many beats of the main tempo the slower beats take beyond their own number."""
    ends = [before for before, _ in slowing[1:]] + [0.0]
    return sum((before - end) * (1 / share - 1) for (before, share), end in zip(slowing, ends, strict=False))


def _sections(random: Random, bars: int, style: Style) -> tuple[Section, ...]:
    ending = 2 if bars >= 2 * PHRASE_BARS else 1
    intro = 2 - (bars - ending) % 2
    phrases, rest = divmod(bars - ending - intro, PHRASE_BARS)
    if not rest and phrases > LONG_PHRASES:
        intro, phrases = PHRASE_BARS, phrases - 1
        rest = (bars - ending - intro) % PHRASE_BARS
    if not phrases:
        return tuple(_with_energy(random, [("A", bars - ending), ("ending", ending + 1)], style))
    # The bar of the last chord belongs to the ending.
    lengths = [("intro", intro), *_phrases(random, _body(random, phrases), rest), ("ending", ending + 1)]
    return tuple(_with_energy(random, lengths, style))


def _phrases(random: Random, body: str, rest: int) -> list[tuple[str, int]]:
    """Return the phrases: two bars that are left over extend one, and a repeated one may be a single long one."""
    found = [("break" if name == "X" else name, PHRASE_BARS) for name in body]
    twins = [place for place in range(len(found) - 1) if found[place] == found[place + 1]]
    if twins and len(found) > 2 and random.random() < LONG:
        place = random.choice(twins)
        found[place : place + 2] = [(found[place][0], 2 * PHRASE_BARS)]
    if rest and (len(found) > 1 or random.random() < EXTENDED):
        place = random.choice(
            [n for n, (name, length) in enumerate(found) if name != "break" and length == PHRASE_BARS]
        )
        name, length = found[place]
        found[place] = (name, length + rest)
    elif rest:
        found.append(("B", rest))
    return found


def _body(random: Random, phrases: int) -> str:
    longest = max(_BODIES)
    if phrases <= longest:
        return random.choice(_BODIES[phrases])
    rounds, rest = divmod(phrases - longest, 4)
    start = random.choice(_BODIES[longest])
    return start + "XABA"[-rest:] + "ABAA" * (rounds if rest else rounds - 1)


def _with_energy(random: Random, lengths: list[tuple[str, int]], style: Style) -> Iterator[Section]:
    first, climax = 0, max((n for n, (name, _) in enumerate(lengths) if name in "AB"), default=0)
    intro = patterns().intros[random.choice(style.form.intros)]
    if intro.who <= _TUNE_AND_BED and not style.instruments.pad:
        # A tune whose tones decay would leave silence before the band begins.
        intro = patterns().intros[_TUNE_OVER_CHORDS]
    comping = random.choice(intro.comping)
    for number, (name, bars) in enumerate(lengths):
        roles = {"intro": intro.who, "break": style.form.break_roles, "ending": ALL - {"counter"}}.get(name, ALL)
        if name == "A" and number <= 1 and len(lengths) > 3:
            # The first verse is sparse, so that parts that join later sound like growth.
            roles = ALL - {"pad", "counter"}
        energy = 1.0 if number == climax and len(lengths) > 3 else _ENERGY[name]
        yield Section(name, first, bars, energy, roles, comping if name == "intro" else "")
        first += bars


def _bars_of(sections: tuple[Section, ...], final_beats: float, time: Time) -> Iterator[Bar]:
    for section in sections:
        for place in range(section.bars):
            last = place == section.bars - 1
            final = last and section.name == "ending"
            index = section.first_bar + place
            beats = final_beats if final else time.bar
            yield Bar(index, index * time.bar, beats, section, place == 0, last, final)
