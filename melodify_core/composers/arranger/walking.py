"""What is under each chord: its root, or its third where the bass then walks in steps."""

from random import Random

from melodify_core.composers.arranger.form import Bar, bar_at
from melodify_core.composers.arranger.score import Chord, Key

LOWEST_BASS = 28
STEP = 2  # semitones
# How often a third is taken that is a step away from the bass before or after it, and from both.
ONE_SIDE, BOTH_SIDES = 0.6, 0.95
THIRDS = (3, 4)


def under(random: Random, key: Key, bars: tuple[Bar, ...], chords: tuple[Chord, ...], colour: float) -> list[int]:
    """Return the pitch under each chord, in the octave above the lowest bass note that keeps the line compact.

    Sections and the piece begin and end on roots, and so does every second chord. A section that returns walks again.
    """
    lowest = max(LOWEST_BASS, LOWEST_BASS + (key.tonic - LOWEST_BASS) % 12 - 5)
    roots = [lowest + (chord.classes[0] - lowest) % 12 for chord in chords]
    found: list[int] = []
    choices: dict[tuple[str, float], float] = {}
    for number, (chord, root) in enumerate(zip(chords, roots, strict=True)):
        bar = bars[bar_at(bars, chord.start)]
        start = bars[bar.section.first_bar].start
        draw = choices.setdefault((bar.section.name, chord.start - start), random.random())
        may = 0 < number < len(chords) - 1 and chord.start > start and not bar.final and found[-1] == roots[number - 1]
        third = _third(chord, found[-1]) if may else None
        if third is not None and draw < colour * _walks(found[-1], root, third, roots[number + 1]):
            found.append(third)
        else:
            found.append(root)
    return found


def _third(chord: Chord, before: int) -> int | None:
    """Return the chord's third next to the note before it, if it has one that is not too low."""
    if (chord.classes[1] - chord.classes[0]) % 12 not in THIRDS:
        return None
    up = (chord.classes[1] - before) % 12
    nearest = before + up if up <= 12 - up else before + up - 12
    return nearest if nearest >= LOWEST_BASS else nearest + 12


def _walks(before: int, root: int, third: int, following: int) -> float:
    """Return how often the third is taken."""
    after = min(abs(following - third), abs(following + 12 - third), abs(following - 12 - third))
    steps = (0 < abs(third - before) <= STEP) + (0 < after <= STEP)
    if 0 < abs(root - before) <= STEP:
        return 0.0
    return (0.0, ONE_SIDE, BOTH_SIDES)[steps]
