"""Reading -> the features worth a sentence, as keys that english.py and korean.py put into words."""

from typing import Literal

from melodify_core.captioners.palette.colours import GREYS, LEAST_SHARE, chroma
from melodify_core.captioners.palette.layout import Place
from melodify_core.captioners.palette.reading import Reading

# "plain" has no word: the colours say it themselves.
Tone = Literal["dark", "muted", "pale", "bright", "plain"]
# The light and colours around what is seen.
Tint = Literal["dim", "vivid", "warm", "cool", "pale", "soft", "clear", "night"]
MOST_FACTS = 2
MOST_NAMED = 3
MIRRORED = 0.92
_FLAT, _STRONG = 0.02, 0.22  # contrast
_BARE = 0.02  # span
_WIDE = 0.4  # span: light beside dark, however little there is of one
_VIVID = 70  # colourfulness
# "Lime green and green" names one colour twice.
_FAMILIES = (
    frozenset({"charcoal", "grey", "silver"}), frozenset({"black", "charcoal"}), frozenset({"white", "silver"}),
    frozenset({"green", "forest", "lime"}), frozenset({"blue", "sky", "navy"}), frozenset({"red", "crimson"}),
)  # fmt: skip
_WARM = 0.4  # warmth, and as much the other way for cool


def telling_colour(reading: Reading) -> str:
    """Return the colour for the title, which the caption also names: the strongest, else a grey."""
    named, shares = named_colours(reading), dict(reading.colours)
    said = [*named, reading.accent] if reading.accent else named
    strong = [name for name in said if name not in GREYS]
    return max(strong, key=lambda name: shares.get(name, LEAST_SHARE) * chroma(name), default=named[0])


def named_colours(reading: Reading) -> tuple[str, ...]:
    """Return the one to three colours that a caption names; a single one only when it fills nearly everything.

    Of more than three large ones the strong come before the greys.
    """
    large = {name: share for name, share in reading.colours if share >= 0.08}
    if len(large) < 2 and reading.colours[0][1] <= 0.85:
        return tuple(name for name, _ in reading.colours[:2])
    first, *others = large
    strongest = sorted(others, key=lambda name: -large[name] * (0.1 + chroma(name)))[: MOST_NAMED - 1]
    return (first, *(name for name in others if name in strongest))


def other_colour(reading: Reading, colour: str) -> str | None:
    """Return a colour that the caption names beside this one and that is not nearly the same, if any."""
    return next((name for name in named_colours(reading) if not _are_alike(name, colour)), None)


def around(reading: Reading) -> tuple[str, ...]:
    """Return the one or two colours to name around what is seen: the largest, and the strongest that is unlike it."""
    first, *others = named_colours(reading)
    return (first, *sorted((name for name in others if not _are_alike(name, first)), key=chroma)[-1:])


def _are_alike(name: str, other: str) -> bool:
    return name == other or any({name, other} <= family for family in _FAMILIES)


def tint(reading: Reading, *, night: bool = False) -> Tint:
    """Return how light and colours are to be told around what is seen."""
    if night:
        return "night"
    if reading.brightness < 0.36:
        return "dim"
    if reading.colourfulness > _VIVID:
        return "vivid"
    if abs(reading.warmth) > _WARM:
        return "warm" if reading.warmth > 0 else "cool"
    if reading.brightness > 0.72:
        return "pale"
    return "soft" if reading.saturation < 0.05 and reading.contrast < 0.2 else "clear"


def tone(reading: Reading) -> Tone:
    """Return the tone that brightness and saturation give the colours."""
    if reading.colours[0][0] in ("black", "white"):
        return "plain"
    if reading.brightness < 0.4:
        return "dark"
    if reading.contrast > _STRONG:
        return "plain"
    grey = GREYS.issuperset(named_colours(reading)) and reading.colourfulness <= _VIVID
    faint = grey or (reading.saturation < 0.07 and reading.colourfulness < 50)
    if reading.brightness > 0.7:
        return "pale" if faint else "bright"
    return "muted" if faint and reading.edges < 0.25 else "plain"


def light_place(reading: Reading) -> Place | None:
    """Return the lightest place; None where "even" would be meaningless or wrong."""
    if reading.light != "even":
        return reading.light
    # Not in a dark picture, on one flat colour, or where light is beside dark.
    holding = reading.brightness >= 0.4 and _FLAT <= reading.contrast <= _STRONG and reading.span < _WIDE
    return "even" if holding else None


def notable(reading: Reading) -> tuple[str, ...]:
    """Return up to two facts about the layout, the rarest first."""
    named = named_colours(reading)
    flat, alone = reading.contrast < _FLAT, len(named) == 1
    lined = reading.lines != "none" and reading.edges > 0.08
    little = reading.span > 0.5 and reading.contrast < 0.15
    facts = {
        "accent": reading.accent is not None and reading.accent not in named,
        f"line {_height(reading.level_line)}": reading.level_line is not None,
        "mirrored": reading.symmetry > MIRRORED and not flat,
        "centred": reading.weight == "centre",
        "crowded": reading.edges > 0.35 and reading.emptiness < 0.1,
        "bare": reading.span < _BARE and alone,
        "empty": reading.emptiness > 0.75 and not (reading.span < _BARE and alone),
        # A line across the picture already says that it is level.
        reading.lines: lined and (reading.lines != "level" or reading.level_line is None),
        "to one side": reading.weight in ("left", "right"),
        "vivid": reading.colourfulness > _VIVID and not alone,
        "vivid alone": reading.colourfulness > _VIVID and alone,
        "high contrast": reading.contrast > _STRONG,
        "some light": little and reading.brightness < 0.4,
        "some dark": little and reading.brightness > 0.75,
        "soft": reading.contrast < 0.12 and reading.span < _WIDE and reading.edges < 0.25 and not flat,
    }
    holding = [fact for fact, holds in facts.items() if holds]
    if not holding and reading.light == reading.weight == "even" and reading.emptiness < 0.25:
        return ("plain",)
    return tuple(holding[:MOST_FACTS])


def _height(level_line: float | None) -> str:
    if level_line is None:
        return "none"
    return "high" if level_line < 0.4 else "low" if level_line > 0.6 else "middle"
