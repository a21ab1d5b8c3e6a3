"""The chunks of a PNG (third edition, 5.3) around its pixels, as browsers take them. Decodes nothing."""

import struct
import zlib
from collections.abc import Iterator
from itertools import takewhile

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
# Kinds that are asked for; the others are not read.
_READ = (b"cICP", b"gAMA", b"cHRM", b"sRGB", b"eXIf")


def head_chunks(data: bytes) -> dict[bytes, bytes]:
    """Return what stands before the pixels, each kind's first. Browsers overlook what comes later or is damaged."""
    found: dict[bytes, bytes] = {}
    for name, start, end in _chunks(data):
        if name == b"IDAT":
            break
        if name in _READ and data[end : end + 4] == _checksum(name, data[start:end]):
            found.setdefault(name, data[start:end])
    return found


def first_frame(data: bytes) -> bytes:
    """Return the PNG with the first frame of its animation as its picture, where the two differ and are equally large.

    Browsers show the animation (PNG third edition, 11.3.2.4). A smaller frame would need a canvas, which takes memory:
    the PNG's own picture stays then.
    """
    chunks = list(_chunks(data))
    names = [name for name, _, _ in chunks]
    if b"IDAT" not in names or b"fcTL" not in names or names.index(b"fcTL") < names.index(b"IDAT"):
        return data
    before, after = chunks[: names.index(b"IDAT")], chunks[names.index(b"fcTL") :]
    control = after[0][1]
    if data[control + 4 : control + 20] != data[16:24] + bytes(8):
        return data
    pieces = takewhile(lambda chunk: chunk[0] == b"fdAT", after[1:])
    pixels = b"".join(data[start + 4 : end] for _, start, end in pieces)
    head = [data[start - 8 : end + 4] for name, start, end in before if name != b"acTL"]
    return b"".join((_SIGNATURE, *head, _chunk(b"IDAT", pixels), _chunk(b"IEND", b""))) if pixels else data


def _chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield each chunk's name, and where its body begins and ends; of the last one perhaps less is there."""
    at = 8
    while at + 8 <= len(data):
        end = at + 8 + int.from_bytes(data[at : at + 4], "big")
        yield data[at + 4 : at + 8], at + 8, min(end, len(data))
        at = end + 4


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + _checksum(name, body)


def _checksum(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", zlib.crc32(body, zlib.crc32(name)))
