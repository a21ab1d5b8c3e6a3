"""Hint -> Steering: the words that the captioner knows, in English and Korean. Unknown words are ignored."""

import re
from dataclasses import dataclass
from functools import cache

from pydantic import TypeAdapter

from melodify_core.data_files import read_table
from melodify_core.models import Mode
from melodify_core.styles import all_styles
from melodify_core.styles.style import Words as StyleWords

# "140 bpm", "140 비트" ("8비트" and "16비트" are sounds), "tempo 140", "템포는 140".
_BPM = re.compile(
    r"(?<!\d)(?:(\d{2,3})\s*(?:bpm|비피엠)|([4-9]\d|\d{3})\s*(?:비트|beats|tempo|템포))"
    r"|(?:bpm|비피엠|tempo|템포)(?:\s*(?:of|at|is|[는은를을:=]))?\s*(\d{2,3})(?!\d)"
)
# "no drums", "not too sad"; "드럼 없이", "슬프지 않은", "안 슬픈".
_NO_BEFORE = re.compile(
    r"(?:\b(?:no|not|without|never|less|avoid|isn't|don't)\s+(?:too |so |very |any |the |an? )?|(?:^|\s)(?:안|덜)\s)$"
)
_NO_AFTER = re.compile(r"^[가-힣]{0,3}\s?(?:없|말고|빼고|않|아닌|아니|제외)")
SLOWEST, FASTEST = 60, 150


@dataclass(frozen=True, slots=True)
class _Words:
    """Regular expressions: English ones between word boundaries, Korean ones anywhere."""

    english: tuple[str, ...]
    korean: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _MoodWords(_Words):
    valence: float
    arousal: float


@dataclass(frozen=True, slots=True)
class HintWords:
    """The known words of a hint, but those of the styles."""

    moods: tuple[_MoodWords, ...]
    instruments: dict[str, _Words]
    modes: dict[Mode, _Words]


@cache
def hint_words() -> HintWords:
    """Return the words of hints.toml."""
    return TypeAdapter(HintWords).validate_python(read_table("melodify_core.captioners.palette", "hints.toml"))


@dataclass(frozen=True, slots=True)
class Steering:
    """The wishes of a hint. The shifts are in the units of Feeling."""

    valence: float = 0.0
    arousal: float = 0.0
    style: str | None = None
    instruments: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    mode: Mode | None = None
    bpm: int | None = None


def steering_of(hint: str) -> Steering:
    """Return what the hint's known words ask for; a word that is denied ("no drums", "드럼 없이") counts as denied."""
    text, words = hint.casefold(), hint_words()
    moods = [mood for mood in words.moods if _asked(text, mood)]
    modes = [mode for mode, named in words.modes.items() if _asked(text, named)]
    tempo = _BPM.search(text)
    return Steering(
        valence=sum(mood.valence for mood in moods),
        arousal=sum(mood.arousal for mood in moods),
        style=_style(text),
        instruments=tuple(name for name, named in words.instruments.items() if _asked(text, named)),
        without=tuple(name for name, named in words.instruments.items() if _asked(text, named, denied=True)),
        mode=modes[0] if len(modes) == 1 else None,
        bpm=max(SLOWEST, min(FASTEST, int(tempo[tempo.lastindex or 0]))) if tempo else None,
    )


def _style(text: str) -> str | None:
    styles = sorted(all_styles().items(), key=lambda item: item[1].words.hint_priority)
    return next((name for name, style in styles if _asked(text, style.words)), None)


def _asked(text: str, words: _Words | StyleWords, *, denied: bool = False) -> bool:
    """Return whether one of the words stands in the text and is denied, or is not."""
    found = re.finditer(rf"\b(?:{'|'.join(words.english)})\b|(?:{'|'.join(words.korean)})", text)
    return any(_denied(text, word) == denied for word in found)


def _denied(text: str, word: re.Match[str]) -> bool:
    return bool(_NO_BEFORE.search(text[: word.start()]) or _NO_AFTER.match(text[word.end() :]))
