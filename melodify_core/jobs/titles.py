"""Chooses a song's title so that a server's latest songs have different ones."""

import re
from collections.abc import Collection, Iterator
from itertools import count

from melodify_core.models import Brief

RECENT_TITLES = 200
_LONGEST = 80  # characters of a Brief's title
_NUMERAL = re.compile(r" (?:[IVX]{2,}|V|X)$")
_NUMERALS = ((100, "C"), (90, "XC"), (50, "L"), (40, "XL"), (10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I"))


def free_title(brief: Brief, taken: Collection[str]) -> str:
    """Return the Brief's first title that is not taken.

    When all are taken, as for another take, the title is numbered as pieces of music are: "Evening Song II".
    """
    known = {title.casefold() for title in taken}
    return next(title for title in _candidates(brief) if title.casefold() not in known)


def _candidates(brief: Brief) -> Iterator[str]:
    yield from (brief.title, *brief.spare_titles)
    # Another take of "Evening Song II" is "Evening Song III".
    plain = _NUMERAL.sub("", brief.title)
    for number in count(2):  # one of them is free, for there are fewer songs
        numeral = _roman(number)
        yield f"{plain[: _LONGEST - len(numeral) - 1].rstrip()} {numeral}"


def _roman(number: int) -> str:
    written = ""
    for value, letters in _NUMERALS:
        times, number = divmod(number, value)
        written += letters * times
    return written
