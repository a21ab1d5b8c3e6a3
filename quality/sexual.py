"""Measures how high ordinary pictures score with the local moderation: those of packages, and skin-coloured shapes.

There is no sexual picture here, so how many of those are found is not measured; Yahoo's own figures stand in docs.
"""

import io
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from PIL import Image, ImageDraw, ImageFilter

from melodify_core.captioners.eyes.sexual import SURE, is_installed, score
from melodify_core.errors import Rejected
from melodify_core.media.picture import PictureLimits, prepare
from quality.figures import at_most
from quality.photos import DRAWING, Shown, all_of_packages, shown_by_packages

SHAPES = 200
LEAST_BYTES = 6_000  # of a file that is no icon
SCORES = (0.5, 0.7, 0.8, SURE)
_STATM = Path("/proc/self/statm")
_PAGE_MIB = 4096 / 2**20


@dataclass(frozen=True, slots=True)
class Scored:
    """A picture's score, and how long it took."""

    name: str
    score: float
    seconds: float


def main() -> None:
    """Print each group with its scores."""
    print("\nLocal moderation: scores of pictures that show nothing sexual")
    if not is_installed():
        print("  the extra `eyes` is not installed")
        return
    before = _mebibytes()
    score(prepare(_shapes(random.Random(0)), PictureLimits()).jpeg)
    loaded = _mebibytes() - before
    judged = [*shown_by_packages("tuning"), *shown_by_packages("held_out")]
    everything: list[Scored] = []
    for title, pictures in (
        ("photos of people", [each for each in judged if _shows(each, "people")]),
        ("beaches and the sea", [each for each in judged if _shows(each, "sea")]),
        ("other photos", [each for each in judged if not _shows(each, "people", "sea", DRAWING)]),
        ("drawings, charts, pages", [each for each in judged if _shows(each, DRAWING)]),
        ("skin-coloured shapes", _drawn()),
        ("every picture in these packages", all_of_packages(LEAST_BYTES)),
    ):
        everything += _report(title, pictures)
    times = sorted(each.seconds for each in everything)
    print(f"  a picture takes {times[len(times) // 2] * 1000:.0f} ms at the median; the network adds {loaded:.0f} MB")
    at_most("share of ordinary pictures that are refused", sum(each.score >= SURE for each in everything), 0, "d")


def _report(title: str, pictures: list[Shown] | Iterator[Shown]) -> list[Scored]:
    scored = sorted(filter(None, map(_scored, pictures)), key=lambda each: -each.score)
    if scored:
        above = ", ".join(f"{sum(each.score >= least for each in scored)} >= {least:g}" for least in SCORES)
        print(f"  {title}: {len(scored)} pictures, {above}; highest {scored[0].score:.2f} ({scored[0].name})")
    return scored


def _scored(shown: Shown) -> Scored | None:
    try:
        jpeg = prepare(shown.data, PictureLimits()).jpeg
    except Rejected:
        return None
    started = perf_counter()
    return Scored(shown.name, score(jpeg), perf_counter() - started)


def _shows(shown: Shown, *words: str) -> bool:
    return any(truth.partition(":")[0] in words for truth in shown.truths)


def _drawn() -> list[Shown]:
    numbers = random.Random(1)
    return [Shown(f"shapes {number}", frozenset({DRAWING}), _shapes(numbers)) for number in range(SHAPES)]


def _shapes(numbers: random.Random) -> bytes:
    """Return a picture of soft ellipses in the colours of skin, light and dark."""
    picture = Image.new("RGB", (480, 360), _skin(numbers))
    draw = ImageDraw.Draw(picture)
    for _ in range(numbers.randint(2, 9)):
        x, y, width, height = (numbers.randint(*bounds) for bounds in ((0, 480), (0, 360), (10, 200), (10, 200)))
        draw.ellipse((x - width, y - height, x + width, y + height), fill=_skin(numbers))
    file = io.BytesIO()
    picture.filter(ImageFilter.GaussianBlur(numbers.choice((0, 3, 8)))).save(file, "PNG")
    return file.getvalue()


def _skin(numbers: random.Random) -> tuple[int, int, int]:
    red = numbers.randint(90, 250)
    return red, round(red * numbers.uniform(0.6, 0.85)), round(red * numbers.uniform(0.45, 0.75))


def _mebibytes() -> float:
    return int(_STATM.read_text("ascii").split()[1]) * _PAGE_MIB if _STATM.exists() else 0.0
