"""Reading -> what is worth a sentence, as keys that english.py and korean.py put into words."""

from typing import Literal

from melodify_core.captioners.palette.colours import GREYS
from melodify_core.captioners.palette.reading import Reading

Tone = Literal["dark", "middle", "bright"]
MOST_FACTS = 2
MIRRORED = 0.92


def telling_colour(reading: Reading) -> str:
    """Return the colour for the title: the largest that is one, else the largest grey."""
    names = [name for name, share in reading.colours if share >= 0.06] or [reading.colours[0][0]]
    return next((name for name in names if name not in GREYS), names[0])


def named_colours(reading: Reading) -> tuple[str, ...]:
    """Return the one to three colours that a caption names; one alone only when it fills nearly everything."""
    large = [name for name, share in reading.colours[:3] if share >= 0.08]
    if len(large) > 1 or reading.colours[0][1] > 0.85:
        return tuple(large)
    return tuple(name for name, _ in reading.colours[:2])


def tone(reading: Reading) -> Tone:
    """Return the step of brightness."""
    return "dark" if reading.brightness < 0.4 else "bright" if reading.brightness > 0.7 else "middle"


def notable(reading: Reading) -> tuple[str, ...]:
    """Return one or two facts about the layout, the rarest first."""
    flat = reading.contrast < 0.02
    facts = {
        "accent": reading.accent is not None and reading.accent not in named_colours(reading),
        f"line {_height(reading.level_line)}": reading.level_line is not None,
        "mirrored": reading.symmetry > MIRRORED and not flat,
        "centred": reading.weight == "centre",
        "crowded": reading.edges > 0.35,
        "empty": reading.emptiness > 0.75,
        reading.lines: reading.lines != "none" and reading.edges > 0.08,
        "to one side": reading.weight in ("left", "right"),
        "vivid": reading.colourfulness > 70,
        "high contrast": reading.contrast > 0.22,
        "soft": reading.contrast < 0.12 and reading.edges < 0.25 and not flat,
    }
    return tuple([fact for fact, seen in facts.items() if seen][:MOST_FACTS]) or ("plain",)


def _height(level_line: float | None) -> str:
    if level_line is None:
        return "none"
    return "high" if level_line < 0.4 else "low" if level_line > 0.6 else "middle"
