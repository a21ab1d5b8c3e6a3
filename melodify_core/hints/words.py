"""A hint's exact words: which concepts, styles, instruments, modes and numbers stand in it, and where."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise
from typing import Literal

from melodify_core.hints.concepts import DRUMS, Sound, concepts, other_words, pattern_of
from melodify_core.hints.denials import denial_of
from melodify_core.hints.numbers import key_in, lengths_in, possible, tempo_in
from melodify_core.styles import all_styles

Kind = Literal["concept", "instrument", "style", "mode", "bpm", "seconds", "key"]
ALONE = "alone."
# What lists of denied things are joined by.
_OR = re.compile(r"^\s*,?\s*(?:or|nor|oder|noch|ou|ni|o|e?и)\s*(?:the |any |an? )*$")
_AND = re.compile(r"^\s*,?\s*(?:and|y|et|und)\s*(?:the |any |an? )*$")
_COMMA = re.compile(r"^\s*[,&/]\s*(?:the |any |an? )*$")
_WITH = re.compile(r"(?:이?랑|과|와|나|이나)\s*$")
_KOREAN_COMMA = re.compile(r"^\s*(?:하고|,)\s*$")
_ALSO = re.compile(r"^\s*[가-힣]?고\s+$")
# "only a guitar", "nothing but guitar", "guitar alone" ("a guitar solo" is a part of a piece); "기타만", "오직 기타".
_ALONE_BEFORE = re.compile(r"(?:\b(?:only|just|solo|nothing (?:but|except)|a single)\s+(?:the |an? |one )?|오직 )$")
_ALONE_AFTER = re.compile(r"^(?: (?:only|alone)\b| ?(?:하나)?(?:로|으로)?만(?![가-힣])| ?독주)")


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
    if numbers := [said for said in lengths_in(text) if not denial_of(text, said.start, said.end)]:
        yield from ((said.start, said.end, possible(said.value)) for said in numbers)
        return
    for pattern, seconds in _length_patterns():
        for match in pattern.finditer(text):
            if not denial_of(text, match.start(), match.end()):
                yield match.start(), match.end(), seconds


@cache
def _length_patterns() -> tuple[tuple[re.Pattern[str], int], ...]:
    lengths = other_words().lengths.items()
    return tuple((re.compile(named.pattern, re.IGNORECASE), seconds) for seconds, named in lengths)


def _numbers(text: str) -> Iterator[Found]:
    if tempo := tempo_in(text):
        yield _denied_or_not(text, Found(tempo.start, tempo.end, "bpm", str(tempo.value)))
    if key := key_in(text):
        yield _denied_or_not(text, Found(key.start, key.end, "key", key.key))
    for start, end, seconds in seconds_in(text):
        yield Found(start, end, "seconds", str(seconds))


def _named(text: str) -> Iterator[Found]:
    for kind, name, pattern in _patterns():
        for match in pattern.finditer(text):
            if match.end() > match.start():
                found = _denied_or_not(text, Found(match.start(), match.end(), kind, name))
                alone = kind == "instrument" and not found.denied and _is_alone(text, match.start(), match.end())
                yield replace(found, alone=alone and name != DRUMS)


@cache
def _patterns() -> tuple[tuple[Kind, str, re.Pattern[str]], ...]:
    words = other_words()
    every: list[tuple[Kind, str, str]] = [("concept", name, concept.pattern) for name, concept in concepts().items()]
    every += [("instrument", name, named.pattern) for name, named in words.instruments.items()]
    every += [("mode", name, named.pattern) for name, named in words.modes.items()]
    for name, style in all_styles().items():
        named = style.words
        every.append(("style", name, pattern_of(named.english, (*named.korean, *words.styles.get(name, ())))))
    return tuple((kind, name, re.compile(pattern, re.IGNORECASE)) for kind, name, pattern in every)


def _denied_or_not(text: str, found: Found) -> Found:
    return replace(found, denied=found.reach(text) is not None)


def _covers(other: Found, each: Found) -> bool:
    """Return whether the other word is longer and stands in the same place."""
    apart = other.end <= each.start or each.end <= other.start
    return not apart and other.end - other.start > each.end - each.start


def _is_in_denial(text: str, each: Found, other: Found) -> bool:
    """Return whether a word only denies another one: of "I hate drums" nobody is angry."""
    if not other.denied or (reach := other.reach(text)) is None:
        return False
    return reach[0] <= each.start and each.end <= reach[1] and (each.end <= other.start or other.end <= each.start)


def _is_alone(text: str, start: int, end: int) -> bool:
    return bool(_ALONE_BEFORE.search(text[:start]) or _ALONE_AFTER.match(text[end:]))


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
