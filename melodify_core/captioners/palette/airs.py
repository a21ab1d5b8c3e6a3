"""Reading -> the air of a picture in which nothing is recognised: what its light and colours are like. No words."""

from typing import Literal

from melodify_core.captioners.palette.colours import GREYS
from melodify_core.captioners.palette.notable import named_colours
from melodify_core.captioners.palette.reading import Reading

Air = Literal[
    "mono", "dark warm", "dark cool", "dark", "green", "blue", "gold", "earth", "pink", "red", "grey", "white",
    "warm and cool", "vivid", "busy", "smooth", "warm", "cool", "bright", "quiet", "mixed", "one colour",
]  # fmt: skip

_MOST_GREY = 0.004  # mean chroma of a black and white picture, whose grain JPEG tints a little
_DARK, _BRIGHT = 0.36, 0.8  # Oklab lightness
_WARM = 0.12  # warmth, and as much the other way for cool
_GREENS = ("green", "forest", "lime", "mint")
_BLUES = ("sky", "blue", "navy")
_GOLDS = ("cream", "beige", "amber", "yellow", "orange", "coral")
_EARTHS = ("brown", "rust", "beige")
_PINKS = ("pink", "coral", "magenta", "lavender")
_REDS = ("red", "crimson")
_WHITES = ("white", "silver", "cream")


def airs_of(reading: Reading) -> tuple[Air, ...]:
    """Return the airs that a picture has, the most telling first; at least one."""
    if len(named_colours(reading)) == 1:
        return ("one colour",)
    dark, bright = reading.brightness < _DARK, reading.brightness > _BRIGHT
    mono = reading.saturation < _MOST_GREY and GREYS.issuperset(name for name, _ in reading.colours)
    large = [name for name, share in reading.colours if share >= 0.05 and name not in GREYS]
    vivid = reading.colourfulness > 70 and len(large) >= 4 and reading.colours[0][1] < 0.45
    # In warm light leaves are olive, and so is much else.
    leafy = _share(reading, *_GREENS, "olive") >= 0.5 and reading.greenness > 0.25
    holding: dict[Air, bool] = {
        "mono": mono and reading.span > 0.4,
        "dark warm": dark and reading.warmth > _WARM,
        "dark cool": dark and reading.warmth < -_WARM,
        "green": _share(reading, *_GREENS) >= 0.5 or leafy,
        "pink": _share(reading, *_PINKS) >= 0.4,
        "red": _share(reading, *_REDS) >= 0.35,
        "warm and cool": _share(reading, "orange", "rust", "amber", "coral") >= 0.15 <= _share(reading, *_BLUES),
        "vivid": vivid,
        "blue": not dark and _share(reading, *_BLUES) >= 0.5,
        "gold": reading.brightness > 0.55 and _share(reading, *_GOLDS) >= 0.5 and reading.warmth > 0.3,
        "earth": not dark
        and reading.greenness < 0.15
        and _share(reading, *_EARTHS) >= 0.5
        and _share(reading, "brown", "rust") >= 0.15,
        "grey": not mono and reading.saturation < 0.012 and _share(reading, "grey", "silver", "charcoal") >= 0.7,
        "white": bright and _share(reading, *_WHITES) >= 0.6,
        "dark": dark,
        "busy": reading.edges > 0.45 and reading.emptiness < 0.1,
        "smooth": reading.edges < 0.08 and reading.span < 0.8,
        "warm": reading.warmth > 0.3 and reading.greenness < 0.15,
        "cool": reading.warmth < -0.3,
        "bright": reading.brightness > 0.72,
        "quiet": reading.saturation < 0.045 and reading.colourfulness < 35 and reading.edges < 0.35,
    }
    return tuple(name for name, holds in holding.items() if holds) or ("mixed",)


def _share(reading: Reading, *names: str) -> float:
    return sum(share for name, share in reading.colours if name in names)
