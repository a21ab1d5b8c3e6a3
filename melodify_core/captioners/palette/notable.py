"""Reading -> the features worth a sentence, as keys that english.py and korean.py put into words."""

from typing import Literal

from melodify_core.captioners.palette.colours import GREYS, chroma
from melodify_core.captioners.palette.reading import Reading

# The light and colours around what is seen.
Tint = Literal["dim", "vivid", "warm", "cool", "pale", "clear", "night"]
MOST_FACTS = 2
MOST_NAMED = 3
MIRRORED = 0.92
_FLAT, _STRONG = 0.02, 0.25  # contrast
_BARE = 0.02  # span
_VIVID = 70  # colourfulness
_NEARLY_ALL = 0.92  # share of the only colour
_LEAST_TELLING, _LEAST_DULL = 0.12, 0.35  # shares
_OLIVE = 0.08  # greenness
DULL, _GREEN_CAST = frozenset({"beige", "brown", "cream", "ochre", "olive"}), 0.1
_WARM = 0.4  # warmth, and as much the other way for cool


def telling_colour(reading: Reading) -> str:
    """Return the colour for the title: the strongest of the large ones, else a grey."""
    named, shares = named_colours(reading), dict(reading.colours)
    strong = [name for name in named if name not in GREYS]
    return max(strong, key=lambda name: shares[name] * chroma(name), default=named[0])


def named_colours(reading: Reading) -> tuple[str, ...]:
    """Return the one to three colours that a caption names; a single one only when it fills nearly everything.

    Of more than three large ones the strong come before the greys.
    """
    large = {name: share for name, share in reading.colours if share >= 0.08}
    if len(large) < 2 and reading.colours[0][1] <= _NEARLY_ALL:
        return tuple(name for name, _ in reading.colours[:2])
    first, *others = large
    strongest = sorted(others, key=lambda name: -large[name] * (0.1 + chroma(name)))[: MOST_NAMED - 1]
    return (first, *(name for name in others if name in strongest))


def is_coloured(reading: Reading) -> bool:
    """Return whether the colours that a caption would name are colours, and no greys or doubtful ones."""
    named = named_colours(reading)
    return GREYS.isdisjoint(named) and all(_is_named_rightly(reading, colour) for colour in named)


def is_telling(reading: Reading, colour: str) -> bool:
    """Return whether a title may name the colour: no grey, no trace, and no brown that has a green cast."""
    share = dict(reading.colours).get(colour, 0.0)
    if not _is_named_rightly(reading, colour):
        return False
    if colour in DULL:
        return share >= _LEAST_DULL and (colour == "olive" or reading.greenness < _GREEN_CAST)
    return share >= _LEAST_TELLING and colour not in GREYS


def _is_named_rightly(reading: Reading, colour: str) -> bool:
    """Return whether people would call it that: of lit baize nobody says mint, of brown wood nobody olive."""
    if colour == "mint":
        return dict(reading.colours).get(colour, 0.0) >= _LEAST_DULL
    return colour != "olive" or reading.greenness >= _OLIVE


def tint(reading: Reading, *, night: bool = False) -> Tint:
    """Return how light and colours are to be told around what is seen."""
    if night:
        return "night"
    if reading.brightness < 0.36:
        return "dim"
    if reading.colourfulness > _VIVID:
        return "vivid"
    if abs(reading.warmth) > _WARM and reading.greenness < 0.15:
        return "warm" if reading.warmth > 0 else "cool"
    if reading.brightness > 0.72:
        return "pale"
    return "clear"


def notable(reading: Reading) -> tuple[str, ...]:
    """Return up to two facts about the layout, the rarest first."""
    named = named_colours(reading)
    flat, alone = reading.contrast < _FLAT, len(named) == 1
    little = reading.span > 0.5 and reading.contrast < 0.15
    facts = {
        "accent": reading.accent is not None and reading.accent not in named and reading.colourfulness < 32,
        "mirrored": reading.symmetry > MIRRORED and not flat,
        "bare": reading.span < _BARE and alone,
        "empty": reading.emptiness > 0.75 and not (reading.span < _BARE and alone),
        "high contrast": reading.contrast > _STRONG,
        "some light": little and reading.brightness < 0.4,
        "some dark": little and reading.brightness > 0.75,
    }
    return tuple(fact for fact, holds in facts.items() if holds)[:MOST_FACTS]
