"""What may be read at all: the moderation in front of any captioner, and the one that needs no key.

OpenAI's is in captioners/openai/moderation.py.
"""

from melodify_core.captioners.moderation.local import LocalModerator
from melodify_core.captioners.moderation.moderated import ModeratedCaptioner

__all__ = ["LocalModerator", "ModeratedCaptioner"]
