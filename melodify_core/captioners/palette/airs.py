"""Reading -> the air of a picture in which nothing is recognised: what its light and colours are like. No words."""

from typing import Literal

from melodify_core.captioners.palette.colours import GREYS
from melodify_core.captioners.palette.notable import named_colours
from melodify_core.captioners.palette.reading import Reading

Air = Literal[
    "mono", "blue hour", "dark warm", "dark cool", "dark", "green", "turquoise", "blue", "blue above", "gold", "earth",
    "pink", "red", "grey", "white", "warm and cool", "vivid", "busy", "smooth", "warm", "cool", "bright", "quiet",
    "mixed", "one colour",
]  # fmt: skip

_MOST_GREY = 0.004  # mean chroma of a black and white picture, whose grain JPEG tints a little
_MOST_COLOURFUL = 4.5  # of a black and white picture: a path of brown earth in the snow has 5
_DARK, _DIM, _BRIGHT = 0.335, 0.36, 0.8  # Oklab lightness
_VIVID_EARTH = 0.095  # mean chroma: a desert in the evening sun is no room that is lived in
_LIT = 0.45  # Oklab lightness of the upper third
_WARM = 0.12  # warmth, and as much the other way for cool
_GREENS = ("green", "forest", "lime", "mint")
_TURQUOISES = ("turquoise", "teal")
_BLUES = ("sky", "blue", "navy")
_GOLDS = ("cream", "beige", "amber", "yellow", "orange", "coral")
_EARTHS = ("brown", "rust", "beige", "ochre")
_PINKS = ("pink", "coral", "magenta", "lavender")
_REDS = ("red", "crimson")
_WHITES = ("white", "silver", "cream")
# Of "every colour" there are at least three of these.
_HUES = (
    {"red", "crimson", "coral", "rust", "pink", "magenta"}, {"orange", "amber", "yellow", "ochre"},
    {"lime", "green", "forest", "olive", "mint", "teal", "turquoise"}, {"sky", "blue", "navy"},
    {"lavender", "violet", "plum"},
)  # fmt: skip


def airs_of(reading: Reading) -> tuple[Air, ...]:
    """Return the airs that a picture has, the most telling first; at least one."""
    if len(named_colours(reading)) == 1:
        return ("one colour",)
    dim, bright = reading.brightness < _DIM, reading.brightness > _BRIGHT
    # Under a lit sky nobody calls it dark.
    dark = dim and all(band.light < _LIT for band in reading.bands[:1])
    mono = reading.saturation < _MOST_GREY and GREYS.issuperset(name for name, _ in reading.colours)
    mono = mono and reading.colourfulness < _MOST_COLOURFUL and reading.accent is None
    # In warm light leaves are olive, and so is much else.
    leafy = _share(reading, *_GREENS, "olive") >= 0.5 and reading.greenness > 0.25
    holding: dict[Air, bool] = {
        "mono": mono and reading.span > 0.4,
        "blue hour": _blue_hour(reading),
        "dark warm": dark and reading.warmth > _WARM,
        "dark cool": dark and reading.warmth < -_WARM,
        "green": _share(reading, *_GREENS) >= 0.5 or leafy,
        "turquoise": not dim and _share(reading, *_TURQUOISES) >= 0.5,
        "pink": _share(reading, *_PINKS) >= 0.4,
        "red": _share(reading, *_REDS) >= 0.35,
        "warm and cool": _share(reading, "orange", "rust", "amber", "coral") >= 0.15 <= _share(reading, *_BLUES),
        "vivid": _vivid(reading),
        "blue": not dim and not _blue_hour(reading) and _share(reading, *_BLUES) >= 0.5,
        "blue above": _blue_above(reading),
        "gold": _golden(reading),
        "earth": not dim and _earthy(reading),
        "grey": not mono and _grey(reading),
        "white": bright and _share(reading, *_WHITES) >= 0.6 and _share(reading, "white", "cream") >= 0.15,
        "dark": dark and reading.brightness < _DARK,
        "busy": reading.edges > 0.55 and reading.emptiness < 0.1,
        "smooth": reading.edges < 0.08 and reading.texture < 0.013 and reading.span < 0.8,
        "warm": not dim and reading.warmth > 0.3 and reading.greenness < 0.15,
        "cool": not dim and reading.warmth < -0.3,
        "bright": reading.brightness > 0.72,
        "quiet": reading.saturation < 0.045
        and reading.colourfulness < 35
        and reading.edges < 0.35
        and reading.contrast < 0.24,
    }
    return tuple(name for name, holds in holding.items() if holds) or ("mixed",)


def _blue_hour(reading: Reading) -> bool:
    return 0.3 < reading.brightness < 0.5 and reading.warmth < -0.1 and _share(reading, "navy") >= 0.35


def _golden(reading: Reading) -> bool:
    light = reading.brightness > 0.55 and reading.warmth > 0.3 and reading.greenness < 0.05
    return light and _share(reading, *_GOLDS) >= 0.5


def _earthy(reading: Reading) -> bool:
    rosy = _share(reading, "coral", "pink", "red", "magenta", "crimson") >= 0.15
    brown = _share(reading, *_EARTHS) >= 0.5 and _share(reading, "brown", "rust") >= 0.15
    return brown and not rosy and reading.greenness < 0.15 and reading.saturation < _VIVID_EARTH


def _grey(reading: Reading) -> bool:
    # Not a house of bricks in the rain.
    coloured = sum(share for name, share in reading.colours if name not in GREYS)
    dull = reading.saturation < 0.016 and reading.brightness < 0.72
    return dull and _share(reading, "grey", "silver", "charcoal") >= 0.7 and coloured < 0.05


def _vivid(reading: Reading) -> bool:
    large = [name for name, share in reading.colours if share >= 0.05 and name not in GREYS]
    hues = sum(_share(reading, *family) >= 0.08 for family in _HUES)
    return reading.colourfulness > 70 and hues >= 3 and len(large) >= 4 and reading.colours[0][1] < 0.45


def _blue_above(reading: Reading) -> bool:
    if not reading.bands:
        return False
    upper, _, lower = reading.bands
    return (
        upper.light > 0.6
        and upper.yellow <= -0.045
        and upper.red <= 0
        and upper.edges <= 0.2
        and upper.yellow < lower.yellow - 0.045
    )


def _share(reading: Reading, *names: str) -> float:
    return sum(share for name, share in reading.colours if name in names)
