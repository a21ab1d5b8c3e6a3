"""The words that may go from a picture or a hint to a music model: closed lists, which are in the strict schema.

Code checks the answer against them again, and drops a phrase with a word that is in no list. What was smuggled in
through a picture or a hint can at most become an instrument, a mood or a sound of these lists.
"""

import re
from dataclasses import dataclass
from functools import cache, cached_property
from typing import get_args

from pydantic import TypeAdapter

from melodify_core.data_files import read_table
from melodify_core.models import Energy, Mode

ENERGIES: tuple[Energy, ...] = get_args(Energy)
MODES: tuple[Mode, ...] = get_args(Mode)
WORDS_AT_MOST = 8
_WORD = re.compile(r"[^\W\d_]+")
_BOWLS = "singing bowls"  # the one place where a word for singing is none
_SUNG = frozenset(["choir", "choral", "chorus", "verse", "verses"])
# What binds an adjective to its noun in Chinese and Japanese, where no space does.
_BOUND = re.compile(r"[的の]|(?<=\w)な(?=\w|$)")


@dataclass(frozen=True)
class Vocabulary:
    """What vocabulary.toml says."""

    moods: list[str]
    genres: list[str]
    instruments: list[str]
    arrangements: list[str]
    soundscapes: list[str]
    small: frozenset[str]
    bare: list[str]
    same: dict[str, str]
    fields: dict[str, str]
    energy: dict[str, Energy]
    mode: dict[str, Mode]

    @cached_property
    def words(self) -> frozenset[str]:
        """Return all words of all lists."""
        phrases = (*self.moods, *self.genres, *self.instruments, *self.arrangements, *self.soundscapes, *self.small)
        return frozenset(word for phrase in phrases for word in _WORD.findall(phrase.replace(_BOWLS, "bowls")))

    @cached_property
    def instrument(self) -> re.Pattern[str]:
        """Return a pattern that finds an instrument, the longest name first."""
        names = sorted((*self.instruments, *self.bare), key=len, reverse=True)
        return re.compile(rf"\b(?:{'|'.join(names)})\b")


@cache
def vocabulary() -> Vocabulary:
    """Return the lists of vocabulary.toml, with what languages.toml says of them."""
    lists, others = (
        read_table("melodify_core.captioners.openai", f"{name}.toml") for name in ("vocabulary", "languages")
    )
    other = {
        table: {word.casefold(): meant for meant, words in said.items() for word in words}
        for table, said in others.items()
    }
    both = {"fields": other.pop("fields") | lists["fields"], "same": other.pop("phrases") | lists["same"]}
    return TypeAdapter(Vocabulary).validate_python(lists | other | both)


def known(phrase: str) -> str:
    """Return the phrase in lower case if all its words stand in the lists, and one of them tells something; else ""."""
    return _known(phrase) or (_known(_BOUND.sub(" ", phrase)) if _BOUND.search(phrase) else "")


def _known(phrase: str) -> str:
    lists = vocabulary()
    whole = lists.same.get(" ".join(phrase.casefold().split()))
    text = whole or " ".join(_in_english(word) for word in phrase.casefold().split())
    words = _WORD.findall(text.replace(_BOWLS, "bowls"))
    if not 0 < len(words) <= WORDS_AT_MOST or not set(words) <= lists.words or set(words) <= lists.small:
        return ""
    return re.sub(r"[^\w' &-]|_|\d", "", text).strip(" -&'")


def _in_english(word: str) -> str:
    lists = vocabulary()
    return word if word in lists.words else lists.same.get(word, word)


def known_instrument(phrase: str) -> str:
    """Return the phrase if it is known, contains a whole instrument of the list and no singers; else ""."""
    text = known(phrase)
    beside = vocabulary().instrument.sub(" ", text)
    return "" if beside == text or _SUNG & set(_WORD.findall(beside)) else text
