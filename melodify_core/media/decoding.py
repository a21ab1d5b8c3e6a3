"""Bytes of a known format -> pixels, also of damaged files, as far as browsers show them. Judges no picture."""

import io
import os
import random
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import AvifImagePlugin, Image, ImageFile, UnidentifiedImageError

# Each is registered by its import.
from PIL import GifImagePlugin, JpegImagePlugin, PngImagePlugin, TiffImagePlugin, WebPImagePlugin  # noqa: F401  # isort:skip

from melodify_core.errors import Rejected
from melodify_core.media.picture_bounds import end_of_only_scan, first_tags

# Of a damaged picture at most so much may be missing.
MOST_MISSING = 0.1
# What is cut off a damaged picture leaves a copy of the rest: both have to fit into a worker's memory.
MOST_DAMAGED_PIXELS = 34_000_000
_SCAN_TRIES = 3
_NOISE_BYTES = 1 << 18  # more than a row of blocks of the widest picture takes
# What browsers show as far as it goes.
_SALVAGED = ("JPEG", "PNG", "GIF", "BMP")
_DECODER_ERRORS = (OSError, SyntaxError, ValueError, EOFError)
# A decoder's threads have stacks and heaps, which count as the worker's memory.
_THREADS = 2
_ROWS = 64  # so many are looked at together
Box = tuple[int, int, int, int]
Check = Callable[[tuple[int, int], str], None]


@dataclass(frozen=True, slots=True)
class HeifPixels:
    """What libheif returns. As a Pillow picture it would be there twice."""

    size: tuple[int, int]
    mode: str
    data: bytes
    stride: int
    info: dict[str, Any] = field(default_factory=dict)
    format: str = "HEIF"

    def crop(self, box: Box) -> Image.Image:
        """Return some whole rows."""
        _, top, _, bottom = box
        rows = memoryview(self.data)[top * self.stride : bottom * self.stride]
        return Image.frombuffer(self.mode, (self.size[0], bottom - top), bytes(rows), "raw", self.mode, self.stride, 1)


Pixels = Image.Image | HeifPixels


@dataclass(frozen=True, slots=True)
class Decoded:
    """The pixels; `frame` is the part of them that is painted, None for all."""

    pixels: Pixels
    frame: Box | None = None


def decode(data: bytes, kind: str, check: Check, longest: int) -> Decoded:
    """Return the first frame; where the format can, decoded smaller, though with `longest` pixels on its longest side.

    `check` gets size and mode before anything is decoded. Raises Rejected (picture.cut, picture.unsupported), what
    `check` raises, and whatever the decoders raise.
    """
    if kind == "HEIF":
        return Decoded(_heif(data, check))
    salvaged = kind in _SALVAGED
    # What went wrong holds on to the pixels: they are released before the next try.
    with suppress(*(_DECODER_ERRORS if salvaged else ())):
        return _loaded(_opened(data, kind, check), longest)
    return _salvage(data, kind, check, longest)


def fitted(size: tuple[int, int], longest_side: int) -> tuple[int, int]:
    """Return the size in the same shape whose longest side is at most `longest_side`."""
    scale = min(1, longest_side / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _heif(data: bytes, check: Check) -> HeifPixels:
    # 15 MB of memory that most workers never need.
    import pillow_heif

    file = pillow_heif.open_heif(io.BytesIO(data), convert_hdr_to_8bit=True)
    picture = file[file.primary_index]
    check(picture.size, picture.mode)
    pixels = picture.data
    check(picture.size, picture.mode)  # decoding may have found another size
    profile = picture.info.get("icc_profile")
    return HeifPixels(picture.size, picture.mode, pixels, picture.stride, {"icc_profile": profile} if profile else {})


def _opened(data: bytes, kind: str, check: Check) -> ImageFile.ImageFile:
    AvifImagePlugin.DEFAULT_MAX_THREADS = min(_THREADS, os.cpu_count() or 1)
    try:
        image = Image.open(io.BytesIO(data), formats=[kind])
    except UnidentifiedImageError as error:
        if kind == "TIFF" and first_tags(data):
            # Its directory can be read: of floats of 16 bits, say, or of five inks.
            raise Rejected("picture.unsupported", format="TIFF") from error
        raise
    check(image.size, image.mode)
    if kind == "PNG" and data[24:25] == b"\x10" and isinstance(colour := image.info.get("transparency"), tuple):
        # Pillow keeps the upper 8 bits of three samples, and all 16 of the colour that is transparent.
        image.info["transparency"] = tuple(sample >> 8 for sample in colour)
    return image


def _loaded(image: ImageFile.ImageFile, longest: int, fill: int | None = None) -> Decoded:
    """Decode; what the decoder leaves out is `fill`."""
    frame = _frame_of(image)
    image.draft("RGB", fitted(image.size, longest))
    if fill is not None:
        colour = (fill,) * len(image.getbands())
        image.im = Image.new(image.mode, image.size, colour if len(colour) > 1 else fill).im
    image.info.pop("xmp", None)  # Pillow would turn a TIFF by it
    image.load()
    return Decoded(image, frame)


def _frame_of(image: ImageFile.ImageFile) -> Box | None:
    """Return where a GIF's first frame lies, None where it fills the canvas."""
    if image.format != "GIF" or not image.tile:
        return None
    extents = image.tile[0].extents
    return extents if extents and extents != (0, 0, *image.size) else None


def _salvage(data: bytes, kind: str, check: Check, longest: int) -> Decoded:
    """Return what there is of a damaged picture. Raises Rejected where more than a tenth of the rows is missing."""
    with _indulgent():
        if kind == "GIF":
            data = _with_last_block(data, _opened(data, kind, check))
        if kind == "JPEG":
            decoded = _salvaged_jpeg(data, check, longest)
            gone = _unread_rows(data, check, longest, decoded.pixels)
        else:
            # Rows that are not there keep what was there before, whatever that was.
            gone = _untouched_rows(_prefilled(data, kind, check, 0), 0)
            decoded = _prefilled(data, kind, check, 255)
            gone &= _untouched_rows(decoded, 255)
    pixels = decoded.pixels
    if not isinstance(pixels, Image.Image):
        raise TypeError(kind)
    rows = decoded.frame[3] - decoded.frame[1] if decoded.frame else pixels.height
    if len(gone) >= rows:
        raise Rejected("picture.broken")
    if len(gone) > MOST_MISSING * rows:
        raise Rejected("picture.cut")
    if pixels.width * pixels.height > MOST_DAMAGED_PIXELS:
        raise Rejected("picture.too_heavy")  # what is left of it is a second copy
    return Decoded(_mended(pixels, gone), decoded.frame)


def _salvaged_jpeg(data: bytes, check: Check, longest: int) -> Decoded:
    """Return what a damaged JPEG shows. Raises Rejected("picture.broken") where that is nothing."""
    decoded = _loaded(_opened(data, "JPEG", check), longest)
    for shorter in _without_last_scans(data):
        if not _is_nothing(data, check, longest, decoded.pixels):
            return decoded
        # The decoder has stopped in the head of a later scan, and returns nothing of the scans before.
        data, decoded = shorter, _loaded(_opened(shorter, "JPEG", check), longest)
    if _is_nothing(data, check, longest, decoded.pixels):
        raise Rejected("picture.broken")
    return decoded


def _without_last_scans(data: bytes) -> Iterator[bytes]:
    """Yield a progressive JPEG without its last scan, without its last two, and so on: some tries are enough."""
    scans = [match.start() for match in re.finditer(b"\xff\xda", data)][1:]
    for start in scans[: -_SCAN_TRIES - 1 : -1]:
        yield data[:start] + b"\xff\xd9"


def _is_nothing(data: bytes, check: Check, longest: int, shown: Pixels) -> bool:
    """Return whether the decoder has written nothing. That is black, as the picture itself may be."""
    if not _is_all(shown, 0):
        return False
    return _is_all(_loaded(_opened(data, "JPEG", check), longest, fill=255).pixels, 255)


def _is_all(pixels: Pixels, value: int) -> bool:
    return isinstance(pixels, Image.Image) and all(low == high == value for low, high in _extremes(pixels))


@contextmanager
def _indulgent() -> Iterator[None]:
    before, ImageFile.LOAD_TRUNCATED_IMAGES = ImageFile.LOAD_TRUNCATED_IMAGES, True
    try:
        yield
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = before


def _with_last_block(data: bytes, image: ImageFile.ImageFile) -> bytes:
    """Return a cut GIF whose last block of pixels has the length that is there: Pillow decodes none of it otherwise."""
    at = image.tile[0].offset
    while at < len(data) and data[at] and at + 1 + data[at] <= len(data):
        at += 1 + data[at]
    rest = data[at + 1 :]
    return data[:at] + bytes([len(rest)]) + rest + b"\0;" if rest and data[at] > len(rest) else data


def _prefilled(data: bytes, kind: str, check: Check, value: int) -> Decoded:
    image = _opened(data, kind, check)
    if isinstance(image, GifImagePlugin.GifImageFile) and image._frame_transparency is not None:  # noqa: SLF001 - see below
        # Pillow fills the canvas with it, and offers no other way to say what shall be there.
        image._frame_transparency = value  # noqa: SLF001
    return _loaded(image, max(image.size), fill=value)


def _untouched_rows(decoded: Decoded, value: int) -> set[int]:
    """Return the rows of the frame in which every sample is `value`."""
    left, top, right, bottom = decoded.frame or (0, 0, *decoded.pixels.size)
    gone: set[int] = set()
    for start in range(top, bottom, _ROWS):
        band = decoded.pixels.crop((left, start, right, min(bottom, start + _ROWS)))
        samples = np.asarray(band.convert("L") if band.mode == "1" else band).reshape(band.height, -1)
        gone.update(start + int(row) for row in np.flatnonzero((samples == value).all(axis=1)))
    return gone


def _unread_rows(data: bytes, check: Check, longest: int, shown: Pixels) -> set[int]:
    """Return the rows at the end that the file has no data for: libjpeg fills them with grey.

    The picture itself may be grey there. Only rows without data change when noise follows the data.
    """
    end = end_of_only_scan(data)
    if end is None:
        return set()  # each scan after the first adds detail to rows that are all there
    grey = _grey_rows(shown)
    if len(grey) <= MOST_MISSING * shown.size[1]:
        return grey
    noise = random.Random(0).randbytes(_NOISE_BYTES).replace(b"\xff", b"\0")
    # After restart markers too, as the decoder may wait for one: it takes the next that fits.
    restarts = b"".join(b"\xff" + bytes([marker]) + noise[: _NOISE_BYTES >> 9] for marker in range(0xD0, 0xD8))
    noisy = data[:end].rstrip(b"\xff") + noise + restarts * (_NOISE_BYTES >> 10) + b"\xff\xd9"
    other = _loaded(_opened(noisy, "JPEG", check), longest).pixels
    first = next((row for row in sorted(grey) if not _is_grey(other, row)), shown.size[1])
    return {row for row in grey if row >= first}


def _grey_rows(pixels: Pixels) -> set[int]:
    """Return the rows at the end that are the grey with which libjpeg fills what is missing."""
    gone: set[int] = set()
    for row in range(pixels.size[1] - 1, -1, -1):
        if not _is_grey(pixels, row):
            break
        gone.add(row)
    return gone


def _is_grey(pixels: Pixels, row: int) -> bool:
    band = pixels.crop((0, row, pixels.size[0], row + 1))
    return all(low == high and low in (127, 128) for low, high in _extremes(band))


def _extremes(row: Image.Image) -> list[tuple[float, float]]:
    return [band.getextrema() for band in row.split()]  # type: ignore[misc]  # of one band it is a pair of numbers


def _mended(image: Image.Image, gone: set[int]) -> Image.Image:
    """Return the rows that are there; between them, an interlaced picture's missing ones are like the row above."""
    first, last = 0, image.height
    while first in gone:
        first += 1
    while last - 1 in gone:
        last -= 1
    for row in sorted(gone):
        if first < row < last:
            image.paste(image.crop((0, row - 1, image.width, row)), (0, row))
    return image.crop((0, first, image.width, last)) if (first, last) != (0, image.height) else image
