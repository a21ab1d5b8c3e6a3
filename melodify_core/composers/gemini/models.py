"""What each model costs and how long its music may be; the settings add to it."""

from dataclasses import dataclass

from melodify_core.brief import LEAST_SECONDS, MOST_SECONDS
from melodify_core.composers.lyria_3 import LICENCE
from melodify_core.config.settings import Gemini
from melodify_core.models import Abilities


@dataclass(frozen=True, slots=True)
class Known:
    """A model as its documents describe it."""

    dollars: float  # a song, whatever its length
    longest_s: int  # that a prompt may ask for


# ai.google.dev/gemini-api/docs/music-generation and /pricing, November 2026. A clip is always 30 s long; Lyria 3.5
# makes "a few minutes", more than any song here.
KNOWN = {
    "lyria-3.5": Known(dollars=0.08, longest_s=MOST_SECONDS),
    "lyria-3-clip-preview": Known(dollars=0.04, longest_s=30),
}


def abilities_of(settings: Gemini) -> Abilities:
    """Return what the model can do."""
    longest = longest_s(settings)
    shortest = longest if settings.model == "lyria-3-clip-preview" else LEAST_SECONDS
    return Abilities(shortest, longest, LICENCE, price_of_take(settings), vocals=True, picture=settings.send_picture)


def price_of_take(settings: Gemini) -> float:
    """Return what a take costs, in dollars: what is set, else the list price; 0 where neither is known."""
    if settings.price is not None:
        return settings.price
    known = KNOWN.get(settings.model)
    return known.dollars if known else 0.0


def longest_s(settings: Gemini) -> int:
    """Return how many seconds a prompt may ask for."""
    known = KNOWN.get(settings.model)
    return known.longest_s if known else MOST_SECONDS


def missing_price(settings: Gemini) -> str:
    """Return the sentence for a model whose price nobody has told; empty where it is known."""
    if settings.price is not None or settings.model in KNOWN:
        return ""
    return (
        f'gemini.price is missing: what a song of "{settings.model}" costs is not known here. Set it in dollars, from '
        f"https://ai.google.dev/gemini-api/docs/pricing, or set gemini.model to {' or '.join(KNOWN)}."
    )
