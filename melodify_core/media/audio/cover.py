"""Takes the cover out of an MP3 that codec.py has written: its tag is ID3v2.3 (id3.org/id3v2.3.0, 3.1 to 3.3)."""

_HEAD = 10  # bytes, of the tag and of each frame


def without_cover(mp3: bytes) -> bytes:
    """Return the file without its pictures, and a file without such a tag as it is."""
    if mp3[:4] != b"ID3\x03":
        return mp3
    end = _HEAD + _seven_bits(mp3[6:10])
    kept, at = [], _HEAD
    while at + _HEAD <= end and mp3[at]:
        after = at + _HEAD + int.from_bytes(mp3[at + 4 : at + 8], "big")
        if mp3[at : at + 4] != b"APIC":
            kept.append(mp3[at:after])
        at = after
    frames = b"".join((*kept, mp3[at:end]))  # with the padding
    return mp3[:6] + _in_seven_bits(len(frames)) + frames + mp3[end:]


def _seven_bits(size: bytes) -> int:
    return sum(byte << shift for byte, shift in zip(size, (21, 14, 7, 0), strict=True))


def _in_seven_bits(size: int) -> bytes:
    return bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0))
