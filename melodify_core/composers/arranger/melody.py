"""The tune: themes that return, in steps over the chords, with rests, stable phrase ends and one climax.

This module draws rhythms and shapes; melody_line.py then finds the pitches.
"""

import math
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random

from melodify_core.composers.arranger.form import PHRASE_BARS, Bar
from melodify_core.composers.arranger.melody_line import Rules, Slot, line, scale_over
from melodify_core.composers.arranger.score import BEATS_PER_BAR, Chord, Key, Note
from melodify_core.styles.patterns import patterns

STEPS_A_BEAT = 4
KEEPS_ON = 0.68  # how often a motif continues in its direction after a step
SIZES = (74, 16, 6, 4)  # weights of moves by one to four steps of the scale
# How far each section is above the home register, in semitones. The climax is higher, and alone reaches the top.
_LIFTS = {"intro": 0.0, "A": 0.0, "B": 2.0, "break": -1.0, "ending": 0.0}
_CLIMAX_LIFT = 4
_KEPT_FOR_CLIMAX = 4
SUMMIT = 0.7  # where in its phrase the climax is highest


@dataclass(frozen=True, slots=True)
class Voice:
    """The bounds of the tune: notes per second, and the middle and ends of its register in MIDI pitches."""

    notes_a_second: float
    centre: float
    low: int
    high: int
    syncopated: bool
    strict: bool  # no parallel fifths and octaves with the bass
    legato: float  # share of a note's time that sounds
    velocity: int
    pentatonic: bool = False
    plain: bool = False  # themes move in steps only


@dataclass(frozen=True, slots=True)
class _Theme:
    """Four bars of rhythm, each with a motif of wished moves in scale steps. `shape` bends the register."""

    rhythms: tuple[str, ...]
    motifs: dict[str, tuple[int, ...]]
    shape: str
    height: float


def compose(
    random: Random, key: Key, bars: tuple[Bar, ...], chords: tuple[Chord, ...], bass: list[Note], bpm: float,
    voice: Voice,
) -> list[Note]:  # fmt: skip
    """Return the tune. It rests in sections without lead, and ends on the tonic with the last chord."""
    wanted = voice.notes_a_second * BEATS_PER_BAR * 60 / bpm
    thinner = {"break": 0.6, "ending": 0.7}
    themes = {name: _theme(random, wanted * thinner.get(name, 1), voice) for name in _LIFTS}
    themes["intro"] = themes["A"]  # an intro with a tune announces the theme
    left_out = key.semitones if voice.pentatonic else frozenset()
    rules = Rules(random, key, voice.low, voice.high, voice.strict, left_out)
    below = replace(rules, high=voice.high - _KEPT_FOR_CLIMAX) if any(_climax(bar) for bar in bars) else rules
    basses = sorted(bass, key=lambda note: note.start)
    starts = [note.start for note in basses]
    remembered: dict[tuple[str, float], int] = {}
    notes: list[Note] = []
    previous: tuple[int, int] | None = None
    for phrase in _phrases(bars):
        theme = themes[phrase[0].section.name]
        slots = [
            _with_chord(slot, chords, basses, starts)
            for slot in _slots(random, theme, phrase, voice.centre, remembered)
        ]
        pitches = line(rules if _climax(phrase[0]) else below, slots, previous)
        for slot, pitch in zip(slots, pitches, strict=True):
            remembered[phrase[0].section.name, slot.start - phrase[0].start] = pitch
        notes += [_note(slot, pitch, phrase, voice) for slot, pitch in zip(slots, pitches, strict=True)]
        previous = (pitches[-1], slots[-1].bass)
    return [*_pickup(rules, notes[0], chords, basses, voice), *notes]


def _climax(bar: Bar) -> bool:
    return bar.section.energy == 1


def _pickup(rules: Rules, first: Note, chords: tuple[Chord, ...], basses: list[Note], voice: Voice) -> list[Note]:
    """Return a few notes in the intro's last bar that lead to the first note in steps; often none."""
    count, side = rules.random.choice((0, 1, 2, 3)), rules.random.choice((-1, 1))
    if first.start < BEATS_PER_BAR or first.start % BEATS_PER_BAR > 0.5:
        return []
    before = next(chord for chord in reversed(chords) if chord.start < first.start - 0.25)
    scale = (scale_over(rules.key, before.classes) - rules.left_out) | {first.pitch % 12}
    ladder = [pitch for pitch in range(rules.low - 5, rules.high + 6) if pitch % 12 in scale]
    places = [ladder.index(first.pitch) + side * step for step in range(count, 0, -1)]
    pitches = [ladder[place] for place in places if 0 <= place < len(ladder)]
    if pitches and rules.strict and _parallel(pitches[-1], first, basses):
        return []
    starts = [first.start - 0.5 * (len(pitches) - number) for number in range(len(pitches))]
    return [Note(at, 0.5 * voice.legato, pitch, voice.velocity - 6) for at, pitch in zip(starts, pitches, strict=True)]


def _parallel(pitch: int, first: Note, basses: list[Note]) -> bool:
    under = [[note.pitch for note in basses if note.start <= beat + 0.1] for beat in (first.start - 0.5, first.start)]
    (*_, old), (*_, new) = under
    return (pitch - old) % 12 == (first.pitch - new) % 12 and (pitch - old) % 12 in (0, 7)


def _phrases(bars: tuple[Bar, ...]) -> Iterator[tuple[Bar, ...]]:
    """Yield the bars of each phrase with a tune: sections are at most one phrase long, the ending is one of its own."""
    sung = [bar for bar in bars if bar.section.name in _LIFTS and "lead" in bar.section.roles]
    phrase: list[Bar] = []
    for bar in sung:
        if phrase and (bar.section != phrase[0].section or len(phrase) == PHRASE_BARS):
            yield tuple(phrase)
            phrase = []
        phrase.append(bar)
    if phrase:
        yield tuple(phrase)


def _theme(random: Random, wanted: float, voice: Voice) -> _Theme:
    first, second = _rhythm(random, wanted, voice.syncopated), _rhythm(random, wanted, voice.syncopated)
    third = random.choice((first, first, second))
    close = min(random.sample(patterns().tunes["closes"], 3), key=lambda rhythm: abs(rhythm.count("o") - wanted * 0.6))
    sizes = (1, 0, 0, 0) if voice.plain else SIZES
    motifs = {rhythm: _motif(random, rhythm.count("o"), sizes) for rhythm in (first, second)}
    shape = random.choice(("arch", "wave", "rise", "fall"))
    return _Theme((first, second, third, close), motifs, shape, random.uniform(3.5, 6.5))


def _motif(random: Random, notes: int, sizes: tuple[int, ...]) -> tuple[int, ...]:
    """Return moves in scale steps, the first one to the first note: runs keep their direction, leaps turn back."""
    moves = [random.choice((-1, 1))]
    for _ in range(notes - 1):
        way = 1 if moves[-1] > 0 else -1
        keeps = abs(moves[-1]) < 2 and random.random() < KEEPS_ON
        size = random.choices((1, 2, 3, 4), sizes)[0]
        moves.append(way * size if keeps else -way * size)
    return tuple(moves)


def _rhythm(random: Random, wanted: float, syncopated: bool) -> str:
    pool = patterns().tunes["syncopated" if syncopated else "plain"]
    wanted = min(wanted, max(rhythm.count("o") for rhythm in pool))
    weights = [math.exp(-(((rhythm.count("o") - wanted) / 0.7) ** 2)) + 1e-6 for rhythm in pool]
    return random.choices(pool, weights)[0]


def _slots(
    random: Random, theme: _Theme, phrase: tuple[Bar, ...], centre: float, remembered: dict[tuple[str, float], int]
) -> Iterator[Slot]:
    section, lift = phrase[0].section, _CLIMAX_LIFT if _climax(phrase[0]) else 0
    middle, shape = centre + _LIFTS[section.name] + lift, "summit" if lift else theme.shape
    repeated = (section.name, 0.0) in remembered and section.name != "ending"
    for place, bar in enumerate(phrase):
        closing = place == len(phrase) - 1
        rhythm = _bar_rhythm(theme, place, bar, closing)
        if repeated and place == 1 and random.random() < 0.5:
            rhythm = _decorated(random, rhythm)
        onsets, motif = list(_onsets(rhythm)), theme.motifs.get(rhythm)
        for number, (at, length) in enumerate(onsets):
            done = (place + at / BEATS_PER_BAR) / len(phrase)
            yield Slot(
                start=bar.start + at,
                length=bar.beats if bar.final else length,
                strong=at in (0, 2),
                target=middle + theme.height * _bend(shape, done),
                move=motif[number] if motif and number else None,
                memory=_lifted(remembered.get((section.name, bar.start + at - phrase[0].start)), lift)
                if repeated
                else None,
                stable=closing and number == len(onsets) - 1,
                tonic=bar.final,
            )


def _lifted(pitch: int | None, by: int) -> int | None:
    """Return the pitch with which a theme returns: higher in the climax."""
    return None if pitch is None else pitch + by


def _bar_rhythm(theme: _Theme, place: int, bar: Bar, closing: bool) -> str:
    if bar.final:
        return patterns().tunes["plain"][0]
    if closing or (bar.section.name == "ending" and bar.index == bar.section.first_bar + bar.section.bars - 2):
        return theme.rhythms[-1]
    return theme.rhythms[place % 3]


def _decorated(random: Random, rhythm: str) -> str:
    """Return the rhythm with one held quarter split in two."""
    places = [at for at in range(0, len(rhythm) - 3, 2) if rhythm[at : at + 4] == "o---"]
    if not places:
        return rhythm
    at = random.choice(places)
    return rhythm[: at + 2] + "o" + rhythm[at + 3 :]


def _onsets(rhythm: str) -> Iterator[tuple[float, float]]:
    """Yield the starts and lengths in beats."""
    starts = [step for step, sign in enumerate(rhythm) if sign == "o"]
    for start in starts:
        end = next((step for step in range(start + 1, len(rhythm)) if rhythm[step] != "-"), len(rhythm))
        yield start / STEPS_A_BEAT, (end - start) / STEPS_A_BEAT


def _bend(shape: str, done: float) -> float:
    """Return the bend of the register, -1..1, when the share `done` of the phrase is over."""
    match shape:
        case "arch":
            return 2 * math.sin(math.pi * done) - 1
        case "wave":
            return math.sin(2 * math.pi * done)
        case "summit":
            return 1 - 2 * abs(done - SUMMIT)
        case "rise":
            return 1.6 * done - 0.8 if done < 0.8 else 0.0
        case _:
            return 0.9 - 1.6 * done


def _with_chord(slot: Slot, chords: tuple[Chord, ...], basses: list[Note], starts: list[float]) -> Slot:
    chord = next(one for one in reversed(chords) if one.start <= slot.start)
    later = next((one for one in reversed(chords) if one.start < slot.start + slot.length - 0.25), chord)
    place = bisect_right(starts, slot.start) - 1
    bass = basses[place].pitch if place >= 0 else 0
    return slot.over(chord.classes, later.classes, bass)


def _note(slot: Slot, pitch: int, phrase: tuple[Bar, ...], voice: Voice) -> Note:
    beats = phrase[-1].start + phrase[-1].beats - phrase[0].start
    arc = math.sin(math.pi * (slot.start - phrase[0].start) / beats)
    velocity = voice.velocity + 8 * arc + 14 * (phrase[0].section.energy - 0.75) + (5 if slot.strong else 0)
    length = slot.length if slot.tonic else slot.length * voice.legato
    return Note(slot.start, length, pitch, round(velocity))
