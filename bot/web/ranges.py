"""Reads a Range header (RFC 9110, section 14): one range of bytes, the whole, or what cannot be had."""

import re

_FORM = re.compile(r"bytes=[ \t]*(\d{0,18})-(\d{0,18})[ \t]*", re.ASCII)
_UNIT = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+)=", re.ASCII)
_SEVERAL = re.compile(
    r"bytes=[ \t]*(?:\d{1,18}-\d{0,18}|-\d{1,18})(?:[ \t]*,[ \t]*(?:\d{1,18}-\d{0,18}|-\d{1,18}))+", re.ASCII
)


class Unsatisfiable(Exception):
    """The header asks for what is not there, or cannot be read."""


def wanted(header: str | None, size: int) -> range | None:
    """Return the bytes that the header asks for, None for the whole. Raises Unsatisfiable.

    A unit that we do not know and a list of ranges are answered with the whole, as the RFC allows.
    """
    if header is None or _SEVERAL.fullmatch(header):
        return None
    found = _FORM.fullmatch(header)
    if not found:
        unit = _UNIT.match(header)
        if unit and unit[1].lower() != "bytes":
            return None
        raise Unsatisfiable
    first, last = found.groups()
    if not first:
        return _last_bytes(last, size)
    start, stop = int(first), int(last) + 1 if last else size
    if start >= size or stop <= start:
        raise Unsatisfiable
    return range(start, min(stop, size))


def _last_bytes(count: str, size: int) -> range:
    if not count or not int(count) or not size:
        raise Unsatisfiable
    return range(max(0, size - int(count)), size)
