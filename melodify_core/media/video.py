"""The song as a video: its picture, and below it the waveform with the part that was played in another colour."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from melodify_core.errors import Rejected, Unavailable

if TYPE_CHECKING:
    import av

Pixels = npt.NDArray[np.uint8]

LONGEST_SIDE = 720
STRIP = 96  # pixels of height for the waveform
FRAMES_PER_S = 15
AUDIO_BITS = 128_000
# x264's constant rate factors: the best quality first, the next ones where the file would be too large.
QUALITIES = (26, 32, 40)
GROUND, AHEAD, PLAYED = (18, 16, 28), (92, 86, 120), (167, 139, 255)
MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Video:
    """An MP4 (H.264, AAC) that starts to play before it is fully loaded."""

    data: bytes = field(repr=False)
    width: int
    height: int


def make_video(mp3: bytes, picture_jpeg: bytes, waveform: tuple[int, ...], max_bytes: int) -> Video:
    """Return the video of a song; `waveform` has peaks from 0 to 100.

    Raises Rejected("song.too_large") when it does not fit into `max_bytes`, Unavailable for a song or picture that
    cannot be read.
    """
    import av  # only where videos are made: it takes 17 MB

    try:
        canvas = _canvas(picture_jpeg)
        strips = (_drawn(waveform, canvas.shape[1], AHEAD), _drawn(waveform, canvas.shape[1], PLAYED))
        for quality in QUALITIES:
            data = _encode(mp3, canvas, strips, quality)
            if len(data) <= max_bytes:
                return Video(data, canvas.shape[1], canvas.shape[0])
    except (OSError, av.FFmpegError) as error:
        raise Unavailable("internal") from error
    raise Rejected("song.too_large", limit_mb=round(max_bytes / MEBIBYTE, 1))


def shape_of(picture_width: int, picture_height: int) -> tuple[int, int]:
    """Return width and height of the video of such a picture, in pixels; zeros where its size is not known."""
    if not (picture_width and picture_height):
        return 0, 0
    scale = min(1.0, LONGEST_SIDE / picture_width, (LONGEST_SIDE - STRIP) / picture_height)
    return _even(round(picture_width * scale), round(picture_height * scale))


def _even(width: int, height: int) -> tuple[int, int]:
    """Return the shape of picture and strip: both sides are even, as H.264 wants them."""
    # A strip needs some width, however narrow the picture is.
    return max(width, 2 * STRIP) // 2 * 2, (height + STRIP) // 2 * 2


def _canvas(picture_jpeg: bytes) -> Pixels:
    """Return the picture above an empty strip, as rows of RGB."""
    with Image.open(io.BytesIO(picture_jpeg)) as opened:
        picture = opened.convert("RGB")
    picture.thumbnail((LONGEST_SIDE, LONGEST_SIDE - STRIP))
    width, height = _even(picture.width, picture.height)
    canvas = Image.new("RGB", (width, height), GROUND)
    canvas.paste(picture, ((width - picture.width) // 2, 0))
    return np.asarray(canvas)


def _drawn(waveform: tuple[int, ...], width: int, colour: tuple[int, int, int]) -> Pixels:
    """Return the waveform in a colour, STRIP rows of RGB."""
    strip = Image.new("RGB", (width, STRIP), GROUND)
    pen = ImageDraw.Draw(strip)
    bars = max(min(len(waveform), width // 4), 1)
    peaks = np.array([part.max() if len(part) else 0 for part in np.array_split(np.array(waveform or (0,)), bars)])
    for number, peak in enumerate(peaks / max(int(peaks.max()), 1)):
        left = round(number * width / bars)
        half = max(peak * (STRIP / 2 - 8), 1.0)
        pen.rectangle((left, STRIP / 2 - half, left + max(width // bars - 2, 1), STRIP / 2 + half), fill=colour)
    return np.asarray(strip)


def _encode(mp3: bytes, canvas: Pixels, strips: tuple[Pixels, Pixels], quality: int) -> bytes:
    # The index comes first, so that a player starts before the rest has arrived. For that FFmpeg needs a named file.
    with tempfile.TemporaryDirectory(prefix="melodify-") as folder:
        path = Path(folder) / "song.mp4"
        _write(path, mp3, canvas, strips, quality)
        return path.read_bytes()


def _write(path: Path, mp3: bytes, canvas: Pixels, strips: tuple[Pixels, Pixels], quality: int) -> None:
    import av

    with (
        av.open(io.BytesIO(mp3), "r") as song,
        av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as movie,
    ):
        sound = song.streams.audio[0]
        seconds = float(song.duration or 0) / av.time_base
        height, width, _ = canvas.shape
        options = {"crf": str(quality), "preset": "veryfast", "tune": "stillimage", "threads": "1"}
        picture_track = movie.add_stream("libx264", rate=FRAMES_PER_S, options=options)
        picture_track.width, picture_track.height, picture_track.pix_fmt = width, height, "yuv420p"
        sound_track = movie.add_stream("aac", rate=sound.rate or 44_100)
        sound_track.bit_rate = AUDIO_BITS
        for number, frame in enumerate(_frames(canvas, strips, seconds)):
            frame.pts, frame.time_base = number, Fraction(1, FRAMES_PER_S)
            movie.mux(picture_track.encode(frame))
        movie.mux(picture_track.encode(None))
        for heard in song.decode(sound):
            movie.mux(sound_track.encode(heard))
        movie.mux(sound_track.encode(None))


def _frames(canvas: Pixels, strips: tuple[Pixels, Pixels], seconds: float) -> Iterator[av.VideoFrame]:
    """Yield the frames; only the strip changes from one to the next."""
    import av

    ahead, played = strips
    width, count = canvas.shape[1], max(round(seconds * FRAMES_PER_S), 1)
    shown = canvas.copy()
    for number in range(count):
        edge = round(width * number / count)
        shown[-STRIP:, :edge] = played[:, :edge]
        shown[-STRIP:, edge:] = ahead[:, edge:]
        yield av.VideoFrame.from_ndarray(shown, format="rgb24")
