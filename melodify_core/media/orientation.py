"""How a stored picture has to be turned, by the marks that browsers follow, and by no other.

Measured in Chromium 156: EXIF counts in JPEG and in PNG's eXIf chunk before the pixels. WebP's EXIF, the raw profiles
in PNG's text, and XMP anywhere count nothing. AVIF and HEIC are turned by their containers (ISO/IEC 23008-12, 6.5.10
and 6.5.12), whatever their EXIF says. No browser but Safari shows TIFF: its own tag counts.
"""

from typing import Literal

from PIL import Image

_ORIENTATION = 0x0112
_SHORT = 3
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_ORDERS: dict[bytes, Literal["little", "big"]] = {b"II*\0": "little", b"MM\0*": "big"}


def upright(small: Image.Image, kind: str, exif: object) -> Image.Image:
    """Return `small` turned as the file says; `exif` is what Pillow found in it.

    Pillow reports AVIF's turns as if they stood in EXIF, and has done TIFF's already, as libheif has done HEIC's.
    """
    if kind not in ("JPEG", "PNG", "AVIF") or not isinstance(exif, bytes):
        return small
    turn = _TURNS.get(_orientation_in(exif))
    return small if turn is None else small.transpose(turn)


def _orientation_in(exif: bytes) -> int:
    """Return the orientation of the first directory (EXIF 2.32, 4.6.2), 1 where it has none."""
    tiff = exif.removeprefix(b"Exif\0\0")
    order = _ORDERS.get(tiff[:4])
    if order is None:
        return 1
    start = int.from_bytes(tiff[4:8], order)
    count = int.from_bytes(tiff[start : start + 2], order)
    for at in range(start + 2, start + 2 + 12 * count, 12):
        entry = tiff[at : at + 12]
        if len(entry) < 12:
            return 1
        if int.from_bytes(entry[:2], order) == _ORIENTATION:
            is_short = int.from_bytes(entry[2:4], order) == _SHORT and int.from_bytes(entry[4:8], order) == 1
            return int.from_bytes(entry[8:10], order) if is_short else 1
    return 1
