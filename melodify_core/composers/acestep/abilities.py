"""What an ACE-Step server can do. It could sing, if anybody wrote it lyrics."""

from melodify_core.config.settings import AceStep
from melodify_core.models import Abilities

LICENCE = "The model is MIT, and its makers claim nothing of its music."


def abilities_of(settings: AceStep) -> Abilities:
    """Return what it can do, from docs/en/API.md of its repository."""
    return Abilities(10, 600, LICENCE, dollars_per_song=settings.dollars_per_take)
