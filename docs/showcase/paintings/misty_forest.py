"""Trunks that fade into the morning mist, and the sun's rays between them."""

from functools import partial
from random import Random

import numpy as np
from PIL import Image, ImageDraw

from docs.showcase.brush import (
    WIDTH,
    Field,
    X,
    Y,
    below,
    clouds,
    disc,
    drawn,
    finished,
    glow,
    gradient,
    lit,
    over,
    shape,
    skyline,
    soft,
    steps,
)

LAYERS = 5
FAR, CLOSE = (158, 186, 138), (24, 38, 24)
MUSHROOMS = ((420, 1130), (520, 1175), (640, 1140), (1330, 1180), (1450, 1150))


def paint() -> Image.Image:
    """Paint it."""
    canvas = gradient((0, (214, 226, 170)), (0.5, (196, 216, 160)), (1, (120, 150, 96)))
    canvas = lit(canvas, (70, 60, 10), glow(1350, 180, 620))
    for layer in range(LAYERS):
        canvas = _trees(canvas, layer)
    angle = np.arctan2(Y + 260, X - 1500)
    rays = soft(steps((np.sin(angle * 46) + np.sin(angle * 73 + 1)).astype(np.float32), 0.0, 1.8), 14)
    canvas = lit(canvas, (120, 108, 50), rays * (1 - steps(Y, 350, 1200)) * 0.5)
    return finished(drawn(canvas, _mushrooms))


def _trees(canvas: Field, layer: int) -> Field:
    near = layer / (LAYERS - 1)
    red, green, blue = (far * (1 - near) + close * near for far, close in zip(FAR, CLOSE, strict=True))
    paint = (red, green, blue)
    leaves = soft(steps(clouds(40 + layer, 5 + 2 * layer, 4 + layer), 0.5, 0.58), 2)
    canvas = over(canvas, paint, leaves * (1 - steps(Y, 60 + 90 * near, 520 - 60 * near)) * (0.5 + 0.4 * near))
    canvas = over(canvas, paint, shape(partial(_trunks, Random(31 + layer), near), 3.5 * (1 - near)))
    blades = np.abs(np.sin(X[0] / (9 + 3 * layer))) * np.random.default_rng(layer).random(WIDTH)
    ground = skyline(50 + layer, 980 + 75 * layer, 70) + 26 * near * blades
    canvas = over(canvas, paint, below(ground.astype(np.float32)))
    return over(canvas, (226, 232, 188), steps(clouds(60 + layer, 2, 5), 0.35, 0.8) * (0.42 - 0.09 * layer))


def _trunks(random: Random, near: float, draw: ImageDraw.ImageDraw) -> None:
    count = int(15 - 10 * near)
    for number in range(count):
        x = (number + random.uniform(0.1, 0.9)) * WIDTH / count
        wide, lean = 10 + 46 * near * random.uniform(0.7, 1.2), random.uniform(-50, 50)
        top = x + lean
        draw.polygon([(x - wide, 1290), (x + wide, 1290), (top + wide * 0.6, -5), (top - wide * 0.6, -5)], 255)
        for _ in range(5):
            y, side = random.uniform(80, 620), random.choice((-1, 1))
            end = (x + side * random.uniform(90, 240), y - random.uniform(40, 160))
            draw.line((x + lean * 0.6, y, *end), 255, int(3 + 9 * near))


def _mushrooms(draw: ImageDraw.ImageDraw) -> None:
    for x, y in MUSHROOMS:
        draw.rectangle((x - 8, y, x + 8, y + 34), (226, 216, 190))
        draw.pieslice(disc(x, y, 34), 180, 360, (196, 70, 52))
