"""Measures the accompaniment as it is written: chords and what is under them, and bars that are exact copies."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from melodify_core.composers.arranger.score import Chord, Part, Score
from quality.tunes import GRID, straight

EARLY, LATE = 0.1, 0.3  # beats by which a bass note may miss its chord


@dataclass(frozen=True, slots=True)
class Harmony:
    """Shares of the chords, and of the bars."""

    inverted: float
    applied: float
    doubled: float


def harmony_of(songs: Sequence[Score]) -> Harmony:
    """Return the figures of all songs together."""
    under = [low for song in songs for low in _inverted(song)]
    leaving = [bool(_written(song, chord) - _own(song)) for song in songs for chord in song.chords]
    bars = [Counter(int(chord.start // song.time.bar) for chord in song.chords) for song in songs]
    return Harmony(
        inverted=float(np.mean(under)),
        applied=float(np.mean(leaving)),
        doubled=float(np.mean([count > 1 for found in bars for count in found.values()])),
    )


def _written(song: Score, chord: Chord) -> set[int]:
    return {(one - song.lifted_by(chord.start)) % 12 for one in chord.classes}


def _own(song: Score) -> set[int]:
    """Return the pitch classes of the scale, in minor with the leading note, which its dominant always has."""
    return {*song.key.classes, (song.key.tonic - 1) % 12} if song.key.mode == "minor" else set(song.key.classes)


def lowest_of(song: Score) -> list[int | None]:
    """Return the bass note under the beginning of each chord, where one is struck."""
    bass = song.part("bass")
    notes = sorted(bass.notes, key=lambda note: note.start) if bass else []
    return [
        next((song.written_pitch(note) for note in notes if -EARLY < note.start - chord.start < LATE), None)
        for chord in song.chords
    ]


def _inverted(song: Score) -> list[bool]:
    return [
        (low + song.lifted_by(chord.start)) % 12 != chord.classes[0]
        for chord, low in zip(song.chords, lowest_of(song), strict=True)
        if low is not None
    ]


def copies(songs: Sequence[Score], role: str) -> float:
    """Return the share of a part's bars that an earlier bar of the piece has note for note, mean of the pieces."""
    return float(np.mean([_copied(song, part) for song in songs if (part := song.part(role))]))


def _copied(song: Score, part: Part) -> float:
    last = song.sections[-1].first_bar + song.sections[-1].bars - 1
    bars: dict[int, set[tuple[int, int]]] = {}
    for note in part.notes:
        place = round(straight(song, note.start) * GRID)
        number, inside = divmod(place, round(song.time.bar * GRID))
        if number < last:
            bars.setdefault(number, set()).add((inside, note.pitch))
    written = [frozenset(notes) for _, notes in sorted(bars.items())]
    return 1 - len(set(written)) / max(1, len(written))
