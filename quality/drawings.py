"""Draws what is not a photo, such as illustrations, pages, charts, gradients, noise; flat, inked, shaded and grainy."""

import io
from collections.abc import Callable, Iterator, Mapping
from random import Random

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont

SIZE = (640, 480)
Colour = tuple[int, int, int]


def drawings(motifs: Mapping[str, Callable[[Random], Image.Image]]) -> Iterator[tuple[str, bytes]]:
    """Yield name and PNG of each motif in each manner."""
    for name, motif in motifs.items():
        for manner, finish in MANNERS.items():
            picture = finish(motif(Random(f"{name} {manner}")))
            data = io.BytesIO()
            picture.convert("RGB").save(data, "PNG")
            yield f"{name}, {manner}", data.getvalue()


def colour(random: Random, low: int = 20, high: int = 250) -> Colour:
    """Return a random colour between two levels."""
    return (random.randint(low, high), random.randint(low, high), random.randint(low, high))


def canvas(random: Random) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    """Return an empty picture and the pen for it."""
    picture = Image.new("RGB", SIZE, colour(random, 120))
    return picture, ImageDraw.Draw(picture)


# Motifs


def _sea(random: Random) -> Image.Image:
    picture, draw = canvas(random)
    draw.rectangle((0, 250, 640, 480), fill=(30, 90, 160))
    draw.ellipse((420, 60, 520, 160), fill=(250, 210, 80))
    for x in range(0, 640, 40):
        draw.arc((x, 300 + x % 90, x + 60, 330 + x % 90), 180, 360, fill=(220, 240, 250), width=5)
    draw.polygon([(200, 270), (330, 270), (300, 310), (225, 310)], fill=(120, 60, 40))
    draw.polygon([(262, 130), (262, 260), (330, 255)], fill=(250, 250, 245))
    return picture


def _hills(random: Random) -> Image.Image:
    picture, draw = canvas(random)
    for layer in range(4):
        top = 160 + 70 * layer
        points = [(x, top + random.randint(-50, 30)) for x in range(0, 720, 80)]
        draw.polygon([(0, 480), *points, (640, 480)], fill=(60 + 20 * layer, 110 - 15 * layer, 130 - 25 * layer))
    return picture


def _night_city(random: Random) -> Image.Image:
    picture = Image.new("RGB", SIZE, (18, 20, 60))
    draw = ImageDraw.Draw(picture)
    for x in range(0, 640, 70):
        top = random.randint(90, 320)
        draw.rectangle((x, top, x + 62, 480), fill=(30, 34, 80))
        for y in range(top + 12, 470, 26):
            for window in range(x + 8, x + 54, 18):
                draw.rectangle((window, y, window + 9, y + 14), fill=random.choice(((250, 220, 120), (50, 54, 100))))
    draw.ellipse((500, 40, 560, 100), fill=(240, 240, 220))
    return picture


def _smiley(random: Random) -> Image.Image:
    picture, draw = canvas(random)
    draw.ellipse((170, 90, 470, 390), fill=(255, 205, 60), outline=(70, 50, 20), width=6)
    for x in (250, 360):
        draw.ellipse((x, 180, x + 34, 230), fill=(50, 35, 20))
    draw.arc((240, 200, 400, 340), 20, 160, fill=(50, 35, 20), width=10)
    return picture


def _portrait(random: Random) -> Image.Image:
    picture, draw = canvas(random)
    skin = random.choice(((238, 200, 170), (150, 100, 70), (250, 220, 195)))
    draw.rectangle((200, 390, 440, 480), fill=colour(random))
    draw.rectangle((285, 340, 355, 410), fill=skin)
    draw.ellipse((215, 90, 425, 370), fill=skin)
    draw.pieslice((205, 70, 435, 330), 180, 360, fill=colour(random, 10, 120))
    draw.rectangle((230, 190, 410, 215), fill=skin)
    for x in (270, 345):
        draw.ellipse((x, 215, x + 32, 235), fill=(255, 255, 255))
        draw.ellipse((x + 10, 216, x + 24, 234), fill=(60, 40, 30))
        draw.arc((x - 4, 190, x + 38, 220), 200, 340, fill=(50, 30, 20), width=5)
    draw.line((320, 240, 310, 285, 326, 288), fill=(170, 120, 95), width=4)
    draw.chord((285, 300, 360, 335), 0, 180, fill=(190, 70, 80))
    return picture


def _cat(random: Random) -> Image.Image:
    picture, draw = canvas(random)
    fur = colour(random, 60, 220)
    draw.polygon([(220, 190), (230, 70), (310, 150)], fill=fur)
    draw.polygon([(420, 190), (410, 70), (330, 150)], fill=fur)
    draw.ellipse((205, 120, 435, 350), fill=fur)
    for x in (260, 345):
        draw.ellipse((x, 200, x + 42, 242), fill=(190, 230, 90))
        draw.ellipse((x + 16, 200, x + 26, 242), fill=(20, 20, 20))
    draw.polygon([(305, 262), (335, 262), (320, 282)], fill=(230, 140, 150))
    for side in (-1, 1):
        for tilt in (-14, 0, 14):
            draw.line((320 + side * 30, 280, 320 + side * 150, 275 + tilt * 2), fill=(240, 240, 240), width=3)
    return picture


def _house(random: Random) -> Image.Image:
    picture, draw = canvas(random)
    draw.rectangle((0, 360, 640, 480), fill=(90, 170, 80))
    draw.rectangle((190, 210, 450, 400), fill=colour(random, 120))
    draw.polygon([(170, 210), (320, 90), (470, 210)], fill=(180, 60, 50))
    draw.rectangle((290, 300, 350, 400), fill=(100, 60, 40))
    for x in (215, 375):
        draw.rectangle((x, 240, x + 55, 290), fill=(190, 225, 245), outline=(80, 60, 50), width=5)
    draw.ellipse((500, 230, 600, 360), fill=(50, 130, 60))
    draw.rectangle((542, 340, 558, 400), fill=(100, 70, 40))
    return picture


def _car(random: Random) -> Image.Image:
    picture, draw = canvas(random)
    draw.rectangle((0, 360, 640, 480), fill=(90, 92, 96))
    body = colour(random, 40, 230)
    draw.rounded_rectangle((110, 250, 540, 360), 40, fill=body)
    draw.polygon([(200, 255), (260, 170), (420, 170), (480, 255)], fill=body)
    draw.polygon([(222, 250), (270, 185), (335, 185), (335, 250)], fill=(200, 230, 245))
    draw.polygon([(350, 250), (350, 185), (412, 185), (455, 250)], fill=(200, 230, 245))
    for x in (170, 410):
        draw.ellipse((x, 310, x + 90, 400), fill=(30, 30, 32))
        draw.ellipse((x + 25, 335, x + 65, 375), fill=(200, 200, 205))
    return picture


def _flower(random: Random) -> Image.Image:
    picture, draw = canvas(random)
    draw.line((320, 250, 310, 470), fill=(50, 130, 60), width=14)
    petal = colour(random, 120)
    for turn in range(8):
        x, y = 320 + 95 * np.cos(turn * np.pi / 4), 210 + 95 * np.sin(turn * np.pi / 4)
        draw.ellipse((x - 55, y - 55, x + 55, y + 55), fill=petal)
    draw.ellipse((265, 155, 375, 265), fill=(240, 190, 60))
    return picture


def _fruit(random: Random) -> Image.Image:
    picture, draw = canvas(random)
    draw.ellipse((90, 300, 550, 430), fill=(235, 235, 230))
    for x, colour in ((170, (220, 50, 50)), (290, (245, 150, 40)), (400, (120, 180, 60))):
        draw.ellipse((x, 210, x + 130, 340), fill=colour)
        draw.ellipse((x + 30, 230, x + 60, 260), fill=(255, 240, 230))
        draw.line((x + 65, 215, x + 75, 180), fill=(90, 60, 30), width=7)
    return picture


def _page(random: Random) -> Image.Image:
    picture = Image.new("RGB", SIZE, (250, 249, 244))
    draw = ImageDraw.Draw(picture)
    words = ["sea", "wind", "paper", "music", "night", "rain", "window", "train", "morning", "letter"]
    for y in range(30, 440, 24):
        line = " ".join(random.choice(words) for _ in range(11))
        draw.text((40, y), line, fill=(30, 30, 34), font=ImageFont.load_default(18))
    return picture


def _chart(random: Random) -> Image.Image:
    picture = Image.new("RGB", SIZE, "white")
    draw = ImageDraw.Draw(picture)
    draw.line((70, 40, 70, 430, 610, 430), fill="black", width=3)
    for x in range(90, 600, 60):
        draw.rectangle((x, random.randint(80, 400), x + 40, 430), fill=colour(random))
    return picture


def _squares(random: Random) -> Image.Image:
    picture, draw = canvas(random)
    for _ in range(24):
        x, y = random.randrange(600), random.randrange(440)
        fill, outline = colour(random), (20, 20, 20)
        draw.rectangle((x, y, x + random.randint(30, 190), y + random.randint(30, 170)), fill, outline, width=6)
    return picture


def _circles(random: Random) -> Image.Image:
    picture, draw = canvas(random)
    for _ in range(60):
        x, y, r = random.randrange(640), random.randrange(480), random.randint(8, 90)
        draw.ellipse((x - r, y - r, x + r, y + r), fill=colour(random))
    return picture


def _spiral(random: Random) -> Image.Image:
    picture, draw = canvas(random)
    points = [(320 + t * np.cos(t / 9), 240 + t * np.sin(t / 9)) for t in np.arange(0, 330, 0.4)]
    draw.line([(float(x), float(y)) for x, y in points], fill=colour(random, 10, 120), width=9)
    return picture


def _rays(random: Random) -> Image.Image:
    picture, draw = canvas(random)
    for turn in range(0, 360, 20):
        draw.pieslice((-300, -300, 940, 780), turn, turn + 10, fill=colour(random))
    return picture


def field(values: NDArray[np.float64], random: Random) -> Image.Image:
    """Return values of 0..1 between two colours."""
    low, high = np.array(colour(random, 0, 130)), np.array(colour(random, 130, 255))
    pixels = low + values[..., None] * (high - low)
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8), "RGB")


def grid() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return x and y of each pixel, 0..1."""
    y, x = np.mgrid[0:480, 0:640]
    return x / 640, y / 480


def _gradient(random: Random) -> Image.Image:
    x, y = grid()
    return field((x + y) / 2, random)


def _glow(random: Random) -> Image.Image:
    x, y = grid()
    return field(np.exp(-6 * ((x - 0.5) ** 2 + (y - 0.4) ** 2)), random)


def _plasma(random: Random) -> Image.Image:
    x, y = grid()
    waves = np.sin(13 * x) + np.sin(9 * y + 3 * x) + np.sin(17 * np.hypot(x - 0.4, y - 0.6))
    return field(waves / 6 + 0.5, random)


def _noise(random: Random) -> Image.Image:
    generator = np.random.default_rng(random.randrange(2**32))
    return Image.fromarray(generator.integers(0, 256, (480, 640, 3), dtype=np.uint8), "RGB")


def _clouds(random: Random) -> Image.Image:
    generator = np.random.default_rng(random.randrange(2**32))
    total = np.zeros((480, 640))
    for octave in range(2, 8):
        coarse = Image.fromarray(generator.random((3 * 2**octave // 4, 2**octave)).astype(np.float32))
        total += np.asarray(coarse.resize(SIZE, Image.Resampling.BICUBIC), dtype=np.float64) / 2**octave
    return field((total - total.min()) / (total.max() - total.min()), random)


def _julia(random: Random) -> Image.Image:
    x, y = grid()
    z = 3.2 * (x - 0.5) + 2.4j * (y - 0.5)
    count = np.zeros(z.shape)
    for _ in range(60):
        z = np.where(np.abs(z) < 4, z * z + complex(-0.74, 0.18), z)
        count += np.abs(z) < 4
    return field((count / 60) ** 0.5, random)


def _stripes(random: Random) -> Image.Image:
    x, y = grid()
    return field((np.sin(70 * x + 30 * y) > 0).astype(np.float64), random)


# Manners


def _flat(picture: Image.Image) -> Image.Image:
    return picture


def _inked(picture: Image.Image) -> Image.Image:
    lines = picture.convert("L").filter(ImageFilter.FIND_EDGES).filter(ImageFilter.MaxFilter(3))
    return ImageChops.subtract(picture, Image.merge("RGB", (lines, lines, lines)))


def _shaded(picture: Image.Image) -> Image.Image:
    x, y = grid()
    light = (255 * (1 - 0.55 * np.hypot(x - 0.35, y - 0.25))).clip(0, 255).astype(np.uint8)
    shade = Image.fromarray(light, "L")
    return ImageChops.multiply(picture, Image.merge("RGB", (shade, shade, shade)))


def _grainy(picture: Image.Image) -> Image.Image:
    """Return the picture shaded, softened and with a paper's grain, which is the closest to a photo."""
    grain = np.random.default_rng(7).normal(0, 7, (480, 640, 1))
    soft = np.asarray(_shaded(picture).filter(ImageFilter.GaussianBlur(1.2)), dtype=np.float64)
    return Image.fromarray((soft + grain).clip(0, 255).astype(np.uint8), "RGB")


MANNERS: dict[str, Callable[[Image.Image], Image.Image]] = {
    "flat": _flat, "inked": _inked, "shaded": _shaded, "grainy": _grainy,
}  # fmt: skip
MOTIFS: dict[str, Callable[[Random], Image.Image]] = {
    "hills": _hills, "smiley": _smiley, "cat": _cat, "car": _car, "fruit": _fruit, "chart": _chart,
    "circles": _circles, "rays": _rays, "gradient": _gradient, "clouds": _clouds, "stripes": _stripes, "sea": _sea,
    "night city": _night_city, "portrait": _portrait, "house": _house, "flower": _flower, "page": _page,
    "squares": _squares, "spiral": _spiral, "glow": _glow, "plasma": _plasma, "noise": _noise, "julia": _julia,
}  # fmt: skip
