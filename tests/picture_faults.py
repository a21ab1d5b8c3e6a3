"""Pictures with one peculiarity each, and what Chromium 156 shows of them on a white page."""

import struct
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from tests.pictures import chunk, encoded, laid_down, quarters, swapped_profile, xmp_orientation

Colour = tuple[int, int, int]
RED, LIME, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)
BLUISH = (60, 120, 180)
# White, red, green and blue of other colour spaces, for cHRM.
ADOBE = (31270, 32900, 64000, 33000, 21000, 71000, 15000, 6000)
WIDE = (34570, 35850, 73470, 26530, 11520, 82640, 15660, 1770)
WHITE_D50 = (34570, 35850, 64000, 33000, 30000, 60000, 15000, 6000)
UPRIGHT = (RED, LIME, BLUE, WHITE)


@dataclass(frozen=True, slots=True)
class Peculiar:
    """A file, its size in Chromium, and the colours there in the middle of its four quarters, row by row."""

    make: Callable[[], bytes]
    size: tuple[int, int]
    colours: tuple[Colour, Colour, Colour, Colour]


def with_xmp(kind: str) -> bytes:
    """The quarters, upright, with an XMP packet that says that they lie on their head."""
    if kind == "PNG":
        notes = PngInfo()
        notes.add_itxt("XML:com.adobe.xmp", xmp_orientation(3).decode())
        return encoded(quarters(), kind, pnginfo=notes)
    if kind == "TIFF":
        return encoded(quarters(), kind, tiffinfo={700: xmp_orientation(3)})
    if kind == "HEIF":  # its encoder would turn the picture
        return encoded(quarters(), kind, xmp=xmp_orientation(1)).replace(b'Orientation="1"', b'Orientation="3"')
    return encoded(quarters(), kind, xmp=xmp_orientation(3))


def raw_profile_png() -> bytes:
    """The quarters, with ImageMagick's old way to keep EXIF, which says that they lie on their head."""
    exif = Image.Exif()
    exif[0x0112] = 3
    body = exif.tobytes()
    notes = PngInfo()
    notes.add_text("Raw profile type exif", f"\nexif\n{len(body):8}\n{body.hex()}\n", zip=True)
    return encoded(quarters(), "PNG", pnginfo=notes)


def avif_with_exif() -> bytes:
    """An AVIF whose EXIF says that it lies on its head, and whose container says nothing."""
    exif = Image.Exif()
    exif[0x0128] = 1
    data = bytearray(encoded(quarters(), "AVIF", exif=exif.tobytes()))
    at = data.index(b"\x01\x28\0\3\0\0\0\1")
    data[at : at + 10] = b"\x01\x12\0\3\0\0\0\1\0\3"
    return bytes(data)


def ramp(size: tuple[int, int] = (200, 160)) -> Image.Image:
    """Red grows to the right, green downwards."""
    pixels = np.full((size[1], size[0], 3), 90, np.uint8)
    pixels[..., 0] = np.linspace(0, 255, size[0])
    pixels[..., 1] = np.linspace(0, 255, size[1])[:, None]
    return Image.fromarray(pixels)


def cut(kind: str, part: float = 1.0, missing: int = 0, **options: object) -> bytes:
    """The ramp without the end of its file."""
    data = encoded(ramp().quantize(64) if kind == "GIF" else ramp(), kind, **options)
    return data[: int(len(data) * part) - missing]


def grey_below(missing: int = 2, **options: object) -> bytes:
    """A JPEG whose lower half is the grey with which decoders fill what is missing, without the end of its file."""
    picture = ramp()
    picture.paste((128, 128, 128), (0, 64, 200, 160))
    whole = encoded(picture, "JPEG", **options)
    return whole[: len(whole) - missing]


def cut_png(width: int, height: int) -> bytes:
    """A picture of one colour without the end of its file."""
    whole = encoded(Image.new("RGB", (width, height), (180, 90, 40)), "PNG")
    return whole[: int(len(whole) * 0.97)]


def bad_text_png() -> bytes:
    """The ramp with a comment whose checksum is wrong."""
    comment = bytearray(chunk(b"tEXt", b"Comment\0hello"))
    comment[-1] ^= 255
    return before_pixels(encoded(ramp(), "PNG"), bytes(comment))


def before_pixels(png: bytes, more: bytes) -> bytes:
    at = png.index(b"IDAT") - 4
    return png[:at] + more + png[at:]


def deep_png(colour: tuple[int, ...], transparent: tuple[int, ...]) -> bytes:
    """A PNG of 40 x 40 equal pixels of 16 bits per sample, with one colour that is transparent."""
    head = struct.pack(">IIBBBBB", 40, 40, 16, 0 if len(colour) == 1 else 2, 0, 0, 0)
    row = b"\0" + struct.pack(f">{len(colour)}H", *colour) * 40
    hole = struct.pack(f">{len(colour)}H", *transparent)
    chunks = (b"IHDR", head), (b"tRNS", hole), (b"IDAT", zlib.compress(row * 40)), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(name, body) for name, body in chunks)


def small_frame_gif(**options: object) -> bytes:
    """A GIF of 96 x 64 whose only frame has 48 x 32."""
    frame = Image.new("P", (48, 32), 1)
    frame.putpalette([0, 200, 0, 200, 0, 0] + [0, 0, 9] * 254)
    data = bytearray(encoded(frame, "GIF", **options))
    struct.pack_into("<HH", data, 6, 96, 64)
    return bytes(data)


def coded_png(primaries: int, transfer: int, colour: Colour, **options: object) -> bytes:
    """A PNG with coding-independent code points."""
    png = encoded(Image.new("RGB", (40, 40), colour), "PNG", **options)
    return before_pixels(png, chunk(b"cICP", bytes([primaries, transfer, 0, 1])))


def toned_png(colour: int | Colour, gamma: int = 0, primaries: Sequence[int] = (), **options: object) -> bytes:
    """A PNG of one colour with gAMA and cHRM chunks."""
    png = encoded(Image.new("L" if isinstance(colour, int) else "RGB", (40, 40), colour), "PNG", **options)
    marks = chunk(b"gAMA", struct.pack(">I", gamma)) if gamma else b""
    return before_pixels(png, marks + (chunk(b"cHRM", struct.pack(">8I", *primaries)) if primaries else b""))


def toned_twice() -> bytes:
    """A PNG that says that it is sRGB, and something else by its gamma."""
    return before_pixels(toned_png(BLUISH, 100_000), chunk(b"sRGB", b"\0"))


def late_exif() -> bytes:
    """A PNG whose EXIF comes after the pixels."""
    exif, upright = laid_down(6, "PNG"), encoded(quarters(), "PNG")
    start = exif.index(b"eXIf") - 4
    size = 12 + int.from_bytes(exif[start : start + 4], "big")
    end = upright.rindex(b"IEND") - 4
    return upright[:end] + exif[start : start + size] + upright[end:]


def animated_png(frame: tuple[int, int], missing: int = 0) -> bytes:
    """A red PNG of 96 x 64 whose animation, of which that picture is no part, is one blue frame."""
    own = encoded(Image.new("RGB", (96, 64), RED), "PNG")
    pixels, end = own.index(b"IDAT") - 4, own.rindex(b"IEND") - 4
    other = encoded(Image.new("RGB", frame, BLUE), "PNG")
    at = other.index(b"IDAT")
    body = other[at + 4 : at + 4 + int.from_bytes(other[at - 4 : at], "big")]
    control = chunk(b"fcTL", struct.pack(">5I2H2B", 0, *frame, 0, 0, 1, 2, 0, 0))
    start = own[:pixels] + chunk(b"acTL", struct.pack(">2I", 1, 0)) + own[pixels:end]
    whole = start + control + chunk(b"fdAT", bytes([0, 0, 0, 1]) + body) + own[end:]
    return whole[: len(whole) - missing]


def half_floats_tiff() -> bytes:
    """A TIFF of 8 x 8 floats of 16 bits."""
    tags = [(256, 8), (257, 8), (258, 16), (259, 1), (262, 1), (273, 134), (277, 1), (278, 8), (279, 128), (339, 3)]
    entries = b"".join(struct.pack("<HHIHH", tag, 3, 1, value, 0) for tag, value in tags)
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4) + np.ones(64, "<f2").tobytes()


def whole(colour: Colour) -> tuple[Colour, Colour, Colour, Colour]:
    return (colour,) * 4


RAMP = ((64, 64, 90), (192, 64, 90), (64, 192, 90), (192, 192, 90))

FEW_COLOURS = ((77, 76, 90), (206, 76, 90), (77, 206, 90), (206, 206, 90))

SHOWN = {
    "EXIF in a JPEG": Peculiar(partial(laid_down, 6, "JPEG"), (96, 64), UPRIGHT),
    "EXIF in a PNG": Peculiar(partial(laid_down, 6, "PNG"), (96, 64), UPRIGHT),
    "EXIF in a WebP": Peculiar(partial(laid_down, 6, "WEBP"), (64, 96), (LIME, WHITE, RED, BLUE)),
    "turned AVIF": Peculiar(partial(laid_down, 6, "AVIF"), (96, 64), UPRIGHT),
    "EXIF in an AVIF": Peculiar(avif_with_exif, (96, 64), UPRIGHT),
    "EXIF in a PNG's text": Peculiar(raw_profile_png, (96, 64), UPRIGHT),
    **{
        f"XMP in {kind}": Peculiar(partial(with_xmp, kind), (96, 64), UPRIGHT)
        for kind in ("JPEG", "PNG", "WEBP", "AVIF")
    },
    "JPEG without end": Peculiar(partial(cut, "JPEG", missing=2), (200, 160), RAMP),
    "JPEG without 20 bytes": Peculiar(partial(cut, "JPEG", missing=20), (200, 160), RAMP),
    **{
        f"JPEG without end, grey below, {name}": Peculiar(
            partial(grey_below, quality=90, **options),
            (200, 160),
            ((64, 64, 90), (192, 64, 90), (128, 128, 128), (128, 128, 128)),
        )
        for name, options in (("plain", {}), ("restarts", {"restart_marker_rows": 1}), ("scans", {"progressive": True}))
    },
    "progressive JPEG, 99 %": Peculiar(partial(cut, "JPEG", 0.99, progressive=True), (200, 160), RAMP),
    "PNG, 99 %": Peculiar(partial(cut, "PNG", 0.99), (200, 160), RAMP),
    "PNG with a bad comment": Peculiar(bad_text_png, (200, 160), RAMP),
    "GIF, 99 %": Peculiar(partial(cut, "GIF", 0.99, interlace=0), (200, 160), FEW_COLOURS),
    "interlaced GIF, 99 %": Peculiar(partial(cut, "GIF", 0.99), (200, 160), FEW_COLOURS),
    "BMP, 99 %": Peculiar(partial(cut, "BMP", 0.99), (200, 160), RAMP),
    "transparent 16-bit grey": Peculiar(partial(deep_png, (0x0102,), (0x0102,)), (40, 40), whole(WHITE)),
    "nearly that grey": Peculiar(partial(deep_png, (0x0102,), (0x0103,)), (40, 40), whole((1, 1, 1))),
    "transparent 16-bit colour": Peculiar(partial(deep_png, (1, 2000, 3), (1, 2000, 3)), (40, 40), whole(WHITE)),
    "small first frame": Peculiar(small_frame_gif, (96, 64), ((200, 0, 0), WHITE, WHITE, WHITE)),
    "small transparent frame": Peculiar(partial(small_frame_gif, transparency=1), (96, 64), whole(WHITE)),
    "Display P3": Peculiar(partial(coded_png, 12, 13, (60, 120, 180)), (40, 40), whole((30, 122, 185))),
    "BT.2020": Peculiar(partial(coded_png, 9, 14, (148, 148, 148)), (40, 40), whole((142, 142, 142))),
    "linear light": Peculiar(partial(coded_png, 1, 8, (60, 120, 180)), (40, 40), whole((133, 183, 219))),
    "PQ, grey": Peculiar(partial(coded_png, 9, 16, (151, 151, 151)), (40, 40), whole((196, 196, 196))),
    "PQ, bright": Peculiar(partial(coded_png, 9, 16, (177, 177, 177)), (40, 40), whole((238, 238, 238))),
    "PQ, colour": Peculiar(partial(coded_png, 9, 16, (150, 100, 120)), (40, 40), whole((235, 32, 115))),
    "HLG, grey": Peculiar(partial(coded_png, 9, 18, (190, 190, 190)), (40, 40), whole((185, 185, 185))),
    "HLG, colour": Peculiar(partial(coded_png, 9, 18, (150, 100, 120)), (40, 40), whole((135, 70, 93))),
    "gamma 1": Peculiar(partial(toned_png, BLUISH, 100_000), (40, 40), whole((133, 183, 219))),
    "gamma 0.5": Peculiar(partial(toned_png, BLUISH, 50_000), (40, 40), whole((67, 130, 187))),
    "gamma 0.2": Peculiar(partial(toned_png, BLUISH, 20_000), (40, 40), whole((2, 42, 116))),
    "grey of gamma 1": Peculiar(partial(toned_png, 120, 100_000), (40, 40), whole((183, 183, 183))),
    "a screen's gamma": Peculiar(partial(toned_png, BLUISH, 45_455), (40, 40), whole(BLUISH)),
    "wide primaries": Peculiar(partial(toned_png, BLUISH, 45_455, ADOBE), (40, 40), whole((0, 121, 184))),
    "wide primaries, gamma 0.55": Peculiar(partial(toned_png, BLUISH, 55_000, WIDE), (40, 40), whole((0, 141, 197))),
    "another white": Peculiar(partial(toned_png, BLUISH, 45_455, WHITE_D50), (40, 40), whole((41, 120, 179))),
    "primaries without gamma": Peculiar(partial(toned_png, BLUISH, 0, ADOBE), (40, 40), whole(BLUISH)),
    "sRGB over gamma": Peculiar(toned_twice, (40, 40), whole(BLUISH)),
    "a profile over gamma": Peculiar(
        partial(toned_png, BLUISH, 100_000, icc_profile=swapped_profile()), (40, 40), whole((182, 133, 219))
    ),
    "EXIF after a PNG's pixels": Peculiar(late_exif, (96, 64), UPRIGHT),
    "hidden picture of a PNG": Peculiar(partial(animated_png, (96, 64)), (96, 64), whole(BLUE)),
    "hidden picture, cut": Peculiar(partial(animated_png, (96, 64), 14), (96, 64), whole(BLUE)),
    "code points over a profile": Peculiar(
        partial(coded_png, 1, 13, RED, icc_profile=swapped_profile()), (40, 40), whole(RED)
    ),
}
