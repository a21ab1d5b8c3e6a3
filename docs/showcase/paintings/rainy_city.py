"""A wet street between lit houses, at night in the rain."""

from random import Random

import numpy as np
from PIL import Image

from docs.showcase.brush import (
    HEIGHT,
    WIDTH,
    Box,
    Colour,
    Field,
    boxes,
    clouds,
    disc,
    discs,
    finished,
    glow,
    gradient,
    lit,
    over,
    polygons,
    rain,
    soft,
)

STREET = 860
LAYERS = (((46, 42, 92), 420), ((32, 30, 72), 480), ((20, 19, 50), 520))
LIGHTS = ((255, 214, 130), (255, 180, 96), (150, 200, 255), None, None, None)
SIGNS: tuple[tuple[Box, Colour], ...] = (
    ((200, 480, 236, 720), (255, 80, 150)),
    ((1620, 430, 1660, 690), (70, 220, 255)),
    ((420, 690, 540, 722), (255, 190, 80)),
    ((1380, 700, 1490, 734), (255, 110, 90)),
)
CARS = ((255, 200, 110), (255, 90, 80), (255, 240, 210), (120, 200, 255))


def paint() -> Image.Image:
    """Paint it."""
    random = Random(21)
    canvas = gradient((0, (14, 16, 44)), (0.4, (40, 34, 84)), (0.62, (112, 62, 118)), (1, (20, 18, 40)))
    canvas = lit(canvas, (110, 60, 110), clouds(22) * 0.35)
    for layer, (walls, low) in enumerate(LAYERS):
        canvas = _houses(canvas, random, walls, low, layer)
    sides = polygons(
        [(-5, 150), (330, 330), (330, 900), (-5, 1000)], [(1925, 120), (1560, 320), (1560, 900), (1925, 1000)]
    )
    canvas = over(canvas, (14, 13, 34), sides)
    for sign, light in SIGNS:
        pale = (102 + 0.6 * light[0], 102 + 0.6 * light[1], 102 + 0.6 * light[2])
        shine = glow((sign[0] + sign[2]) / 2, (sign[1] + sign[3]) / 2, 190) * 0.5
        canvas = lit(over(canvas, pale, boxes(sign, blur=2, radius=10)), light, shine)
    canvas = _traffic(_mirrored(canvas), random)
    return finished(lit(canvas, (150, 165, 220), rain(23, 900) * 0.28))


def _houses(canvas: Field, random: Random, paint: Colour, low: float, layer: int) -> Field:
    walls: list[Box] = []
    windows: dict[tuple[int, int, int], list[Box]] = {}
    x, step = -20.0, 24 + 6 * layer
    while x < WIDTH:
        wide, aside = random.uniform(90, 190), abs(x + 60 - WIDTH / 2) / WIDTH
        top = low - random.uniform(0, 360) * (0.35 + 1.6 * aside)
        walls.append((x, top, x + wide, 900))
        for row in np.arange(top + 22, 850, step * 1.35):
            for column in np.arange(x + 14, x + wide - 18, step):
                light = random.choice(LIGHTS)
                if light:
                    window = (column, row, column + step * 0.5, row + step * 0.7)
                    windows.setdefault(light, []).append(window)
        x += wide + random.uniform(0, 16)
    canvas = over(canvas, paint, boxes(*walls))
    for light, places in windows.items():
        mask = boxes(*places)
        canvas = lit(over(canvas, light, mask * (0.45 + 0.2 * layer)), light, soft(mask, 14) * 0.25)
    return canvas


def _mirrored(canvas: Field) -> Field:
    """Return the canvas with what is above the street mirrored on the wet ground."""
    deep = HEIGHT - STREET
    mirror = canvas[STREET - deep : STREET][::-1]
    picture = Image.fromarray(mirror.clip(0, 255).astype(np.uint8))
    low = picture.resize((WIDTH // 3, 12), Image.Resampling.BOX).resize((WIDTH, deep), Image.Resampling.BICUBIC)
    smeared = np.asarray(low, dtype=np.float32) * 0.75 + mirror * 0.25
    ripple = clouds(24, 8, 70, 4)[STREET:, :, None]
    ground = smeared * (0.35 + 0.75 * ripple) + np.array((8, 8, 22), dtype=np.float32)
    return np.concatenate([canvas[:STREET], ground.astype(np.float32)])


def _traffic(canvas: Field, random: Random) -> Field:
    for _ in range(46):
        x, y = random.uniform(500, 1420), random.gauss(850, 45)
        size = random.uniform(7, 24) * (1 + max(0.0, y - 850) / 80)
        canvas = lit(canvas, random.choice(CARS), discs(disc(x, y, size), blur=3) * 0.47)
    return canvas
