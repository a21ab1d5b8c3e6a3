"""Hears a score before it is played: is the key clear, does the tune move in steps and rest on its chords?"""

from itertools import pairwise

from melodify_core.composers.arranger.harmony import clarity
from melodify_core.composers.arranger.score import Chord, Note, Score

CLEAR_KEY = 0.86
STEPS = 0.66
CHORD_TONES = 0.8  # of the tune's notes on strong beats
LARGEST_STEP, LARGEST_LEAP = 2, 9
LATE = 0.15  # beats by which a played note may follow its place


def flaws(score: Score) -> float:
    """Return by how much the score misses what is asked of it; 0 is a good one."""
    sounds = [(note.pitch, note.length) for part in score.parts if part.role != "drums" for note in part.notes]
    lead = score.part("lead")
    unclear = max(0.0, CLEAR_KEY - clarity(score.key, sounds))
    return unclear + (_stumbles(lead.notes) + _clashes(score, lead.notes) if lead else 1.0)


def _stumbles(tune: tuple[Note, ...]) -> float:
    sizes = [abs(after.pitch - before.pitch) for before, after in pairwise(tune)]
    if not sizes:
        return 0.0
    steps = sum(1 <= size <= LARGEST_STEP for size in sizes) / len(sizes)
    return max(0.0, STEPS - steps) + (max(sizes) > LARGEST_LEAP)


def _clashes(score: Score, tune: tuple[Note, ...]) -> float:
    strong = [note for note in tune if note.start % 2 < LATE]
    if not strong:
        return 0.0
    fitting = sum(note.pitch % 12 in _chord_at(score, note.start).classes for note in strong)
    return max(0.0, CHORD_TONES - fitting / len(strong))


def _chord_at(score: Score, beat: float) -> Chord:
    return next(chord for chord in reversed(score.chords) if chord.start <= beat + LATE)
