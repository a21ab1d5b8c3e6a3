"""A hint's exact words: which concepts, styles, instruments, modes and numbers stand in it, and where."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise
from typing import Literal

from melodify_core.hints.concepts import DRUMS, Sound, concepts, other_words, pattern_of
from melodify_core.hints.denials import denial_of
from melodify_core.styles import all_styles

Kind = Literal["concept", "instrument", "style", "mode", "bpm", "seconds"]
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
# What lists of denied things are joined by.
_OR = re.compile(r"^\s*,?\s*(?:or|nor|oder|noch|ou|ni|o|e?и)\s*(?:the |any |an? )*$")
_AND = re.compile(r"^\s*,?\s*(?:and|y|et|und)\s*(?:the |any |an? )*$")
_COMMA = re.compile(r"^\s*[,&/]\s*(?:the |any |an? )*$")
_WITH = re.compile(r"(?:이?랑|과|와|나|이나)\s*$")
_KOREAN_COMMA = re.compile(r"^\s*(?:하고|,)\s*$")
_ALSO = re.compile(r"^\s*[가-힣]?고\s+$")


@dataclass(frozen=True, slots=True)
class Found:
    """A word of a hint: what it names, where it stands, and whether it is denied."""

    start: int
    end: int
    kind: Kind
    name: str
    denied: bool = False

    @property
    def key(self) -> str:
        """The name by which it is heard: a concept's, or with its kind."""
        if self.denied and self.name == DRUMS:
            return "no_drums"
        name = self.name if self.kind == "concept" else f"{self.kind}.{self.name}"
        return f"without.{name}" if self.denied else name

    def reach(self, text: str) -> tuple[int, int] | None:
        """Return where the word stands with what denies it; None where nothing does."""
        return denial_of(text, self.start, self.end, player=self.kind == "instrument")


def found_in(text: str) -> list[Found]:
    """Return what stands in folded text, in its order. Of words inside of others, the longest counts."""
    every = [*_numbers(text), *_named(text)]
    kept = [each for each in every if not any(_covers(other, each) for other in every)]
    said = [each for each in kept if not any(_is_in_denial(text, each, other) for other in kept)]
    return _denied_together(text, sorted(set(said), key=lambda each: (each.start, each.end, each.kind, each.name)))


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
            if not denial_of(text, match.start(), match.end()):
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
                found = Found(match.start(), match.end(), kind, name)
                yield replace(found, denied=found.reach(text) is not None)


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


def _is_in_denial(text: str, each: Found, other: Found) -> bool:
    """Return whether a word only denies another one: of "I hate drums" nobody is angry."""
    if not other.denied or (reach := other.reach(text)) is None:
        return False
    return reach[0] <= each.start and each.end <= reach[1] and (each.end <= other.start or other.end <= each.start)


def _denied_together(text: str, words: list[Found]) -> list[Found]:
    """Deny what is listed with a denied thing: "no drums or bass", "드럼이랑 기타 없이"."""
    done = list(words)
    for place, (before, after) in enumerate(pairwise(done)):
        if done[place].denied and _goes_on(text[before.end : after.start], done[place], after):
            done[place + 1] = replace(after, denied=True)
    for place in range(len(done) - 1, 0, -1):
        before, after = done[place - 1], done[place]
        if after.denied and _leads_to(text, before, after):
            done[place - 1] = replace(before, denied=True)
    return done


def _goes_on(between: str, before: Found, after: Found) -> bool:
    players = {before.kind, after.kind} == {"instrument"}
    if _AND.match(between):
        return players or {before.kind, after.kind} == {"style"} or _are_alike(before, after)
    return bool(_OR.match(between)) or (players and bool(_COMMA.match(between)))


def _leads_to(text: str, before: Found, after: Found) -> bool:
    between = text[before.end : after.start]
    if {before.kind, after.kind} == {"instrument"} and _KOREAN_COMMA.match(between):
        return True
    # The particle may belong to the word.
    joined = len(between) <= 3 and _WITH.search(text[before.start : after.start])
    return bool(joined) or (bool(_ALSO.match(between)) and _are_alike(before, after))


def _are_alike(before: Found, after: Found) -> bool:
    """Return whether two moods are of one side: "not sad and gloomy" denies both, "not sad and happy" one."""
    moods = [concepts()[each.name].valence for each in (before, after) if each.kind == "concept"]
    return len(moods) == 2 and moods[0] * moods[1] > 0
