"""A planet with rings before a nebula."""

import numpy as np
from PIL import Image

from docs.showcase.brush import Colour, Field, X, Y, clouds, finished, flat, gradient, lit, over, stars, steps

MIDDLE, RADIUS, TILT = (1010.0, 640.0), 300.0, np.radians(-18)
NEBULA: tuple[tuple[int, Colour, float], ...] = (
    (171, (190, 40, 150), 0.45),
    (172, (40, 90, 220), 0.5),
    (173, (30, 200, 200), 0.6),
)


def paint() -> Image.Image:
    """Paint it."""
    return finished(_moon(_planet(_space())))


def _space() -> Field:
    canvas = gradient((0, (8, 6, 26)), (1, (18, 8, 40)))
    for seed, paint, low in NEBULA:
        canvas = lit(canvas, paint, steps(clouds(seed), low, 1.0) * 0.95)
    canvas = over(canvas, (6, 4, 20), steps(clouds(174, 4, 3), 0.5, 0.85) * 0.75)
    canvas = lit(canvas, (255, 250, 255), stars(175, 1100))
    for x, y in ((330, 240), (1560, 980), (1700, 200), (520, 1060)):
        cross = np.exp(-np.abs(X - x) / 30 - np.abs(Y - y) / 2.5) + np.exp(-np.abs(X - x) / 2.5 - np.abs(Y - y) / 30)
        canvas = lit(canvas, (235, 235, 255), cross.astype(np.float32))
    return canvas


def _planet(canvas: Field) -> Field:
    east, south = X - MIDDLE[0], Y - MIDDLE[1]
    along = east * np.cos(TILT) + south * np.sin(TILT)
    across = south * np.cos(TILT) - east * np.sin(TILT)
    ring = np.hypot(along, across / 0.26)
    rings = (0.55 + 0.45 * np.sin(ring / 9) * np.sin(ring / 23)) * steps(ring, 400, 412) * (1 - steps(ring, 610, 630))
    rings = (rings * (1 - 0.9 * (np.abs(ring - 520) < 9))).astype(np.float32)
    far = (np.hypot(east, south) / RADIUS).astype(np.float32)
    canvas = over(canvas, (236, 200, 170), rings * (across < 0) * 0.8)
    stripes = 0.5 + 0.5 * np.sin(across / 26 + 2.2 * clouds(176, 3, 5) + 0.6 * np.sin(along / 120))
    ball = over(flat((255, 150, 96)), (150, 60, 120), stripes.astype(np.float32))
    light = np.clip(1.15 - np.hypot(east + 130, south + 120) / (RADIUS * 1.5), 0.06, 1)[..., None]
    canvas = over(canvas, (ball * light).astype(np.float32), 1 - steps(far, 0.992, 1.004))
    canvas = over(canvas, (250, 214, 180), rings * (across >= 0) * 0.85)
    return lit(canvas, (120, 90, 200), np.exp(-(((far - 1.02) / 0.06) ** 2)) * 0.4 * (far > 1))


def _moon(canvas: Field) -> Field:
    far = (np.hypot(X - 480, Y - 420) / 74).astype(np.float32)
    light = np.clip(1.1 - np.hypot(X - 452, Y - 392) / 120, 0.08, 1) * (0.8 + 0.4 * clouds(177, 24, 16, 4))
    stone = flat((206, 214, 230)) * light[..., None]
    return over(canvas, stone.astype(np.float32), 1 - steps(far, 0.98, 1.02))
