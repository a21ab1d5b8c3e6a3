"""The embedded captioner: measures light, colour and composition, and turns only these into musical terms.

colours, layout and reading measure; feeling and music decide; english and korean choose the words. This
package recognises no objects: eyes does, and scenery uses what they see.
"""

from melodify_core.captioners.palette.captioner import PaletteCaptioner

__all__ = ["PaletteCaptioner"]
