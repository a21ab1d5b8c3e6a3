"""Reading and Sight -> Sight: landscapes that no class of the eyes names, by colours, layout and the classes nearby.

The rules were set on photos of wallpapers and packages that quality/recognition.py does not measure with.
"""

from collections.abc import Callable
from dataclasses import replace

from melodify_core.captioners.eyes import KINDS, Certainty, Kind, Sight
from melodify_core.captioners.palette.reading import Reading

# What the rules below name and the eyes do not, with its kind.
LANDSCAPES: dict[str, Kind] = {
    "greenery": "forest", "night lights": "city", "snowy mountains": "mountain", "sunset": "sky",
}  # fmt: skip
_GREENS = frozenset({"green", "forest", "olive", "lime"})
_PETALS = frozenset({
    "red", "crimson", "coral", "orange", "amber", "yellow", "lavender", "violet", "plum", "magenta", "pink"
})  # fmt: skip
_SNOW = frozenset({"white", "silver"})
# Share of pixels on an edge: a sky has fewer, leaves and houses have more, gravel has the most.
_SMOOTH, _ROUGH, _TEXTURE = 0.15, 0.35, 0.6
_LITTLE = 0.12  # share of a kind
_SAND = 0.06  # Oklab yellow of a third of the picture; a beach has water beside it


def with_landscape(reading: Reading, sight: Sight) -> Sight:
    """Return what is seen, with a landscape in place of what is less certain; doubtful seas and mountains are not."""
    if sight.kind == "mountain" and _upper(reading, lambda edges: edges > _ROUGH):
        # Without a sky it is a slope, a brook among trees or a town from above.
        sight = Sight(photo=True, shares=sight.shares)
    if sight.kind == "sea" and _sandy(reading):
        sight = Sight(photo=True, shares=sight.shares)  # a desert looks like a beach to the network
    if sight.subject == "mountains" and _snowy(reading):
        return replace(sight, subject="snowy mountains")
    if sight.certainty == "sure":
        return sight
    if sight.subject is None and reading.bands and min(band.edges for band in reading.bands) > _TEXTURE:
        sight = Sight(photo=True, shares=sight.shares)  # gravel and bark look a little like animals
    for holds, kind, subject, certainty in _RULES:
        if holds(reading, sight):
            return replace(sight, kind=kind, subject=subject, certainty=certainty)
    return sight


def with_drawn_landscape(reading: Reading, sight: Sight) -> Sight:
    """Return a drawn sunset, the one landscape of drawings that light and colour alone give away; else what is seen."""
    if not reading.bands or reading.level_line is None or not 0.45 < reading.level_line < 0.75:
        return sight
    upper, middle, lower = reading.bands
    smooth = max(band.edges for band in reading.bands) <= _SMOOTH
    glow = min(upper.red, middle.red) >= 0.02 and middle.red + middle.yellow >= 0.1
    towards_the_horizon = middle.yellow - upper.yellow >= 0.05 and middle.light - upper.light >= 0.1
    if smooth and glow and towards_the_horizon and middle.light - lower.light >= 0.2:
        return replace(sight, kind="sky", subject="sunset", certainty="sure")
    return sight


def _blooming(reading: Reading, sight: Sight) -> bool:
    # Flowers have every colour; what is grey may be pollen under a microscope.
    return sight.shares.get("flower", 0) >= 0.45 and reading.saturation >= 0.01


def _perhaps_blooming(reading: Reading, sight: Sight) -> bool:
    return sight.shares.get("flower", 0) >= 0.15 and _share(reading, _PETALS) >= 0.05 and reading.saturation >= 0.01


def _all_green(reading: Reading, sight: Sight) -> bool:
    del sight  # green as far as one sees looks like insects to the network
    return _share(reading, _GREENS) >= 0.75 and reading.saturation >= 0.08


def _leafy(reading: Reading, sight: Sight) -> bool:
    green = _share(reading, _GREENS) >= 0.45
    return sight.kind is None and green and reading.edges >= 0.15 and len(reading.colours) >= 5


def _open_sea(reading: Reading, sight: Sight) -> bool:
    blue = all(band.yellow <= -0.05 and abs(band.red) < 0.04 for band in reading.bands)
    return bool(reading.bands) and blue and _of(sight, "sea", "ship", "water") >= 0.5


def _horizon(reading: Reading, sight: Sight) -> bool:
    line = reading.level_line
    return (
        not _sandy(reading)
        and line is not None
        and line < 0.75
        and _of(sight, "sea") >= 0.5
        and _of(sight, "sea", "ship", "water") >= 0.6
    )


def _evening(reading: Reading, sight: Sight) -> bool:
    if not reading.bands or _of(sight, "animal", "bird", "food", "building", "instrument", "furniture", "stage") > 0.3:
        return False
    # A room in warm light has these colours too, and nothing of the outdoors.
    if _of(sight, "sea", "water", "ship", "mountain", "plane", "sky") < 0.2:
        return False
    upper, middle, lower = reading.bands
    glow = max(upper.red, middle.red) >= 0.02 and min(upper.red, middle.red) > -0.01
    warm = max(upper.red + upper.yellow, middle.red + middle.yellow) >= 0.04
    smooth = upper.edges <= _SMOOTH and middle.edges <= 0.25
    return glow and warm and smooth and max(upper.light, middle.light) - lower.light >= 0.25


def _afterglow(reading: Reading, sight: Sight) -> bool:
    if not reading.bands or _of(sight, "sea", "water", "ship") < 0.4:
        return False
    upper, middle, _ = reading.bands
    smooth = max(band.edges for band in reading.bands) <= 0.12
    gradual = min(band.red for band in reading.bands) >= 0.02 and middle.yellow - upper.yellow >= 0.03
    # Or a red strip over dark water.
    strip = middle.red >= 0.03 and middle.red - upper.red >= 0.03 and reading.brightness < 0.5
    return smooth and (gradual or strip)


def _golden(reading: Reading, sight: Sight) -> bool:
    if not reading.bands or _of(sight, "sea", "water", "ship", "mountain") < 0.4:
        return False
    upper, _, lower = reading.bands
    return upper.yellow >= 0.05 and upper.red >= 0 and upper.edges <= _SMOOTH and upper.light - lower.light >= 0.25


def _city_at_night(reading: Reading, sight: Sight) -> bool:
    dark = reading.brightness < 0.42 and reading.span > 0.6
    sky = _upper(reading, lambda edges: edges <= 0.1) and reading.bands[0].light < 0.33
    return sight.kind is None and dark and sky and _of(sight, "building", "city", "water", "ship") >= 0.4


def _townscape(reading: Reading, sight: Sight) -> bool:
    # A skyline is no class: the network sees parts of one in houses, ships and airships.
    built = _of(sight, "building", "city", "ship", "plane", "vehicle") >= 0.5
    return sight.kind is None and built and bool(reading.bands) and reading.bands[1].edges >= 0.38


def _built(reading: Reading, sight: Sight) -> bool:
    del reading  # which of many buildings it is, is not said, only that somebody built it
    built = _of(sight, "building", "city") >= 0.64 or _alone(sight, "building") >= 0.5
    return sight.kind in (None, "building") and built


def _furnished(reading: Reading, sight: Sight) -> bool:
    del reading
    return sight.kind in (None, "furniture") and _alone(sight, "furniture") >= 0.55


def _open_sky(reading: Reading, sight: Sight) -> bool:
    blue = [band.light > 0.6 and band.yellow <= -0.05 and band.edges <= 0.08 for band in reading.bands[:2]]
    return sight.kind is None and len(blue) == 2 and all(blue)


def _cloudy(reading: Reading, sight: Sight) -> bool:
    # Clouds are no class either: the network sees what flies in front of them.
    pale = [band.edges <= 0.2 and abs(band.red) < 0.015 and band.yellow <= 0.006 for band in reading.bands]
    return sight.kind is None and bool(pale) and all(pale) and _of(sight, "plane") >= 0.12


def _sandy(reading: Reading) -> bool:
    return bool(reading.bands) and min(band.yellow for band in reading.bands[1:]) > _SAND


def _snowy(reading: Reading) -> bool:
    bright = any(band.light >= 0.7 and abs(band.yellow) < 0.03 and band.edges >= 0.1 for band in reading.bands[1:])
    return bright and _share(reading, _SNOW) >= 0.25


# The first that holds is said.
_RULES: tuple[tuple[Callable[[Reading, Sight], bool], Kind, str | None, Certainty], ...] = (
    (_blooming, "flower", "flower", "sure"),
    (_open_sea, "sea", None, "sure"),
    (_evening, "sky", "sunset", "sure"),
    (_afterglow, "sky", "sunset", "sure"),
    (_golden, "sky", "sunset", "sure"),
    (_horizon, "sea", None, "sure"),
    (_built, "building", None, "sure"),
    (_furnished, "furniture", None, "sure"),
    (_all_green, "forest", "greenery", "likely"),
    (_perhaps_blooming, "flower", "flower", "likely"),
    (_city_at_night, "city", "night lights", "likely"),
    (_open_sky, "sky", None, "likely"),
    (_cloudy, "sky", None, "likely"),
    (_townscape, "city", None, "sure"),
    (_leafy, "forest", "greenery", "likely"),
)


def _share(reading: Reading, names: frozenset[str]) -> float:
    return sum(share for name, share in reading.colours if name in names)


def _of(sight: Sight, *kinds: Kind) -> float:
    return sum(sight.shares.get(kind, 0) for kind in kinds)


def _alone(sight: Sight, kind: Kind) -> float:
    """Return the share of a kind, 0 where another one is seen a little, too."""
    others = max(sight.shares.get(other, 0) for other in KINDS if other != kind)
    return _of(sight, kind) if others < _LITTLE else 0.0


def _upper(reading: Reading, holds: Callable[[float], bool]) -> bool:
    return bool(reading.bands) and holds(reading.bands[0].edges)
