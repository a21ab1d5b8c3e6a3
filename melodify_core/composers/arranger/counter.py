"""The second voice: a line of held tones under the tune that follows the harmony, and answers in the tune's rests."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from random import Random

from melodify_core.composers.arranger.form import Bar, bar_at
from melodify_core.composers.arranger.melody_line import scale_over
from melodify_core.composers.arranger.score import Chord, Key, Note

# The least length of a rest that is answered, and the time from its start to the answer.
BREATH, WAIT = 1.5, 0.5
# Held tones keep this far from the tune, in semitones.
NEAREST = 3


@dataclass(frozen=True, slots=True)
class Compass:
    """The register of the second voice in MIDI pitches, and how loud it is."""

    low: int
    high: int
    velocity: int
    held: bool  # its tones do not decay, so it holds them; otherwise it only answers


def second_voice(
    random: Random, key: Key, bars: tuple[Bar, ...], chords: tuple[Chord, ...], tune: list[Note], compass: Compass
) -> list[Note]:
    """Return the second voice of the sections that have one."""
    playing = {bar.index: bar for bar in bars if "counter" in bar.section.roles and not bar.final}
    breaths = [one for one in _breaths(tune) if bar_at(bars, one[0]) in playing]
    notes = [note for breath in breaths for note in _answer(random, key, chords, breath, tune, compass)]
    if not compass.held:
        return notes
    answered = {bar_at(bars, start) for start, _ in breaths}
    held = [chord for chord in chords if bar_at(bars, chord.start) in playing.keys() - answered]
    return sorted([*notes, *_line(held, tune, compass)], key=lambda note: note.start)


def _breaths(tune: list[Note]) -> Iterator[tuple[float, float]]:
    """Yield the rests inside the tune and its long tones from their second beat on, as starts and ends."""
    for before, after in pairwise(tune):
        silent = max(before.start + 1.0, min(before.start + before.length, before.start + 2.0))
        if after.start - silent >= BREATH and after.start - before.start < 8:
            yield silent, after.start


def _answer(
    random: Random, key: Key, chords: tuple[Chord, ...], breath: tuple[float, float], tune: list[Note], compass: Compass
) -> Iterator[Note]:
    """Yield a few tones that move by step, mostly against the direction in which the tune went."""
    start, end = round(2 * (breath[0] + WAIT / 2)) / 2, breath[1]
    before = [note.pitch for note in tune if note.start < breath[0]][-2:]
    side = -1 if before[-1] > before[0] else 1
    chord = _chord_at(chords, start)
    scale = sorted(scale_over(key, chord.classes))
    centre = min(max(before[-1] - 5, compass.low + 4), compass.high - 4)
    pitch = min(_places(chord.classes, compass), key=lambda one: abs(one - centre))
    ladder = [one for one in range(compass.low, compass.high + 1) if one % 12 in scale]
    place = ladder.index(pitch)
    for number in range(min(random.choice((2, 3, 4)), int((end - start) * 2))):
        at = start + number * 0.5
        yield Note(at, 0.48, ladder[place], compass.velocity - 2 * number)
        place = min(len(ladder) - 1, max(0, place + side))


def _line(held: list[Chord], tune: list[Note], compass: Compass) -> Iterator[Note]:
    before = (compass.low + compass.high) / 2
    for chord in held:
        above = [note.pitch for note in tune if chord.start - 0.1 <= note.start < chord.start + chord.length]
        free = [one for one in _places(chord.classes, compass) if all(abs(one - other) >= NEAREST for other in above)]
        if not free:
            continue
        # Third and seventh are more characteristic than root and fifth, which other parts play.
        telling = {chord.classes[1], *chord.classes[3:]}
        pitch = min(free, key=lambda one: (abs(one - before) + (0.0 if one % 12 in telling else 2.5), one))
        yield Note(chord.start, chord.length * 0.97, pitch, compass.velocity)
        before = pitch


def _places(classes: tuple[int, ...], compass: Compass) -> list[int]:
    return [pitch for pitch in range(compass.low, compass.high + 1) if pitch % 12 in classes]


def _chord_at(chords: tuple[Chord, ...], beat: float) -> Chord:
    return next(chord for chord in reversed(chords) if chord.start <= beat)
