"""What a picture would cost to decode, read from its first bytes and markers. Decodes nothing.

A few bytes can ask for hours: a JPEG repeats its last scan, a TIFF has a million strips, a PNG a million chunks. The
counting is bounded itself. What slips through meets the worker's limit of memory and the deadline.
"""

import re
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from melodify_core.errors import Rejected

# What a worker may use for a picture's pixels and its file, with room left for the bands that are converted.
MEMORY_BYTES = 280_000_000
# A scan without data takes 1.5 ns a pixel. Encoders write up to 14 scans.
MAX_SCANNED_PIXELS = 1_000_000_000
MAX_SEGMENTS = 10_000  # JPEG; colour profiles and XMP of 20 MB have 320
MAX_CHUNKS = 50_000  # PNG; pixels in pieces of 1 KB have 20 000
MAX_BLOCKS = 100_000  # GIF, before the first frame; XMP has one for every 50 bytes
MAX_PIECES = 50_000  # TIFF's strips or tiles; tiles of 64 x 64 have 12 000
MAX_TAGS = 1000

# Bytes per pixel, measured with `python -m benchmarks pictures`.
_WEBP_BYTES = 16.0  # libwebp's two canvases, what it returns, and Pillow's copy
_AVIF_BYTES, _DEEP_BYTES = 11.0, 4.0
_HEIF_BYTES, _ALPHA_BYTES = 5.0, 3.0
_HEIF_OF_MORE = {(True, False): 10.0, (False, True): 11.0, (True, True): 18.0}  # more than 8 bits, than 4:2:0
_RAW_BYTES = 4.3

_ALPHA = (b"urn:mpeg:hevc:2015:auxid:1\0", b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha\0")

# JPEG (ITU-T T.81, B.1.1.3): a marker with a segment; inside of a scan FF00 is data, and FFD0 to FFD7 have no segment.
_MARKER = re.compile(rb"\xff[\x02-\xcf\xd8-\xfe]")
_SOI, _EOI, _SOS = 0xD8, 0xD9, 0xDA
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_PROGRESSIVE = {0xC2, 0xC6, 0xCA, 0xCE}

# TIFF 6.0
_WIDTH, _LENGTH, _BITS, _OFFSETS, _SAMPLES, _ROWS_PER_STRIP = 256, 257, 258, 273, 277, 278
_TURN, _TILE_WIDTH, _TILE_LENGTH, _TILE_OFFSETS = 274, 322, 323, 324
_TYPE_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}


def most_pixels(data: bytes, kind: str) -> int:
    """Return how many pixels of this file fit into a worker's memory.

    Raises Rejected where the file is made to take long: more scans, chunks, blocks or strips than any picture needs.
    """
    # The file is there twice: as it came through the pipe, and unpacked.
    return int((MEMORY_BYTES - 2 * len(data)) / _BYTES[kind](data))


@dataclass(slots=True)
class _Frame:
    pixels: int = 0
    progressive: bool = False
    samples: int = 0  # of a block of `pixels_of_block`, over all components
    pixels_of_block: int = 1


def _jpeg_bytes(data: bytes) -> float:
    frame, scans = _Frame(), 0
    for number, (marker, body) in enumerate(_segments(data)):
        if number > MAX_SEGMENTS:
            raise Rejected("picture.too_slow")
        if marker in _FRAMES and not frame.pixels:
            frame = _frame(marker, data[body : body + 256])
        elif marker == _SOS:
            scans += 1
            if scans * frame.pixels > MAX_SCANNED_PIXELS:
                raise Rejected("picture.too_slow")
    if not frame.progressive and scans <= 1:
        return 1.0  # it is decoded smaller, row by row
    # libjpeg keeps all coefficients, of two bytes each, until the last scan.
    return max(1.0, 2.1 * frame.samples / frame.pixels_of_block)


def _segments(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield each segment's marker and where its body begins, to the end of the first picture."""
    position = 2
    while found := _MARKER.search(data, position):
        marker, position = data[found.start() + 1], found.end()
        if marker == _EOI:
            return
        if marker == _SOI:
            continue
        yield marker, position + 2
        position += max(2, int.from_bytes(data[position : position + 2], "big"))


def end_of_only_scan(data: bytes) -> int | None:
    """Return where the data of a JPEG's scan ends, None where it has several scans or none."""
    scans = [body for marker, body in _segments(data) if marker == _SOS]
    if len(scans) != 1:
        return None
    after = _MARKER.search(data, scans[0])
    return after.start() if after else len(data)


def _frame(marker: int, body: bytes) -> _Frame:
    if len(body) < 6:
        return _Frame()
    height, width, count = struct.unpack(">HHB", body[1:6])
    factors = [(each >> 4, each & 15) for each in body[7 : 6 + 3 * count : 3]]
    if not factors:
        return _Frame()
    most = max(across for across, _ in factors) * max(down for _, down in factors)
    samples = sum(across * down for across, down in factors)
    return _Frame(width * height, marker in _PROGRESSIVE, samples, max(1, most))


def _png_bytes(data: bytes) -> float:
    position = 8
    for _ in range(MAX_CHUNKS):
        if position + 8 > len(data):
            return _RAW_BYTES
        position += 12 + int.from_bytes(data[position : position + 4], "big")
    raise Rejected("picture.too_slow")


def _gif_bytes(data: bytes) -> float:
    """Walk over the extensions before the first frame."""
    flags = data[10] if len(data) > 10 else 0
    position = 13 + (3 << (flags & 7) + 1 if flags & 0x80 else 0)
    inside = False
    for _ in range(MAX_BLOCKS):
        if position >= len(data):
            return _RAW_BYTES
        if inside:
            inside = data[position] != 0
            position += 1 + data[position]
        elif data[position : position + 1] == b"!":
            inside = True
            position += 2
        elif data[position : position + 1] in b",;":
            return _RAW_BYTES
        else:
            position += 1
    raise Rejected("picture.too_slow")


def _tiff_bytes(data: bytes) -> float:
    tags = first_tags(data)
    if sum(size for _, _, size in tags.values()) > 2 * len(data) + 100_000:
        raise Rejected("picture.too_slow")
    if max(tags.get(_OFFSETS, (0, 0, 0))[1], tags.get(_TILE_OFFSETS, (0, 0, 0))[1]) > MAX_PIECES:
        raise Rejected("picture.too_slow")

    def value(tag: int, otherwise: int) -> int:
        return tags[tag][0] if tag in tags else otherwise

    width, height = max(1, value(_WIDTH, 1)), max(1, value(_LENGTH, 1))
    samples = max(1, value(_SAMPLES, 1))
    piece = value(_TILE_WIDTH, width) * value(_TILE_LENGTH, min(height, value(_ROWS_PER_STRIP, height)))
    # One strip or tile is unpacked beside the picture; 16 bits for each sample, whatever the file says of its bits.
    unpacked = piece * max(4, samples * (2 if _is_deep(data, tags) else 1)) / (width * height)
    turned = 4.0 if value(_TURN, 1) != 1 else 0.0
    return _RAW_BYTES + unpacked + turned


def _is_deep(data: bytes, tags: dict[int, tuple[int, int, int]]) -> bool:
    first, count, _ = tags.get(_BITS, (1, 1, 2))
    if count > 2 and first + 2 <= len(data):  # the bits of each sample are elsewhere
        first = int.from_bytes(data[first : first + 2], _order(data))
    return first > 8


def _order(data: bytes) -> Literal["little", "big"]:
    return "little" if data[:2] == b"II" else "big"


def first_tags(data: bytes) -> dict[int, tuple[int, int, int]]:
    """Return the tags of a TIFF's first picture: value or offset, count, and bytes in all. Raises Rejected."""
    order = "<" if data[:2] == b"II" else ">"
    big = data[2:4] in (b"\x2b\0", b"\0\x2b")
    head, entry = ("Q", "HHQQ") if big else ("I", "HHII")
    size = struct.calcsize("<" + entry)
    try:
        (start,) = struct.unpack_from(order + head, data, 8 if big else 4)
        (count,) = struct.unpack_from(order + ("Q" if big else "H"), data, start)
        if count > MAX_TAGS:
            raise Rejected("picture.too_slow")
        tags = {}
        for place in range(count):
            at = start + (8 if big else 2) + place * size
            tag, kind, number, value = struct.unpack_from(order + entry, data, at)
            if kind == 3 and number == 1:
                (value,) = struct.unpack_from(order + "H", data, at + size - (8 if big else 4))
            tags[tag] = (value, number, number * _TYPE_BYTES.get(kind, 1))
    except struct.error as error:
        raise Rejected("picture.broken") from error
    return tags


def _avif_bytes(data: bytes) -> float:
    """Look for a configuration (AV1-ISOBMFF, 2.3.3) of more than 8 bits."""
    deep = any(data[at + 6 : at + 7] and data[at + 6] & 0x40 for at in _places(data, b"av1C"))
    return _AVIF_BYTES + (_DEEP_BYTES if deep else 0.0) + _alpha_bytes(data)


def _heif_bytes(data: bytes) -> float:
    """Look for configurations (ISO/IEC 14496-15, 8.3.2.1) of more than 8 bits or finer colour than 4:2:0, and alpha."""
    deep = fine = False
    for at in _places(data, b"hvcC"):
        config = data[at + 4 : at + 22]
        if len(config) == 18:
            fine |= config[16] & 3 > 1
            deep |= config[17] & 7 > 0
    return _HEIF_OF_MORE.get((deep, fine), _HEIF_BYTES) + _alpha_bytes(data)


def _alpha_bytes(data: bytes) -> float:
    return _ALPHA_BYTES if any(name in data for name in _ALPHA) else 0.0


def _places(data: bytes, name: bytes) -> Iterator[int]:
    at = data.find(name)
    for _ in range(100):
        if at < 0:
            return
        yield at
        at = data.find(name, at + 4)


def _webp_bytes(data: bytes) -> float:
    del data
    return _WEBP_BYTES


def _bmp_bytes(data: bytes) -> float:
    del data
    return _RAW_BYTES


_BYTES: dict[str, Callable[[bytes], float]] = {
    "JPEG": _jpeg_bytes,
    "PNG": _png_bytes,
    "GIF": _gif_bytes,
    "TIFF": _tiff_bytes,
    "AVIF": _avif_bytes,
    "HEIF": _heif_bytes,
    "WEBP": _webp_bytes,
    "BMP": _bmp_bytes,
}
