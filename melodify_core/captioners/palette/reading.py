"""JPEG -> Reading: all measurements of a picture in one dataclass. feeling.py interprets them."""

import hashlib
import io
from dataclasses import dataclass

import numpy as np
from PIL import Image

from melodify_core.captioners.palette import layout
from melodify_core.captioners.palette.colours import accent, colourfulness, main_colours, nearest, oklab, shares
from melodify_core.captioners.palette.layout import Band, Lines, Place

SIDE = 192  # pixels of the square that a picture is squeezed into
EDGE = 0.06  # change of Oklab lightness to the next pixel


@dataclass(frozen=True, slots=True)
class Reading:
    """The measurements of a picture. Shares are 0..1; lightness and chroma are Oklab's."""

    brightness: float  # mean lightness, 0..1
    saturation: float  # mean chroma, 0..0.32
    colours: tuple[tuple[str, float], ...]  # names of colours.COLOURS with their shares, the largest first
    accent: str | None  # a small strong colour in one place
    warmth: float  # -1 blue .. 1 orange
    greenness: float  # -1 magenta .. 1 green
    contrast: float  # standard deviation of lightness, 0..0.5
    span: float  # of lightness, from the 1st to the 99th percentile, 0..1
    edges: float  # share of pixels on an edge
    texture: float  # mean slope of lightness per pixel
    colourfulness: float  # Hasler & Suesstrunk 2003, 0..about 110
    light: Place  # where it is lightest
    weight: Place  # the place of what differs from the border
    symmetry: float  # of left and right, 0..1
    lines: Lines  # where edges run
    level_line: float | None  # height of a dividing line, 0 top .. 1 bottom
    emptiness: float  # share of blocks without detail
    fingerprint: int  # a hash of the pixels: chooses among equal words
    bands: tuple[Band, ...] = ()  # the thirds from top to bottom; or none


def measure(jpeg: bytes) -> Reading:
    """Return the measurements of a picture. The same bytes give the same Reading."""
    with Image.open(io.BytesIO(jpeg), formats=["JPEG"]) as image:
        image.draft("RGB", (SIDE * 2, SIDE * 2))
        whole = image.convert("RGB")
    small = whole.resize((SIDE, SIDE), Image.Resampling.BOX)
    grey = whole.convert("L")
    own_shape = np.asarray(grey.resize(_fitted(whole.size), Image.Resampling.BOX), dtype=np.float64) / 255
    rgb = np.asarray(small, dtype=np.float64) / 255
    lab = oklab(rgb)
    light = lab[..., 0]
    slopes = np.hypot(np.diff(light, axis=1)[:-1], np.diff(light, axis=0)[:, :-1])
    # Every fourth pixel is enough for shares, and four times as fast.
    numbers = nearest(lab[::2, ::2])
    return Reading(
        brightness=float(light.mean()),
        saturation=float(np.hypot(lab[..., 1], lab[..., 2]).mean()),
        colours=main_colours(shares(numbers)),
        accent=accent(lab[::2, ::2], numbers),
        # Orange (a = 0.1, b = 0.13 at its strongest) against blue; 0.1 is a completely warm picture.
        warmth=float(np.clip((0.5 * lab[..., 1].mean() + lab[..., 2].mean()) / 0.1, -1, 1)),
        greenness=float(np.clip(-lab[..., 1].mean() / 0.1, -1, 1)),
        contrast=float(light.std()),
        span=_span(grey),
        edges=float((slopes > EDGE).mean()),
        texture=float(slopes.mean()),
        colourfulness=colourfulness(rgb),
        light=layout.light_place(light),
        weight=layout.weight_place(lab),
        symmetry=layout.symmetry(light),
        lines=layout.lines(own_shape),
        level_line=layout.level_line(lab),
        emptiness=layout.emptiness(slopes),
        fingerprint=int.from_bytes(hashlib.sha256(small.tobytes()).digest()[:8], "big"),
        bands=layout.bands(lab, slopes > EDGE),
    )


def _span(grey: Image.Image) -> float:
    """Return the range of lightness in the picture's own pixels: in a small copy, thin lines and letters are pale."""
    ends = np.percentile(np.asarray(grey), (1, 99)) / 255
    low, high = oklab(ends[:, None].repeat(3, axis=1))[:, 0]
    return float(high - low)


def _fitted(size: tuple[int, int]) -> tuple[int, int]:
    scale = SIDE / max(size)
    return max(2, round(size[0] * scale)), max(2, round(size[1] * scale))
