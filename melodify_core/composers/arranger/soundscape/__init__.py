"""The sounds around the notes: rain, waves, birds and others, synthesised here from noise and sines.

Knows neither briefs nor scores: names, seconds and a seed in, samples out.
"""

from melodify_core.composers.arranger.soundscape.mixing import LEVEL_DB, loudness_db, soundscape
from melodify_core.composers.arranger.soundscape.sounds import SOUNDS

__all__ = ["LEVEL_DB", "SOUNDS", "loudness_db", "soundscape"]
