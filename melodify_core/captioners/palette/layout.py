"""Measures the layout of a picture: light, weight, symmetry, lines, the level line, empty space. No words.

Arrays are square unless said otherwise: Oklab lightness (side, side) or Oklab (side, side, 3); y grows downwards.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from melodify_core.captioners.palette.colours import Array

Place = Literal["above", "below", "left", "right", "centre", "even"]
Lines = Literal["level", "upright", "slanting", "none"]


@dataclass(frozen=True, slots=True)
class Band:
    """Means over a third of the height: Oklab, and the share of pixels on an edge."""

    light: float
    red: float  # -0.3 green .. 0.3 magenta
    yellow: float  # -0.3 blue .. 0.3 yellow
    edges: float


_ACROSS: dict[Place, Place] = {"above": "below", "below": "above", "left": "right", "right": "left"}
_PLACE_STEP = 0.05  # the light comes from a place that is this much lighter than the whole
_OFF_CENTRE = 0.09  # of the side
_LEAST_WEIGHT = 0.03  # Oklab distance
_COHERENT = 0.3
_EMPTY_SLOPE = 0.006  # mean change of lightness from pixel to pixel
_BLOCKS = 12


def bands(lab: Array, on_edge: NDArray[np.bool_]) -> tuple[Band, Band, Band]:
    """Return the upper, middle and lower third of a picture."""
    upper, middle, lower = map(_band, np.array_split(lab, 3), np.array_split(on_edge, 3))
    return upper, middle, lower


def _band(lab: Array, on_edge: NDArray[np.bool_]) -> Band:
    light, red, yellow = (float(mean) for mean in lab.mean(axis=(0, 1)))
    return Band(light, red, yellow, float(on_edge.mean()))


def light_place(light: Array) -> Place:
    """Return the third of the picture that is clearly lighter than the whole and than the opposite third."""
    third = len(light) // 3
    middle = slice(third, len(light) - third)
    places: dict[Place, float] = {
        "above": float(light[:third].mean()),
        "below": float(light[-third:].mean()),
        "left": float(light[:, :third].mean()),
        "right": float(light[:, -third:].mean()),
        "centre": float(light[middle, middle].mean()),
    }
    whole = float(light.mean())

    def lead(place: Place) -> float:
        return places[place] - max(whole, places[_ACROSS[place]] if place in _ACROSS else whole)

    best = max(places, key=lead)
    return best if lead(best) > _PLACE_STEP else "even"


def weight_place(lab: Array) -> Place:
    """Return the place of what differs from the border's colour."""
    border = np.concatenate([lab[0], lab[-1], lab[:, 0], lab[:, -1]])
    weight = np.linalg.norm(lab - np.median(border, axis=0), axis=-1)
    if weight.mean() < _LEAST_WEIGHT:
        return "even"
    axis = np.linspace(-0.5, 0.5, len(lab))
    total = weight.sum()
    x, y = float((weight.sum(axis=0) * axis).sum() / total), float((weight.sum(axis=1) * axis).sum() / total)
    if max(abs(x), abs(y)) > _OFF_CENTRE:
        return ("left" if x < 0 else "right") if abs(x) > abs(y) else ("above" if y < 0 else "below")
    spread = float(np.sqrt((weight * (axis[None, :] ** 2 + axis[:, None] ** 2)).sum() / total))
    # An even weight spreads 0.41.
    return "centre" if spread < 0.33 else "even"


def symmetry(light: Array) -> float:
    """Return how much the left half mirrors the right one: 1 completely, 0 no more than chance."""
    difference = float(np.abs(light - light[:, ::-1]).mean())
    # Two independent values differ by 1.13 standard deviations on average.
    return float(np.clip(1 - (difference + 0.002) / (1.13 * float(light.std()) + 0.01), 0, 1))


def lines(grey: Array) -> Lines:
    """Return the direction in which edges run in a picture of its own shape, grey 0..1, at least 2 x 2.

    The structure tensor's coherence and angle (J. Bigun, G. Granlund: Optimal orientation detection, ICCV 1987).
    """
    # Both slopes belong to the corner between four pixels: otherwise one diagonal would weigh more than the other.
    across = (grey[:-1, 1:] - grey[:-1, :-1] + grey[1:, 1:] - grey[1:, :-1]) / 2
    down = (grey[1:, :-1] - grey[:-1, :-1] + grey[1:, 1:] - grey[:-1, 1:]) / 2
    xx, yy, xy = float((across**2).mean()), float((down**2).mean()), float((across * down).mean())
    if xx + yy < 1e-5 or np.hypot(xx - yy, 2 * xy) / (xx + yy) < _COHERENT:
        return "none"
    angle = abs(float(np.degrees(np.arctan2(2 * xy, xx - yy) / 2)))
    if angle < 22.5:
        return "upright"
    return "level" if angle > 67.5 else "slanting"


def level_line(lab: Array) -> float | None:
    """Return the height (0 top, 1 bottom) of a line across the whole width, None when there is none."""
    reach = max(2, len(lab) // 48)
    step = lab[2 * reach :] - lab[: -2 * reach]
    mean_step = np.linalg.norm(step.mean(axis=1), axis=-1)
    agreement = mean_step / (np.linalg.norm(step, axis=-1).mean(axis=1) + 1e-3)
    wide = (np.linalg.norm(step, axis=-1) > 0.5 * mean_step[:, None]).mean(axis=1)
    strength = np.where((mean_step > 0.06) & (agreement > 0.7) & (wide > 0.85), mean_step, 0.0)
    row = int(strength.argmax())
    height = (row + reach) / len(lab)
    # Many rows at least half as strong: then the line is one stripe among many.
    stripes = int((strength > strength[row] / 2).sum()) > 8 * reach
    return height if strength[row] > 0 and not stripes and 0.1 < height < 0.9 else None


def emptiness(slopes: Array) -> float:
    """Return the share of blocks without any detail; `slopes` is the size of the slope of lightness."""
    side = len(slopes) // _BLOCKS
    cut = slopes[: side * _BLOCKS, : side * _BLOCKS]
    means = cut.reshape(_BLOCKS, side, _BLOCKS, side).mean(axis=(1, 3))
    return float((means < _EMPTY_SLOPE).mean())
