"""Chooses a song's title and caption so that a server's latest songs have different ones."""

import re
from collections.abc import Collection, Iterator, Sequence
from itertools import count
from random import Random

from melodify_core.models import Brief, Language, Wording

RECENT_TITLES = 200
RECENT_CAPTIONS = 10
_RUN = 3  # words in a row that two captions must not share
_LONGEST = 80  # characters of a Brief's title
_NUMERAL = re.compile(r" (?:[IVX]{2,}|V|X)$")
_NUMERALS = ((100, "C"), (90, "XC"), (50, "L"), (40, "XL"), (10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I"))


def words_unlike(brief: Brief, said: Sequence[Wording]) -> Wording:
    """Return a title that no other song has, and the caption that is least like it and those of the latest ten."""
    title = free_title(brief, [words.title for words in said])
    return Wording(title, fresh_caption(brief, [title, *(words.caption for words in said[:RECENT_CAPTIONS])]))


def with_covered_titles(brief: Brief, language: Language, seed: int) -> Brief:
    """Return the Brief with titles that only its mood has chosen: the title of a spoiler must not tell the picture."""
    # Imported here: most jobs need none of its words.
    from melodify_core.captioners.palette.mood_titles import is_mood_title, mood_titles

    if not brief.spare_titles and is_mood_title(_NUMERAL.sub("", brief.title), language):
        return brief  # of another take: it has the first one's title, and a number
    titles = mood_titles(brief, language)
    first, *others = Random(seed).sample(titles, len(titles))
    return brief.model_copy(update={"title": first, "spare_titles": tuple(others)})


def fresh_caption(brief: Brief, told: Sequence[str]) -> str:
    """Return the Brief's first caption that shares the fewest sentences, then turns of phrase, with others."""
    sentences, runs = set().union(*map(_sentences, told)), set().union(*map(_runs, told))

    def likeness(caption: str) -> tuple[int, int]:
        return len(_sentences(caption) & sentences), len(_runs(caption) & runs)

    return min((brief.caption, *brief.spare_captions), key=likeness)


def _sentences(caption: str) -> set[str]:
    return set(re.split(r"(?<=[.!?]) ", caption))


def _runs(caption: str) -> set[tuple[str, ...]]:
    words = re.findall(r"\w+", caption.casefold())
    return {tuple(words[start : start + _RUN]) for start in range(len(words) - _RUN + 1)}


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
