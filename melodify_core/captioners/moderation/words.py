"""Hint -> whether it has words of words.toml. No list knows what is meant, so it has only words without another use."""

import re
import unicodedata
from dataclasses import dataclass
from functools import cache

from pydantic import TypeAdapter

from melodify_core.data_files import read_table


@dataclass(frozen=True)
class Words:
    """What words.toml says."""

    always: list[str]
    sexual: list[str]
    young: list[str]


def is_forbidden(hint: str, *, adult: bool = False) -> bool:
    """Return whether a hint is refused; in `adult` places sexual words pass, but not beside a child."""
    text = unicodedata.normalize("NFKC", hint).casefold()
    always, sexual, young = _patterns()
    if always.search(text):
        return True
    return bool(sexual.search(text)) and (not adult or bool(young.search(text)))


@cache
def _patterns() -> tuple[re.Pattern[str], re.Pattern[str], re.Pattern[str]]:
    words = TypeAdapter(Words).validate_python(read_table("melodify_core.captioners.moderation", "words.toml"))
    return _pattern(words.always), _pattern(words.sexual), _pattern(words.young)


def _pattern(words: list[str]) -> re.Pattern[str]:
    # Latin words stand alone; Korean has particles behind them, Chinese and Japanese no spaces.
    return re.compile("|".join(rf"\b{re.escape(word)}\b" if word.isascii() else re.escape(word) for word in words))
