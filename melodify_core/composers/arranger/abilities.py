"""What the arranger can do."""

from melodify_core.brief import LEAST_SECONDS, MOST_SECONDS
from melodify_core.models import Abilities

ABILITIES = Abilities(LEAST_SECONDS, MOST_SECONDS, "It is made on this machine, and nobody else has a claim to it.")
