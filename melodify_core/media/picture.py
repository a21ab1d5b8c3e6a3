"""Bytes -> Picture: sniffing, checks, first frame, orientation, size, hash. Knows nothing of names and claimed types.

`prepare` is for a worker process: it takes up to a second, and hostile bytes stay away from the bot.
"""

import hashlib
import io
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageCms

from melodify_core.errors import Rejected
from melodify_core.media.cicp import cicp_of, in_srgb
from melodify_core.media.decoding import Decoded, Pixels, decode, fitted
from melodify_core.media.gamma import by_gamma, gamma_of
from melodify_core.media.orientation import upright
from melodify_core.media.picture_bounds import most_pixels
from melodify_core.media.png_chunks import first_frame, head_chunks
from melodify_core.models import Picture

MEBIBYTE = 1024 * 1024
JPEG_QUALITY = 80
# JPEG halves the resolution of colours, which small pictures have none to spare of.
SMALL_SIDE = 256
# In pictures smaller than JPEG's blocks the pixels blur: they are enlarged by whole pixels, to at most this.
TINY_SIDE = 64
# Times as long as it is wide: at 768 pixels, 7 are left of the short side.
LONGEST_SHAPE = 100
BAND_PIXELS = 1 << 18  # about so many of a large picture are converted at once
SNIFFED_BYTES = 1024
# So much may a worker grow, in MiB of address space: 300 MB, and what decoders' threads reserve for stacks and heaps.
MEMORY_MB = 400

# What Pillow tells apart by the first bytes. Bitmaps it takes by their "BM" alone, and of HEIF and AVIF it looks at the
# major brand only.
_SNIFFED = ("JPEG", "PNG", "GIF", "TIFF", "WEBP")
# Formats that are known and not taken: the user is told to convert, not that this is no picture. Pillow knows half of
# them, with every one of its decoders loaded.
_FOREIGN: tuple[tuple[bytes, str], ...] = (
    (b"8BPS", "PSD"),
    (b"\0\0\1\0", "ICO"),
    (b"\0\0\2\0", "CUR"),
    (b"icns", "ICNS"),
    (b"%PDF", "PDF"),
    (b"%!PS", "EPS"),
    (b"\xc5\xd0\xd3\xc6", "EPS"),
    (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL"),
    (b"\xff\x0a", "JPEG XL"),
    (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"),
    (b"\xff\x4f\xff\x51", "JPEG 2000"),
    (b"gimp xcf", "XCF"),
    (b"DDS ", "DDS"),
    (b"v/1\1", "OpenEXR"),
    (b"#?RADIANCE", "HDR"),
    (b"qoif", "QOI"),
    (b"FUJIFILMCCD-RAW", "RAW"),
    (b"\xd7\xcd\xc6\x9a", "WMF"),
    (b"\x1a\x45\xdf\xa3", "video"),
    *((b"P%d%c" % (kind, space), "PNM") for kind in range(1, 8) for space in b" \n\r\t"),
)
_AVIF_BRANDS = {b"avif", b"avis"}
_HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"}
_BMP_HEADER_BYTES = {12, 40, 52, 56, 64, 108, 124}


@dataclass(frozen=True, slots=True)
class PictureLimits:
    """What is accepted, and how large the result may be."""

    max_bytes: int = 20 * MEBIBYTE
    max_pixels: int = 50_000_000
    longest_side: int = 768


def prepare(data: bytes, limits: PictureLimits) -> Picture:
    """Return the checked picture: first frame, upright, RGB on white, no metadata, enlarged only when tiny.

    Colours are brought to sRGB by the picture's own profile where it can be read, and taken as sRGB where not.
    Raises Rejected with a "picture." code, and nothing else.
    """
    if not data:
        raise Rejected("picture.empty")
    if len(data) > limits.max_bytes:
        raise Rejected("picture.too_large", limit_mb=limits.max_bytes // MEBIBYTE)
    kind = _format_of(data)
    with _refusals():
        bound = most_pixels(data, kind)  # counts the chunks
        chunks = head_chunks(data) if kind == "PNG" else {}
        data = first_frame(data) if kind == "PNG" else data
        check = partial(_check, max_pixels=min(limits.max_pixels, bound))
        # Twice the final size leaves the last step enough to average over.
        decoded = decode(data, kind, check, limits.longest_side * 2)
        small = _shrunk(decoded, limits.longest_side)
        small = _in_srgb(small, decoded.pixels, chunks)
        exif = chunks.get(b"eXIf") if kind == "PNG" else decoded.pixels.info.get("exif")
        return _as_picture(_enlarged(upright(small, kind, exif)))


def _format_of(data: bytes) -> str:
    """Return the name of the decoder for these bytes. Raises Rejected for anything else."""
    head = data[:SNIFFED_BYTES]
    for name in _SNIFFED:
        _, accepts = Image.OPEN[name]
        if accepts and accepts(head):
            return name
    if head[:2] == b"BM" and int.from_bytes(head[14:18], "little") in _BMP_HEADER_BYTES:
        return "BMP"
    if head[4:8] == b"ftyp":
        return _format_of_brands(head)
    _reject_foreign(head)
    raise Rejected("picture.not_a_picture")


def _format_of_brands(head: bytes) -> str:
    """Return the decoder of an ISO container by its major and compatible brands (ISO/IEC 14496-12, 4.3)."""
    size = min(int.from_bytes(head[:4], "big"), len(head))
    brands = {head[start : start + 4] for start in range(8, size, 4) if start != 12}
    if brands & _AVIF_BRANDS:
        return "AVIF"
    if head[8:12] in _HEIF_BRANDS:
        return "HEIF"
    raise Rejected("picture.unsupported", format="RAW" if head[8:12] == b"crx " else "video")


def _reject_foreign(head: bytes) -> None:
    for signature, name in _FOREIGN:
        if head.startswith(signature):
            raise Rejected("picture.unsupported", format=name)
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if text.startswith(b"<svg") or (text.startswith((b"<?xml", b"<!doctype svg", b"<!--")) and b"<svg" in text):
        raise Rejected("picture.unsupported", format="SVG")


@contextmanager
def _refusals() -> Iterator[None]:
    """Turn anything that a decoder raises on hostile bytes into Rejected."""
    # Pillow's own bound on pixels does not know our limit; it is set for a whole process, which is a worker here.
    pillows_bound, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
    try:
        with warnings.catch_warnings():
            # Pillow warns of broken metadata, which is dropped.
            warnings.simplefilter("ignore")
            yield
    except Rejected:
        raise
    except Exception as error:
        # Eight decoders, in C and in Python: what they raise on hostile bytes cannot be listed.
        short = isinstance(error, MemoryError) or "memory" in str(error).lower()
        raise Rejected("picture.too_heavy" if short else "picture.broken") from error
    finally:
        Image.MAX_IMAGE_PIXELS = pillows_bound


def _check(size: tuple[int, int], mode: str, max_pixels: int) -> None:
    if size[0] * size[1] > max_pixels:
        raise Rejected("picture.too_many_pixels", limit_mp=max_pixels // 1_000_000)
    if max(size) > LONGEST_SHAPE * min(size):
        raise Rejected("picture.too_narrow")
    if mode == "LAB":
        # Only a colour management system could convert it.
        raise Rejected("picture.unsupported", format="Lab TIFF")


def _shrunk(decoded: Decoded, longest_side: int) -> Image.Image:
    """Return the picture as RGB or CMYK, its longest side at most `longest_side` pixels."""
    reduced = _reduced(decoded, max(1, max(decoded.pixels.size) // (longest_side * 2)))
    return reduced.resize(fitted(reduced.size, longest_side), Image.Resampling.LANCZOS)


def _reduced(decoded: Decoded, factor: int) -> Image.Image:
    """Return the picture as RGB or CMYK, `factor` times smaller.

    It is converted in bands: the conversions would need a large picture several times over.
    """
    pixels = decoded.pixels
    (width, height), mode = pixels.size, pixels.mode
    reduced = Image.new("CMYK" if mode == "CMYK" else "RGB", (-(-width // factor), -(-height // factor)))
    levels = _levels(pixels)
    for top, band in _bands(pixels, factor):
        converted = _on_white(band, levels)
        if decoded.frame:
            _clear_outside(converted, top, decoded.frame)
        reduced.paste(converted.reduce(factor), (0, top // factor))
    if pixels.format == "JPEG" and mode == "CMYK" and "adobe" not in pixels.info:
        # Adobe stores ink inverted, and Pillow takes every CMYK JPEG for Adobe's.
        return ImageChops.invert(reduced)
    return reduced


def _bands(pixels: Pixels, factor: int = 1) -> Iterator[tuple[int, Image.Image]]:
    """Yield bands of about `BAND_PIXELS`, of a multiple of `factor` rows each, and where they begin."""
    width, height = pixels.size
    rows = max(1, BAND_PIXELS // (width * factor)) * factor
    for top in range(0, height, rows):
        yield top, pixels.crop((0, top, width, min(height, top + rows)))


def _clear_outside(band: Image.Image, top: int, frame: tuple[int, int, int, int]) -> None:
    """Whiten what a GIF's first frame leaves of its canvas."""
    left, above, right, below = frame
    upper, lower = (min(max(row - top, 0), band.height) for row in (above, below))
    for box in (
        (0, 0, band.width, upper),
        (0, lower, band.width, band.height),
        (0, upper, left, lower),
        (right, upper, band.width, lower),
    ):
        if box[0] < box[2] and box[1] < box[3]:
            band.paste("white", box)


def _levels(pixels: Pixels) -> tuple[float, float] | None:
    """Return the values of black and white in a picture of more than 8 bits per sample, None for all others.

    16 bits have a full range; for 32 bits and floats no rule is written down, so the largest value is white.
    """
    if pixels.mode.startswith("I;16"):
        return 0.0, 65535.0
    if pixels.mode not in ("I", "F"):
        return None
    extremes = [
        (float(samples.min()), float(samples.max())) for samples in (_samples(band) for _, band in _bands(pixels))
    ]
    low, high = min(0.0, *(lowest for lowest, _ in extremes)), max(highest for _, highest in extremes)
    return low, high if high > low else low + 1


def _samples(band: Image.Image) -> NDArray[np.float32]:
    """Return a one-channel band as float32; what is no number becomes 0."""
    return np.nan_to_num(np.asarray(band, dtype=np.float32), nan=0.0, posinf=0.0, neginf=0.0)


def _on_white(band: Image.Image, levels: tuple[float, float] | None) -> Image.Image:
    if levels:
        low, high = levels
        samples = _samples(band)
        grey = (samples - low) / (high - low)
        if "transparency" in band.info:
            grey[samples == band.info["transparency"]] = 1  # white shows through
        return Image.fromarray((grey.clip(0, 1) * 255).round().astype(np.uint8)).convert("RGB")
    if band.mode == "CMYK":
        return band  # its profile, if it has one, is for ink
    if not band.has_transparency_data:
        return band.convert("RGB")
    rgba = band.convert("RGBA")
    white = Image.new("RGB", rgba.size, "white")
    white.paste(rgba, mask=rgba.getchannel("A"))
    return white


def _in_srgb(small: Image.Image, original: Pixels, chunks: Mapping[bytes, bytes]) -> Image.Image:
    """Return `small` as RGB, by the highest of a PNG's marks: code points, then a profile, then gamma."""
    if code_points := cicp_of(chunks):
        return in_srgb(small, code_points)
    if "icc_profile" not in original.info and (gamma := gamma_of(chunks)):
        return by_gamma(small.convert("RGB"), gamma)
    return _by_profile(small, original)


def _by_profile(small: Image.Image, original: Pixels) -> Image.Image:
    """Return `small` as RGB, by the original's colour profile if that can be read and is not sRGB itself."""
    data = original.info.get("icc_profile")
    # A broken profile is no reason to refuse a picture.
    with suppress(ImageCms.PyCMSError, OSError, TypeError, ValueError):
        profile = ImageCms.ImageCmsProfile(io.BytesIO(data)) if data else None
        if profile and not ImageCms.getProfileDescription(profile).startswith("sRGB"):
            source = small.convert("L") if Image.getmodebase(original.mode) == "L" else small
            converted = ImageCms.profileToProfile(source, profile, _srgb(), outputMode="RGB")
            return converted or small.convert("RGB")
    return small.convert("RGB")


def _srgb() -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))


def _enlarged(rgb: Image.Image) -> Image.Image:
    factor = max(1, TINY_SIDE // max(rgb.size))
    return rgb.resize((rgb.width * factor, rgb.height * factor), Image.Resampling.NEAREST)


def _as_picture(rgb: Image.Image) -> Picture:
    jpeg = io.BytesIO()
    # 4:4:4 and 4:2:0, as Pillow calls them.
    rgb.save(jpeg, "JPEG", quality=JPEG_QUALITY, subsampling=0 if min(rgb.size) <= SMALL_SIDE else 2)
    digest = hashlib.sha256(f"{rgb.width}x{rgb.height} ".encode() + rgb.tobytes())
    return Picture(jpeg.getvalue(), rgb.width, rgb.height, digest.hexdigest())
