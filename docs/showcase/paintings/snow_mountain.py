"""A white mountain in the blue hour, firs in front of it and snow in the air."""

from functools import partial
from random import Random

import numpy as np
from PIL import Image, ImageDraw

from docs.showcase.brush import (
    HEIGHT,
    WIDTH,
    Colour,
    Field,
    Y,
    below,
    clouds,
    disc,
    finished,
    flat,
    gradient,
    lit,
    over,
    shape,
    skyline,
    stars,
    steps,
)

FIRS = (((120, 146, 190), 930), ((64, 92, 138), 1010), ((22, 42, 76), 1120))


def paint() -> Image.Image:
    """Paint it."""
    canvas = gradient((0, (58, 82, 146)), (0.35, (134, 158, 208)), (0.6, (238, 206, 214)), (1, (230, 236, 248)))
    canvas = lit(canvas, (200, 210, 240), stars(71, 160, 0.3) * 0.5)
    canvas = _mountain(canvas, skyline(79, 850, 420, 0.46), (206, 214, 238), (150, 168, 214))
    canvas = _mountain(canvas, skyline(74, 940, 760, 0.46), (250, 250, 255), (112, 138, 196))
    for near, (paint, base) in enumerate(FIRS):
        line = skyline(80 + near, base + 30, 60)
        canvas = over(canvas, paint, shape(partial(_firs, Random(76 + near), line, near)))
        canvas = over(canvas, (236, 240, 252), below((line + 20 + 16 * near).astype(np.float32)))
    return finished(lit(canvas, (255, 255, 255), shape(partial(_flakes, Random(85)), 1.5) * 0.9))


def _mountain(canvas: Field, line: Field, snow: Colour, shade: Colour) -> Field:
    slope = np.convolve(np.gradient(line), np.ones(161) / 161, "same")
    # The side away from the light, with an edge that wanders down from the peak.
    turned = clouds(179, 12, 5, 6) - 0.52 + 0.1 * slope[None, :] + 0.3 * (clouds(178, 4, 3, 5) - 0.5)
    peak = over(flat(snow), shade, steps(turned, -0.03, 0.05) * 0.8)
    peak = over(peak, (255, 206, 190), steps(-turned, 0.02, 0.2) * (1 - steps(Y, 250, 760)) * 0.6)
    peak = over(peak, (226, 222, 238), steps(Y, 620, 960) * 0.8)
    return over(canvas, peak, below(line))


def _firs(random: Random, line: Field, near: int, draw: ImageDraw.ImageDraw) -> None:
    x = -20.0
    while x < WIDTH + 40:
        tall = random.uniform(60, 110) * (1 + 0.9 * near)
        foot = float(line[int(min(max(x, 0), WIDTH - 1))]) + 40
        for part in np.linspace(0, 1, 7):
            top, half = foot - tall * (1 - 0.86 * part), tall * (0.05 + 0.2 * part)
            draw.polygon([(x, top - tall * 0.14), (x - half, top + tall * 0.1), (x + half, top + tall * 0.1)], 255)
        # The nearest ones leave the view of the mountain free.
        sparse = (2.4 if 500 < x < 1350 else 0.2) if near == 2 else 0
        x += tall * random.uniform(0.2, 0.75) * (1 + sparse)


def _flakes(random: Random, draw: ImageDraw.ImageDraw) -> None:
    for _ in range(420):
        place = disc(random.uniform(0, WIDTH), random.uniform(0, HEIGHT), random.uniform(1.5, 6))
        draw.ellipse(place, random.randint(120, 255))
