"""The critic hears a score before it is played.

Is the key clear, does the tune move as human tunes do, and does it go its own way over the bass?
"""

from bisect import bisect_right
from itertools import pairwise

from melodify_core.composers.arranger.harmony import clarity
from melodify_core.composers.arranger.score import Chord, Note, Score
from melodify_core.styles import all_styles

CLEAR_KEY = 0.86
CHORD_TONES = 0.8  # of the tune's notes on strong beats
# Shares of the moves in steps, repeated notes and leaps, between which nine of ten human tunes lie: `make quality`.
STEPS, REPEATS, LEAPS = (0.37, 0.74), (0.0, 0.32), (0.0, 0.28)
LARGEST_STEP, SMALLEST_LEAP, LARGEST_LEAP = 2, 5, 12
LATE = 0.15  # beats by which a played note may be late


def flaws(score: Score) -> float:
    """Return how much the score falls short of the rules; 0 is a good score."""
    sounds = [
        (score.written_pitch(note), note.length) for part in score.parts if part.role != "drums" for note in part.notes
    ]
    lead = score.part("lead")
    unclear = max(0.0, CLEAR_KEY - clarity(score.key, sounds))
    if lead is None:
        return unclear + 1.0
    return unclear + _stumbles(lead.notes) + _clashes(score, lead.notes) + _parallels(score, lead.notes)


def _stumbles(tune: tuple[Note, ...]) -> float:
    sizes = [abs(after.pitch - before.pitch) for before, after in pairwise(tune)]
    if not sizes:
        return 0.0
    shares = (
        (sum(1 <= size <= LARGEST_STEP for size in sizes), STEPS),
        (sizes.count(0), REPEATS),
        (sum(size >= SMALLEST_LEAP for size in sizes), LEAPS),
    )
    outside = sum(max(low - found / len(sizes), found / len(sizes) - high, 0.0) for found, (low, high) in shares)
    return outside + (max(sizes) > LARGEST_LEAP)


def _clashes(score: Score, tune: tuple[Note, ...]) -> float:
    strong = [note for note in tune if note.start % score.time.strong < LATE]
    if not strong:
        return 0.0
    fitting = sum(note.pitch % 12 in _chord_at(score, note.start).classes for note in strong)
    return max(0.0, CHORD_TONES - fitting / len(strong))


def _parallels(score: Score, tune: tuple[Note, ...]) -> int:
    """Return how often tune and bass move together in fifths or octaves; 0 in styles that allow it."""
    bass = score.part("bass")
    if bass is None or not all_styles()[score.style].tune.strict:
        return 0
    starts = [note.start for note in bass.notes]
    places = [bisect_right(starts, note.start + LATE) - 1 for note in tune]
    both = [(note.pitch, bass.notes[place].pitch) for note, place in zip(tune, places, strict=True) if place >= 0]
    return sum(
        a[0] != b[0] and a[1] != b[1] and (a[0] - a[1]) % 12 == (b[0] - b[1]) % 12 and (a[0] - a[1]) % 12 in (0, 7)
        for a, b in pairwise(both)
    )


def _chord_at(score: Score, beat: float) -> Chord:
    return next(chord for chord in reversed(score.chords) if chord.start <= beat + LATE)
