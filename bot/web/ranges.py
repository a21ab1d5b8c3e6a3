"""Reads a Range header (RFC 9110, section 14): one range of bytes, the whole, or what cannot be had."""

import re

_UNIT = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", re.ASCII)
_RANGE = re.compile(r"(\d+)-(\d*)|-(\d+)", re.ASCII)
# No file is larger; a number of thousands of digits is not worth reading.
_MOST_DIGITS = 18


class Unsatisfiable(Exception):
    """The header asks for what is not there, or cannot be read."""


def wanted(header: str | None, size: int) -> range | None:
    """Return the bytes that the header asks for, None for the whole. Raises Unsatisfiable.

    A unit that we do not know and a list of ranges are answered with the whole, as the RFC allows.
    """
    if header is None:
        return None
    unit, given, listed = header.partition("=")
    if unit.lower() != "bytes":
        if given and _UNIT.fullmatch(unit):
            return None
        raise Unsatisfiable
    # Of a list, empty elements count for nothing (section 5.6.1).
    asked = [_RANGE.fullmatch(element) for word in listed.split(",") if (element := word.strip(" \t"))]
    ranges = [found for found in asked if found]
    if not asked or len(ranges) < len(asked):
        raise Unsatisfiable
    return _bytes(ranges[0], size) if len(ranges) == 1 else None


def _bytes(found: re.Match[str], size: int) -> range:
    first, last, count = found.groups()
    if first is None:
        start, stop = max(0, size - _number(count)), size
    else:
        start, stop = _number(first), min(_number(last) + 1, size) if last else size
    if start >= stop:
        raise Unsatisfiable
    return range(start, stop)


def _number(digits: str) -> int:
    significant = digits.lstrip("0")
    return int(significant or "0") if len(significant) <= _MOST_DIGITS else 10**_MOST_DIGITS
