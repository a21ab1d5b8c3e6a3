"""What a pipeline can do: deploy/pipeline/README.md."""

from melodify_core.config.settings import Pipeline
from melodify_core.models import Abilities

LICENCE = "The licence of the model that the pipeline runs applies."


def abilities_of(settings: Pipeline) -> Abilities:
    """Return what it can do; which model it runs is not known here."""
    return Abilities(1, 300, LICENCE, dollars_per_song=settings.dollars_per_take)
