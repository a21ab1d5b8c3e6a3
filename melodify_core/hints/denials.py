"""Whether a hint wants a thing or does not want it: "no drums", "드럼 없이", "sin batería", "ピアノなしで".

The words stand in denials.toml.
"""

import re
from dataclasses import dataclass
from functools import cache
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from melodify_core.data_files import read_table

_Words = Annotated[tuple[str, ...], Field(min_length=1)]


class _Before(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    words: _Words
    undone: _Words
    undoing: _Words
    before_players: _Words
    describing_not: _Words
    between: _Words
    korean: _Words
    korean_between: _Words
    chinese: _Words
    chinese_between: _Words


class _After(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    english: _Words
    korean: _Words
    less: _Words
    nouns: _Words
    intensities: _Words
    verbs: _Words
    japanese: _Words
    japanese_between: _Words
    chinese: _Words
    signs: _Words


class _Anywhere(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    korean: _Words


class _Denials(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    before: _Before
    after: _After
    anywhere: _Anywhere


@dataclass(frozen=True, slots=True)
class _Patterns:
    before: re.Pattern[str]
    before_player: re.Pattern[str]
    undone: re.Pattern[str]
    after: re.Pattern[str]
    after_player: re.Pattern[str]
    anywhere: re.Pattern[str]


def denial_of(text: str, start: int, end: int, *, player: bool = False) -> tuple[int, int] | None:
    """Return from where to where a thing and its denial reach in folded text; None where it is wanted.

    `player` says that the thing is an instrument: less of one is none.
    """
    patterns = _patterns()
    before, after = text[:start], text[end:]
    if match := patterns.before.search(before) or (player and patterns.before_player.search(before)):
        return None if patterns.undone.search(before) else (match.start(), end)
    if match := (patterns.after_player if player else patterns.after).match(after):
        return start, end + match.end()
    return None


def denies(phrase: str) -> bool:
    """Return whether a folded phrase denies something, whatever that is."""
    return bool(_patterns().anywhere.search(phrase))


def without_denials(phrase: str) -> str:
    """Return the phrase as if it denied nothing."""
    return " ".join(_patterns().anywhere.sub(" ", phrase).split())


@cache
def _patterns() -> _Patterns:
    said = _Denials.model_validate(read_table("melodify_core.hints", "denials.toml"))
    before, after = said.before, said.after
    start, signs = r"(?<![\w'’])", _any(after.signs)
    between = rf"(?:{_any(before.between)}[\s'’]+)*"
    other = rf"(?!{_any(before.describing_not)}\s)[^\W\d_가-힣]+\s+"
    chinese = _any(before.chinese)
    spaceless = rf"(?<![가-힣]){_any(before.korean)}\s+(?:{_any(before.korean_between)}\s+)?"
    spaceless += rf"|{chinese}{_any(before.chinese_between)}*|{signs}\ufe0f?\s*"
    anywhere = (
        rf"{start}{_any(before.words)}(?![\w'’])",
        _any(said.anywhere.korean),
        chinese,
        _any(after.japanese),
        signs,
    )
    return _Patterns(
        before=re.compile(rf"(?:{start}{_any(before.words)}\s+{between}|{spaceless})$"),
        before_player=re.compile(rf"{start}{_any(before.before_players)}\s+{between}{other}$"),
        undone=re.compile(rf"{start}{_any(before.undone)}\s+{_any(before.undoing)}\s+{between}$"),
        after=_after(after, after.korean),
        after_player=_after(after, (*after.korean, *after.less)),
        anywhere=re.compile("|".join(anywhere)),
    )


def _after(said: _After, korean: tuple[str, ...]) -> re.Pattern[str]:
    between = rf"(?:{_any(said.nouns)}[가-힣]{{0,2}}\s?){{0,2}}(?:{_any(said.intensities)}\s)?"
    between += rf"(?:{_any(said.verbs)}지[는도]?\s?)?"
    return re.compile(
        rf"[\s-]+{_any(said.english)}(?!\w)|(?!뿐)[가-힣]{{0,3}}\s?{between}{_any(korean)}[가-힣]{{0,4}}"
        rf"|{_any(said.japanese_between)}*{_any(said.japanese)}|{_any(said.chinese)}|\ufe0f?\s*{_any(said.signs)}"
    )


def _any(words: tuple[str, ...]) -> str:
    return f"(?:{'|'.join(words)})"
