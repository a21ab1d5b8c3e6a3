"""What the arranger can do."""

from melodify_core.brief import LEAST_SECONDS, MOST_SECONDS
from melodify_core.models import Abilities

ABILITIES = Abilities(LEAST_SECONDS, MOST_SECONDS, "The bot makes it itself, and nobody else has a claim to it.")
