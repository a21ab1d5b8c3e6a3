"""From a raw take to the delivered MP3: level it, encode it, measure what came out, and correct it if need be.

The decoded take is held once, as blocks of a second, in 16 bits where it came so; all that happens to it is one curve
of gains, multiplied in while the blocks stream into the meter or the encoder.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

import numpy as np

from melodify_core.errors import Unavailable
from melodify_core.media.audio.codec import RATE, Rung, Tags, ahead, decode, decode_frames, encode, tagged
from melodify_core.media.audio.fit import fit
from melodify_core.media.audio.meter import Curve, Measured, loudness, measure
from melodify_core.media.audio.shape import Held, apply, fades, held, limit
from melodify_core.models import Mastered

T = TypeVar("T")
K = TypeVar("K")

TARGET_LUFS = -14.0
TOLERANCE_LU = 0.3
CEILING_DBTP = -1.05  # 0.05 below the promised -1: meters differ in how they interpolate
HEADROOM_DB = 0.75  # by as much was LAME seen to raise peaks of limited music, at any bit rate
SHORTEST_S = 1.0
SILENCE = 1e-4  # peak of -80 dBFS, three steps of 16 bits
SEARCHES = 8
ENCODINGS = 4
# A take of a few clicks cannot reach the loudness: more gain would only bring up its noise.
MOST_LIMITING_DB = 40.0


def master(
    take: bytes, *, title: str, artist: str = "Melodify", cover_jpeg: bytes, max_bytes: int, comment: str = ""
) -> Mastered:
    """Return the take as a tagged MP3 of -14 LUFS (+-0.5) and at most -1 dBTP, both measured on the MP3.

    WAV, FLAC, Ogg, MP3 and more go in, at any rate, mono or stereo. Same input, same bytes. Only a take made of
    lone clicks may stay below the loudness. A cover that is no JPEG or does not fit is left out.

    Raises Unavailable("provider.unavailable") for a take that is silent, shorter than a second or not audio, and
    Rejected("song.too_large") when no bit rate makes it fit `max_bytes`.
    """
    blocks: list[Held] = []
    source = measure(_kept(ahead(decode(take)), blocks, held))
    # Written so that not-a-number fails as well.
    if source.samples < SHORTEST_S * RATE or not SILENCE < source.peaks.max() < np.inf:
        raise Unavailable("provider.unavailable")
    tags, rung = fit(source.samples / RATE, Tags(title, artist, comment, cover_jpeg), max_bytes)
    frames, result = _encode(blocks, source, rung)
    return Mastered(
        audio=tagged(frames, source.samples, tags, rung),
        duration_s=round(result.samples / RATE, 3),
        lufs=result.lufs,
        true_peak_dbtp=round(result.true_peak_dbtp, 2),
        bitrate_kbps=rung.kbps,
        waveform=result.waveform,
    )


def _encode(blocks: list[Held], source: Measured, rung: Rung) -> tuple[bytes, Measured]:
    """Encode until the MP3 itself is right: an encoder moves peaks and, when bits are few, the loudness.

    The frames are listened to while they are written.
    """
    target, ceiling_db = TARGET_LUFS + rung.loss_db, CEILING_DBTP - HEADROOM_DB + rung.loss_db
    for _ in range(ENCODINGS):
        gains, reached = _level(blocks, source, target, ceiling_db)
        frames: list[bytes] = []
        encoding = ahead(encode(ahead(apply(blocks, gains)), rung))
        result = measure(decode_frames(_kept(encoding, frames, bytes), source.samples))
        over = result.true_peak_dbtp - CEILING_DBTP
        drift = result.lufs - (TARGET_LUFS + reached - target)
        if over <= 0 and abs(drift) <= TOLERANCE_LU:
            break
        ceiling_db -= over + 0.1 if over > 0 else 0.0
        target -= drift
    return b"".join(frames), result


def _kept(items: Iterable[T], by: list[K], form: Callable[[T], K]) -> Iterator[T]:
    for item in items:
        by.append(form(item))
        yield item


def _level(blocks: list[Held], source: Measured, target: float, ceiling_db: float) -> tuple[Curve, float]:
    """Return the gains that bring the take to `target` LUFS under the ceiling, and the loudness they reach.

    How much loudness the limiter costs depends on the music, so the gain is searched for.
    """
    edges = fades(source)
    most = ceiling_db - source.true_peak_dbtp + MOST_LIMITING_DB
    gain_db = target - source.lufs
    for _ in range(SEARCHES):
        gain_db = min(gain_db, most)
        gains = limit(source.peaks, gain_db, ceiling_db) * edges
        reached = loudness(ahead(apply(blocks, gains)))
        missing = target - reached
        if abs(missing) < 0.11 or (missing > 0 and gain_db == most):  # the meter shows tenths
            break
        gain_db += missing
    return gains, reached
