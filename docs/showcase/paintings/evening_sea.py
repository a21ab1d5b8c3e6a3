"""A low sun over the sea, a sailing boat and a palm."""

import numpy as np
from PIL import Image, ImageDraw

from docs.showcase.brush import (
    HEIGHT,
    Field,
    Points,
    X,
    Y,
    below,
    clouds,
    disc,
    discs,
    drawn,
    finished,
    glow,
    gradient,
    level,
    lit,
    over,
    shape,
    steps,
)

HORIZON = 760.0
SUN = (760.0, 690.0)


def paint() -> Image.Image:
    """Paint it."""
    canvas = over(_sky(), _sea(), below(level(HORIZON)))
    return finished(over(drawn(canvas, _boat), (26, 16, 42), shape(_palm)))


def _sky() -> Field:
    canvas = gradient(
        (0, (52, 40, 98)), (0.25, (150, 74, 128)), (0.45, (236, 122, 100)), (0.6, (255, 190, 110)), (1, (255, 190, 110))
    )
    drift = steps(clouds(11, 2, 9), 0.52, 0.75) * (1 - steps(Y, 420, 760))
    canvas = over(canvas, (255, 160, 120), drift * 0.75)
    canvas = over(canvas, (120, 60, 112), steps(clouds(12, 2, 12), 0.6, 0.85) * (1 - steps(Y, 300, 700)) * 0.7)
    canvas = lit(canvas, (255, 170, 70), glow(*SUN, 420) * 0.55)
    return over(canvas, (255, 244, 214), discs(disc(*SUN, 120), blur=3))


def _sea() -> Field:
    sea = gradient((0, (0, 0, 0)), (0.59, (236, 140, 104)), (0.7, (128, 66, 104)), (1, (38, 28, 70)))
    depth = ((Y - HORIZON) / (HEIGHT - HORIZON)).clip(0, 1)
    waves = clouds(13, 6, 60, 5)
    sea = over(sea, (30, 22, 62), steps(waves, 0.5, 0.72) * (0.25 + 0.5 * depth))
    path = np.exp(-(((X - SUN[0]) / (110 + 260 * depth)) ** 2)).astype(np.float32)
    return lit(sea, (255, 190, 110), path * steps(waves, 0.4, 0.62) * 0.95)


def _boat(draw: ImageDraw.ImageDraw) -> None:
    for sail in ([(1120, 600), (1120, 770), (1220, 770)], [(1110, 640), (1110, 770), (1055, 770)]):
        draw.polygon(sail, (58, 32, 66))
    draw.polygon([(1045, 780), (1235, 780), (1200, 815), (1075, 815)], (48, 26, 56))


def _palm(draw: ImageDraw.ImageDraw) -> None:
    trunk = [(1790 - 0.00022 * (1280 - y) ** 2 + 30 * np.sin(y / 260), y) for y in range(330, 1290, 10)]
    for x, y in trunk:
        wide = 13 + (y - 330) / 45
        draw.ellipse((x - wide, y - 8, x + wide, y + 8), 255)
    for turn in (-168, -200, -140, -112, -60, -30, -5, 18, 190):
        _frond(draw, trunk[0], np.radians(turn), 330 if turn < -20 else 290)


def _frond(draw: ImageDraw.ImageDraw, top: tuple[float, float], angle: float, reach: float) -> None:
    parts = np.linspace(0, 1, 40)
    spine: Points = [
        (top[0] + np.cos(angle) * reach * part, top[1] + np.sin(angle) * reach * part + 230 * part**2) for part in parts
    ]
    draw.line(spine, 255, 9)
    for number, (x, y) in enumerate(spine[4:]):
        long = 74 * np.sin(np.pi * min(1, (number + 4) / 38))
        draw.line((x, y, x - np.sign(np.cos(angle)) * 26, y + long), 255, 6)
