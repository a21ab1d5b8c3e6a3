"""A lighthouse in a thunderstorm at sea."""

from functools import partial
from itertools import pairwise
from random import Random

import numpy as np
from PIL import Image, ImageDraw

from docs.showcase.brush import (
    Field,
    Points,
    X,
    Y,
    below,
    boxes,
    clouds,
    finished,
    glow,
    gradient,
    lit,
    over,
    polygons,
    rain,
    shape,
    skyline,
    soft,
    steps,
)

LAMP = (1468.0, 415.0)


def paint() -> Image.Image:
    """Paint it."""
    canvas = _sky()
    beam = polygons([(1468, 400), (-20, 470), (-20, 760), (1468, 432)], blur=14)
    canvas = lit(canvas, (255, 236, 170), beam * (X / LAMP[0]).clip(0, 1) ** 1.6 * 0.55)
    for layer in range(5):
        canvas = _wave(canvas, layer)
        if layer == 1:
            canvas = _lighthouse(canvas)
    return finished(lit(canvas, (170, 185, 205), rain(105, 800) * 0.2))


def _sky() -> Field:
    canvas = gradient((0, (18, 22, 32)), (0.5, (62, 74, 92)), (0.68, (118, 130, 138)), (1, (20, 28, 38)))
    heavy = clouds(101, 3, 4)
    canvas = over(canvas, (14, 17, 26), steps(heavy, 0.42, 0.72) * (1 - steps(Y, 520, 860)))
    canvas = lit(canvas, (64, 72, 92), steps(1 - heavy, 0.5, 0.85) * (1 - steps(Y, 300, 800)) * 0.7)
    bolt = shape(partial(_bolt, Random(103), (620, -10), (560, 880), 15))
    canvas = lit(canvas, (150, 160, 230), glow(600, 300, 520) * 0.55 + soft(bolt, 30) * 1.4)
    return over(canvas, (246, 246, 255), bolt)


def _bolt(
    random: Random, start: tuple[float, float], end: tuple[float, float], wide: float, draw: ImageDraw.ImageDraw
) -> None:
    points: Points = [start, end]
    for turn in range(6):
        size = 130 * 0.52**turn
        pairs = list(pairwise(points))
        middles = [((a[0] + b[0]) / 2 + random.uniform(-size, size), (a[1] + b[1]) / 2) for a, b in pairs]
        points = [point for pair in zip(points, middles, strict=False) for point in pair] + [end]
    for number, (a, b) in enumerate(pairwise(points)):
        draw.line((*a, *b), 255, max(2, int(wide * (1 - 0.6 * number / len(points)))))
    if wide > 6:
        for part, reach in ((0.25, -260), (0.45, 300), (0.62, -200)):
            x, y = points[int(part * len(points))]
            _bolt(random, (x, y), (x + reach, y + abs(reach) * 1.1), wide * 0.4, draw)


def _wave(canvas: Field, layer: int) -> Field:
    ridge = skyline(110 + layer, 900 + 88 * layer, 70 + 30 * layer, 0.56)
    swell = (ridge + (24 + 9 * layer) * np.sin(X[0] / (120 + 40 * layer) + layer * 2)).astype(np.float32)
    dark = 1 - 0.14 * layer
    canvas = over(canvas, (52 * dark, 74 * dark, 88 * dark), below(swell))
    foam = np.exp(-(((Y - swell - 4) / (5 + 3 * layer)) ** 2)) * steps(clouds(120 + layer, 14, 8, 4), 0.42, 0.66)
    canvas = over(canvas, (206, 220, 226), foam.astype(np.float32) * 0.85)
    return over(canvas, (130, 152, 162), steps(clouds(130 + layer, 16, 40, 3), 0.62, 0.8) * below(swell) * 0.18)


def _lighthouse(canvas: Field) -> Field:
    tower = polygons([(1430, 450), (1506, 450), (1546, 930), (1390, 930)])
    canvas = over(canvas, (214, 210, 204), tower)
    for top in (520, 680, 840):
        canvas = over(canvas, (168, 44, 44), tower * (np.abs(Y - top - 35) < 38).astype(np.float32))
    canvas = over(canvas, (20, 24, 32), tower * steps(X, 1440, 1560) * 0.6)
    canvas = over(canvas, (30, 32, 40), boxes((1414, 440, 1522, 456)))
    canvas = over(canvas, (255, 244, 200), boxes((1440, 390, 1496, 440)))
    canvas = over(canvas, (120, 34, 36), polygons([(1430, 392), (1506, 392), (1468, 340)]))
    canvas = lit(canvas, (255, 236, 170), glow(*LAMP, 130) * 0.9)
    rock = skyline(140, 935, 70, 0.6) + 0.0015 * (X[0] - 1468) ** 2
    return over(canvas, (22, 26, 32), below(rock.astype(np.float32)))
