"""Sound as bytes: decoding a take, FFmpeg's filters, loudness, mastering, and the MP3 that is posted.

Which notes are played is in composers. Nothing is imported here: the pipeline's image has FFmpeg, but no MP3 encoder.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from melodify_core.models import Mastered


def mastered(take: bytes, **options: Any) -> "Mastered":
    """Return what mastering.master returns. For worker processes: only they load the codecs, which take 17 MB."""
    from melodify_core.media.audio.mastering import master

    return master(take, **options)
