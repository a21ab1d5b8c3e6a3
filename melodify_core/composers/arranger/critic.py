"""Hears a score before it is played: is the key clear, does the tune move in steps and rest on its chords?"""

from itertools import pairwise

from melodify_core.composers.arranger.harmony import clarity
from melodify_core.composers.arranger.score import Note, Score

CLEAR_KEY = 0.86
STEPS = 0.66
LARGEST_STEP, LARGEST_LEAP = 2, 9


def flaws(score: Score) -> float:
    """Return by how much the score misses what is asked of it; 0 is a good one."""
    sounds = [(note.pitch, note.length) for part in score.parts if part.role != "drums" for note in part.notes]
    lead = score.part("lead")
    unclear = max(0.0, CLEAR_KEY - clarity(score.key, sounds))
    return unclear + (_stumbles(lead.notes) if lead else 1.0)


def _stumbles(tune: tuple[Note, ...]) -> float:
    sizes = [abs(after.pitch - before.pitch) for before, after in pairwise(tune)]
    if not sizes:
        return 0.0
    steps = sum(1 <= size <= LARGEST_STEP for size in sizes) / len(sizes)
    return max(0.0, STEPS - steps) + (max(sizes) > LARGEST_LEAP)
