"""Distinguishes photos from drawings, logos, text, gradients and noise: sight.py only judges photos.

The network was trained on photos. It is nearly as certain about drawings, but mostly wrong.
"""

from dataclasses import dataclass

import numpy as np
from PIL import Image

_SMALLEST_SIDE = 90  # pixels; pixel art and icons are smaller
_LONGEST = 160  # pixels of the copy that is measured: its pixels are means, which removes a paper's grain
# Entropy of the grey histogram in bits: drawings have a few tones (0..5.5), photos have all of them (5.8..7.8).
_LEAST_TONES = 5.7
# Share of pixels that differ from a neighbour by more than _STEP of 255: shaded and grainy drawings have 0..0.13,
# photos 0.2 and more. Nothing is claimed about photos with less, such as fog.
_LEAST_DETAIL, _STEP = 0.18, 5
_MOST_DRAWN_TONES = 5.0  # of comics, menus and charts; what lies on a plain ground has as few, and less detail


@dataclass(frozen=True, slots=True)
class Grain:
    """Statistics of a picture's pixels."""

    side: int  # pixels of the shorter side
    tones: float  # entropy of the grey levels, 0..8 bits
    detail: float  # share of pixels that differ from their neighbours


def grain(picture: Image.Image) -> Grain:
    """Measure an RGB picture."""
    scale = min(1.0, _LONGEST / max(picture.size))
    size = tuple(max(2, round(side * scale)) for side in picture.size)
    grey = np.asarray(picture.convert("L").resize((size[0], size[1]), Image.Resampling.BOX), dtype=np.int16)
    steps = np.maximum(np.abs(np.diff(grey, axis=1))[:-1], np.abs(np.diff(grey, axis=0))[:, :-1])
    shares = np.bincount(grey.ravel(), minlength=256) / grey.size
    shares = shares[shares > 0]
    return Grain(min(picture.size), float(-(shares * np.log2(shares)).sum()), float((steps > _STEP).mean()))


def is_photo(found: Grain) -> bool:
    """Return whether the grain is that of a photo."""
    return found.side >= _SMALLEST_SIDE and found.tones >= _LEAST_TONES and found.detail >= _LEAST_DETAIL


def is_drawn(found: Grain) -> bool:
    """Return whether the grain is that of a comic or a screen: few tones, and many lines."""
    return found.tones < _MOST_DRAWN_TONES and found.detail >= _LEAST_DETAIL
