"""Colour as numbers and names: Oklab, the named colours and their shares of a picture. No words of any language."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Numbers = NDArray[np.intp]  # of the names in COLOURS, a pixel each

# Named colours in sRGB. The names are keys; english.py and korean.py say them.
COLOURS: dict[str, tuple[int, int, int]] = {
    "black": (12, 12, 14), "charcoal": (58, 59, 63), "grey": (128, 129, 131), "silver": (192, 194, 197),
    "white": (248, 248, 248), "cream": (250, 238, 208), "beige": (215, 195, 162), "brown": (104, 70, 44),
    "rust": (170, 84, 48), "red": (208, 38, 42), "crimson": (132, 24, 44), "coral": (250, 128, 106),
    "orange": (240, 132, 40), "amber": (246, 182, 78), "ochre": (196, 146, 52), "yellow": (246, 222, 72),
    "olive": (112, 112, 52), "lime": (152, 202, 74), "green": (62, 146, 72), "forest": (32, 74, 46),
    "teal": (30, 124, 126), "turquoise": (62, 200, 196), "mint": (172, 232, 196), "sky": (136, 190, 236),
    "blue": (44, 92, 202), "navy": (22, 30, 78), "lavender": (182, 168, 226), "violet": (116, 66, 176),
    "plum": (84, 48, 82), "magenta": (208, 48, 150), "pink": (240, 166, 196),
}  # fmt: skip
# Shades that have the same name, where another name's colour lies nearer: a brown is nearer to olive than to brown.
_SHADES: tuple[tuple[str, tuple[int, int, int]], ...] = (
    ("turquoise", (0, 240, 240)), ("turquoise", (44, 172, 176)), ("turquoise", (150, 222, 220)),
    ("mint", (206, 244, 206)), ("mint", (120, 216, 160)), ("teal", (0, 82, 86)), ("green", (132, 172, 120)),
    ("brown", (128, 98, 68)), ("brown", (164, 122, 76)), ("blue", (56, 108, 160)), ("blue", (92, 134, 188)),
    ("sky", (182, 216, 236)), ("silver", (222, 223, 225)), ("lavender", (216, 198, 226)), ("violet", (122, 92, 148)),
    ("pink", (192, 138, 150)), ("pink", (250, 208, 220)), ("magenta", (212, 62, 112)),
)  # fmt: skip
GREYS = frozenset({"black", "charcoal", "grey", "silver", "white"})
LEAST_SHARE = 0.02
MOST_NAMES = 8
# A small patch of a strong colour that stands apart from the rest, and that lies in one place.
_ACCENT_SHARES = (0.004, 0.08)
_ACCENT_CHROMA = 0.1
_ACCENT_DISTANCE = 0.16
_MOST_OTHERS = 0.3  # of its size, in strong colours of other hues
_ACCENT_SPREAD = 0.22  # of the side; what is strewn over the whole picture spreads 0.41

# Ottosson 2020, "A perceptual color space for image processing": linear sRGB -> LMS, cube root, -> Lab.
_LMS = np.array([
    [0.4122214708, 0.5363325363, 0.0514459929],
    [0.2119034982, 0.6806995451, 0.1073969566],
    [0.0883024619, 0.2817188376, 0.6299787005],
])  # fmt: skip
_LAB = np.array([
    [0.2104542553, 0.7936177850, -0.0040720468],
    [1.9779984951, -2.4285922050, 0.4505937099],
    [0.0259040371, 0.7827717662, -0.8086757660],
])  # fmt: skip


def oklab(rgb: Array) -> Array:
    """Return the Oklab values of sRGB 0..1; the last axis is the channel, the shape stays."""
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return np.asarray(np.cbrt(linear @ _LMS.T) @ _LAB.T, dtype=np.float64)


_NAMES = tuple(COLOURS)
_ANCHORS = oklab(np.array([COLOURS[name] for name in _NAMES]) / 255)
# Hue matters more for a colour's name than lightness.
_AXES = np.array([0.7, 1.5, 1.5])
_SHADE_PLACES = np.vstack([_ANCHORS, oklab(np.array([shade for _, shade in _SHADES]) / 255)]) * _AXES
_NAME_NUMBERS = np.array([*range(len(_NAMES)), *(_NAMES.index(name) for name, _ in _SHADES)])


def chroma(name: str) -> float:
    """Return the chroma of a named colour: 0 grey .. 0.3."""
    return float(np.hypot(*_ANCHORS[_NAMES.index(name), 1:]))


def nearest(lab: Array) -> Numbers:
    """Return the number of the nearest named colour for each pixel; the result lacks Oklab's last axis."""
    pixels = lab.reshape(-1, 3) * _AXES
    # |p - a|^2 without |p|^2, which is the same for all shades.
    distances = (_SHADE_PLACES**2).sum(axis=1) - 2 * pixels @ _SHADE_PLACES.T
    return np.asarray(_NAME_NUMBERS[distances.argmin(axis=1)].reshape(lab.shape[:-1]))


def shares(numbers: Numbers) -> dict[str, float]:
    """Return the share (0..1) of each named colour, the largest first."""
    counts = np.bincount(numbers.ravel(), minlength=len(_NAMES)) / numbers.size
    order = sorted(range(len(_NAMES)), key=lambda index: (-counts[index], index))
    return {_NAMES[index]: float(counts[index]) for index in order if counts[index] > 0}


def main_colours(found: dict[str, float]) -> tuple[tuple[str, float], ...]:
    """Return the names and shares of the colours worth mentioning, the largest first; at least one."""
    return tuple((name, share) for name, share in list(found.items())[:MOST_NAMES] if share >= LEAST_SHARE)


def accent(lab: Array, numbers: Numbers) -> str | None:
    """Return the one strong colour that differs from the largest ones and is concentrated in one area, if any."""
    strong = np.hypot(lab[..., 1], lab[..., 2]) >= _ACCENT_CHROMA
    large = [_ANCHORS[_NAMES.index(name)] for name, share in shares(numbers).items() if share > _ACCENT_SHARES[1]]
    found = shares(numbers[strong]) if strong.any() else {}
    for name, part in found.items():
        place, share = _ANCHORS[_NAMES.index(name)], part * strong.mean()
        if chroma(name) < _ACCENT_CHROMA or not _ACCENT_SHARES[0] <= share <= _ACCENT_SHARES[1]:
            continue
        apart = all(np.linalg.norm(place[1:] - other[1:]) >= _ACCENT_DISTANCE for other in large)
        others = strong & (np.linalg.norm(lab[..., 1:] - place[1:], axis=-1) > _ACCENT_DISTANCE)
        alone = others.mean() <= _MOST_OTHERS * share
        if large and apart and alone and _spread(strong & (numbers == _NAMES.index(name))) <= _ACCENT_SPREAD:
            return name
    return None


def _spread(mask: NDArray[np.bool_]) -> float:
    """Return the mean distance of a mask's pixels from their middle, as a share of the side."""
    return float(np.hypot(*(np.argwhere(mask) / mask.shape).std(axis=0)))


def colourfulness(rgb: Array) -> float:
    """Return Hasler & Suesstrunk's measure of sRGB 0..1 pixels, on their scale: 0 grey, 109 extremely colourful.

    D. Hasler, S. Suesstrunk: Measuring colourfulness in natural images. Human Vision and Electronic Imaging VIII, 2003.
    """
    red, green, blue = (255 * rgb[..., channel] for channel in range(3))
    red_green, yellow_blue = red - green, (red + green) / 2 - blue
    spread = np.hypot(red_green.std(), yellow_blue.std())
    return float(spread + 0.3 * np.hypot(red_green.mean(), yellow_blue.mean()))
