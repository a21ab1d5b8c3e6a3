"""What a phrase says beside the words that were found in it: it must not get lost without a word."""

import re
from collections.abc import Iterator, Sequence
from functools import cache

from melodify_core.data_files import read_table
from melodify_core.hints.words import Found

_WORD = re.compile(r"[가-힣]+|[ァ-ヶー]+|[^\W\d_가-힣ァ-ヶー]+(?:['’][^\W\d_가-힣ァ-ヶー]+)*")
_KATAKANA = re.compile("[ァ-ヶー]{2,}")
_HANGUL = re.compile("[가-힣]")
_UNSPACED = re.compile("[\u3040-\u30ff\u3400-\u9fff]")
LEAST_HANGUL, LEAST_LATIN = 2, 4


@cache
def _around() -> re.Pattern[str]:
    """Return what matches words around a wish, and what stands between words."""
    words = read_table("melodify_core.hints", "empty_words.toml")["around"]
    return re.compile(rf"(?<![a-z])(?:{'|'.join(words['english'])})(?![a-z])|{'|'.join(words['korean'])}|[\s\W_]+")


@cache
def _empty() -> tuple[frozenset[str], re.Pattern[str], re.Pattern[str]]:
    """Return empty words in Latin letters, the expression for Korean ones, and that for the endings of such."""
    words = read_table("melodify_core.hints", "empty_words.toml")["empty"]
    korean, endings = (f"(?:{'|'.join(words[name])})" for name in ("korean", "endings"))
    return frozenset(words["latin"].split()), re.compile(korean), re.compile(f"{endings}+$")


def telling(phrase: str) -> bool:
    """Return whether a phrase is more than greetings and words around a wish."""
    return bool(_around().sub("", phrase))


def leftovers(text: str, start: int, end: int, words: Sequence[Found]) -> Iterator[tuple[int, int]]:
    """Yield where in a phrase there are words that say something and were not found; neighbours are one.

    Scripts without spaces are left out, but for katakana: what stands beside a word there is mostly grammar.
    """
    rest = list(text[start:end])
    for word in words:
        for place in range(max(word.start, start), min(word.end, end)):
            rest[place - start] = "\0"
    shown = "".join(rest)
    runs: list[tuple[int, int]] = []
    for match in _WORD.finditer(shown):
        attached = "\0" in shown[max(match.start() - 1, 0) : match.start()]
        if not _tells(match[0], attached=attached):
            continue
        if runs and not shown[runs[-1][1] : match.start()].strip():
            runs[-1] = runs[-1][0], match.end()
        else:
            runs.append(match.span())
    yield from ((start + first, start + last) for first, last in runs)


def _tells(word: str, *, attached: bool) -> bool:
    """Return whether a word asks for something; `attached` ones may be the ending of the word before."""
    if _KATAKANA.fullmatch(word):
        return telling(word)
    if _UNSPACED.search(word) or not telling(word):
        return False
    latin, korean, ending = _empty()
    if not _HANGUL.search(word):
        return len(word) >= LEAST_LATIN and word not in latin and not attached
    stem = ending.sub("", word)
    empty = korean.fullmatch(word) or korean.fullmatch(stem)
    return len(stem) >= LEAST_HANGUL and not empty and telling(stem)
