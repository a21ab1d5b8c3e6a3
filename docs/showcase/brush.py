"""What the paintings share: gradients, clouds, glows, ridges and masks. Colours are 0..255, masks 0..1."""

from collections.abc import Callable, Iterable
from functools import partial
from itertools import pairwise
from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

# Painted at twice the size of the picture, so that edges come out smooth.
WIDTH, HEIGHT = 1920, 1280
Field = NDArray[Any]
Colour = tuple[float, float, float]
Points = list[tuple[float, float]]
Box = tuple[float, float, float, float]
Y, X = (axis.astype(np.float32) for axis in np.mgrid[0:HEIGHT, 0:WIDTH])


def single(values: Any) -> Field:
    """Return the values in single precision."""
    return np.asarray(values, dtype=np.float32)


def gradient(*stops: tuple[float, Colour]) -> Field:
    """Return a canvas that runs from the top (0) to the bottom (1) through the colours."""
    rows = np.linspace(0, 1, HEIGHT)
    places, colours = [place for place, _ in stops], np.array([colour for _, colour in stops])
    column = np.stack([np.interp(rows, places, colours[:, part]) for part in range(3)], axis=1)
    return single(np.repeat(column[:, None, :], WIDTH, axis=1))


def over(canvas: Field, colour: Colour | Field, mask: Field) -> Field:
    """Return the canvas with the colour laid over it."""
    cover = mask[..., None]
    return single(canvas * (1 - cover) + np.asarray(colour, dtype=np.float32) * cover)


def lit(canvas: Field, colour: Colour, mask: Field) -> Field:
    """Return the canvas with light of the colour added."""
    return single(canvas + np.asarray(colour, dtype=np.float32) * mask[..., None])


def glow(x: float, y: float, radius: float, squash: float = 1.0) -> Field:
    """Return a soft round light."""
    return single(np.exp(-((X - x) ** 2 + ((Y - y) / squash) ** 2) / radius**2))


def shape(draw: Callable[[ImageDraw.ImageDraw], None], blur: float = 0.0) -> Field:
    """Return what is drawn in white (255) as a mask."""
    mask = Image.new("L", (WIDTH, HEIGHT))
    draw(ImageDraw.Draw(mask))
    return soft(np.asarray(mask, dtype=np.float32) / 255, blur)


def discs(*rounds: Box, blur: float = 0.0) -> Field:
    """Return ellipses, each in its box, as a mask."""
    return shape(lambda draw: _each(draw.ellipse, rounds), blur)


def boxes(*corners: Box, blur: float = 0.0, radius: float = 0.0) -> Field:
    """Return rectangles as a mask."""
    return shape(lambda draw: _each(partial(draw.rounded_rectangle, radius=radius), corners), blur)


def polygons(*outlines: Points, blur: float = 0.0) -> Field:
    """Return polygons as a mask."""
    return shape(lambda draw: _each(draw.polygon, outlines), blur)


def _each(draw: Callable[..., None], places: Iterable[Box | Points]) -> None:
    for place in places:
        draw(place, fill=255)


def disc(x: float, y: float, radius: float) -> Box:
    """Return the box of a disc."""
    return (x - radius, y - radius, x + radius, y + radius)


def flat(colour: Colour) -> Field:
    """Return a canvas of one colour."""
    return np.full((HEIGHT, WIDTH, 3), colour, dtype=np.float32)


def level(y: float) -> Field:
    """Return a straight line for `below`."""
    return np.full(WIDTH, y, dtype=np.float32)


def soft(mask: Field, blur: float) -> Field:
    """Return the mask blurred."""
    if not blur:
        return mask
    picture = Image.fromarray((mask.clip(0, 1) * 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(blur))
    return np.asarray(picture, dtype=np.float32) / 255


def clouds(seed: int, wide: int = 3, high: int = 2, octaves: int = 7) -> Field:
    """Return noise of 0..1 whose largest spots are that many across and down."""
    generator, total = np.random.default_rng(seed), np.zeros((HEIGHT, WIDTH), dtype=np.float32)
    for octave in range(octaves):
        spots = generator.random((high * 2**octave + 1, wide * 2**octave + 1)).astype(np.float32)
        layer = Image.fromarray(spots).resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC)
        total += np.asarray(layer, dtype=np.float32) / 2**octave
    return single((total - total.min()) / (total.max() - total.min()))


def steps(values: Field, low: float, high: float) -> Field:
    """Return 0 below `low`, 1 above `high`, and a smooth rise between."""
    part = ((values - low) / (high - low)).clip(0, 1)
    return single(part * part * (3 - 2 * part))


def skyline(seed: int, base: float, rise: float, rough: float = 0.5) -> Field:
    """Return the height of a ridge for each column, as its y."""
    random, points = Random(seed), [0.0, 0.0]
    size = 1.0
    while len(points) < WIDTH:
        size *= rough
        middles = [(a + b) / 2 + random.uniform(-size, size) for a, b in pairwise(points)]
        points = [value for pair in zip(points, middles, strict=False) for value in pair] + [points[-1]]
    line = np.interp(np.linspace(0, 1, WIDTH), np.linspace(0, 1, len(points)), points)
    return single(base - rise * (line - line.min()) / (line.max() - line.min()))


def below(line: Field) -> Field:
    """Return the mask of everything under the line."""
    return single((Y - line).clip(0, 1))


def stars(seed: int, count: int, lowest: float = 1.0) -> Field:
    """Return small lights of all brightnesses in the upper part of the picture."""
    generator, sky = np.random.default_rng(seed), np.zeros((HEIGHT, WIDTH), dtype=np.float32)
    for _ in range(count):
        y, x = int(generator.random() * HEIGHT * lowest), int(generator.random() * WIDTH)
        bright, size = generator.random() ** 3, 1 + int(generator.random() ** 6 * 4)
        sky[y : y + size + 1, x : x + size + 1] = 0.35 + 0.65 * bright
    return single(soft(sky, 1.2) * 1.5)


def drawn(canvas: Field, draw: Callable[[ImageDraw.ImageDraw], None]) -> Field:
    """Return the canvas with flat shapes drawn on it in their own colours, one over the other."""
    picture = Image.fromarray(canvas.clip(0, 255).astype(np.uint8), "RGB")
    draw(ImageDraw.Draw(picture))
    return np.asarray(picture, dtype=np.float32)


def rain(seed: int, count: int) -> Field:
    """Return streaks of rain."""
    random, mask = Random(seed), Image.new("L", (WIDTH, HEIGHT))
    draw = ImageDraw.Draw(mask)
    for _ in range(count):
        x, y, long = random.uniform(-50, WIDTH + 50), random.uniform(-50, HEIGHT), random.uniform(25, 95)
        draw.line((x, y, x - long * 0.16, y + long), random.randint(80, 255), 2)
    return single(mask) / 255


def finished(canvas: Field, grain: float = 3.0) -> Image.Image:
    """Return the picture at its own size, a little darker to the corners and with the grain of paper."""
    far = np.hypot((X - WIDTH / 2) / WIDTH, (Y - HEIGHT / 2) / HEIGHT)
    shaded = canvas * (1 - 0.45 * far**2)[..., None]
    rough = shaded + np.random.default_rng(5).normal(0, grain * 2, (HEIGHT, WIDTH, 1))
    picture = Image.fromarray(rough.clip(0, 255).astype(np.uint8), "RGB")
    return picture.resize((WIDTH // 2, HEIGHT // 2), Image.Resampling.LANCZOS)
