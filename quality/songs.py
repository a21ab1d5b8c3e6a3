"""The songs to measure: Briefs of five moods, Briefs all over the plane of moods, and Briefs of pictures."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from random import Random

from PIL import Image, ImageEnhance, ImageOps

from melodify_core.captioners.palette.captioner import read
from melodify_core.media.picture import PictureLimits, prepare
from melodify_core.models import Brief, Energy, Mode, Wish
from melodify_core.styles import all_styles
from tests import pictures

SECONDS = 30
# Valence, arousal, mode, bpm: glad, serene, even, wistful, tense.
MOODS: tuple[tuple[float, float, Mode, int], ...] = (
    (0.7, 0.7, "major", 124),
    (0.5, -0.7, "major", 70),
    (0.1, 0.0, "major", 96),
    (-0.5, -0.5, "minor", 76),
    (-0.6, 0.8, "minor", 132),
)
ENERGIES: tuple[Energy, ...] = ("calm", "gentle", "moderate", "lively", "intense")
TURNS = 3  # songs of each style in the set that takes the styles in turn


@dataclass(frozen=True, slots=True)
class SongSpec:
    """The input of a song."""

    brief: Brief
    wish: Wish
    seed: int


def brief_of_mood(valence: float, arousal: float, mode: Mode, bpm: int) -> Brief:
    """Return a Brief with nothing but the mood; the seed chooses the instruments."""
    return Brief(
        title="Measured",
        caption="Measured.",
        mood=("plain",),
        valence=valence,
        arousal=arousal,
        energy=ENERGIES[min(4, int((arousal + 1) * 2.5))],
        genre="music",
        instruments=("anything",),
        bpm=bpm,
        mode=mode,
        arrangement="",
        soundscape="",
    )


def moods_by_style(style: str, seeds: int) -> Iterator[SongSpec]:
    """Yield every mood with every seed."""
    for seed in range(seeds):
        for mood in MOODS:
            yield SongSpec(brief_of_mood(*mood), Wish(style=style, seconds=SECONDS), seed)


def styles_in_turn() -> list[SongSpec]:
    """Return songs of all styles with moods that are independent of the style: the harder case."""
    random = Random(6)
    count = TURNS * len(all_styles())
    levels = [2 * (number + 0.5) / count - 1 for number in range(count)]
    random.shuffle(levels)
    songs = []
    for number, arousal in enumerate(levels):
        valence = random.uniform(-1, 1)
        mode: Mode = "major" if valence >= 0 else "minor"
        bpm = round(98 + 38 * arousal + random.uniform(-8, 8))
        wish = Wish(style=list(all_styles())[number % len(all_styles())], seconds=SECONDS)
        songs.append(SongSpec(brief_of_mood(valence, arousal, mode, bpm), wish, number))
    return songs


def of_pictures(most: int | None = None) -> list[SongSpec]:
    """Return songs of drawn pictures, each in five lights; the picture chooses the style. `most` pictures are read."""
    limits = PictureLimits()
    drawn = (prepare(picture, limits) for scene in pictures.SCENES.values() for picture in _lights(scene()))
    wish = Wish(seconds=SECONDS)
    return [SongSpec(read(picture.jpeg, wish), wish, number) for number, picture in enumerate(islice(drawn, most))]


def _lights(data: bytes) -> Iterator[bytes]:
    """Yield the picture as it is, dim, pale, turned to other colours, and glaring."""
    picture = Image.open(io.BytesIO(data)).convert("RGB")
    red, green, blue = picture.split()
    yield data
    yield _jpeg(ImageEnhance.Brightness(picture).enhance(0.45))
    yield _jpeg(ImageEnhance.Color(ImageOps.autocontrast(ImageEnhance.Brightness(picture).enhance(1.6))).enhance(0.35))
    yield _jpeg(Image.merge("RGB", (blue, red, green)))
    yield _jpeg(ImageEnhance.Contrast(ImageEnhance.Color(picture).enhance(2.2)).enhance(1.5))


def _jpeg(picture: Image.Image) -> bytes:
    data = io.BytesIO()
    picture.save(data, "JPEG", quality=92)
    return data.getvalue()
