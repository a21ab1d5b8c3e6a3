"""Finds out whether a face is in a picture on a wall or on a screen: four straight lines around it, none crossed.

Below the face of somebody who is there the body comes, which no line runs through.
"""

import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.float64]
Box = tuple[float, float, float, float]  # x1, y1, x2, y2 in pixels

_STEP = 14  # of 255, from the pixel before to the pixel after: a line's
_COVERED = 0.6  # least share of a side that has the step; leaning frames are not quite straight
_MOST_LINES = 4  # tried at each side
_MARGIN = 3  # pixels at the picture's border that are no frame
_FAR, _FAR_BELOW = 3, 4  # sizes of the face, from the face to the frame


def is_framed(grey: Grey, face: Box) -> bool:
    """Return whether a face is in a frame. `grey` is 0..255 and about 480 pixels long."""
    x1, y1, x2, y2 = (round(side) for side in face)
    width, height = x2 - x1, y2 - y1
    across, down = np.zeros_like(grey), np.zeros_like(grey)
    across[:, 1:-1] = grey[:, 2:] - grey[:, :-2]
    down[1:-1] = grey[2:] - grey[:-2]
    down = down.T  # so that both are searched in the same way
    beside, below = (y1, y2 + height // 3), (x1 - width // 4, x2 + width // 4)
    lefts = _lines(across, (x1 - _FAR * width, x1 - width // 6), beside)
    rights = _lines(across, (x2 + width // 6, x2 + _FAR * width), beside)
    tops = _lines(down, (y1 - _FAR * height, y1 - height // 6), (x1, x2))
    bottoms = _lines(down, (y2 + height // 3, y2 + _FAR_BELOW * height), below)
    return any(
        _is_line(down, top, (left, right))
        and any(
            _is_line(across, left, (top, bottom))
            and _is_line(across, right, (top, bottom))
            and _is_line(down, bottom, (left, right))
            for bottom in bottoms
        )
        for left in lefts
        for right in rights
        for top in tops
    )


def _lines(steps: Grey, among: tuple[int, int], along: tuple[int, int]) -> list[int]:
    """Return the columns of `among` in which most steps go one way along these rows, the straightest first."""
    first, last = (min(max(_MARGIN, column), steps.shape[1] - _MARGIN) for column in among)
    part = steps[max(0, along[0]) : max(1, along[1]), first:last]
    if part.size == 0:
        return []
    covered = np.maximum((part > _STEP).mean(axis=0), (part < -_STEP).mean(axis=0))
    best = np.argsort(-covered, kind="stable")[:_MOST_LINES]
    return [first + int(column) for column in best if covered[column] >= _COVERED]


def _is_line(steps: Grey, column: int, along: tuple[int, int]) -> bool:
    """Return whether most rows have a step in the column or beside it, all in the same direction."""
    part = steps[along[0] : along[1], column - 1 : column + 2]
    if part.size == 0:
        return False
    rising, falling = (part.max(axis=1) > _STEP).mean(), (part.min(axis=1) < -_STEP).mean()
    return bool(max(rising, falling) >= _COVERED)
