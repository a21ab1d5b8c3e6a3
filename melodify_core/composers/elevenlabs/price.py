"""What a song costs at ElevenLabs."""

from melodify_core.config.settings import ElevenLabs


def price_of_take(settings: ElevenLabs, seconds: int) -> float:
    """Return the dollars of a song of this length."""
    return settings.dollars_per_minute * seconds / 60
