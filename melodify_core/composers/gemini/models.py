"""What each model costs and how long its music may be; the settings add to it."""

from melodify_core.brief import LEAST_SECONDS, MOST_SECONDS
from melodify_core.composers.lyria_3 import LICENCE
from melodify_core.config.settings import Gemini
from melodify_core.models import Abilities

# ai.google.dev/gemini-api/docs/music-generation and /pricing, November 2026: what a song costs, whatever its length.
KNOWN = {"lyria-3.5": 0.08, "lyria-3-clip-preview": 0.04}
# A clip is always 30 s long; Lyria 3.5 makes "a few minutes", more than any song here.
LONGEST_S = {"lyria-3-clip-preview": 30}


def abilities_of(settings: Gemini) -> Abilities:
    """Return what the model can do."""
    longest = longest_s(settings)
    shortest = longest if settings.model == "lyria-3-clip-preview" else LEAST_SECONDS
    return Abilities(shortest, longest, LICENCE, price_of_take(settings), vocals=True, picture=settings.send_picture)


def price_of_take(settings: Gemini) -> float:
    """Return what a take costs, in dollars: what is set, else the list price; 0 where neither is known."""
    return KNOWN.get(settings.model, 0.0) if settings.price is None else settings.price


def longest_s(settings: Gemini) -> int:
    """Return how many seconds a prompt may ask for."""
    return LONGEST_S.get(settings.model, MOST_SECONDS)


def missing_price(settings: Gemini) -> str:
    """Return the sentence for a model whose price nobody has told; empty where it is known."""
    if settings.price is not None or settings.model in KNOWN:
        return ""
    return (
        f'gemini.price is missing: what a song of "{settings.model}" costs is not known here. Set it in dollars, from '
        f"https://ai.google.dev/gemini-api/docs/pricing, or set gemini.model to {' or '.join(KNOWN)}."
    )
