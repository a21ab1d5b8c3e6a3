"""Turns a composer's take into the MP3 that is posted. What to play is the composer's business, not this package's."""

from melodify_core.media.audio.mastering import master

__all__ = ["master"]
