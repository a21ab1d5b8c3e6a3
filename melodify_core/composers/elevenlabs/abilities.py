"""What ElevenLabs can do."""

from melodify_core.config.settings import ElevenLabs
from melodify_core.models import Abilities

LICENCE = "ElevenLabs' music terms apply; what they allow depends on the host's plan."


def abilities_of(settings: ElevenLabs) -> Abilities:
    """Return what it can do, from elevenlabs.io/docs/api-reference/music/compose."""
    return Abilities(3, 600, LICENCE, dollars_per_minute=settings.dollars_per_minute, vocals=True)
