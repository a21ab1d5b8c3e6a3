"""The tune: themes that return over the chords, with rests, stable phrase ends and one climax.

themes.py draws rhythms and motifs, this module lays them over the bars, and melody_line.py finds the pitches.
"""

import math
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random

from melodify_core.composers.arranger.form import PHRASE_BARS, Bar
from melodify_core.composers.arranger.melody_line import Line, Rules, Slot, scale_over
from melodify_core.composers.arranger.score import Chord, Key, Note, Time
from melodify_core.composers.arranger.themes import MelodyProfile, Theme, decorated, onsets, theme
from melodify_core.styles.style import Moves

# How far each section is above the home register, in semitones. The climax is higher, and alone reaches the top.
_LIFTS = {"intro": 0.0, "A": 0.0, "B": 2.0, "break": -1.0, "ending": 0.0}
_CLIMAX_LIFT = 4
_KEPT_FOR_CLIMAX = 4
SUMMIT = 0.7  # where in its phrase the climax is highest
BREAK = 0.6  # of the usual number of notes
# How often a returning theme is decorated, and how long a note of the pickup into the tune may be.
DECORATED = 0.3
PICKUPS = (0.25, 0.5)


@dataclass(frozen=True, slots=True)
class Voice:
    """The bounds of the tune: notes per second, and the middle and ends of its register in MIDI pitches."""

    notes_a_second: float
    centre: float
    low: int
    high: int
    family: str  # of rhythm cells
    moves: Moves
    strict: bool  # no parallel fifths and octaves with the bass
    legato: float  # share of a note's time that sounds
    velocity: int
    pentatonic: bool = False


def compose(
    random: Random, key: Key, bars: tuple[Bar, ...], chords: tuple[Chord, ...], bass: list[Note], bpm: float,
    voice: Voice, time: Time,
) -> list[Note]:  # fmt: skip
    """Return the tune. It rests in sections without lead, and ends on the tonic with the last chord."""
    wanted = voice.notes_a_second * time.bar * 60 / bpm
    profile = MelodyProfile(time, wanted, voice.family, voice.moves)
    first = theme(random, profile)
    # An intro with a tune announces the theme, and the ending recalls it.
    themes = dict.fromkeys(_LIFTS, first) | {
        "B": theme(random, profile, like=first),
        "break": theme(random, replace(profile, notes_a_bar=BREAK * wanted)),
    }
    left_out = key.semitones if voice.pentatonic else frozenset()
    rules = Rules(random, key, voice.low, voice.high, voice.strict, voice.moves, left_out)
    below = voice.high - _KEPT_FOR_CLIMAX if any(_climax(bar) for bar in bars) else voice.high
    basses = sorted(bass, key=lambda note: note.start)
    starts = [note.start for note in basses]
    remembered: dict[tuple[str, float], int] = {}
    line = Line(rules)
    notes: list[Note] = []
    previous: tuple[int, int] | None = None
    for phrase in _phrases(bars):
        name = phrase[0].section.name
        slots = [
            _with_chord(slot, chords, basses, starts)
            for slot in _slots(random, themes[name], phrase, voice.centre, time, remembered)
        ]
        pitches = line.draw(slots, previous, voice.high if _climax(phrase[0]) else below)
        for slot, pitch in zip(slots, pitches, strict=True):
            remembered.setdefault((name, slot.start - phrase[0].start), pitch)
        notes += [_note(slot, pitch, phrase, voice) for slot, pitch in zip(slots, pitches, strict=True)]
        previous = (pitches[-1], slots[-1].bass)
    return [*_pickup(rules, notes[0], chords, basses, voice, time), *notes]


def _climax(bar: Bar) -> bool:
    return bar.section.energy == 1


def _pickup(
    rules: Rules, first: Note, chords: tuple[Chord, ...], basses: list[Note], voice: Voice, time: Time
) -> list[Note]:
    """Return a few notes in the intro's last bar that lead to the first note in steps; often none."""
    count, side = rules.random.choice((0, 1, 2, 3)), rules.random.choice((-1, 1))
    length = rules.random.choice(PICKUPS)
    if first.start < time.bar or first.start % time.bar > 0.5:
        return []
    before = next(chord for chord in reversed(chords) if chord.start < first.start - 0.25)
    scale = (scale_over(rules.key, before.classes) - rules.left_out) | {first.pitch % 12}
    ladder = [pitch for pitch in range(rules.low, rules.high + 1) if pitch % 12 in scale]
    places = [ladder.index(first.pitch) + side * step for step in range(count, 0, -1)]
    pitches = [ladder[place] for place in places if 0 <= place < len(ladder)]
    if pitches and rules.strict and _parallel(pitches[-1], first, basses):
        return []
    starts = [first.start - length * (len(pitches) - number) for number in range(len(pitches))]
    return [
        Note(at, length * voice.legato, pitch, voice.velocity - 6) for at, pitch in zip(starts, pitches, strict=True)
    ]


def _parallel(pitch: int, first: Note, basses: list[Note]) -> bool:
    under = [[note.pitch for note in basses if note.start <= beat + 0.1] for beat in (first.start - 0.5, first.start)]
    (*_, old), (*_, new) = under
    return (pitch - old) % 12 == (first.pitch - new) % 12 and (pitch - old) % 12 in (0, 7)


def _phrases(bars: tuple[Bar, ...]) -> Iterator[tuple[Bar, ...]]:
    """Yield the bars of each section with a tune: a section is a phrase, one of eight bars and more is two."""
    phrase: list[Bar] = []
    for bar in bars:
        if bar.section.name in _LIFTS and "lead" in bar.section.roles:
            phrase.append(bar)
            if bar.last or (
                len(phrase) == PHRASE_BARS and bar.section.bars >= 2 * PHRASE_BARS and bar.number < PHRASE_BARS
            ):
                yield tuple(phrase)
                phrase = []


def _slots(
    random: Random, theme: Theme, phrase: tuple[Bar, ...], centre: float, time: Time,
    remembered: dict[tuple[str, float], int],
) -> Iterator[Slot]:  # fmt: skip
    section, lift = phrase[0].section, _CLIMAX_LIFT if _climax(phrase[0]) else 0
    middle, shape = centre + _LIFTS[section.name] + lift, "summit" if lift else theme.shape
    repeated = (section.name, 0.0) in remembered and section.name != "ending"
    for place, bar in enumerate(phrase):
        closing = bar.last
        rhythm = _bar_rhythm(theme, place, bar, closing)
        motif = theme.motifs.get(rhythm)
        if repeated and place == 1 and random.random() < DECORATED:
            rhythm = decorated(random, rhythm)
        beats = list(onsets(rhythm))
        for number, (at, length) in enumerate(beats):
            done = (place + at / time.bar) / len(phrase)
            kept = remembered.get((section.name, bar.start + at - phrase[0].start)) if repeated else None
            move = motif.moves[number] if motif and 0 < number < len(motif.moves) and kept is None else None
            yield Slot(
                start=bar.start + at,
                length=bar.beats if bar.final else length,
                strong=at % time.strong == 0,
                target=middle + theme.height * _bend(shape, done),
                move=move,
                memory=_lifted(kept, lift),
                stable=closing and number == len(beats) - 1,
                tonic=bar.final,
                hook=motif is not None and number <= motif.hook,
            )


def _lifted(pitch: int | None, by: int) -> int | None:
    """Return the pitch with which a theme returns: higher in the climax."""
    return None if pitch is None else pitch + by


def _bar_rhythm(theme: Theme, place: int, bar: Bar, closing: bool) -> str:
    if bar.final:
        return "o"
    if closing or (bar.section.name == "ending" and bar.index == bar.section.first_bar + bar.section.bars - 2):
        return theme.rhythms[-1]
    return theme.rhythms[place % 3]


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
