"""Bytes to sound and sound to bytes, through PyAV: decoding any take, encoding the MP3 with its tags and cover."""

import io
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from typing import cast

import av
import av.error
import numpy as np
import numpy.typing as npt
from av.container import InputContainer, OutputContainer
from av.stream import Disposition
from av.video.stream import VideoStream
from PIL import Image

from melodify_core.errors import Unavailable

Block = npt.NDArray[np.float32]  # (2, samples): stereo at RATE; a second long, the last one shorter
Sound = Callable[[int, int | None], Iterable[Block]]  # the blocks from one number to before another, or to the end

RATE = 48_000
# A header that says 1 Hz would turn a small file into hours of sound, and 1 GHz hangs the resampler.
LOWEST_RATE, HIGHEST_RATE = 4_000, 768_000
LONGEST_S = 300
# A playlist format would let a hostile take open other files and addresses.
CONTAINERS = "wav,w64,aiff,mp3,flac,ogg,aac,mov,mp4,m4a,matroska,webm"
# 0 best .. 9 fastest. The default, 5, costs twice the time of 7 (measured); at 192 kbps 7 is already transparent.
LAME_QUALITY = "7"
FRAME = 1152  # samples of an MP3 frame at RATE
STRIDE = 3  # so many blocks are a whole number of frames
OVERLAP = 2  # blocks after the middle that both encoders hear; LAME holds back less than one
WARM_UP = 8  # frames; LAME wrote the same from the second on, wherever it began (measured)


@dataclass(frozen=True, slots=True)
class Rung:
    """A bit rate on the ladder, and what LAME does there."""

    kbps: int
    rate: int  # sampling rate in Hz
    loss_db: float  # by how much LAME lowers the sound, measured: its presets scale by 0.97 or 0.95


@dataclass(frozen=True, slots=True)
class Tags:
    """What the MP3 says of itself. `cover_jpeg` is empty for none."""

    title: str
    artist: str
    comment: str
    cover_jpeg: bytes

    @property
    def size_bytes(self) -> int:
        """Upper bound of the ID3 header: the frames' own headers, UTF-16 text, the picture."""
        return 2048 + 4 * len(self.title + self.artist + self.comment) + len(self.cover_jpeg)


# Below 96 kbps the bits are better spent on what lies under 12 kHz.
LADDER = (
    Rung(192, RATE, 0.26),
    *(Rung(kbps, RATE, 0.5) for kbps in (160, 128, 96)),
    *(Rung(kbps, RATE // 2, 0.5) for kbps in (64, 48, 32, 24)),
)


def decode(audio: bytes) -> Iterator[Block]:
    """Yield the first sound track as blocks, silently skipping damaged packets.

    Raises Unavailable("provider.unavailable") for what is not audio or goes on for more than LONGEST_S.
    """
    try:
        with av.open(
            io.BytesIO(audio), "r", container_options={"format_whitelist": CONTAINERS}, metadata_errors="ignore"
        ) as source:
            for seconds, block in enumerate(_blocks(_frames(source))):
                if seconds >= LONGEST_S:
                    raise Unavailable("provider.unavailable")
                yield block
    except (av.error.FFmpegError, ValueError, IndexError) as error:
        # IndexError: there is no sound track. ValueError: its format changes midway.
        raise Unavailable("provider.unavailable") from error


def _frames(source: InputContainer) -> Iterator[av.AudioFrame]:
    stream = source.streams.audio[0]
    # For a codec that FFmpeg has no decoder for this is None, whatever the stub says, and decoding would crash PyAV.
    if getattr(stream, "codec_context", None) is None or not LOWEST_RATE <= stream.rate <= HIGHEST_RATE:
        raise Unavailable("provider.unavailable")
    for packet in source.demux(stream):
        with suppress(av.error.InvalidDataError):
            for frame in stream.decode(packet):
                frame.pts = None  # a gap in the time stamps must not become a gap in the sound
                yield frame


def _blocks(frames: Iterable[av.AudioFrame]) -> Iterator[Block]:
    resampler = av.AudioResampler(format="fltp", layout="stereo", rate=RATE, frame_size=RATE)
    for frame in frames:
        yield from map(samples, resampler.resample(frame))
    yield from map(samples, resampler.resample(None))


def samples(frame: av.AudioFrame) -> Block:
    """Return what a planar float frame holds."""
    return cast("Block", frame.to_ndarray())


def to_frames(blocks: Iterable[Block], first: int = 0) -> Iterator[av.AudioFrame]:
    """Wrap blocks for a filter or an encoder; the first one is that of this number."""
    position = first * RATE
    for block in blocks:
        frame = av.AudioFrame.from_ndarray(block, format="fltp", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = RATE, position, Fraction(1, RATE)
        position += frame.samples
        yield frame


def encode(sound: Sound, blocks: int, tags: Tags, rung: Rung) -> bytes:
    """Return so many blocks as MP3; the same input gives the same bytes. The cover must be a JPEG or empty.

    Both halves are encoded at once, in two threads: LAME is most of the time that a song takes.
    """
    mp3 = io.BytesIO()
    with av.open(mp3, "w", format="mp3", container_options={"fflags": "+bitexact", "id3v2_version": "3"}) as out:
        out.metadata.update({"title": tags.title, "artist": tags.artist, "comment": tags.comment})
        stream = cast("av.AudioStream", out.add_stream("libmp3lame", rate=rung.rate, options=_options(rung)))
        _set_up(stream.codec_context, rung)
        if tags.cover_jpeg:
            _attach(out, tags.cover_jpeg)
        for packet in _packets(stream, sound, blocks, rung):
            out.mux(packet)
    return mp3.getvalue()


def _packets(stream: av.AudioStream, sound: Sound, blocks: int, rung: Rung) -> Iterator[av.Packet]:
    """Yield what `stream` encodes, its second half from an encoder of its own where that wrote the same."""
    middle = blocks // 2 // STRIDE * STRIDE
    if rung.rate != RATE or not middle:
        yield from _encoded(stream, sound(0, None))
        yield from stream.encode(None)
        return
    with ThreadPoolExecutor(1) as other:
        second = other.submit(_encoded_alone, sound, middle, rung)
        first = list(_encoded(stream, sound(0, middle + OVERLAP)))
        rest = second.result()
    at = middle * RATE // FRAME + WARM_UP
    if bytes(first[at]) != bytes(rest[WARM_UP]):
        yield from first
        yield from _encoded(stream, sound(middle + OVERLAP, None), middle + OVERLAP)
        yield from stream.encode(None)
        return
    yield from first[:at]
    for packet in rest[WARM_UP:]:
        packet.pts = packet.dts = (packet.pts or 0) + middle * RATE
        packet.stream = stream
        yield packet


def _encoded_alone(sound: Sound, first: int, rung: Rung) -> list[av.Packet]:
    encoder = cast("av.AudioCodecContext", av.CodecContext.create("libmp3lame", "w"))
    encoder.sample_rate, encoder.time_base, encoder.options = RATE, Fraction(1, RATE), _options(rung)
    _set_up(encoder, rung)
    return [*_encoded(encoder, sound(first, None)), *encoder.encode(None)]


def _encoded(
    encoder: "av.AudioStream | av.AudioCodecContext", blocks: Iterable[Block], first: int = 0
) -> Iterator[av.Packet]:
    for frame in to_frames(blocks, first):
        yield from encoder.encode(frame)


def _options(rung: Rung) -> dict[str, str]:
    # Without LAME's reservoir of bits a frame does not depend on those before it. It costs half a decibel of noise at
    # 192 kbps (measured: 41.8 dB below the music against 41.0).
    return {"compression_level": LAME_QUALITY} | ({"reservoir": "0"} if rung.rate == RATE else {})


def _set_up(encoder: av.AudioCodecContext, rung: Rung) -> None:
    encoder.layout, encoder.format, encoder.bit_rate = "stereo", "fltp", rung.kbps * 1000


def _attach(out: OutputContainer, jpeg: bytes) -> None:
    cover = cast("VideoStream", out.add_stream("mjpeg"))
    with Image.open(io.BytesIO(jpeg)) as picture:
        cover.width, cover.height = picture.size
    cover.pix_fmt = "yuvj420p"
    cover.disposition = Disposition.attached_pic.value  # type: ignore[assignment]  # the setter takes int only
    cover.metadata["comment"] = "Cover (front)"  # the muxer makes the type of the picture out of these words
    packet = av.Packet(jpeg)
    packet.stream = cover
    out.mux(packet)
