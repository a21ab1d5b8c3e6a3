"""The roofs of a Korean palace under the full moon, behind a branch of plum blossoms."""

from functools import partial
from random import Random

import numpy as np
from PIL import Image, ImageDraw

from docs.showcase.brush import (
    HEIGHT,
    WIDTH,
    Box,
    Field,
    Points,
    X,
    Y,
    below,
    boxes,
    clouds,
    disc,
    discs,
    drawn,
    finished,
    flat,
    glow,
    gradient,
    lit,
    over,
    polygons,
    skyline,
    soft,
    stars,
    steps,
)

MOON = (1330.0, 360.0)
PETALS = ((255, 190, 206), (250, 150, 178), (255, 224, 230))
Twig = tuple[Box, float]


def paint() -> Image.Image:
    """Paint it."""
    canvas = _night()
    canvas = _hall(canvas, 620, 800, 560, 0.62)
    canvas = _hall(canvas, 1180, 930, 760, 1.0)
    canvas = over(canvas, (20, 18, 36), below(skyline(157, 1210, 26)))
    return finished(drawn(canvas, _blossoms))


def _night() -> Field:
    canvas = gradient((0, (16, 24, 62)), (0.5, (44, 58, 116)), (0.75, (120, 104, 140)), (1, (40, 34, 60)))
    canvas = lit(canvas, (220, 220, 255), stars(151, 260, 0.55) * 0.7)
    canvas = lit(canvas, (150, 150, 130), glow(*MOON, 420) * 0.6)
    moon = over(flat((255, 246, 214)), (214, 200, 168), steps(clouds(152, 7, 5), 0.5, 0.75) * 0.7)
    canvas = over(canvas, moon, discs(disc(*MOON, 190), blur=2))
    canvas = over(canvas, (70, 72, 118), below(skyline(153, 900, 200)))
    canvas = over(canvas, (44, 46, 86), below(skyline(154, 960, 140)))
    mist = steps(clouds(155, 2, 8), 0.45, 0.8) * steps(Y, 640, 820) * (1 - steps(Y, 880, 1000))
    return over(canvas, (150, 150, 190), mist * 0.5)


def _hall(canvas: Field, x: float, y: float, half: float, size: float) -> Field:
    """Paint a hall whose eaves are at y."""
    canvas = over(canvas, (58, 34, 40), boxes((x - half * 0.78, y, x + half * 0.78, y + 260 * size)))
    places = np.linspace(x - half * 0.7, x + half * 0.7, 7)
    paper = boxes(*((at - 42 * size, y + 52 * size, at + 42 * size, y + 230 * size) for at in places), blur=1)
    lattice = ((X % (21 * size) < 4) | (Y % (26 * size) < 4)).astype(np.float32)
    canvas = over(canvas, (255, 206, 126), paper)
    canvas = over(canvas, (110, 62, 44), paper * lattice * 0.8)
    canvas = lit(canvas, (255, 170, 80), soft(paper, 40) * 0.5)
    places = np.linspace(x - half * 0.76, x + half * 0.76, 8)
    canvas = over(canvas, (126, 42, 40), boxes(*((at - 9 * size, y, at + 9 * size, y + 262 * size) for at in places)))
    canvas = over(canvas, (34, 96, 92), boxes((x - half * 0.8, y, x + half * 0.8, y + 40 * size)))
    beads = (np.sin(X / (7 * size)) > 0.3).astype(np.float32)
    canvas = over(canvas, (190, 70, 60), boxes((x - half * 0.8, y + 18 * size, x + half * 0.8, y + 32 * size)) * beads)
    tiles = polygons(_roof(x, y, half, size))
    canvas = over(canvas, (30, 34, 54), tiles)
    rows = steps(np.sin((X - x) / (9 * size) * (1 + 0.0005 * (y - Y))).astype(np.float32), 0.2, 0.9)
    canvas = over(canvas, (66, 74, 108), tiles * rows * 0.65)
    ridge = (x - half * 0.38, y - 262 * size, x + half * 0.38, y - 230 * size)
    canvas = over(canvas, (44, 48, 74), boxes(ridge, radius=8))
    return over(canvas, (22, 24, 40), boxes((x - half * 0.9, y + 258 * size, x + half * 0.9, y + 330 * size)))


def _roof(x: float, y: float, half: float, size: float) -> Points:
    top, bend = y - 250 * size, np.linspace(0, 1, 40)
    reach = half * (0.36 + 0.64 * bend)
    fall = top + 250 * size * (1 - (1 - bend) ** 1.9) - 50 * size * bend**6
    right: Points = list(zip((x + reach).tolist(), fall.tolist(), strict=True))
    left: Points = list(zip((x - reach).tolist(), fall.tolist(), strict=True))
    return [*left[::-1], *right, (x + half * 0.97, y - 20 * size), (x, y + 16 * size), (x - half * 0.97, y - 20 * size)]


def _blossoms(draw: ImageDraw.ImageDraw) -> None:
    random, twigs = Random(161), list[Twig]()
    grow = partial(_grow, random, twigs)
    grow(-20, 170, 0.22, 900, 30)
    grow(-20, 420, -0.1, 560, 20)
    for line, wide in twigs:
        draw.line(line, (34, 22, 30), max(3, int(wide)))
    for (x, y, _, _), wide in twigs:
        if random.random() < 0.5 and wide < 22:
            _flower(draw, random, x + random.uniform(-22, 22), y + random.uniform(-22, 22))
    for _ in range(40):
        x, y = random.uniform(0, WIDTH), random.uniform(300, HEIGHT)
        draw.ellipse((x, y, x + 20, y + 11), (226, 160, 186))


def _grow(random: Random, twigs: list[Twig], x: float, y: float, angle: float, long: float, wide: float) -> None:
    for _ in range(int(long / 26)):
        angle += random.uniform(-0.2, 0.2)
        after = (x + 26 * np.cos(angle), y + 26 * np.sin(angle))
        twigs.append(((x, y, *after), wide))
        x, y = after
        wide *= 0.965
        if random.random() < 0.24 and wide > 5:
            turn = random.choice((-1, 1)) * random.uniform(0.5, 1)
            _grow(random, twigs, x, y, angle + turn, long * 0.45, wide * 0.6)


def _flower(draw: ImageDraw.ImageDraw, random: Random, x: float, y: float) -> None:
    size, paint = random.uniform(15, 30), random.choice(PETALS)
    for turn in range(5):
        angle = turn * 2 * np.pi / 5 + x
        draw.ellipse(disc(x + np.cos(angle) * size * 0.6, y + np.sin(angle) * size * 0.6, size * 0.55), paint)
    draw.ellipse(disc(x, y, size * 0.24), (226, 90, 110))
