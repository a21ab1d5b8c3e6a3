"""A hint's exact words: which concepts, styles, instruments, modes and numbers stand in it, and where."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise
from typing import Literal

from melodify_core.hints.concepts import DRUMS, Sound, concepts, other_words, pattern_of
from melodify_core.styles import all_styles

Kind = Literal["concept", "instrument", "style", "mode", "bpm", "seconds"]
ALONE = "alone."
SLOWEST, FASTEST = 60, 150
SHORTEST, LONGEST = 10, 120
# "140 bpm", "140 비트" ("8비트" and "16비트" are sounds), "tempo 140", "템포는 140".
_BPM = re.compile(
    r"(?<!\d)(?:(\d{2,3})\s*(?:bpm|비피엠)|([4-9]\d|\d{3})\s*(?:비트|beats(?: per minute| a minute)?|tempo|템포))"
    r"|(?:bpm|비피엠|tempo|템포)(?:\s*(?:of|at|is|[는은를을:=]))?\s*(\d{2,3})(?!\d)"
)
# "1 minute", "1분 30초", "a minute and a half" is not worth it.
_MINUTES = r"(?<![\d/])(\d(?:\.\d)?|an?|one|two|half a|일|한|이|두)\s*(?:-?\s*min(?:ute)?s?\b|분(?!의|위|홍|노|수))"
# "80s" is a decade.
_SECONDS = r"(?<![\d/])(?![5-9]0s\b)(\d{1,3})\s*(?:-?\s*s(?:ec(?:ond)?s?)?\b|초(?!등|록|원|코))"
_LENGTH = re.compile(rf"{_MINUTES}(?:\s*(?:and )?{_SECONDS})?|{_SECONDS}")
_NUMBERS = {"a": 1.0, "an": 1.0, "one": 1.0, "two": 2.0, "half a": 0.5, "일": 1.0, "한": 1.0, "이": 2.0, "두": 2.0}
# "no drums", "not too sad", "drop the bass"; "드럼 없이", "슬프지 않은", "안 슬픈".
_NO_BEFORE = re.compile(
    r"(?:\b(?:no|not|without|never|less|avoid|isn't|don't (?:want|use|like)|don't|except|minus|skip|drop|remove|"
    r"take out|leave out|get rid of|lose)\s+(?:too |so |very |any |the |an? |to be )*|(?:^|\s)(?:안|덜)\s)$"
)
_NO_AFTER = re.compile(r"^(?:[가-힣]{0,3}\s?(?:없|말고|빼|뺀|뺐|않|아닌|아니|제외|싫|지워|금지)|\s+be gone\b)")
# "only a guitar", "nothing but guitar", "guitar alone" ("a guitar solo" is a part of a piece); "기타만", "오직 기타".
_ALONE_BEFORE = re.compile(r"(?:\b(?:only|just|solo|nothing (?:but|except)|a single)\s+(?:the |an? |one )?|오직 )$")
_ALONE_AFTER = re.compile(r"^(?: (?:only|alone)\b| ?(?:하나)?(?:로|으로)?만(?![가-힣])| ?독주)")
_OR = re.compile(r"^\s*(?:or|and|nor|,|&|/|,? ?(?:or|and) (?:the|any) )\s*$")
_WITH = re.compile(r"^(?:이?랑|과|와|하고|,|나|이나)\s*$")


@dataclass(frozen=True, slots=True)
class Found:
    """A word of a hint: what it names, where it stands, and whether it is denied."""

    start: int
    end: int
    kind: Kind
    name: str
    denied: bool = False
    alone: bool = False  # an instrument, and no other one

    @property
    def key(self) -> str:
        """The name by which it is heard: a concept's, or with its kind."""
        if self.denied and self.name == DRUMS:
            return "no_drums"
        name = self.name if self.kind == "concept" else f"{self.kind}.{self.name}"
        if self.alone:
            return f"{ALONE}{self.name}"
        return f"without.{name}" if self.denied else name


def found_in(text: str) -> list[Found]:
    """Return what stands in folded text, in its order. Of words inside of others, the longest counts."""
    every = [*_numbers(text), *_named(text)]
    kept = [each for each in every if not any(_covers(other, each) for other in every)]
    return _denied_together(text, sorted(set(kept), key=lambda each: (each.start, each.end, each.kind, each.name)))


def sounds_named(text: str) -> tuple[Sound, ...]:
    """Return the sounds that English words on a soundscape name, such as "slow waves, salt air"."""
    found = [word.name for word in found_in(text.casefold()) if word.kind == "concept" and not word.denied]
    return tuple(dict.fromkeys(sound for name in found for sound in concepts()[name].sounds))


def seconds_in(text: str) -> Iterator[tuple[int, int, int]]:
    """Yield start, end and seconds of each length in the text: numbers, else "long" and "short"."""
    if numbers := list(_numbered_seconds(text)):
        yield from numbers
        return
    for pattern, seconds in _length_patterns():
        for match in pattern.finditer(text):
            if not _denied(text, match.start(), match.end()):
                yield match.start(), match.end(), seconds


@cache
def _length_patterns() -> tuple[tuple[re.Pattern[str], int], ...]:
    lengths = other_words().lengths.items()
    return tuple((re.compile(named.pattern, re.IGNORECASE), seconds) for seconds, named in lengths)


def _numbered_seconds(text: str) -> Iterator[tuple[int, int, int]]:
    for match in _LENGTH.finditer(text):
        minutes, rest, alone = match.groups()
        seconds = 60 * (_NUMBERS[minutes] if minutes in _NUMBERS else float(minutes)) if minutes else 0.0
        seconds += float(rest or alone or 0)
        if seconds:
            yield match.start(), match.end(), round(max(SHORTEST, min(LONGEST, seconds)))


def _numbers(text: str) -> Iterator[Found]:
    if match := _BPM.search(text):
        bpm = max(SLOWEST, min(FASTEST, int(match[match.lastindex or 0])))
        yield Found(match.start(), match.end(), "bpm", str(bpm))
    for start, end, seconds in seconds_in(text):
        yield Found(start, end, "seconds", str(seconds))


def _named(text: str) -> Iterator[Found]:
    for kind, name, pattern in _patterns():
        for match in pattern.finditer(text):
            if match.end() > match.start():
                denied = _denied(text, match.start(), match.end())
                alone = kind == "instrument" and not denied and _is_alone(text, match.start(), match.end())
                yield Found(match.start(), match.end(), kind, name, denied, alone and name != DRUMS)


@cache
def _patterns() -> tuple[tuple[Kind, str, re.Pattern[str]], ...]:
    words = other_words()
    every: list[tuple[Kind, str, str]] = [("concept", name, concept.pattern) for name, concept in concepts().items()]
    every += [("instrument", name, named.pattern) for name, named in words.instruments.items()]
    every += [("mode", name, named.pattern) for name, named in words.modes.items()]
    every += [
        ("style", name, pattern_of(style.words.english, style.words.korean)) for name, style in all_styles().items()
    ]
    return tuple((kind, name, re.compile(pattern, re.IGNORECASE)) for kind, name, pattern in every)


def _covers(other: Found, each: Found) -> bool:
    """Return whether the other word is longer and stands in the same place."""
    apart = other.end <= each.start or each.end <= other.start
    return not apart and other.end - other.start > each.end - each.start


def _denied(text: str, start: int, end: int) -> bool:
    return bool(_NO_BEFORE.search(text[:start]) or _NO_AFTER.match(text[end:]))


def _is_alone(text: str, start: int, end: int) -> bool:
    return bool(_ALONE_BEFORE.search(text[:start]) or _ALONE_AFTER.match(text[end:]))


def _denied_together(text: str, words: list[Found]) -> list[Found]:
    """Deny what is listed with a denied instrument: "no drums or bass", "드럼이랑 기타 없이"."""
    done = list(words)
    for place, (before, after) in enumerate(pairwise(done)):
        between = text[before.end : after.start]
        if {before.kind, after.kind} == {"instrument"} and done[place].denied and _OR.match(between):
            done[place + 1] = replace(after, denied=True)
    for place in range(len(done) - 1, 0, -1):
        before, after = done[place - 1], done[place]
        if {before.kind, after.kind} == {"instrument"} and after.denied and _WITH.match(text[before.end : after.start]):
            done[place - 1] = replace(before, denied=True)
    return done
