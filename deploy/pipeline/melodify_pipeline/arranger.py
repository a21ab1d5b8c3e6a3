"""Melodify's own arranger as a model of the pipeline: no GPU, no weights, the same sound for the same seed."""

from melodify_core.composers.arranger.composition import score_of
from melodify_core.composers.arranger.synthesis import wav_of as played
from melodify_pipeline.prompt import read


def wav_of(prompt: str, seconds: int, seed: int) -> bytes:
    """Return the music as WAV."""
    brief, wish = read(prompt, seconds)
    return played(score_of(brief, wish, seed))
