"""How human tunes move: the probabilities of intervals, counted from tunes (material/intervals.toml says which).

A table is asked with the class of the last interval, whether the note is on a strong beat, and whether it belongs to
the chord.
"""

from functools import cache
from typing import Annotated

import numpy as np
import numpy.typing as npt
from pydantic import Field, TypeAdapter

from melodify_core.data_files import read_table
from melodify_core.styles.style import Moves

Table = npt.NDArray[np.float64]
# Classes of intervals by their size in semitones, and how many steps of a scale each is. Tritones, sevenths and what is
# wider than an octave have none.
_SIZES = {0: 0, 1: 1, 2: 1, 3: 2, 4: 2, 5: 3, 7: 4, 8: 5, 9: 5, 12: 6}
SCALE_STEPS = (0, 1, 2, 3, 4, 5, 7)
CLASSES, NEVER = 13, 13
# The last interval, as a row: repeated, a step up, down, a third up, down, wider up, down.
LASTS = 7
ROWS = ("repeat", "step up", "step down", "third up", "third down", "leap up", "leap down")
PLACES = ("weak other", "weak tone", "strong other", "strong tone")
_Row = Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(min_length=CLASSES, max_length=CLASSES)]


def class_of(semitones: int) -> int:
    """Return the class of an interval, 0 (an octave down) to 12 (an octave up), or NEVER."""
    size = _SIZES.get(abs(semitones))
    if size is None:
        return NEVER
    return 6 + size if semitones >= 0 else 6 - size


def last_of(kind: int) -> int:
    """Return the row of a class when it is the last interval."""
    size = abs(kind - 6)
    return 0 if not size else 2 * min(size, 3) - (1 if kind > 6 else 0)


@cache
def intervals(moves: Moves) -> Table:
    """Return the probabilities: by last interval, strong beat or not, chord tone or not, and class; NEVER has none."""
    written = TypeAdapter(dict[Moves, dict[str, dict[str, _Row]]]).validate_python(
        read_table("melodify_core.styles", "material/intervals.toml")
    )[moves]
    counts = np.array([[written[row][place] for place in PLACES] for row in ROWS], np.float64)
    shares = counts / counts.sum(axis=-1, keepdims=True)
    return np.concatenate([shares, np.zeros((LASTS, len(PLACES), 1))], axis=-1).reshape(LASTS, 2, 2, CLASSES + 1)
