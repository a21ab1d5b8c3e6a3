"""`python -m quality counting`: counts anew, and prints, what melodify_core/styles/material has of human tunes.

That is intervals.toml, and the sung and danced cells of cells.toml. The tunes that are kept apart are left out.
"""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np

from melodify_core.models import Meter
from melodify_core.styles.cells import SIZES, STEPS_A_BEAT
from melodify_core.styles.intervals import CLASSES, LASTS, NEVER, PLACES, ROWS, class_of, last_of
from quality.corpus import HumanTune, human_tunes

TRIADS: tuple[tuple[int, ...], ...] = ((0, 4, 7), (2, 5, 9), (4, 7, 11), (5, 9, 0), (7, 11, 2), (9, 0, 4))
MOST_CELLS = 64
# Of which metre a tune's cells are, and their length in beats.
CELLS: dict[str, Meter] = {
    "2/4": "4/4",
    "4/4": "4/4",
    "2/2": "4/4",
    "3/4": "3/4",
    "6/8": "6/8",
    "9/8": "6/8",
    "12/8": "6/8",
}
NEAR = 0.01


def main() -> None:
    """Print both tables as TOML."""
    counted = human_tunes()[::2]
    for moves, kind in (("sung", "airs"), ("danced", "dances")):
        tunes = [tune for tune in counted if tune.kind == kind]
        table = intervals_of(tunes)
        for row, name in enumerate(ROWS):
            print(f'\n[{moves}."{name}"]')
            for place, counts in zip(PLACES, table[row].reshape(len(PLACES), CLASSES), strict=True):
                print(f'"{place}" = [{", ".join(str(int(count)) for count in counts)}]')
        for meter in SIZES:
            print(f'\n["{meter}".families.{moves}]')
            found = Counter(cell for tune in tunes if CELLS.get(tune.meter) == meter for cell in _cells(tune, meter))
            total = sum(found.values())
            for cell, count in found.most_common(MOST_CELLS):
                print(f'"{cell}" = {max(1, round(100 * math.sqrt(count / total)))}')


def intervals_of(tunes: Sequence[HumanTune]) -> np.ndarray:
    """Return counts by last interval, strong beat, chord tone, and class of interval."""
    table = np.zeros((LASTS, 2, 2, CLASSES))
    for tune in tunes:
        chords, unit = _chords(tune)
        strong = {"6/8": 1.5, "9/8": 1.5, "12/8": 1.5, "3/4": 3.0}.get(tune.meter, 2.0 if tune.bar == 4 else 1.0)
        before: int | None = None
        for (_, _, old), (start, _, new) in pairwise(tune.notes):
            kind = class_of(new - old)
            if kind != NEVER and before is not None:
                on = abs(start / strong - round(start / strong)) < NEAR
                table[last_of(before), int(on), int((new - tune.scale) % 12 in chords[start // unit]), kind] += 1
            before = None if kind == NEVER else kind
    return table


def _chords(tune: HumanTune) -> tuple[dict[float, tuple[int, ...]], float]:
    """Return the triad of the scale that fits each half bar of 4/4, or bar, best; the books have no chords."""
    unit = tune.bar / 2 if tune.bar == 4 else tune.bar
    weights: dict[float, np.ndarray] = {}
    for start, length, pitch in tune.notes:
        held = weights.setdefault(start // unit, np.zeros(12))
        held[(pitch - tune.scale) % 12] += length * (1.5 if start % unit < NEAR else 1.0)
    best = {}
    for place, held in weights.items():
        fits = [float(held[list(triad)].sum()) + NEAR * (triad[0] in (0, 5, 7)) for triad in TRIADS]
        best[place] = TRIADS[fits.index(max(fits))]
    return best, unit


def _cells(tune: HumanTune, meter: Meter) -> Iterator[str]:
    """Yield the tune's rhythms in cells, but for those that are not in sixteenths."""
    size = SIZES[meter]
    cells: dict[int, list[str] | None] = {}
    for start, length, _ in tune.notes:
        first, end = start * STEPS_A_BEAT, (start + length) * STEPS_A_BEAT
        even = abs(first - round(first)) < NEAR and abs(end - round(end)) < NEAR
        for step in range(round(first), round(end)):
            cell = cells.setdefault(step // size, ["."] * size) if even else cells.update({step // size: None})
            if cell is not None:
                cell[step % size] = "o" if step == round(first) else "-"
    last = int((tune.notes[-1][0] + tune.notes[-1][1]) * STEPS_A_BEAT // size)
    yield from ("".join(cell) for place, cell in cells.items() if cell and "o" in cell and 0 <= place < last)
