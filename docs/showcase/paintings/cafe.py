"""A cup of coffee on a wooden table before a café's window."""

from random import Random

import numpy as np
from PIL import Image, ImageDraw

from docs.showcase.brush import (
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
    level,
    lit,
    over,
    polygons,
    soft,
    steps,
)

PANES: tuple[Box, ...] = ((150, 60, 930, 700), (980, 60, 1780, 700))
LAMPS = ((255, 236, 180), (255, 206, 120), (255, 250, 220))
LEAVES = ((-168, 250), (-150, 360), (-128, 430), (-105, 480), (-82, 470), (-60, 430), (-38, 360), (-15, 250))
POT = (1620.0, 800.0)


def paint() -> Image.Image:
    """Paint it."""
    canvas = gradient((0, (70, 42, 34)), (0.6, (126, 78, 50)), (1, (60, 34, 24)))
    canvas = over(canvas, _outside(), boxes(*PANES, blur=2))
    canvas = over(canvas, _table(), below(level(800)))
    return finished(drawn(_steam(_cup(canvas)), _plant))


def _outside() -> Field:
    random = Random(91)
    canvas = gradient((0, (246, 214, 160)), (0.4, (230, 178, 120)), (0.7, (120, 130, 84)), (1, (80, 90, 60)))
    canvas = over(canvas, (96, 128, 74), soft(steps(clouds(92, 4, 3), 0.5, 0.62), 16) * 0.8)
    for _ in range(60):
        lamp = disc(random.uniform(150, 1780), random.uniform(60, 640), random.uniform(18, 62))
        canvas = lit(canvas, random.choice(LAMPS), discs(lamp, blur=4) * 0.165)
    return canvas


def _table() -> Field:
    wood = gradient((0, (150, 92, 54)), (0.62, (176, 112, 66)), (1, (92, 52, 30)))
    wood = over(wood, (74, 40, 24), steps(clouds(93, 3, 60, 5), 0.4, 0.7) * 0.45)
    return lit(wood, (120, 84, 40), glow(700, 860, 620, 0.35) * 0.6)


def _cup(canvas: Field) -> Field:
    canvas = over(canvas, (44, 24, 18), discs((560, 1010, 1400, 1200), blur=26) * 0.5)
    canvas = over(canvas, (236, 226, 210), discs((600, 985, 1340, 1160), blur=1))
    canvas = over(canvas, (204, 190, 170), discs((680, 1005, 1260, 1125), blur=5))
    # The handle, as a ring.
    ring = discs((1150, 790, 1330, 1000), blur=1) - discs((1190, 830, 1292, 960), blur=1)
    canvas = over(canvas, (240, 232, 218), ring.clip(0, 1))
    left: Points = [(690 + 130 * part**2.2, 765 + 285 * part) for part in np.linspace(0, 1, 30)]
    right: Points = [(1230 - 130 * part**2.2, 765 + 285 * part) for part in np.linspace(1, 0, 30)]
    body = np.maximum(polygons(left + right, blur=1), discs((820, 1010, 1100, 1085), blur=1))
    canvas = over(canvas, over(flat((246, 240, 228)), (158, 134, 112), steps(X, 760, 1260) * 0.75), body)
    canvas = over(canvas, (226, 214, 196), discs((690, 700, 1230, 830), blur=1))
    canvas = over(canvas, (84, 46, 26), discs((712, 716, 1208, 822), blur=1))
    return over(canvas, (232, 200, 156), polygons(_heart(), blur=2))


def _heart() -> Points:
    turns = np.linspace(0, 2 * np.pi, 80)
    return [
        (960 + 147 * np.sin(turn) ** 3, 766 - 2.6 * (13 * np.cos(turn) - 5 * np.cos(2 * turn) - 2 * np.cos(3 * turn)))
        for turn in turns
    ]


def _steam(canvas: Field) -> Field:
    rise = ((720 - Y) / 420).clip(0, 1)
    for number, x in enumerate((870, 970, 1060)):
        path = x + 40 * np.sin(Y / 58 + number * 2) * (0.3 + rise)
        steam = np.exp(-(((X - path) / (16 + 26 * rise)) ** 2)) * steps(Y, 300, 560) * (1 - steps(Y, 680, 760))
        canvas = lit(canvas, (190, 180, 165), steam.astype(np.float32) * 0.4)
    return canvas


def _plant(draw: ImageDraw.ImageDraw) -> None:
    draw.polygon([(1500, 820), (1740, 820), (1700, 1040), (1540, 1040)], (176, 92, 62))
    draw.rounded_rectangle((1485, 790, 1755, 850), 10, (200, 112, 78))
    for turn, long in LEAVES:
        ahead = (long * np.cos(np.radians(turn)), long * np.sin(np.radians(turn)))
        aside = (0.16 * ahead[1], -0.16 * ahead[0])
        tip, middle = (POT[0] + ahead[0], POT[1] + ahead[1]), (POT[0] + 0.6 * ahead[0], POT[1] + 0.6 * ahead[1])
        one, other = (middle[0] + aside[0], middle[1] + aside[1]), (middle[0] - aside[0], middle[1] - aside[1])
        draw.polygon([POT, one, tip, other], (58, 108, 62))
        draw.polygon([POT, one, tip], (84, 138, 78))
