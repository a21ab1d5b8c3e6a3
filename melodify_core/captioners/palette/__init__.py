"""The embedded captioner: measures light, colour and composition, and says in musical terms only what it measured.

colours, layout and reading measure; feeling, steering and music decide; english and korean find the words. It
recognises no things.
"""

from melodify_core.captioners.palette.captioner import PaletteCaptioner

__all__ = ["PaletteCaptioner"]
