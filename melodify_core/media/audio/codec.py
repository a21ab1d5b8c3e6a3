"""Bytes to sound and sound to bytes: decoding any take, encoding the MP3 with its tags and cover.

PyAV decodes, and writes the file; lameenc encodes: it is the same LAME as PyAV's, five times as fast.
"""

import io
import itertools
import struct
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar, cast

import av
import av.error
import lameenc
import numpy as np
import numpy.typing as npt
from av.container import InputContainer, OutputContainer
from av.packet import Packet, PacketSideData, packet_sidedata_type_from_literal
from av.stream import Disposition
from av.video.stream import VideoStream
from PIL import Image

from melodify_core.errors import Unavailable

Block = npt.NDArray[np.float32]  # (2, samples): stereo at RATE; a second long, the last one shorter
T = TypeVar("T")

RATE = 48_000  # that of the embedded synthesiser and of Lyria
# A header that says 1 Hz would turn a small file into hours of sound, and 1 GHz hangs the resampler.
LOWEST_RATE, HIGHEST_RATE = 4_000, 768_000
LONGEST_S = 300
# A playlist format would let a hostile take open other files and addresses.
CONTAINERS = "wav,w64,aiff,mp3,flac,ogg,aac,mov,mp4,m4a,matroska,webm"
# What a file is shows soon; FFmpeg would read five megabytes before it decodes the first sample.
PROBED_BYTES = str(1 << 16)
# Of a WAV file; its own packets of 16 KiB make four times the calls.
PACKET_BYTES = str(1 << 16)
# 2 best .. 7 fastest. 5 costs twice the time of 7 (measured); at 192 kbps 7 is already transparent.
LAME_QUALITY = 7
DELAY = 1105  # samples that a decoder gives before the first one: LAME's delay of 576, and its own of 529


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


# Below 96 kbps the bits are better spent on what is below 12 kHz.
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
        options = {"format_whitelist": CONTAINERS, "probesize": PROBED_BYTES, "max_size": PACKET_BYTES}
        with av.open(io.BytesIO(audio), "r", container_options=options, metadata_errors="ignore") as source:
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
    resampler = av.AudioResampler(format="fltp", layout="stereo", rate=RATE)
    parts: list[Block] = []
    length = 0
    for frame in itertools.chain(frames, [None]):
        for part in resampler.resample(frame):
            parts.append(samples(part))
            length += part.samples
        if length >= RATE:
            whole = np.concatenate(parts, axis=1)
            yield from (whole[:, start : start + RATE] for start in range(0, length - RATE + 1, RATE))
            parts, length = [whole[:, length // RATE * RATE :]], length % RATE
    if length:
        yield np.concatenate(parts, axis=1)


def samples(frame: av.AudioFrame) -> Block:
    """Return what a planar float frame holds."""
    return cast("Block", frame.to_ndarray())


def ahead(items: Iterable[T]) -> Iterator[T]:
    """Yield the items, the next of which another thread makes while one is used."""
    iterator, end = iter(items), object()
    with ThreadPoolExecutor(1) as other:
        coming = other.submit(next, iterator, end)
        while (item := coming.result()) is not end:
            coming = other.submit(next, iterator, end)
            yield cast("T", item)


def encode(blocks: Iterable[Block], rung: Rung) -> Iterator[bytes]:
    """Yield the frames of the MP3, some at a time; the same input gives the same bytes."""
    encoder = lameenc.Encoder()
    encoder.silence()
    encoder.set_channels(2)
    encoder.set_in_sample_rate(RATE)
    encoder.set_out_sample_rate(rung.rate)
    encoder.set_bit_rate(rung.kbps)
    encoder.set_quality(LAME_QUALITY)
    for block in blocks:
        yield bytes(encoder.encode(np.rint(block.T * 32767).clip(-32768, 32767).astype("<i2").tobytes()))
    yield bytes(encoder.flush())


def decode_frames(chunks: Iterable[bytes], length: int) -> Iterator[Block]:
    """Yield what a player makes of the frames that `encode` yields for a sound of `length` samples."""
    decoder = cast("av.AudioCodecContext", av.CodecContext.create("mp3float", "r"))
    frames = (frame for chunk in chunks for packet in decoder.parse(chunk) for frame in decoder.decode(packet))
    rest = (frame for packet in decoder.parse(b"") for frame in decoder.decode(packet))
    for block in _blocks(_from_beginning(itertools.chain(frames, rest))):
        if length > 0:
            yield block[:, :length]
        length -= block.shape[1]


def _from_beginning(frames: Iterable[av.AudioFrame]) -> Iterator[av.AudioFrame]:
    """Leave out the encoder's delay."""
    left = DELAY
    for frame in frames:
        if not left:
            yield frame
        elif left < frame.samples:
            cut = av.AudioFrame.from_ndarray(samples(frame)[:, left:], format="fltp", layout="stereo")
            cut.sample_rate, left = frame.sample_rate, 0
            yield cut
        else:
            left -= frame.samples


def tagged(frames: bytes, length: int, tags: Tags, rung: Rung) -> bytes:
    """Return the frames of `length` samples at RATE as an MP3 file. The cover must be a JPEG or empty."""
    mp3 = io.BytesIO()
    with (
        av.open(io.BytesIO(frames), "r", format="mp3") as source,
        av.open(mp3, "w", format="mp3", container_options={"fflags": "+bitexact", "id3v2_version": "3"}) as out,
    ):
        out.metadata.update({"title": tags.title, "artist": tags.artist, "comment": tags.comment})
        # The file says whose frames these are; this encoder itself writes none.
        stream = cast("av.AudioStream", out.add_stream("libmp3lame", rate=rung.rate))
        stream.codec_context.layout, stream.codec_context.format = "stereo", "fltp"
        stream.codec_context.bit_rate = rung.kbps * 1000
        if tags.cover_jpeg:
            _attach(out, tags.cover_jpeg)
        packets = [packet for packet in source.demux(audio=0) if packet.size]
        frame = 1152 if rung.rate == RATE else 576  # MPEG-1, MPEG-2
        _leave_out(packets[0], DELAY, 0)
        _leave_out(packets[-1], 0, len(packets) * frame - DELAY - length * rung.rate // RATE)
        for packet in packets:
            packet.stream = stream
            out.mux(packet)
    return mp3.getvalue()


def _leave_out(packet: Packet, first: int, last: int) -> None:
    """Say in a packet how many of its first or last samples are none of the sound."""
    content = struct.pack("<IIBB", first, max(0, last), 0, 0)
    # The stub does not know that it takes its kind and size.
    padding = PacketSideData(packet_sidedata_type_from_literal("skip_samples"), len(content))  # type: ignore[call-arg]
    padding.update(content)
    packet.set_sidedata(padding)


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
