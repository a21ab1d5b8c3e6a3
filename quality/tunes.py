"""Measures tunes, ours and human ones alike: moves, range, rhythm, and how alike two of them are."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, fields
from itertools import combinations, groupby

import numpy as np

from melodify_core.composers.arranger.score import Score
from melodify_core.styles import all_styles

GRID = 4  # places a beat
FEWEST = 16  # notes without which a tune says little
PHRASE_BARS = 4
FIRST_BARS = 8
GRAM = 4
_SLACK = 1e-3


@dataclass(frozen=True, slots=True)
class Tune:
    """Notes as start and length in beats and MIDI pitch, from the first downbeat on; a pickup starts below 0."""

    notes: tuple[tuple[float, float, int], ...]
    bar: float  # beats
    tonic: int


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of a tune; shares are of its moves, of its notes or of its bars."""

    steps: float
    repeats: float
    thirds: float
    leaps: float  # of a fourth and more
    entropy: float  # of the signed moves in semitones, bits
    range: float  # of four bars, semitones, median
    sixteenths: float  # moves in at most a quarter of a beat
    long: float  # notes of two beats and more, but for the last one
    rhythms: float  # one-bar rhythms that differ, to all bars, of the first ones
    turns: float  # moves against the direction of the move before


def tune_of(score: Score) -> Tune:
    """Return a score's tune as it was written, from the first section that has one."""
    lead = score.part("lead")
    first = min(section.first_bar for section in score.sections if "lead" in section.roles) * score.time.bar
    notes = []
    for note in lead.notes if lead else ():
        start, end = (straight(score, beat) for beat in (note.start, note.start + note.length))
        place = round(start * GRID) / GRID
        notes.append((place - first, max(1, round((end - start) * GRID)) / GRID, note.pitch))
    return Tune(tuple(notes), score.time.bar, score.key.tonic)


def straight(score: Score, beat: float) -> float:
    """Return where a played beat was written, but for loose timing: swing is taken out."""
    tempo = all_styles()[score.style].tempo
    unit, middle = 1.0 if tempo.swung == "eighths" else 0.5, 0.5 * (1 + tempo.swing)
    whole, inside = divmod(beat / unit, 1)
    place = inside / middle / 2 if inside < middle else 0.5 + (inside - middle) / (1 - middle) / 2
    return (whole + place) * unit


def figures_of(tune: Tune) -> Figures | None:
    """Return the figures, or None for a tune of too few notes."""
    if len(tune.notes) < FEWEST:
        return None
    moves = np.diff([pitch for _, _, pitch in tune.notes])
    sizes = np.abs(moves)
    waits = np.diff([start for start, _, _ in tune.notes])
    shares = np.array(list(Counter(moves.tolist()).values())) / len(moves)
    return Figures(
        steps=float(((sizes == 1) | (sizes == 2)).mean()),
        repeats=float((sizes == 0).mean()),
        thirds=float(((sizes == 3) | (sizes == 4)).mean()),
        leaps=float((sizes >= 5).mean()),
        entropy=float(-(shares * np.log2(shares)).sum()),
        range=_range(tune),
        sixteenths=float((waits <= 1 / GRID + _SLACK).mean()),
        long=float(np.mean([length >= 2 for _, length, _ in tune.notes[:-1]])),
        rhythms=_rhythms(tune),
        turns=float((moves[1:] * moves[:-1] < 0).mean()),
    )


def _bars(tune: Tune, bars: int = 1) -> Iterable[list[tuple[float, float, int]]]:
    for _, notes in groupby(tune.notes, lambda note: (note[0] + _SLACK) // (bars * tune.bar)):
        yield list(notes)


def _range(tune: Tune) -> float:
    spans = [
        max(pitch for _, _, pitch in notes) - min(pitch for _, _, pitch in notes)
        for notes in _bars(tune, PHRASE_BARS)
        if len(notes) >= FEWEST // 2
    ]
    return float(np.median(spans)) if spans else 0.0


def _rhythms(tune: Tune) -> float:
    bars = list(_bars(tune))[:FIRST_BARS]
    rhythms = [tuple(round(start % tune.bar * 12) for start, _, _ in notes) for notes in bars]
    return len(set(rhythms)) / len(rhythms)


def likeness(tunes: Sequence[Tune]) -> float:
    """Return how alike two of the tunes are, on average: the share of pitch four-grams over the tonic in common."""
    grams = [_grams(tune) for tune in tunes if len(tune.notes) >= FEWEST]
    return float(np.mean([len(a & b) / max(1, min(len(a), len(b))) for a, b in combinations(grams, 2)]))


def _grams(tune: Tune) -> set[tuple[int, ...]]:
    classes = [(pitch - tune.tonic) % 12 for _, _, pitch in tune.notes]
    return set(zip(*(classes[start:] for start in range(GRAM)), strict=False))


def table(found: Sequence[Figures]) -> np.ndarray:
    """Return the figures as rows."""
    return np.array([astuple(one) for one in found], np.float64)


NAMES = tuple(one.name for one in fields(Figures))
