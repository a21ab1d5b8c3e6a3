"""All styles, and which of them a Brief gets. What the styles are stands in acoustic.py and electric.py."""

import re

from melodify_core.composers.arranger import acoustic, electric
from melodify_core.composers.arranger.style import Style
from melodify_core.models import Brief

STYLES: dict[str, Style] = electric.STYLES | acoustic.STYLES
# An instrument that one style lives on tells more than a genre that nobody knows.
_BY_INSTRUMENT = {
    "gayageum": "korean", "haegeum": "korean", "daegeum": "korean", "steelpan": "reggae", "steel drum": "reggae",
    "distorted guitar": "rock", "distortion": "rock", "overdriven": "rock", "808": "lofi", "brushed drums": "jazz",
    "walking bass": "jazz", "banjo": "folk", "orchestra": "cinematic", "timpani": "cinematic", "choir": "cinematic",
    "chip": "chiptune", "slap bass": "funk", "clavinet": "funk", "analog synth": "synthwave", "drum machine": "house",
}  # fmt: skip


def style_of(wished: str, brief: Brief) -> str:
    """Return the wished style, else the one that the genre names, else one by the instruments, else one by the mood.

    Of several styles that a genre names, the first is meant ("jazz piano"), of several words in one place the longest
    ("drum and bass" is house, "post-rock" rock).
    """
    if wished in STYLES:
        return wished
    return _named_by(brief.genre) or _played_by(brief.instruments) or _nearest(brief.valence, brief.arousal)


def _named_by(genre: str) -> str | None:
    text = genre.casefold()
    found = [
        (match.start(), -len(word), name)
        for name, style in STYLES.items()
        for word in (name, *style.words)
        if (match := re.search(rf"\b{re.escape(word)}", text))
    ]
    return min(found)[2] if found else None


def _played_by(instruments: tuple[str, ...]) -> str | None:
    wished = " ".join(instruments).casefold()
    return next((style for word, style in _BY_INSTRUMENT.items() if word in wished), None)


def _nearest(valence: float, arousal: float) -> str:
    def distance(name: str) -> float:
        home = STYLES[name].home
        return (home[0] - valence) ** 2 + (home[1] - arousal) ** 2

    return min(STYLES, key=distance)
