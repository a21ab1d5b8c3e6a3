"""What a hint asks for, in musical terms, and what became of each of its phrases: words first, then meaning."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TypeVar

from melodify_core.brief import names_in, without_names
from melodify_core.hints import meaning
from melodify_core.hints.concepts import DRUMS, Concept, Sound, concepts, silence
from melodify_core.hints.leftovers import leftovers, telling
from melodify_core.hints.words import Found, found_in, seconds_in
from melodify_core.models import Meter, Mode
from melodify_core.styles import all_styles

MOST_HEARD, MOST_NOT_USED, MOST_SOUNDS, MOST_WITHOUT = 12, 8, 3, 8
PHRASE_CHARACTERS = 60  # of a phrase that is named as not used
MOST_PHRASES = 6  # whose meaning is looked for: each takes 10 to 20 ms
# A denied mood this strong keeps the music on the other side.
_STRONG = 0.3
_SPLIT = re.compile(
    r"[,;.!?\n、，。！？·+&/]+|(?<!\bnothing)\s+(?:and|but|with|plus|then|그리고|근데|하지만|대신)\s+|(?<=[가-힣]하고)\s+"
)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a hint asks for. The levels are shifts and bounds of a mood, -1..1; `pace` multiplies the tempo."""

    valence: float = 0.0
    arousal: float = 0.0
    least: tuple[float, float] = (-1.0, -1.0)  # of valence and arousal
    most: tuple[float, float] = (1.0, 1.0)
    pace: float = 1.0
    bpm: int | None = None
    mode: Mode | None = None
    meter: Meter | None = None
    style: str | None = None
    styles_out: frozenset[str] = frozenset()
    demanded: tuple[str, ...] = ()  # instruments that the hint names
    instruments: tuple[str, ...] = ()  # those, and then those that suit its concepts
    without: tuple[str, ...] = ()
    alone: str | None = None  # the only instrument
    sounds: tuple[Sound, ...] = ()
    sounds_out: frozenset[str] = frozenset()
    no_sounds: bool = False
    seconds: int | None = None
    heard: tuple[str, ...] = ()
    not_used: tuple[str, ...] = ()
    # The phrase in which each heard thing stands, to say what could not be used after all.
    phrases: dict[str, str] = field(default_factory=dict)


@lru_cache(maxsize=64)
def understand(hint: str, *, by_meaning: bool = True) -> Wishes:
    """Return what a cleaned hint asks for.

    `by_meaning` looks for the meaning of phrases whose words are unknown, where the extra is installed: call it in a
    worker process then. The first such hint of a process loads the model.
    """
    if not hint.strip():
        return Wishes()
    text = without_names(hint).casefold()
    words = found_in(text)
    heard = list(words)
    silent = [name[:PHRASE_CHARACTERS] for name in names_in(hint)]
    asked = 0
    for start, end in _phrases(text):
        if any(word.start < end and start < word.end for word in words):
            silent += [_as_written(hint, text[first:last]) for first, last in leftovers(text, start, end, words)]
            continue
        if not telling(text[start:end]):
            continue
        asked += 1
        meant = _meant(text[start:end].strip()) if by_meaning and asked <= MOST_PHRASES else ()
        heard += [Found(start, end, "concept", name) for name in meant]
        if not meant:
            silent.append(_as_written(hint, text[start:end].strip()))
    if not heard and not silent:
        silent.append(hint.strip()[:PHRASE_CHARACTERS])
    heard.sort(key=lambda each: (each.start, each.end))
    return _wishes(heard, silent, text)


def length_of(hint: str) -> int | None:
    """Return the seconds that the hint's words ask for, if any: "1 minute", "짧게". Quick."""
    return next((seconds for _, _, seconds in seconds_in(hint.casefold())), None)


def _phrases(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    for match in _SPLIT.finditer(text):
        yield start, match.start()
        start = match.end()
    yield start, len(text)


def _as_written(hint: str, phrase: str) -> str:
    place = hint.casefold().find(phrase)
    return (hint[place : place + len(phrase)] if place >= 0 else phrase)[:PHRASE_CHARACTERS]


def _meant(phrase: str) -> tuple[str, ...]:
    examples = {name: concept.examples for name, concept in concepts().items()}
    found = meaning.concepts_of(phrase, {**examples, **silence()})
    return () if set(found) & silence().keys() else found


def _wishes(heard: list[Found], silent: list[str], text: str) -> Wishes:
    heard = _with_one_alone(heard)
    wanted = [word for word in heard if not word.denied]
    denied = [word for word in heard if word.denied]
    asked = [concepts()[name] for name in _once(word.name for word in wanted if word.kind == "concept")]
    refused = [concepts()[name] for name in _once(word.name for word in denied if word.kind == "concept")]
    without = [word.name for word in denied if word.kind == "instrument"]
    without += [name for concept in asked for name in concept.without]
    alone = _first([*(word.name for word in wanted if word.alone), *(concept.alone for concept in asked)])
    without += [DRUMS] if alone else []
    styles_out = frozenset(word.name for word in denied if word.kind == "style")
    sounds_out = frozenset(sound for concept in refused for sound in concept.sounds)
    played = [word.name for word in wanted if word.kind == "instrument"]
    own = [name for name in played if name not in without]
    played = [*own, *(name for concept in asked for name in concept.instruments if name not in without)]
    silence = any(concept.no_sounds for concept in asked)
    sounds = [sound for concept in asked for sound in concept.sounds if sound not in sounds_out]
    shown = [word for word in heard if not _is_beside(word, heard)]
    return Wishes(
        valence=sum(concept.valence for concept in asked),
        arousal=sum(concept.arousal for concept in asked),
        least=_least(refused),
        most=_most(refused),
        pace=max(0.6, min(1.5, _product(concept.pace for concept in asked))),
        bpm=_first([*(int(word.name) for word in wanted if word.kind == "bpm"), *(c.bpm for c in asked)]),
        mode=_mode(wanted, asked),
        meter=_first(concept.meter for concept in asked),
        style=_style(wanted, asked, styles_out),
        styles_out=styles_out,
        demanded=tuple(_once(own)),
        instruments=tuple(_once(played)),
        without=tuple(_once(without))[:MOST_WITHOUT],
        alone=alone,
        sounds=() if silence else tuple(_once(sounds))[:MOST_SOUNDS],
        sounds_out=sounds_out,
        no_sounds=silence,
        seconds=_first(int(word.name) for word in wanted if word.kind == "seconds"),
        heard=tuple(_once(word.key for word in shown))[:MOST_HEARD],
        not_used=tuple(_once(silent))[:MOST_NOT_USED],
        phrases={word.key: text[word.start : word.end].strip() for word in reversed(shown)},
    )


def _with_one_alone(heard: list[Found]) -> list[Found]:
    """Return what was heard; where several instruments are named, none is alone."""
    named = {word.name for word in heard if word.kind == "instrument" and not word.denied}
    return heard if len(named) == 1 else [replace(word, alone=False) for word in heard]


def _is_beside(word: Found, heard: list[Found]) -> bool:
    """Return whether a style is named by the same word as a concept or an instrument, which say more."""
    return word.kind == "style" and any(
        other.kind in ("concept", "instrument") and (other.start, other.end) == (word.start, word.end)
        for other in heard
    )


def _style(wanted: list[Found], asked: list[Concept], out: frozenset[str]) -> str | None:
    named = [(concept.priority, concept.style) for concept in asked if concept.style]
    named += [(all_styles()[word.name].words.hint_priority, word.name) for word in wanted if word.kind == "style"]
    fitting = [each for each in named if each[1] not in out]
    return min(fitting, key=lambda each: each[0])[1] if fitting else None


def _mode(wanted: list[Found], asked: list[Concept]) -> Mode | None:
    said: list[Mode] = ["major" if word.name == "major" else "minor" for word in wanted if word.kind == "mode"]
    if said:
        return said[0] if len(set(said)) == 1 else None
    # Of moods that contradict each other, the stronger ones decide by their sum.
    moods: set[Mode] = {concept.mode for concept in asked if concept.mode}
    return next(iter(moods)) if len(moods) == 1 else None


def _least(refused: list[Concept]) -> tuple[float, float]:
    low = [concept for concept in refused if concept.valence <= -_STRONG], [c for c in refused if c.arousal <= -_STRONG]
    return (0.05 if low[0] else -1.0), (0.0 if low[1] else -1.0)


def _most(refused: list[Concept]) -> tuple[float, float]:
    high = [concept for concept in refused if concept.valence >= _STRONG], [c for c in refused if c.arousal >= _STRONG]
    return (-0.05 if high[0] else 1.0), (0.0 if high[1] else 1.0)


def _once(names: Iterable[T]) -> list[T]:
    return list(dict.fromkeys(names))


def _first(values: Iterable[T | None]) -> T | None:
    return next((value for value in values if value is not None), None)


def _product(factors: Iterable[float]) -> float:
    product = 1.0
    for factor in factors:
        product *= factor
    return product
