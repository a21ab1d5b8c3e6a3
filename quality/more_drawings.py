"""Motifs that were drawn after the thresholds were set, and did not influence them."""

from collections.abc import Callable
from random import Random

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from quality.drawings import SIZE, canvas, colour, field, grid


def _tree(random: Random) -> Image.Image:
    picture, draw = canvas(random)
    draw.rectangle((0, 380, 640, 480), fill=(110, 170, 80))
    draw.polygon([(295, 400), (305, 220), (335, 220), (345, 400)], fill=(110, 75, 45))
    for _ in range(40):
        x, y = 320 + random.gauss(0, 70), 170 + random.gauss(0, 45)
        draw.ellipse((x - 38, y - 34, x + 38, y + 34), fill=(40, random.randint(110, 170), 60))
    return picture


def _fish(random: Random) -> Image.Image:
    picture = Image.new("RGB", SIZE, (60, 150, 200))
    draw = ImageDraw.Draw(picture)
    body = colour(random, 90)
    draw.polygon([(430, 240), (540, 160), (540, 320)], fill=body)
    draw.ellipse((150, 150, 460, 330), fill=body)
    for x in range(250, 430, 45):
        draw.arc((x - 30, 170, x + 30, 310), 270, 90, fill=(250, 250, 250), width=6)
    draw.ellipse((190, 205, 225, 240), fill="white")
    draw.ellipse((200, 213, 218, 231), fill="black")
    return picture


def _robot(random: Random) -> Image.Image:
    picture, draw = canvas(random)
    metal = colour(random, 120, 200)
    draw.rectangle((240, 220, 400, 400), fill=metal, outline="black", width=5)
    draw.rectangle((255, 90, 385, 205), fill=metal, outline="black", width=5)
    for x in (285, 335):
        draw.ellipse((x, 125, x + 30, 155), fill=(250, 90, 70), outline="black", width=4)
    draw.rectangle((285, 172, 355, 188), fill="black")
    for x in (190, 420):
        draw.rectangle((x, 235, x + 32, 360), fill=metal, outline="black", width=5)
    return picture


def _guitar(random: Random) -> Image.Image:
    picture, draw = canvas(random)
    wood = (190, 120, 60)
    draw.ellipse((90, 190, 330, 430), fill=wood)
    draw.ellipse((250, 180, 410, 340), fill=wood)
    draw.ellipse((240, 230, 310, 300), fill=(50, 30, 20))
    draw.line((270, 270, 590, 60), fill=(90, 55, 30), width=26)
    for shift in range(-6, 8, 4):
        draw.line((210, 320 + shift, 590, 60 + shift), fill=(240, 240, 220), width=1)
    return picture


def _comic(random: Random) -> Image.Image:
    picture = Image.new("RGB", SIZE, "white")
    draw = ImageDraw.Draw(picture)
    for x, y in ((15, 15), (325, 15), (15, 245), (325, 245)):
        draw.rectangle((x, y, x + 295, y + 215), fill=colour(random, 130), outline="black", width=5)
        draw.ellipse((x + 20, y + 15, x + 190, y + 85), fill="white", outline="black", width=3)
        draw.text((x + 55, y + 36), "Is that so?", fill="black", font=ImageFont.load_default(18))
        draw.ellipse((x + 190, y + 80, x + 260, y + 160), fill=(250, 215, 185), outline="black", width=3)
        draw.rectangle((x + 180, y + 160, x + 270, y + 212), fill=colour(random), outline="black", width=3)
    return picture


def _map(random: Random) -> Image.Image:
    x, y = grid()
    height = sum(np.sin(random.uniform(3, 12) * x + random.uniform(3, 12) * y + random.random() * 6) for _ in range(6))
    steps = np.digitize(height, [-2, -1, 0, 0.7, 1.6, 2.6])
    sea, land = [(60, 110, 180), (90, 140, 200), (130, 180, 220)], [(220, 210, 150), (140, 180, 90), (170, 130, 80)]
    return Image.fromarray(np.array([*sea, *land, (240, 240, 240)], dtype=np.uint8)[steps], "RGB")


def _cubes(random: Random) -> Image.Image:
    picture, draw = canvas(random)
    base = colour(random, 80, 200)
    dark, light = (tuple(int(part * scale) for part in base) for scale in (0.6, 1.25))
    for row in range(-1, 7):
        for column in range(-1, 9):
            x, y = column * 80 + (row % 2) * 40, row * 72
            draw.polygon([(x, y), (x + 40, y - 24), (x + 80, y), (x + 40, y + 24)], fill=light)
            draw.polygon([(x, y), (x + 40, y + 24), (x + 40, y + 72), (x, y + 48)], fill=base)
            draw.polygon([(x + 80, y), (x + 40, y + 24), (x + 40, y + 72), (x + 80, y + 48)], fill=dark)
    return picture


def _spheres(random: Random) -> Image.Image:
    x, y = grid()
    pixels = np.full((480, 640, 3), colour(random, 60), dtype=np.float64)
    for _ in range(18):
        middle, radius, paint = (random.random(), random.random()), random.uniform(0.05, 0.16), colour(random, 60)
        inside = np.hypot(x - middle[0], (y - middle[1]) * 0.75) / radius
        light = np.hypot(x - middle[0] + radius / 3, (y - middle[1]) * 0.75 + radius / 3) / radius
        shade = (1.25 - 0.8 * light)[..., None] * np.array(paint)
        pixels = np.where((inside < 1)[..., None], shade, pixels)
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8), "RGB")


def _plaid(random: Random) -> Image.Image:
    x, y = grid()
    warp, weft = (np.sin(axis * random.uniform(40, 90)) * np.sin(axis * random.uniform(9, 20)) for axis in (x, y))
    return Image.blend(field(warp / 2 + 0.5, random), field(weft / 2 + 0.5, random), 0.5)


def _halftone(random: Random) -> Image.Image:
    x, y = grid()
    dots = np.sin(x * 200) * np.sin(y * 150) + 1.3 * np.hypot(x - 0.5, y - 0.5)
    return field((dots > random.uniform(0.2, 0.7)).astype(np.float64), random)


def _strokes(random: Random) -> Image.Image:
    picture, draw = canvas(random)
    for _ in range(160):
        x, y, paint = random.randrange(640), random.randrange(480), colour(random)
        points = [(x + step * 14, y + random.randint(-8, 8)) for step in range(random.randint(3, 10))]
        draw.line(points, fill=paint, width=random.randint(6, 26), joint="curve")
    return picture


def _mandala(random: Random) -> Image.Image:
    x, y = grid()
    angle, far = np.arctan2(y - 0.5, (x - 0.5) * 1.33), np.hypot((x - 0.5) * 1.33, y - 0.5)
    petals = random.choice((6, 8, 12))
    return field((np.sin(angle * petals) * np.cos(far * random.uniform(30, 60)) + 1) / 2, random)


MOTIFS: dict[str, Callable[[Random], Image.Image]] = {
    "tree": _tree, "fish": _fish, "robot": _robot, "guitar": _guitar, "comic": _comic, "map": _map, "cubes": _cubes,
    "spheres": _spheres, "plaid": _plaid, "halftone": _halftone, "strokes": _strokes, "mandala": _mandala,
}  # fmt: skip
