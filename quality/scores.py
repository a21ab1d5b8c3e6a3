"""Measures the written music: moves of the tune, chord tones, key, empty bars, groove, parallels."""

import io
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import pretty_midi

from melodify_core.composers.arranger.midi import midi_file
from melodify_core.composers.arranger.score import Note, Score
from melodify_core.models import Mode

# Krumhansl & Kessler 1982, from the tonic up. Written out again, because the composer's own table is under test.
PROFILES: dict[Mode, tuple[float, ...]] = {
    "major": (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88),
    "minor": (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17),
}
SIXTEENTHS = 4  # of a beat
LATE = 0.2  # beats by which a played note may be late


@dataclass(frozen=True, slots=True)
class Statistics:
    """The figures of one score; shares are 0..1."""

    moves: int  # of the tune from note to another note, a repeated note included
    steps: int  # of these, of one or two semitones
    repeats: int
    largest_leap: int  # semitones
    strong: int  # notes of the tune on the first and third beat
    strong_chord_tones: int
    key_correlation: float
    empty_bars: int
    groove: float
    pairs: int  # moves of tune and bass together
    parallels: int  # of these, in fifths or octaves
    opening: tuple[object, ...]


def statistics(score: Score) -> Statistics:
    """Return the figures of a score."""
    tune = _notes(score, "lead")
    sizes = [abs(after.pitch - before.pitch) for before, after in pairwise(tune)]
    strong = [note for note in tune if _off(note.start, score.time.strong) < LATE]
    pairs, parallels = _parallels(tune, _notes(score, "bass"))
    return Statistics(
        moves=len(sizes),
        steps=sum(1 <= size <= 2 for size in sizes),
        repeats=sizes.count(0),
        largest_leap=max(sizes, default=0),
        strong=len(strong),
        strong_chord_tones=sum(note.pitch % 12 in chord_at(score, note.start) for note in strong),
        key_correlation=key_correlation(score),
        empty_bars=_empty_bars(score),
        groove=groove_consistency(score),
        pairs=pairs,
        parallels=parallels,
        opening=opening(score),
    )


def key_correlation(score: Score) -> float:
    """Return how well the pitch classes, weighted by time as pretty_midi counts them, follow the written key.

    A last chorus in a higher key counts as if it had stayed.
    """
    parts = [
        replace(part, notes=tuple(replace(note, pitch=score.written_pitch(note)) for note in part.notes))
        if part.role != "drums"
        else part
        for part in score.parts
    ]
    file = pretty_midi.PrettyMIDI(io.BytesIO(midi_file(replace(score, parts=tuple(parts)))))
    histogram = np.asarray(file.get_pitch_class_histogram(use_duration=True), np.float64)
    return float(np.corrcoef(np.roll(histogram, -score.key.tonic), PROFILES[score.key.mode])[0, 1])


def groove_consistency(score: Score) -> float:
    """Return 1 minus the mean share of the sixteenths that differ in being struck from bar to bar, all parts together.

    As in MusPy (Dong et al. 2020; Wu & Yang 2020), which uses a finer grid, so that its values are higher.
    """
    last = max(section.first_bar + section.bars for section in score.sections) - 1
    size = round(score.time.bar * SIXTEENTHS)
    struck = np.zeros((last, size), bool)
    for part in score.parts:
        for note in part.notes:
            place = int((note.start + 0.02) * SIXTEENTHS)
            if place < last * size:
                struck[divmod(place, size)] = True
    return 1 - float((struck[1:] != struck[:-1]).mean())


def chord_at(score: Score, beat: float) -> tuple[int, ...]:
    """Return the pitch classes of the chord that sounds."""
    return next(chord.classes for chord in reversed(score.chords) if chord.start <= beat + LATE)


def opening(score: Score) -> tuple[object, ...]:
    """Return a key that distinguishes the first two bars from other openings: who plays what when."""
    heard = (
        (round(note.start * 4), note.pitch, part.program)
        for part in score.parts
        for note in part.notes
        if note.start < 2 * score.time.bar
    )
    return (round(score.bpm), *sorted(heard))


def onsets_a_second(scores: Iterable[Score]) -> list[float]:
    """Return the struck moments per second of each score; notes that are struck together count once."""
    return [
        len({round(note.start * 8) for part in score.parts for note in part.notes}) / score.seconds for score in scores
    ]


def _notes(score: Score, role: str) -> tuple[Note, ...]:
    part = score.part(role)
    return part.notes if part else ()


def _off(beat: float, unit: float) -> float:
    return min(beat % unit, unit - beat % unit)


def _empty_bars(score: Score) -> int:
    last = max(section.first_bar + section.bars for section in score.sections)
    sounding: Counter[int] = Counter()
    for part in score.parts:
        for note in part.notes:
            for bar in range(int(note.start // score.time.bar), int((note.start + note.length) // score.time.bar) + 1):
                sounding[bar] += 1
    breaks = {b for s in score.sections if s.name == "break" for b in range(s.first_bar, s.first_bar + s.bars)}
    return sum(not sounding[bar] and bar not in breaks for bar in range(last))


def _parallels(tune: tuple[Note, ...], bass: tuple[Note, ...]) -> tuple[int, int]:
    """Return the moves in which both outer voices change, and how many of them keep a fifth or an octave."""
    sounding: list[tuple[int, int]] = []
    place = 0
    for note in tune:
        while place + 1 < len(bass) and bass[place + 1].start <= note.start + 0.1:
            place += 1
        if bass and bass[place].start <= note.start + 0.1:
            sounding.append((note.pitch, bass[place].pitch))
    both = [(a, b) for a, b in pairwise(sounding) if a[0] != b[0] and a[1] != b[1]]
    kept = [(a, b) for a, b in both if (a[0] - a[1]) % 12 in (0, 7) and (a[0] - a[1]) % 12 == (b[0] - b[1]) % 12]
    return len(both), len(kept)
