"""What Lyria on Vertex AI can do."""

from melodify_core.brief import LEAST_SECONDS
from melodify_core.composers.lyria.composer import LYRIA_2, longest_s, price_of_take
from melodify_core.composers.lyria_3 import LICENCE
from melodify_core.config.settings import Lyria
from melodify_core.models import Abilities

LYRIA_2_S = 33  # always: 32.8 s


def abilities_of(settings: Lyria) -> Abilities:
    """Return what the model can do."""
    if settings.model == LYRIA_2:
        return Abilities(LYRIA_2_S, LYRIA_2_S, LICENCE, price_of_take(settings))
    longest = longest_s(settings)
    shortest = longest if settings.model == "lyria-3-clip-preview" else LEAST_SECONDS
    return Abilities(shortest, longest, LICENCE, price_of_take(settings), vocals=True, picture=settings.send_picture)
