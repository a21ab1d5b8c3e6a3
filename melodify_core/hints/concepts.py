"""What concepts.toml and words.toml say, checked: a mistake in them stops the tests, not a member's song."""

import re
from collections.abc import Mapping
from functools import cache
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter

from melodify_core.data_files import read_table
from melodify_core.models import Meter, Mode
from melodify_core.styles import all_styles
from melodify_core.styles.instruments import instruments

DRUMS = "drum kit"
# What the embedded composer can put around the notes.
Sound = Literal[
    "rain", "waves", "wind", "birds", "crickets", "fire", "cafe", "vinyl", "city", "bells", "thunder", "stream"
]  # fmt: skip
# Scripts that put no spaces between words.
_UNSPACED = re.compile("[\u3040-\u30ff\u3400-\u9fff]")
# What a Korean noun carries in a hint.
_PARTICLES = (
    "에|의|을|를|이|가|은|는|에서|으로|로|와|과|랑|이랑|도|만|처럼|같은|같이|같아|느낌|느낌으로|분위기|풍|풍으로|하고|"
    "이나|나|엔|에는|에도|까지|부터|용|에게|한테|인|하며|하면서|에서의|소리|노래|음악"
)


# What stands before a noun in a compound: "가을비", "밤바람", "바닷바람".
_BEFORE = "(?:(?<=여름|겨울|가을|새벽|아침|저녁|바닷)|(?<=[봄밤]))"


def _korean(word: str) -> str:
    if word.startswith("~"):
        return rf"{_BEFORE}(?:{word[1:]})(?:{_PARTICLES})?(?![가-힣a-z0-9])"
    return rf"(?<![가-힣a-z0-9])(?:{word[1:]})(?:{_PARTICLES})?(?![가-힣a-z0-9])" if word.startswith("=") else word


def _expressions(words: list[str]) -> list[str]:
    for word in words:
        re.compile(word)
    return words


def _player(name: str) -> str:
    if name != DRUMS and name not in instruments():
        raise ValueError(f'"{name}" is no instrument of material/instruments.toml')
    return name


def _style(name: str) -> str:
    if name and name not in all_styles():
        raise ValueError(f'"{name}" is not a style')
    return name


Words = Annotated[tuple[str, ...], BeforeValidator(_expressions), Field(min_length=1)]
Korean = Annotated[tuple[Annotated[str, AfterValidator(_korean)], ...], Field(min_length=1)]
Others = Annotated[tuple[str, ...], BeforeValidator(_expressions)]
Players = tuple[Annotated[str, AfterValidator(_player)], ...]
Level = Annotated[float, Field(ge=-1, le=1)]


def pattern_of(english: tuple[str, ...], korean: tuple[str, ...]) -> str:
    """Return the expression for folded text. English words may carry Korean particles ("jazz로")."""
    return rf"(?<![a-zß-ÿ0-9])(?:{'|'.join(english)})(?![a-zß-ÿ0-9])|(?:{'|'.join(korean)})"


class Named(BaseModel):
    """A thing with its words."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    english: Words
    korean: Korean
    others: Others = ()

    @property
    def pattern(self) -> str:
        """The regular expression for folded text."""
        whole = [word for word in self.others if not _UNSPACED.search(word)]
        inside = [word for word in self.others if _UNSPACED.search(word)]
        return pattern_of((*self.english, *whole), (*self.korean, *inside))


class Concept(Named):
    """A concept: concepts.toml explains the keys."""

    examples: Annotated[tuple[str, ...], Field(min_length=8, max_length=8)]
    style: Annotated[str, AfterValidator(_style)] = ""
    priority: int = 5
    valence: Level = 0.0
    arousal: Level = 0.0
    pace: Annotated[float, Field(ge=0.5, le=2)] = 1.0
    bpm: Annotated[int, Field(ge=50, le=180)] | None = None
    mode: Mode | None = None
    meter: Meter | None = None
    instruments: Players = ()
    without: Players = ()
    alone: Annotated[str, AfterValidator(_player)] | None = None
    sounds: tuple[Sound, ...] = ()
    no_sounds: bool = False
    is_mood: bool = False
    is_denial: bool = False


class OtherWords(BaseModel):
    """The instruments, modes and lengths."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    instruments: dict[Annotated[str, AfterValidator(_player)], Named]
    modes: dict[Mode, Named]
    # Words of other languages: the rest stands in the styles' own files.
    styles: dict[Annotated[str, AfterValidator(_style)], Others]
    lengths: dict[Annotated[int, Field(ge=10, le=120)], Named]  # seconds


@cache
def concepts() -> Mapping[str, Concept]:
    """Return all concepts by name."""
    return TypeAdapter(dict[str, Concept]).validate_python(read_table("melodify_core.hints", "concepts.toml"))


@cache
def silence() -> Mapping[str, tuple[str, ...]]:
    """Return phrases that ask for nothing, in groups of eight."""
    return TypeAdapter(dict[str, tuple[str, ...]]).validate_python(read_table("melodify_core.hints", "silence.toml"))


@cache
def other_words() -> OtherWords:
    """Return the words of instruments, modes and lengths."""
    return OtherWords.model_validate(read_table("melodify_core.hints", "words.toml"))
