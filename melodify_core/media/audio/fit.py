"""What fits into an upload limit: the bit rate, and a cover made smaller. Encoding itself lives in codec.py."""

import io
from dataclasses import replace

from PIL import Image

from melodify_core.errors import Rejected
from melodify_core.media.audio.codec import LADDER, Rung, Tags

COVER_SHARE = 0.1  # of the size: the song matters more than its picture
COVER_SIDES = (640, 320, 160)
JPEG_QUALITY = 80
# The MP3 is longer than the sound by the encoder's delay, its padding and a header frame.
EXTRA_S = 0.2


def fit(seconds: float, tags: Tags, max_bytes: int) -> tuple[Tags, Rung]:
    """Return the best bit rate that fits, and the tags with a cover of at most a tenth of the size.

    Without any cover before no song at all. Raises Rejected("song.too_large", limit_mb=...).
    """
    small = replace(tags, cover_jpeg=fit_cover(tags.cover_jpeg, int(max_bytes * COVER_SHARE)))
    for candidate in (small, replace(tags, cover_jpeg=b"")):
        for rung in LADDER:
            if (seconds + EXTRA_S) * rung.kbps * 125 + candidate.size_bytes <= max_bytes:
                return candidate, rung
    raise Rejected("song.too_large", limit_mb=round(max_bytes / 2**20, 1))


def fit_cover(jpeg: bytes, max_bytes: int) -> bytes:
    """Return the cover, made smaller if need be; nothing when it is no JPEG or cannot be made small enough."""
    try:
        with Image.open(io.BytesIO(jpeg), formats=["JPEG"]) as picture:
            if len(jpeg) <= max_bytes:
                return jpeg
            thumbnails = (_thumbnail(picture, side) for side in COVER_SIDES)
            return next((thumbnail for thumbnail in thumbnails if len(thumbnail) <= max_bytes), b"")
    except OSError:  # a song without its picture is better than no song
        return b""


def _thumbnail(picture: Image.Image, side: int) -> bytes:
    small = picture.convert("RGB")
    small.thumbnail((side, side))
    jpeg = io.BytesIO()
    small.save(jpeg, "JPEG", quality=JPEG_QUALITY, optimize=True)
    return jpeg.getvalue()
