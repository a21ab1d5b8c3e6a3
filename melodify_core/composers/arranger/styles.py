"""Which style a Brief gets. What the styles are stands in melodify_core/styles."""

import re

from melodify_core.models import Brief
from melodify_core.styles import all_styles


def style_of(wished: str, brief: Brief) -> str:
    """Return the wished style, else the one that the genre names, else one by the instruments, else one by the mood.

    Of several styles that a genre names, the first is meant ("jazz piano"), of several words in one place the longest
    ("drum and bass" is house, "post-rock" rock), and a style's own name before the same word of another.
    """
    if wished in all_styles():
        return wished
    return _named_by(brief.genre) or _played_by(brief.instruments) or _nearest(brief.valence, brief.arousal)


def _named_by(genre: str) -> str | None:
    text = genre.casefold()
    found = [
        (match.start(), -len(word), word != name, name)
        for name, style in all_styles().items()
        for word in (name, *style.words.genres)
        if (match := re.search(rf"\b{re.escape(word)}", text))
    ]
    return min(found)[-1] if found else None


def _played_by(instruments: tuple[str, ...]) -> str | None:
    """Return the style that lives on one of the instruments: that tells more than a genre that nobody knows."""
    wished = " ".join(instruments).casefold()
    found = [
        (style.words.instrument_priority, style.menu, name)
        for name, style in all_styles().items()
        if any(word in wished for word in style.words.instruments)
    ]
    return min(found)[-1] if found else None


def _nearest(valence: float, arousal: float) -> str:
    def distance(name: str) -> tuple[float, int]:
        home = all_styles()[name].mood
        return (home.valence - valence) ** 2 + (home.arousal - arousal) ** 2, home.priority

    return min(all_styles(), key=distance)
