"""Makes Briefs for tests: one plain, with any field changed."""

from typing import Any

from melodify_core.models import Brief


def a_brief(**changes: Any) -> Brief:
    """Return a valid Brief of a calm warm picture, with these fields changed."""
    fields: dict[str, Any] = {
        "title": "Amber Dusk",
        "caption": "Warm light over still water.",
        "mood": ("calm", "warm"),
        "valence": 0.4,
        "arousal": -0.2,
        "energy": "gentle",
        "genre": "folk",
        "instruments": ("nylon guitar", "flute"),
        "bpm": 92,
        "mode": "major",
        "arrangement": "picked intro, two verses, soft close",
        "soundscape": "wooden room",
    }
    return Brief(**fields | changes)


BRIEF = Brief(
    title="Amber Dusk",
    caption="Warm light.",
    mood=("calm", "warm"),
    valence=0.4,
    arousal=-0.3,
    energy="gentle",
    genre="folk",
    instruments=("felt piano", "cello"),
    bpm=84,
    mode="major",
    arrangement="Slow build.",
    soundscape="tape hiss",
)
